//! A delivery: what one activation has to tell, kept until it was told or given up. It names its entries by their
//! numbers alone; what is told of them is read when it is sent, so that who was erased meanwhile is not named.

use crate::domain::{Seq, Timestamp};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The same in every attempt.
    pub id: String,
    pub rule: String,
    pub made: Timestamp,
    /// The newest of those that it stands for, in their order.
    pub seqs: Vec<Seq>,
    /// How many entries it stands for.
    pub count: u64,
    pub attempts: u32,
    /// Not before.
    pub next: Timestamp,
}

/// Of the wait before another attempt: this many of its parts more or less, by chance.
const JITTER: f64 = 0.2;
const WAITS: [u64; 6] = [1, 5, 30, 120, 600, 3_600];
/// However long a receiver asks for.
const LONGEST: Duration = Duration::from_secs(3_600);
/// A wait that is longer than any we make: the clock was set.
pub const FULL: Duration = Duration::from_secs(2 * 3_600);

/// How long to wait after so many attempts, of which the last said `retry_after`; `chance` is from 0 to 1.
pub fn after(attempts: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let seconds = WAITS[place.min(WAITS.len() - 1)];
    let factor = 1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0);
    let wait = Duration::from_secs(seconds).mul_f64(factor);
    wait.max(retry_after.unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_a_receiver_may_ask_for_longer_ones() {
        let waits: Vec<u64> = (1..=8).map(|n| after(n, None, 0.5).as_secs()).collect();
        assert_eq!(waits, [1, 5, 30, 120, 600, 3600, 3600, 3600]);
        for (chance, millis) in [(0.0, 800), (1.0, 1200), (7.0, 1200)] {
            assert_eq!(after(1, None, chance).as_millis(), millis);
        }
        let asked = |seconds| after(2, Some(Duration::from_secs(seconds)), 0.5).as_secs();
        assert_eq!([asked(0), asked(60), asked(1 << 40)], [5, 60, 3600]);
    }
}
