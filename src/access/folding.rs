//! Bursts: the first of a kind is told at once, the rest of its minute as one count, so that whoever repeats
//! himself cannot fill the book. Without a clock and a timer of its own.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How long one burst is.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Kinds told apart within one window. What is beyond them is one count.
const MOST: usize = 128;

/// `now` is always time that passed, and never runs backwards.
#[derive(Debug)]
pub struct Folding<K> {
    bursts: HashMap<K, Burst>,
    /// Of kinds for which there was no room.
    others: Option<Burst>,
}

#[derive(Debug, Clone, Copy)]
struct Burst {
    since: Duration,
    more: u64,
}

/// What is left to tell of a burst that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest<K> {
    /// None: of several kinds.
    pub kind: Option<K>,
    pub count: u64,
}

impl<K> Default for Folding<K> {
    fn default() -> Self {
        Self {
            bursts: HashMap::new(),
            others: None,
        }
    }
}

impl<K: Eq + Hash> Folding<K> {
    /// Whether this one is to be told at once.
    pub fn happened(&mut self, kind: &K, now: Duration) -> bool
    where
        K: Clone,
    {
        if let Some(burst) = self.bursts.get_mut(kind) {
            burst.more += 1;
            return false;
        }
        if self.bursts.len() < MOST {
            self.bursts.insert(kind.clone(), Burst::at(now));
            return true;
        }
        self.others.get_or_insert(Burst::at(now)).more += 1;
        false
    }

    /// Takes out the bursts that are over.
    pub fn over(&mut self, now: Duration) -> Vec<Rest<K>> {
        let of_kind = |(kind, burst): (K, Burst)| burst.rest(Some(kind));
        let ended = self.bursts.extract_if(|_, burst| burst.is_over(now));
        let mut rest: Vec<_> = ended.filter_map(of_kind).collect();
        let others = self.others.take_if(|burst| burst.is_over(now));
        rest.extend(others.and_then(|burst| burst.rest(None)));
        rest
    }
}

impl Burst {
    fn at(now: Duration) -> Self {
        Self {
            since: now,
            more: 0,
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= WINDOW
    }

    fn rest<K>(self, kind: Option<K>) -> Option<Rest<K>> {
        let count = self.more;
        (count > 0).then_some(Rest { kind, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_its_minute_as_one() {
        let mut folding = Folding::default();
        assert!(folding.happened(&"a", at(0)));
        assert!(!folding.happened(&"a", at(1)) && !folding.happened(&"a", at(59)));
        assert_eq!(folding.over(at(59)), []);
        let rest = Rest {
            kind: Some("a"),
            count: 2,
        };
        assert_eq!(folding.over(at(60)), [rest]);
        assert!(
            folding.happened(&"a", at(61)),
            "another minute, another first"
        );
        assert_eq!(folding.over(at(200)), [], "one alone has no rest");
    }

    #[test]
    fn however_many_kinds_there_are_few_are_told_apart() {
        let mut folding = Folding::default();
        let told = (0..10_000).filter(|kind| folding.happened(kind, at(0)));
        assert_eq!(told.count(), MOST);
        let rest = folding.over(at(60));
        let count = 10_000 - MOST as u64;
        assert_eq!(rest, [Rest { kind: None, count }]);
    }
}
