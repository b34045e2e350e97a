//! Single values from outside the file: `DAYBOOK_SECTION__KEY` variables and flags.

use super::{ConfigError, Settings, Source, vocabulary};
use toml::{Table, Value};

const PREFIX: &str = "DAYBOOK_";

/// One key's value, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    key: String,
    source: Source,
    text: String,
}

impl Override {
    /// A flag of the command line that sets `key`.
    pub fn flag(flag: &str, key: &str, text: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            source: Source::Flag(flag.to_owned()),
            text: text.into(),
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The value, in the first reading that its key takes: as TOML, as a text, as a list with commas.
    pub fn value(&self) -> Result<Value, ConfigError> {
        let mut errors = Vec::new();
        for reading in readings(&self.text) {
            match check(&self.key, reading.clone()) {
                Ok(()) => return Ok(reading),
                Err(reason) => errors.push(reason),
            }
        }
        // A reading of the right type says more than one of a wrong type.
        let told = errors.iter().position(|e| !e.starts_with("invalid type"));
        Err(self.error(&errors.swap_remove(told.unwrap_or(0))))
    }

    pub fn error(&self, reason: &str) -> ConfigError {
        error(&self.source, &self.key, reason)
    }
}

fn error(source: &Source, key: &str, reason: &str) -> ConfigError {
    let reason = reason.to_owned();
    match source {
        Source::Environment(name) => ConfigError::Variable {
            name: name.clone(),
            reason,
        },
        Source::Flag(name) => ConfigError::Flag {
            name: name.clone(),
            reason,
        },
        Source::Default | Source::File => ConfigError::Setting {
            key: key.to_owned(),
            reason,
        },
    }
}

/// Never empty.
fn readings(text: &str) -> Vec<Value> {
    let list = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(Value::from)
        .collect::<Vec<_>>();
    let literal = text.parse::<Value>().ok();
    literal
        .into_iter()
        .chain([Value::from(text), Value::Array(list)])
        .collect()
}

/// The settings take `value` at `key`.
fn check(key: &str, value: Value) -> Result<(), String> {
    let mut table = Table::new();
    put(&mut table, key, value);
    match table.try_into::<Settings>() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.message().to_owned()),
    }
}

/// Sets `section.key`.
pub fn put(table: &mut Table, key: &str, value: Value) {
    let Some((section, key)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return;
    };
    let section = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), value);
    }
}

/// What the environment sets. A `DAYBOOK_…__…` that names no key is an error, for it is a slip of the pen.
pub fn from_environment(environment: &[(String, String)]) -> Result<Vec<Override>, ConfigError> {
    let of_a_section = |(name, _): &&(String, String)| {
        let section = name.strip_prefix(PREFIX).unwrap_or_default();
        vocabulary::is_section(&section.to_ascii_lowercase())
    };
    if let Some((name, _)) = environment.iter().find(of_a_section) {
        return Err(ConfigError::Variable {
            name: name.clone(),
            reason: sets_no_key(name),
        });
    }
    environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"))
        .map(|(name, text)| {
            Ok(Override {
                key: key_of(name)?,
                source: Source::Environment(name.clone()),
                text: text.clone(),
            })
        })
        .collect()
}

fn key_of(name: &str) -> Result<String, ConfigError> {
    let key = name[PREFIX.len()..]
        .to_ascii_lowercase()
        .replacen("__", ".", 1);
    if vocabulary::is_known(&key) && variable_of(&key) == name {
        return Ok(key);
    }
    let reason = match vocabulary::nearest(&key) {
        Some(near) => format!("sets no key; did you mean {}?", variable_of(&near)),
        None => "sets no key".to_owned(),
    };
    Err(ConfigError::Variable {
        name: name.to_owned(),
        reason,
    })
}

/// Of a variable that is called as a whole section.
fn sets_no_key(name: &str) -> String {
    let section = name[PREFIX.len()..].to_ascii_lowercase();
    match vocabulary::is_known(&section) {
        true => format!("sets no key; tables of [[{section}]] stand in the file alone"),
        false => format!("sets no key; a key of [{section}] is set by {name}__KEY"),
    }
}

/// The variable that sets `section.key`.
fn variable_of(key: &str) -> String {
    format!(
        "{PREFIX}{}",
        key.to_ascii_uppercase().replacen('.', "__", 1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str, text: &str) -> Result<Value, String> {
        Override::flag("--x", key, text)
            .value()
            .map_err(|e| e.to_string())
    }

    #[test]
    fn a_value_is_read_as_its_key_needs_it() {
        assert_eq!(value("retention.max_days", "30").unwrap(), Value::from(30));
        assert_eq!(
            value("retention.locked", "true").unwrap(),
            Value::from(true)
        );
        assert_eq!(
            value("retention.interval", "2h").unwrap(),
            Value::from("2h")
        );
        assert_eq!(
            value("retention.interval", "'2h'").unwrap(),
            Value::from("2h")
        );
        assert_eq!(value("limits.body", "70000").unwrap(), Value::from(70_000));
        // A directory may be called 7.
        assert_eq!(value("backup.dir", "7").unwrap(), Value::from("7"));
        let listed = Value::from(vec!["a", "b"]);
        assert_eq!(value("privacy.redact_keys", "a, b").unwrap(), listed);
        assert_eq!(value("privacy.redact_keys", "['a', 'b']").unwrap(), listed);
        let none = Value::Array(Vec::new());
        assert_eq!(value("privacy.redact_keys", "").unwrap(), none);
        assert!(value("server.listen", "127.0.0.1:1,[::1]:1").is_ok());
    }

    #[test]
    fn a_value_cannot_bring_another_key_with_it() {
        let error = value("retention.max_days", "5\nlocked = true").unwrap_err();
        assert!(error.starts_with("--x: "), "{error}");
    }

    #[test]
    fn the_reason_is_that_of_the_reading_of_the_right_type() {
        let error = value("retention.max_days", "99999").unwrap_err();
        assert_eq!(error, "--x: must be 0 (no limit) or 1 to 36500");
        let error = value("retention.interval", "2 days").unwrap_err();
        assert_eq!(error, "--x: must be 1m to 1d");
        let error = value("retention.max_days", "many").unwrap_err();
        assert!(
            error.contains("a whole number, 0 (no limit) or 1 to 36500"),
            "{error}"
        );
    }
}
