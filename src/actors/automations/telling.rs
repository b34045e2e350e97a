//! What is told when, and what becomes of it: told, tried again later, or given up.

use super::attempt::{Attempt, Came, Entries, Tried};
use super::desk::{Desk, put_standing};
use super::held::{Held, LastAnswer, micros};
use crate::domain::automation::{Delivery, after};
use crate::domain::{Act, Emitted, Own, Timestamp, entity_event};
use crate::storage::Request;
use std::sync::Arc;
use std::time::Duration;

/// The least and the longest time until it is looked again what is due.
const LOOK_IN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(60));

impl Desk {
    /// What is to be told now; each receiver is told one thing at a time.
    pub fn due(&mut self) -> Vec<Attempt> {
        if !self.unsaved.is_empty() {
            return Vec::new();
        }
        let now = (self.parts.clock)();
        let mut due = Vec::new();
        for held in self.held.values_mut() {
            let next = held.next(now).filter(|(at, _)| *at <= now);
            let Some(delivery) = next.map(|(_, delivery)| delivery.clone()) else {
                continue;
            };
            held.in_flight = Some(delivery.id.clone());
            due.push(Attempt {
                rule: Arc::clone(&held.rule),
                id: delivery.id,
                made: delivery.made,
                count: delivery.count,
                entries: Entries::Numbered(delivery.seqs),
                reader: Arc::clone(&self.parts.reader),
                post: self.post.clone(),
            });
        }
        due
    }

    /// When something is due next.
    pub fn next_in(&self) -> Option<Duration> {
        let now = (self.parts.clock)();
        let next = self.held.values().filter_map(|held| held.next(now));
        let at = next.map(|(at, _)| at).min()?;
        let micros = u64::try_from(at.micros() - now.micros()).unwrap_or(0);
        Some(Duration::from_micros(micros).clamp(LOOK_IN.0, LOOK_IN.1))
    }

    /// One delivery outside of any count.
    pub fn test_of(&self, name: &str) -> Option<Attempt> {
        let held = self.held.get(name)?;
        Some(Attempt {
            rule: Arc::clone(&held.rule),
            id: format!("dl_{}", uuid::Uuid::now_v7().simple()),
            made: (self.parts.clock)(),
            count: 1,
            entries: Entries::NewestOf(Box::new(held.filter().clone())),
            reader: Arc::clone(&self.parts.reader),
            post: self.post.clone(),
        })
    }

    /// What came of an attempt.
    pub async fn answered(&mut self, rule: &str, id: &str, tried: Tried) {
        let now = (self.parts.clock)();
        let Some(held) = self.held.get_mut(rule) else {
            return;
        };
        if held.in_flight.as_deref() == Some(id) {
            held.in_flight = None;
        }
        held.answered = Some(LastAnswer {
            at: now,
            status: tried.status,
            error: tried.error.clone(),
        });
        let Some(delivery) = held.pending.get_mut(id) else {
            return;
        };
        delivery.attempts += 1;
        let request = match tried.came {
            Came::Told => self.told(rule, id, now),
            Came::Refused => self.give_up(rule, id, "refused", tried.status),
            Came::Later { retry_after } => {
                let wait = after(delivery.attempts, retry_after, chance());
                delivery.next = now.minus_micros(-micros(wait));
                let last = micros(held.rule.limits.give_up_after);
                let again = Act::PutDelivery(Box::new(delivery.clone()));
                match delivery.next > delivery.made.minus_micros(-last) {
                    true => self.give_up(rule, id, "expired", tried.status),
                    false => Request {
                        acts: vec![again],
                        entries: Vec::new(),
                    },
                }
            }
        };
        self.commit_later(request).await;
    }

    fn told(&mut self, rule: &str, id: &str, now: Timestamp) -> Request {
        let mut request = Request::default();
        if let Some(held) = self.held.get_mut(rule) {
            held.gate.standing.delivered += 1;
            held.pending.remove(id);
            held.hurry(now);
            request.acts.push(Act::RemoveDelivery { id: id.to_owned() });
            request.acts.push(put_standing(held));
            self.parts.metrics.automations.delivered.inc();
        }
        request
    }

    /// Those of rules that are switched off, or that waited while the daemon did not run.
    pub async fn give_up_expired(&mut self) {
        let now = (self.parts.clock)();
        let expired = |(name, held): (&String, &Held)| {
            let ids = held.expired(now).into_iter();
            ids.map(|id| (name.clone(), id)).collect::<Vec<_>>()
        };
        let expired: Vec<_> = self.held.iter().flat_map(expired).collect();
        for (name, id) in expired {
            let request = self.give_up(&name, &id, "expired", None);
            self.commit_later(request).await;
        }
    }

    fn give_up(
        &mut self,
        rule: &str,
        id: &str,
        reason: &'static str,
        status: Option<u16>,
    ) -> Request {
        let mut request = Request::default();
        let Some(held) = self.held.get_mut(rule) else {
            return request;
        };
        if let Some(lost) = held.pending.remove(id) {
            held.gate.standing.failed += 1;
            self.parts.metrics.automations.failed.inc();
            request.acts.push(Act::RemoveDelivery {
                id: lost.id.clone(),
            });
            request.acts.push(put_standing(held));
            request
                .entries
                .push(self.own_entry(failed(&lost, reason, status)));
        }
        request
    }
}

/// From 0 to 1. Without a source of chance all wait alike, which does no harm.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

pub(super) fn failed(delivery: &Delivery, reason: &'static str, status: Option<u16>) -> Own {
    let message = format!(
        "A delivery of the automation {} was given up",
        delivery.rule
    );
    let own = entity_event(
        "automation",
        Emitted::AutomationFailed,
        &delivery.rule,
        None,
    )
    .saying(message)
    .with("delivery", delivery.id.as_str())
    .with("attempts", delivery.attempts)
    .with("reason", reason);
    match status {
        Some(status) => own.with("status", status),
        None => own,
    }
}
