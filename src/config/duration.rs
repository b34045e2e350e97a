//! A stretch of time as the owner writes it: in words, `"10s"`, `"1h 30m"`, `"90d"`.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration as Std;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(Std);

const MILLIS_PER: [(u128, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1_000, "s"),
    (1, "ms"),
];

impl Duration {
    pub const ZERO: Self = Self(Std::ZERO);

    pub const fn millis(millis: u64) -> Self {
        Self(Std::from_millis(millis))
    }

    pub const fn seconds(seconds: u64) -> Self {
        Self(Std::from_secs(seconds))
    }

    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    pub const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }

    pub const fn get(self) -> Std {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Self).map_err(|error| {
            format!("{text:?} is not a duration such as \"10s\", \"1h 30m\" or \"90d\": {error}")
        })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis();
        if rest == 0 {
            return f.write_str("0s");
        }
        let mut gap = "";
        for (millis, unit) in MILLIS_PER {
            let whole = rest / millis;
            rest %= millis;
            if whole > 0 {
                write!(f, "{gap}{whole}{unit}")?;
                gap = " ";
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration in words, such as \"10s\" or \"90d\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        Duration::parse(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_what_it_prints() {
        for text in [
            "0s",
            "250ms",
            "10s",
            "1h",
            "1h 30m",
            "90d",
            "1d 2h 3m 4s 5ms",
        ] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Duration::parse("24h").unwrap(), Duration::days(1));
    }

    #[test]
    fn what_has_no_unit_is_refused() {
        for text in ["10", "", "ten", "1x", "-1s"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
