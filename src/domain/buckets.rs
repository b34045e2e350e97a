//! How time is cut into buckets: widths that people read easily, each a whole number of minutes, of hours
//! or of days, so that one grain of the roll-ups serves it.

use super::{FieldError, Timestamp, limits};

pub const HOUR: i64 = 60;
pub const DAY: i64 = 24 * HOUR;

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// In minutes; after a week it goes on by doubling.
const WIDTHS: [i64; 14] = [
    1,
    2,
    5,
    10,
    15,
    30,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// The first minute of year 1, a Monday: what all widths are counted from, so that weeks begin on Mondays.
const ORIGIN: i64 = -719_162 * DAY;

/// How many buckets at most: 1 to 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketCount(usize);

impl BucketCount {
    pub fn new(count: usize) -> Result<Self, FieldError> {
        if (1..=limits::BUCKETS_MAX).contains(&count) {
            Ok(Self(count))
        } else {
            Err(FieldError::new("buckets", "must be a number from 1 to 500"))
        }
    }
}

impl Default for BucketCount {
    fn default() -> Self {
        Self(limits::BUCKETS_DEFAULT)
    }
}

/// The minute, counted from 1970, that a moment is in.
pub fn minute_of(moment: Timestamp) -> i64 {
    moment.micros().div_euclid(MICROS_PER_MINUTE)
}

/// The moment that a minute begins with.
pub fn moment_of(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute.saturating_mul(MICROS_PER_MINUTE))
}

/// Buckets side by side, all of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The minute that the first one begins with.
    pub start: i64,
    /// In minutes.
    pub width: i64,
    pub count: usize,
}

impl Grid {
    /// The narrowest buckets of which `most` hold both moments and all between them.
    pub fn over(first: Timestamp, last: Timestamp, most: BucketCount) -> Self {
        let (first, last) = (minute_of(first), minute_of(last.max(first)));
        let mut widths = WIDTHS.into_iter();
        let mut width = WIDTHS[0];
        loop {
            width = widths.next().unwrap_or(width * 2);
            let floor = |minute: i64| minute - (minute - ORIGIN).rem_euclid(width);
            let start = floor(first);
            let count = (floor(last) - start) / width + 1;
            match usize::try_from(count) {
                Ok(count) if count <= most.0 => {
                    return Self {
                        start,
                        width,
                        count,
                    };
                }
                _ => {}
            }
        }
    }

    /// The minute after the last bucket.
    pub fn end(&self) -> i64 {
        self.bucket_start(self.count)
    }

    pub fn bucket_start(&self, index: usize) -> i64 {
        self.start + self.width * index as i64
    }

    /// The bucket that a minute is in.
    pub fn index_of(&self, minute: i64) -> Option<usize> {
        let index = usize::try_from((minute - self.start).div_euclid(self.width)).ok()?;
        (index < self.count).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(first: &str, last: &str, most: usize) -> (String, i64, usize) {
        let at = |text| Timestamp::parse(text).unwrap();
        let grid = Grid::over(at(first), at(last), BucketCount::new(most).unwrap());
        (moment_of(grid.start).to_string(), grid.width, grid.count)
    }

    #[test]
    fn buckets_are_the_narrowest_that_suffice() {
        let hour = grid("2026-01-31T08:00:30Z", "2026-01-31T09:00:00Z", 61);
        assert_eq!(hour, ("2026-01-31T08:00:00.000000Z".into(), 1, 61));
        let fewer = grid("2026-01-31T08:03:30Z", "2026-01-31T09:00:00Z", 60);
        assert_eq!(fewer, ("2026-01-31T08:03:00.000000Z".into(), 1, 58));
        let ten = grid("2026-01-31T08:03:30Z", "2026-01-31T09:00:00Z", 10);
        assert_eq!(ten, ("2026-01-31T08:00:00.000000Z".into(), 10, 7));
    }

    #[test]
    fn weeks_begin_on_mondays_and_one_bucket_holds_all_time() {
        let weeks = grid("2026-11-21T00:00:00Z", "2026-12-31T00:00:00Z", 7);
        assert_eq!(weeks.0, "2026-11-16T00:00:00.000000Z");
        let ever = grid("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1);
        assert_eq!(ever.2, 1);
        assert!(BucketCount::new(0).is_err() && BucketCount::new(501).is_err());
    }

    proptest! {
        #[test]
        fn every_minute_of_the_range_is_in_one_bucket(
            first in -1_000_000_000..4_000_000_000i64, long in 0..3_000_000_000i64, most in 1..=500usize, part in 0.0..=1.0f64,
        ) {
            let (first, last) = (first * 1_000_000, (first + long) * 1_000_000);
            let at = Timestamp::from_micros;
            let grid = Grid::over(at(first), at(last), BucketCount(most));
            prop_assert!(grid.count <= most);
            let minute = minute_of(at(first + ((last - first) as f64 * part) as i64));
            let index = grid.index_of(minute).unwrap();
            prop_assert!((grid.bucket_start(index)..grid.bucket_start(index + 1)).contains(&minute));
            prop_assert_eq!(grid.index_of(grid.start - 1), None);
            prop_assert_eq!(grid.index_of(grid.end()), None);
        }
    }
}
