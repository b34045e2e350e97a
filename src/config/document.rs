//! One config file: its text, what it sets, and where each key stands in it.

use super::error::{ConfigError, Place};
use super::{Settings, vocabulary};
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue, Deserializer};

#[derive(Debug)]
pub struct Document {
    pub path: PathBuf,
    text: String,
    pub table: toml::Table,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    /// `section.key`, or the bare name of what is no section.
    full: String,
    name: Range<usize>,
    value: Range<usize>,
}

impl Document {
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let text = String::from_utf8(std::fs::read(path).map_err(unreadable)?);
        let text = text.map_err(|error| {
            let from = error.utf8_error().valid_up_to();
            let shown = String::from_utf8_lossy(error.as_bytes());
            in_file(path, &shown, from..from, "is not UTF-8 from here on".into())
        })?;
        Self::parse(path, text)
    }

    /// Checks the syntax, the keys and every value on its own.
    pub fn parse(path: &Path, text: String) -> Result<Self, ConfigError> {
        let wrong = |error: &toml::de::Error| {
            let span = error.span().unwrap_or(0..0);
            in_file(path, &text, span, error.message().to_owned())
        };
        let parsed = DeTable::parse(&text).map_err(|error| wrong(&error))?;
        let keys = keys_of(parsed.get_ref());
        let inner = inner_keys(parsed.get_ref());
        if let Some(unknown) = keys.iter().find(|key| !vocabulary::is_known(&key.full)) {
            let reason = unknown_key(&unknown.full);
            return Err(in_file(path, &text, unknown.name.clone(), reason));
        }
        Settings::deserialize(Deserializer::from(parsed)).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let reason = match key_at(&inner, &span).or_else(|| key_at(&keys, &span)) {
                Some(key) => format!("{key}: {}", error.message()),
                None => error.message().to_owned(),
            };
            in_file(path, &text, span, reason)
        })?;
        let table = text.parse().map_err(|error| wrong(&error))?;
        Ok(Self {
            path: path.to_owned(),
            text,
            table,
            keys,
        })
    }

    /// The keys that this file sets.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.full.as_str())
    }

    /// The error that points at a field of the table in that place of an array, as near as it is found.
    pub fn error_within(
        &self,
        array: &str,
        place: usize,
        field: &str,
        reason: &str,
    ) -> Option<ConfigError> {
        let parsed = DeTable::parse(&self.text).ok()?;
        let DeValue::Array(tables) = parsed.get_ref().get(array)?.get_ref() else {
            return None;
        };
        let table = tables.get(place)?;
        let (mut span, mut held) = (table.span(), table.get_ref());
        for part in field.split('.') {
            let DeValue::Table(inner) = held else {
                break;
            };
            let Some((key, value)) = inner.iter().find(|(key, _)| *key.get_ref() == part) else {
                break;
            };
            span = match value.get_ref() {
                DeValue::Table(_) => key.span(),
                _ => value.span(),
            };
            held = value.get_ref();
        }
        Some(in_file(&self.path, &self.text, span, reason.to_owned()))
    }

    /// The error that points at the value of `key`, when this file sets it.
    pub fn error_at(&self, key: &str, reason: &str) -> Option<ConfigError> {
        let found = self.keys.iter().find(|k| k.full == key)?;
        let reason = format!("{key}: {reason}");
        Some(in_file(&self.path, &self.text, found.value.clone(), reason))
    }
}

fn in_file(path: &Path, text: &str, span: Range<usize>, reason: String) -> ConfigError {
    let place = Place::of(path, text, span);
    ConfigError::InFile { place, reason }
}

fn keys_of(root: &DeTable<'_>) -> Vec<Key> {
    let sections = vocabulary::table_of(&Settings::default());
    let mut keys = Vec::new();
    for (section, value) in root {
        let name = section.get_ref();
        let is_section = sections.get(&**name).is_some_and(toml::Value::is_table);
        match value.get_ref() {
            DeValue::Table(inner) if is_section => {
                keys.extend(inner.iter().map(|(key, value)| Key {
                    full: format!("{name}.{}", key.get_ref()),
                    name: key.span(),
                    value: value.span(),
                }));
            }
            // Not a table: the section's own type says what is wrong with it.
            _ if is_section => {}
            _ => keys.push(Key {
                full: name.to_string(),
                name: section.span(),
                value: value.span(),
            }),
        }
    }
    keys
}

/// The keys within the tables of an array, for saying where an error is.
fn inner_keys(root: &DeTable<'_>) -> Vec<Key> {
    let mut keys = Vec::new();
    for (name, value) in root {
        let DeValue::Array(tables) = value.get_ref() else {
            continue;
        };
        for table in tables.iter().filter_map(|table| table.get_ref().as_table()) {
            keys.extend(table.iter().map(|(key, value)| Key {
                full: format!("{}.{}", name.get_ref(), key.get_ref()),
                name: key.span(),
                value: value.span(),
            }));
        }
    }
    keys
}

fn key_at<'a>(keys: &'a [Key], span: &Range<usize>) -> Option<&'a str> {
    let holds = |key: &&Key| {
        (key.value.start..=key.value.end).contains(&span.start) || key.name.contains(&span.start)
    };
    keys.iter().find(holds).map(|key| key.full.as_str())
}

fn unknown_key(key: &str) -> String {
    let kind = if key.contains('.') { "key" } else { "section" };
    match vocabulary::nearest(key) {
        Some(near) => format!("unknown {kind} {key}; did you mean {near}?"),
        None => format!("unknown {kind} {key}"),
    }
}
