//! Whether the wall clock goes with the time that passes. A pure comparison: both clocks are handed in.

use super::Timestamp;
use std::time::Duration;

/// A wall clock that moves by more than this against the time that passed has jumped.
pub const JUMP: Duration = Duration::from_secs(3600);
/// A clock that has agreed for so long is believed again.
pub const BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Both clocks at one moment. `passed` counts from wherever it likes, and only forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub wall: Timestamp,
    pub passed: Duration,
}

/// Holds the wall clock against the time that passes.
#[derive(Debug, Clone)]
pub struct ClockWatch {
    /// Where the two last agreed; many small steps add up from here.
    anchor: Moment,
}

impl ClockWatch {
    pub fn new(now: Moment) -> Self {
        Self { anchor: now }
    }

    /// By how many microseconds the wall clock has jumped since the last time this was asked, if it has.
    pub fn observe(&mut self, now: Moment) -> Option<i64> {
        let jumped = self.drift(now);
        if jumped.unsigned_abs() <= JUMP.as_micros() as u64 {
            return None;
        }
        self.anchor = now;
        Some(jumped)
    }

    fn drift(&self, now: Moment) -> i64 {
        let passed = now.passed.saturating_sub(self.anchor.passed).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let by_wall = now.wall.micros().saturating_sub(self.anchor.wall.micros());
        by_wall.saturating_sub(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000_000;

    fn at(wall: i64, passed: u64) -> Moment {
        Moment {
            wall: Timestamp::from_micros(wall),
            passed: Duration::from_micros(passed),
        }
    }

    #[test]
    fn a_jump_either_way_is_seen_once() {
        for jump in [HOUR + 1, -HOUR - 1, 10 * 365 * 24 * HOUR] {
            let mut watch = ClockWatch::new(at(0, 0));
            assert_eq!(watch.observe(at(HOUR, HOUR as u64)), None);
            let after = at(2 * HOUR + jump, 2 * HOUR as u64);
            assert_eq!(watch.observe(after), Some(jump));
            assert_eq!(watch.observe(after), None);
        }
    }

    #[test]
    fn small_steps_add_up_to_a_jump() {
        let mut watch = ClockWatch::new(at(0, 0));
        let seen = (1..=5).filter_map(|i| watch.observe(at(i * HOUR / 2, 0)));
        assert_eq!(seen.collect::<Vec<_>>(), [HOUR + HOUR / 2]);
    }

    proptest! {
        #[test]
        fn a_clock_that_goes_with_the_time_never_jumps(
            steps in prop::collection::vec((0u64..100 * HOUR as u64, -HOUR / 2..HOUR / 2), 1..50)
        ) {
            let mut watch = ClockWatch::new(at(0, 0));
            let mut passed = 0;
            for (step, off) in steps {
                passed += step;
                let now = at(passed as i64 + off, passed);
                prop_assert_eq!(watch.observe(now), None);
            }
        }
    }
}
