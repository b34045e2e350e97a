//! A schedule that cannot be kept: when it is tried again, and whether somebody has been told. What is tried is the
//! work's.

/// A look in so many at most: once an hour.
const SELDOM: u32 = 120;

/// A series of looks that failed; one that did not ends it.
#[derive(Debug, Default)]
pub struct Failing {
    tries: u32,
    /// So many looks pass before the next try.
    waits: u32,
    /// The book says so.
    pub is_recorded: bool,
}

impl Failing {
    /// This look tries nothing: the last tries failed, and each time the next comes twice as late.
    pub fn waits(&mut self) -> bool {
        let waits = self.waits > 0;
        self.waits = self.waits.saturating_sub(1);
        waits
    }

    pub fn failed(&mut self) {
        self.tries = self.tries.saturating_add(1);
        let every = 2_u32.checked_pow(self.tries).unwrap_or(SELDOM);
        self.waits = every.min(SELDOM) - 1;
    }

    pub fn ended(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_that_fail_come_ever_more_seldom_but_once_an_hour_and_begin_anew_after_one_that_went() {
        let mut failing = Failing::default();
        let looks_to_the_next = |failing: &mut Failing| {
            failing.failed();
            (1..).find(|_| !failing.waits())
        };
        let expected = [2, 4, 8, 16, 32, 64, 120, 120, 120].map(Some);
        assert_eq!(expected.map(|_| looks_to_the_next(&mut failing)), expected);
        for _ in 0..100 {
            assert_eq!(looks_to_the_next(&mut failing), Some(SELDOM));
        }
        failing.ended();
        assert!(!failing.waits());
        assert_eq!(looks_to_the_next(&mut failing), Some(2));
    }
}
