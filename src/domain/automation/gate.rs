//! Whether a match sets its rule off: it is judged by the times of the entries alone, so that the same entries
//! give the same activations whenever they are read, after a restart too.

use super::rule::{Limits, Per, Rule, Threshold};
use super::{MOST_ENTRIES, MOST_PENDING};
use crate::domain::{Entry, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Windows of one rule, where each value of a field has its own; beyond it the one goes that was quiet longest.
const MOST_WINDOWS: usize = 1_000;
const MINUTE: Duration = Duration::from_secs(60);

/// What the book keeps of how a rule stands. Whom it counts apart is in it as a hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Nothing at or below it counts.
    pub begin: Seq,
    /// Which rule was counted for.
    pub matching: String,
    /// It was switched off.
    is_off: bool,
    /// When it was set off in the last minute, in microseconds.
    recent: Vec<i64>,
    pub last: Option<i64>,
    /// Up to where what was counted has set it off, by window.
    resets: BTreeMap<String, Seq>,
    pub activated: u64,
    pub delivered: u64,
    pub failed: u64,
}

impl Standing {
    /// For the rule as it is now: where that is about something else than before, or is or was switched off, nothing
    /// up to `newest` counts for it. It goes on to be held down.
    pub fn taken_up_by(self, rule: &Rule, newest: Seq) -> Self {
        let matching = rule.matching();
        let goes_on = self.matching == matching && !self.is_off && rule.enabled;
        Self {
            begin: if goes_on { self.begin } else { newest },
            matching,
            is_off: !rule.enabled,
            ..self
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is too little yet, or held down.
    Nothing,
    Activated {
        /// The newest of them.
        seqs: Vec<Seq>,
        /// All of them, with those that were held back before.
        count: u64,
    },
}

#[derive(Debug, Clone, Default)]
struct Window {
    hits: VecDeque<(Timestamp, Seq)>,
    /// Those that had no room in `hits`.
    more: u64,
}

#[derive(Debug, Clone)]
pub struct Gate {
    threshold: Option<Threshold>,
    limits: Limits,
    windows: HashMap<u64, Window>,
    pub standing: Standing,
}

impl Gate {
    pub fn new(rule: &Rule, standing: Standing) -> Self {
        Self {
            threshold: rule.threshold.clone(),
            limits: rule.limits,
            windows: HashMap::new(),
            standing,
        }
    }

    /// How far back what was counted reaches, beside the newest; `None` when nothing further back does.
    pub fn within(&self) -> Option<Duration> {
        self.threshold.as_ref().map(|threshold| threshold.within)
    }

    /// An entry that its rule is about, in the order of the book.
    pub fn on(&mut self, seq: Seq, entry: &Entry) -> Came {
        let Some((window, is_enough)) = self.count(seq, entry) else {
            return Came::Nothing;
        };
        if !is_enough || !self.may(entry.ts) {
            return Came::Nothing;
        }
        let held = self.windows.remove(&window).unwrap_or_default();
        self.note(window, seq, entry.ts);
        let newest = held.hits.len().saturating_sub(MOST_ENTRIES);
        Came::Activated {
            count: held.hits.len() as u64 + held.more,
            seqs: held.hits.iter().skip(newest).map(|(_, seq)| *seq).collect(),
        }
    }

    /// One that was judged before the restart: it counts as far as it did.
    pub fn recall(&mut self, seq: Seq, entry: &Entry) {
        self.count(seq, entry);
    }

    /// The window that it counts in, and whether that is full enough.
    fn count(&mut self, seq: Seq, entry: &Entry) -> Option<(u64, bool)> {
        let place = self.place_of(entry);
        let reset = self.standing.resets.get(&name_of(place)).copied();
        if seq <= self.standing.begin.max(reset.unwrap_or(0)) {
            return None;
        }
        self.make_room(place);
        let window = self.windows.entry(place).or_default();
        window.hits.push_back((entry.ts, seq));
        let times = self.threshold.as_ref().map_or(1, |t| t.times);
        if let Some(threshold) = &self.threshold {
            let since = entry.ts.minus_micros(micros(threshold.within));
            while window.hits.front().is_some_and(|(ts, _)| *ts < since) {
                window.hits.pop_front();
                window.more = 0;
            }
        }
        while window.hits.len() > times.max(MOST_ENTRIES) {
            window.hits.pop_front();
            window.more += 1;
        }
        Some((place, window.hits.len() >= times))
    }

    /// Neither cooling down nor set off too often.
    fn may(&self, ts: Timestamp) -> bool {
        let cooling = self
            .standing
            .last
            .is_some_and(|last| ts.micros() < last.saturating_add(micros(self.limits.cooldown)));
        let minute_ago = ts.micros() - micros(MINUTE);
        let recent = self.standing.recent.iter();
        let recent = recent.filter(|at| **at > minute_ago).count();
        !cooling && recent < self.limits.most_per_minute
    }

    fn note(&mut self, place: u64, seq: Seq, ts: Timestamp) {
        let standing = &mut self.standing;
        let minute_ago = ts.micros() - micros(MINUTE);
        standing.recent.retain(|at| *at > minute_ago);
        standing.recent.push(ts.micros());
        standing.last = Some(ts.micros());
        standing.activated += 1;
        standing.resets.insert(name_of(place), seq);
        if standing.resets.len() > MOST_PENDING {
            let oldest = standing.resets.iter().min_by_key(|(_, seq)| **seq);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                standing.resets.remove(&oldest);
            }
        }
    }

    fn place_of(&self, entry: &Entry) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.threshold.as_ref().and_then(|threshold| threshold.per) {
            None => return 0,
            Some(Per::Actor) => entry.actor.hash(&mut hasher),
            Some(Per::Action) => entry.action.hash(&mut hasher),
            Some(Per::Entity) => (&entry.entity_type, &entry.entity_id).hash(&mut hasher),
        }
        entry.workspace_id.hash(&mut hasher);
        hasher.finish()
    }

    fn make_room(&mut self, place: u64) {
        if self.windows.len() < MOST_WINDOWS || self.windows.contains_key(&place) {
            return;
        }
        let newest = |window: &Window| window.hits.back().map_or(0, |(_, seq)| *seq);
        let quiet = self.windows.iter().min_by_key(|(_, w)| newest(w));
        if let Some(quiet) = quiet.map(|(place, _)| *place) {
            self.windows.remove(&quiet);
        }
    }
}

fn name_of(place: u64) -> String {
    format!("{place:x}")
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
