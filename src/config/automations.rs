//! `[[automations]]`: rules that act when entries match. What a rule is the domain says; this knows where each
//! stands and where its secret comes from: the file itself, a file of its own, or the environment.

use super::named::{self, NamedTable};
use crate::domain::automation::{MOST_RULES, Rule, Secret};
use crate::domain::{FieldError, FieldErrors, Rules};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::io::Read;

/// A rule as the owner wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredRule {
    table: NamedTable,
    /// Where it stands.
    file: Option<String>,
    /// What `secret_file` or `secret_env` named.
    secret: Option<Secret>,
}

/// Of each kind of action, the key of its secret.
const SECRETS: [(&str, &str); 2] = [("webhook", "secret"), ("ntfy", "token")];
/// Nothing that is a secret is longer.
const SECRET_BYTES: u64 = 4_096;

impl DeclaredRule {
    pub fn name(&self) -> &str {
        self.table.name()
    }

    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Reads what it names outside the file.
    pub fn resolve(
        &mut self,
        file: Option<String>,
        environment: &[(String, String)],
    ) -> Result<(), FieldError> {
        self.file = file;
        for (kind, key) in SECRETS {
            let named = |suffix: &str| {
                let table = self.table.rest.get(kind)?;
                table.get(format!("{key}{suffix}"))?.as_str()
            };
            let held = match (named("_file"), named("_env")) {
                (None, None) => continue,
                (Some(path), None) => in_file(path)
                    .map_err(|why| FieldError::new(format!("{kind}.{key}_file"), why))?,
                (None, Some(name)) => environment
                    .iter()
                    .find(|(held, _)| held == name)
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| {
                        let why = format!("the environment has no {name}");
                        FieldError::new(format!("{kind}.{key}_env"), why)
                    })?,
                (Some(_), Some(_)) => {
                    let why = format!("cannot be given with {key}_file");
                    return Err(FieldError::new(format!("{kind}.{key}_env"), why));
                }
            };
            self.secret = Some(Secret::new(held));
        }
        Ok(())
    }

    /// The rule, or all that is wrong with it.
    pub fn rule(&self, rules: &Rules) -> Result<Rule, FieldErrors> {
        let mut object = object_of(&self.table);
        for (kind, key) in SECRETS {
            let Some(Value::Object(action)) = object.get_mut(kind) else {
                continue;
            };
            let file = action.remove(&format!("{key}_file"));
            let variable = action.remove(&format!("{key}_env"));
            if file.is_none() && variable.is_none() {
                continue;
            }
            if action.contains_key(key) {
                let why = format!("cannot be given with {key}_file or {key}_env");
                return Err(FieldErrors::one(format!("{kind}.{key}"), why));
            }
            let Some(secret) = &self.secret else {
                let why = "must be a text that names it";
                return Err(FieldErrors::one(format!("{kind}.{key}_file"), why));
            };
            action.insert(key.to_owned(), secret.reveal().into());
        }
        Rule::read(object, rules)
    }
}

fn object_of(table: &NamedTable) -> Map<String, Value> {
    match serde_json::to_value(&table.rest) {
        Ok(Value::Object(mut object)) => {
            object.insert("name".into(), table.name().into());
            object
        }
        _ => Map::new(),
    }
}

fn in_file(path: &str) -> Result<String, String> {
    let unreadable = |error| format!("{path}: {error}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    let read = file.take(SECRET_BYTES).read_to_string(&mut text);
    read.map_err(unreadable)?;
    Ok(text.trim_end().to_owned())
}

/// No two of one name, and no more than are in force at once.
pub fn declared<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<DeclaredRule>, D::Error> {
    let tables = named::several(d)?;
    if tables.len() > MOST_RULES {
        let reason = format!("are more than {MOST_RULES}");
        return Err(serde::de::Error::custom(reason));
    }
    let declared = |table| DeclaredRule {
        table,
        file: None,
        secret: None,
    };
    Ok(tables.into_iter().map(declared).collect())
}

impl Serialize for DeclaredRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DeclaredRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            table: NamedTable::deserialize(deserializer)?,
            file: None,
            secret: None,
        })
    }
}
