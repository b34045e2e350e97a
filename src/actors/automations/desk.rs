//! What the Dispatcher works on: the rules in force, up to where the book was read for them, and what was decided
//! and could not be committed yet. Activation, delivery and position are one commit, so that a crash neither loses
//! nor doubles one.

use super::held::{Held, Shown};
use super::sending::Post;
use super::telling::failed;
use crate::actors::feed::Feed;
use crate::actors::messages::Recorded;
use crate::actors::{Clock, Recorder, Refusal, Writer};
use crate::config::DeclaredRule;
use crate::domain::automation::{Delivery, MOST_PENDING, Rule, Standing};
use crate::domain::{Act, Emitted, Epoch, NewEntry, Own, Rules, Seq, entity_event};
use crate::storage::{EntryReader, KeptAutomations, Request, StorageError};
use crate::telemetry::Metrics;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What the desk needs of others.
#[derive(Clone)]
pub struct Parts {
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub recorder: Recorder,
    pub rules: Arc<Rules>,
    pub clock: Clock,
    pub metrics: Metrics,
}

pub struct Desk {
    pub(super) parts: Parts,
    pub(super) post: Post,
    pub(super) held: BTreeMap<String, Held>,
    pub(super) declared: Vec<DeclaredRule>,
    /// Up to where the book was read,
    pub(super) position: Seq,
    /// and up to where it says so itself.
    pub(super) noted: Seq,
    pub(super) epoch: Epoch,
    /// The windows are as they were before the restart.
    pub(super) is_recalled: bool,
    /// Decided, and not in the book yet; nothing else is decided meanwhile.
    pub(super) unsaved: Vec<(Request, Vec<Delivery>)>,
    pub(super) news: News,
    /// Taken from the feed, and not judged to its end.
    pub(super) ahead: Option<Recorded>,
}

/// What the hub tells of what is recorded.
pub struct News {
    /// Up to where the hub knows the book; whoever waits for it is woken.
    pub newest: watch::Receiver<Seq>,
    pub feed: Feed,
}

impl News {
    /// Up to where the book goes.
    pub fn newest(&self) -> Seq {
        self.feed.newest().max(*self.newest.borrow())
    }
}

impl Desk {
    pub fn open(
        parts: Parts,
        declared: Vec<DeclaredRule>,
        news: News,
    ) -> Result<Self, StorageError> {
        let head = parts.reader.head()?;
        let mut desk = Self {
            post: Post::default(),
            held: BTreeMap::new(),
            declared,
            position: head.last_seq,
            noted: head.last_seq,
            epoch: head.epoch,
            is_recalled: false,
            unsaved: Vec::new(),
            news,
            ahead: None,
            parts,
        };
        desk.take_up(desk.parts.reader.automations()?, head.last_seq);
        Ok(desk)
    }

    /// As the book has it; a rule that it knows nothing of begins at `newest`.
    fn take_up(&mut self, kept: KeptAutomations, newest: Seq) {
        let standings: BTreeMap<_, _> = kept.standings.into_iter().collect();
        let standing = |name: &str| {
            let text = standings.get(name)?;
            serde_json::from_str::<Standing>(text).ok()
        };
        let mut held = BTreeMap::new();
        for declared in &self.declared {
            let name = declared.name();
            let one = Held::declared(declared, Standing::default(), &self.parts.rules);
            put(&mut held, name, one, standing(name), newest);
        }
        for (name, text) in &kept.rules {
            if held.contains_key(name) {
                log::warn!(
                    "the automation {name} of the configuration stands before the one that was made"
                );
                continue;
            }
            let object = serde_json::from_str(text).unwrap_or_default();
            let rules = &self.parts.rules;
            let one = Rule::read(object, rules)
                .and_then(|rule| Held::of(rule, None, Standing::default(), rules));
            put(&mut held, name, one, standing(name), newest);
        }
        for delivery in kept.deliveries {
            if let Some(one) = held.get_mut(&delivery.rule) {
                one.pending.insert(delivery.id.clone(), delivery);
            }
        }
        let begins = held.values().filter(|one| one.rule.enabled);
        let first = begins.map(|one| one.gate.standing.begin).min();
        let position = kept.position.unwrap_or(newest);
        self.position = position.max(first.unwrap_or(newest)).min(newest);
        self.noted = kept.position.unwrap_or(0);
        self.held = held;
        self.is_recalled = false;
        self.count_pending();
    }

    /// The book is another one, or its rules are not what they were.
    pub async fn read_again(&mut self) -> Result<(), Refusal> {
        self.unsaved.clear();
        let (kept, head) = self
            .reading(|reader| Ok((reader.automations()?, reader.head()?)))
            .await?;
        let in_flight: Vec<_> = self
            .held
            .iter_mut()
            .filter_map(|(name, held)| Some((name.clone(), held.in_flight.take()?)))
            .collect();
        self.epoch = head.epoch;
        self.take_up(kept, head.last_seq);
        for (name, id) in in_flight {
            if let Some(held) = self.held.get_mut(&name) {
                held.in_flight = Some(id).filter(|id| held.pending.contains_key(id));
            }
        }
        Ok(())
    }

    /// What it was about is not known to be right any more.
    pub async fn after_a_panic(&mut self) {
        self.ahead = None;
        if let Err(refusal) = self.read_again().await {
            log::error!("automations could not be read again: {refusal}");
        }
    }

    pub(super) async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn EntryReader) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let reader = Arc::clone(&self.parts.reader);
        let done = tokio::task::spawn_blocking(move || read(reader.as_ref())).await;
        Ok(done.map_err(|_| Refusal::Stopping)??)
    }

    /// What is to be committed of these activations, with the position up to which they were found.
    pub(super) fn decide(&mut self, made: Vec<Delivery>) {
        let mut request = Request::default();
        let mut names: Vec<&str> = made.iter().map(|delivery| delivery.rule.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in &names {
            let Some(held) = self.held.get_mut(*name) else {
                continue;
            };
            let new = made
                .iter()
                .filter(|delivery| delivery.rule == *name)
                .count();
            let over = (held.pending.len() + new).saturating_sub(MOST_PENDING);
            let waiting = held.pending.keys();
            let waiting = waiting.filter(|id| held.in_flight.as_ref() != Some(*id));
            let oldest: Vec<String> = waiting.take(over).cloned().collect();
            for id in oldest {
                if let Some(lost) = held.pending.remove(&id) {
                    held.gate.standing.failed += 1;
                    request.entries.push(
                        self.parts
                            .recorder
                            .own_entry(failed(&lost, "no_room", None), None),
                    );
                    request.acts.push(Act::RemoveDelivery { id });
                    self.parts.metrics.automations.failed.inc();
                }
            }
            request.acts.push(put_standing(held));
        }
        for delivery in &made {
            request
                .acts
                .push(Act::PutDelivery(Box::new(delivery.clone())));
            request.entries.push(self.own_entry(activated(delivery)));
            self.parts.metrics.automations.activated.inc();
        }
        request.acts.push(Act::ReadUpTo { seq: self.position });
        self.unsaved.push((request, made));
        self.noted = self.position;
    }

    /// Commits what was decided; until it is, nothing else is.
    pub(super) async fn save(&mut self) -> Result<(), Refusal> {
        while let Some((request, _)) = self.unsaved.first() {
            self.parts.writer.commit(request.clone()).await?;
            let (_, made) = self.unsaved.remove(0);
            for delivery in made {
                if let Some(held) = self.held.get_mut(&delivery.rule) {
                    held.pending.insert(delivery.id.clone(), delivery);
                }
            }
        }
        self.count_pending();
        Ok(())
    }

    /// Something that was decided is not in the book yet.
    pub fn is_behind(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// To be committed at once, or when it can be.
    pub(super) async fn commit_later(&mut self, request: Request) {
        self.unsaved.push((request, Vec::new()));
        if let Err(refusal) = self.save().await {
            log::warn!("what became of a delivery is recorded later: {refusal}");
        }
    }

    /// So that less is read again after a restart in order.
    pub async fn note_position(&mut self) {
        if self.save().await.is_ok() && self.position > self.noted && !self.held.is_empty() {
            self.decide(Vec::new());
            // What is not noted is read again.
            let _ = self.save().await;
        }
    }

    pub(super) fn own_entry(&self, own: Own) -> NewEntry {
        self.parts.recorder.own_entry(own, None)
    }

    pub(super) fn count_pending(&self) {
        let pending: usize = self.held.values().map(|held| held.pending.len()).sum();
        let pending = i64::try_from(pending).unwrap_or(i64::MAX);
        self.parts.metrics.automations.pending.set(pending);
    }

    pub fn shown(&self, name: Option<&str>) -> Vec<Shown> {
        let asked = self
            .held
            .iter()
            .filter(|(held, _)| name.is_none_or(|name| name == *held));
        asked.map(|(_, held)| held.shown()).collect()
    }
}

/// One rule more; what was counted for another of the same name does not count for it.
fn put(
    held: &mut BTreeMap<String, Held>,
    name: &str,
    one: Result<Held, crate::domain::FieldErrors>,
    standing: Option<Standing>,
    newest: Seq,
) {
    let mut one = match one {
        Ok(one) => one,
        Err(errors) => {
            log::error!("the automation {name} is not in force: {errors}");
            return;
        }
    };
    one.gate.standing = standing.unwrap_or_default().taken_up_by(&one.rule, newest);
    held.insert(name.to_owned(), one);
}

pub(super) fn put_standing(held: &Held) -> Act {
    Act::PutStanding {
        name: held.rule.name.clone(),
        standing: serde_json::to_string(&held.gate.standing).unwrap_or_default(),
    }
}

fn activated(delivery: &Delivery) -> Own {
    let what = match delivery.count {
        1 => "an entry".to_owned(),
        count => format!("{count} entries"),
    };
    let message = format!("The automation {} was activated by {what}", delivery.rule);
    entity_event(
        "automation",
        Emitted::AutomationActivated,
        &delivery.rule,
        None,
    )
    .saying(message)
    .with("delivery", delivery.id.as_str())
    .with("count", delivery.count)
    .with("seqs", delivery.seqs.clone())
}
