//! A table of the owner's that has a name and whose further keys its own feature reads: an automation, a forge
//! that sends webhooks.

use super::name::Name;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;

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
