//! A rule in force: what judges for it, what it has still to tell, and how it stands, as it is shown.

use crate::config::DeclaredRule;
use crate::domain::automation::{Delivery, FULL, Gate, Rule, Standing};
use crate::domain::{Entry, FieldErrors, Filter, Rules, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub struct Held {
    pub rule: Arc<Rule>,
    /// Where it stands, when that is a file.
    pub file: Option<String>,
    filter: Filter,
    pub gate: Gate,
    /// By id, which is in the order in which they were made.
    pub pending: BTreeMap<String, Delivery>,
    pub in_flight: Option<String>,
    pub answered: Option<LastAnswer>,
}

/// What the receiver said when it was told last, as far as it may be told on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    pub at: Timestamp,
    pub status: Option<u16>,
    pub error: Option<String>,
}

/// A rule as it is answered, without its secrets.
#[derive(Debug, Clone)]
pub struct Shown {
    pub rule: Arc<Rule>,
    pub file: Option<String>,
    pub standing: Standing,
    pub pending: usize,
    pub answered: Option<LastAnswer>,
}

impl Held {
    pub fn of(
        rule: Rule,
        file: Option<String>,
        standing: Standing,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        Ok(Self {
            filter: rule.filter(rules)?,
            gate: Gate::new(&rule, standing),
            rule: Arc::new(rule),
            file,
            pending: BTreeMap::new(),
            in_flight: None,
            answered: None,
        })
    }

    pub fn declared(
        declared: &DeclaredRule,
        standing: Standing,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        let file = declared.file().unwrap_or("the configuration").to_owned();
        Self::of(declared.rule(rules)?, Some(file), standing, rules)
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn is_about(&self, entry: &Entry) -> bool {
        let workspace = self.rule.workspace.as_ref();
        self.rule.enabled
            && workspace.is_none_or(|own| *own == entry.workspace_id)
            && self.filter.matches(entry)
    }

    /// When the next of what waits is to be told; none while the receiver is being told something.
    pub fn next(&self, now: Timestamp) -> Option<(Timestamp, &Delivery)> {
        if self.in_flight.is_some() || !self.rule.enabled {
            return None;
        }
        let when = |delivery: &Delivery| {
            // Further away than any wait of ours: the clock was set.
            let furthest = now.minus_micros(-micros(FULL));
            match delivery.next > furthest {
                true => now,
                false => delivery.next,
            }
        };
        let pending = self.pending.values();
        pending
            .map(|delivery| (when(delivery), delivery))
            .min_by_key(|(at, _)| *at)
    }

    /// Those that were tried for long enough.
    pub fn expired(&self, now: Timestamp) -> Vec<String> {
        let since = now.minus_micros(micros(self.rule.limits.give_up_after));
        let old = self.pending.values().filter(|held| held.made < since);
        let waiting = old.filter(|held| self.in_flight.as_ref() != Some(&held.id));
        waiting.map(|held| held.id.clone()).collect()
    }

    /// They are told at once, since the receiver is there again.
    pub fn hurry(&mut self, now: Timestamp) {
        for delivery in self.pending.values_mut() {
            delivery.next = delivery.next.min(now);
        }
    }

    pub fn shown(&self) -> Shown {
        Shown {
            rule: Arc::clone(&self.rule),
            file: self.file.clone(),
            standing: self.gate.standing.clone(),
            pending: self.pending.len(),
            answered: self.answered.clone(),
        }
    }
}

pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
