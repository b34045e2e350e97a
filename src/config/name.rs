//! The name of a table of the owner's: it stands in URLs and in entries.

use serde::{Deserialize, Deserializer, de};

const NAME_CHARS: usize = 64;

pub struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(deserializer).map(Self)
    }
}

pub fn checked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(name)
    } else {
        let reason = "a name must be 1 to 64 characters of A-Z a-z 0-9 _ -";
        Err(de::Error::custom(reason))
    }
}
