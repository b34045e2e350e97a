//! Values within their bounds, checked where they are read, so that an error points at the very value.

use super::{ByteSize, Duration};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use std::ops::RangeInclusive;

/// A whole number within `range`.
pub fn number<'de, D, T>(deserializer: D, range: RangeInclusive<u64>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    Number { range, off: "" }.read(deserializer)
}

/// A whole number within `range`, or 0, which means what `zero` says.
pub fn number_or_zero<'de, D, T>(
    deserializer: D,
    range: RangeInclusive<u64>,
    zero: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    Number { range, off: zero }.read(deserializer)
}

pub fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<Duration>,
) -> Result<Duration, D::Error> {
    let duration = Duration::deserialize(deserializer)?;
    within(duration, &range, "")
}

/// A duration within `range`, or `"0s"`, which means what `zero` says.
pub fn duration_or_zero<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<Duration>,
    zero: &'static str,
) -> Result<Duration, D::Error> {
    let duration = Duration::deserialize(deserializer)?;
    if duration.is_zero() {
        return Ok(duration);
    }
    within(duration, &range, &format!("\"0s\" ({zero}) or "))
}

pub fn size<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<ByteSize>,
) -> Result<ByteSize, D::Error> {
    let size = ByteSize::deserialize(deserializer)?;
    within(size, &range, "")
}

fn within<T, E>(value: T, range: &RangeInclusive<T>, or: &str) -> Result<T, E>
where
    T: PartialOrd + fmt::Display,
    E: de::Error,
{
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(E::custom(format!("must be {or}{least} to {most}")))
}

struct Number {
    range: RangeInclusive<u64>,
    /// What 0 means; empty where 0 means nothing of its own.
    off: &'static str,
}

impl Number {
    fn read<'de, D, T>(self, deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<u64>,
    {
        let number = deserializer.deserialize_any(self)?;
        T::try_from(number).map_err(|_| de::Error::custom("is too large for this machine"))
    }

    fn bounds(&self) -> String {
        let (least, most) = (self.range.start(), self.range.end());
        if self.off.is_empty() {
            format!("{least} to {most}")
        } else {
            format!("0 ({}) or {least} to {most}", self.off)
        }
    }
}

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number, {}", self.bounds())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        let zero = number == 0 && !self.off.is_empty();
        if zero || self.range.contains(&number) {
            Ok(number)
        } else {
            Err(E::custom(format!("must be {}", self.bounds())))
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom(format!("must be {}", self.bounds()))),
        }
    }
}
