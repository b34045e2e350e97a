//! A table of the owner's that has a name and whose further keys its own feature reads: a capture, an
//! automation, a forge that sends webhooks.

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;

const NAME_CHARS: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub struct NamedTable {
    name: String,
    /// Everything but the name.
    pub rest: toml::Table,
}

impl NamedTable {
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Tables of one kind, no two of one name.
pub fn several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NamedTable>, D::Error> {
    let tables = Vec::<NamedTable>::deserialize(deserializer)?;
    let mut names = BTreeSet::new();
    match tables.iter().find(|table| !names.insert(table.name())) {
        Some(twice) => Err(de::Error::custom(format!(
            "the name {:?} stands here twice",
            twice.name
        ))),
        None => Ok(tables),
    }
}

/// A name stands in URLs and in entries.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name))
        } else {
            let reason = "a name must be 1 to 64 characters of A-Z a-z 0-9 _ -";
            Err(de::Error::custom(reason))
        }
    }
}

impl<'de> Deserialize<'de> for NamedTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = NamedTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with a `name`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedTable, A::Error> {
        let (mut name, mut rest) = (None, toml::Table::new());
        while let Some(key) = map.next_key::<String>()? {
            if key == "name" {
                name = Some(map.next_value::<Name>()?.0);
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        let name = name.ok_or_else(|| de::Error::custom("this table needs a `name`"))?;
        Ok(NamedTable { name, rest })
    }
}

impl Serialize for NamedTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = self.rest.clone();
        table.insert("name".into(), self.name.clone().into());
        table.serialize(serializer)
    }
}
