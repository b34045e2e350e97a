//! A moment as the book writes it: UTC, microseconds, always 27 characters, so that text order is time order.

use chrono::{DateTime, Datelike, Timelike};
use serde::{Serialize, Serializer};
use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z, within the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an RFC 3339 time such as 2026-01-31T08:00:00Z")]
pub struct NotATime;

pub const TEXT_LEN: usize = 27;
const MIN: i64 = -62_135_596_800_000_000; // 0001-01-01T00:00:00.000000Z
const MAX: i64 = 253_402_300_799_999_999; // 9999-12-31T23:59:59.999999Z
const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// Clamps into the years that the text form can hold.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(MIN, MAX))
    }

    pub fn micros(self) -> i64 {
        self.0
    }

    /// The next representable moment.
    pub fn successor(self) -> Self {
        Self::from_micros(self.0.saturating_add(1))
    }

    pub fn minus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// Any RFC 3339 text, with any offset; what is finer than a microsecond is cut.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        if let Some(exact) = parse_canonical(text.as_bytes()) {
            return Ok(exact);
        }
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime)?;
        let utc = parsed.to_utc();
        if !(1..=9999).contains(&utc.year()) || utc.nanosecond() >= 1_000_000_000 {
            return Err(NotATime);
        }
        Ok(Self(utc.timestamp_micros()))
    }

    /// The canonical text, without an allocation.
    pub fn text(self) -> [u8; TEXT_LEN] {
        let days = self.0.div_euclid(MICROS_PER_DAY);
        let in_day = self.0.rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let (seconds, micros) = (in_day / 1_000_000, in_day % 1_000_000);
        let mut out = *b"0000-00-00T00:00:00.000000Z";
        digits(&mut out[0..4], year);
        digits(&mut out[5..7], month);
        digits(&mut out[8..10], day);
        digits(&mut out[11..13], seconds / 3600);
        digits(&mut out[14..16], seconds / 60 % 60);
        digits(&mut out[17..19], seconds % 60);
        digits(&mut out[20..26], micros);
        out
    }
}

fn digits(out: &mut [u8], mut value: i64) {
    for slot in out.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // counted from 0000-03-01, so that leap days come last
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The exact form that `text` prints, read back without going through a calendar library.
fn parse_canonical(text: &[u8]) -> Option<Timestamp> {
    const SHAPE: &[u8; TEXT_LEN] = b"dddd-dd-ddTdd:dd:dd.ddddddZ";
    let fits = text.len() == TEXT_LEN
        && text.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
    if !fits {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        text[range]
            .iter()
            .fold(0i64, |sum, byte| sum * 10 + i64::from(byte - b'0'))
    };
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    let days = days_from_civil(year, month, day);
    let real_day =
        year >= 1 && (1..=12).contains(&month) && civil_from_days(days) == (year, month, day);
    if !real_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second;
    Some(Timestamp(
        days * MICROS_PER_DAY + seconds * 1_000_000 + number(20..26),
    ))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_is_written_with_six_decimals_and_z() {
        assert_eq!(
            Timestamp::from_micros(0).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
        assert_eq!(
            Timestamp::from_micros(1_709_164_800_000_001).to_string(),
            "2024-02-29T00:00:00.000001Z"
        );
        assert_eq!(
            Timestamp::from_micros(i64::MAX).to_string(),
            "9999-12-31T23:59:59.999999Z"
        );
        assert_eq!(
            Timestamp::from_micros(i64::MIN).to_string(),
            "0001-01-01T00:00:00.000000Z"
        );
    }

    #[test]
    fn offsets_and_short_fractions_are_read() {
        let expected = Timestamp::parse("2026-01-31T08:00:00.500000Z").unwrap();
        assert_eq!(
            Timestamp::parse("2026-01-31T10:00:00.5+02:00").unwrap(),
            expected
        );
        assert_eq!(
            Timestamp::parse("2026-01-31T08:00:00.5000009Z").unwrap(),
            expected
        );
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-02-30T00:00:00.000000Z",
            "2026-01-31",
            "2026-01-31T25:00:00.000000Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(NotATime), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_and_keeps_order(a in MIN..=MAX, b in MIN..=MAX) {
            let (a, b) = (Timestamp(a), Timestamp(b));
            prop_assert_eq!(Timestamp::parse(&a.to_string()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.text().cmp(&b.text()));
            let by_chrono = DateTime::parse_from_rfc3339(&a.to_string()).unwrap();
            prop_assert_eq!(by_chrono.timestamp_micros(), a.micros());
        }
    }
}
