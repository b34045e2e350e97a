//! What somebody asks of a key, read from JSON: the same over HTTP, the control socket and the command line.

use crate::config::Duration;
use crate::domain::{FieldError, FieldErrors, KeyLabel, Reach, Rights};
use serde_json::{Map, Value};

/// A key that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub label: KeyLabel,
    pub rights: Rights,
    /// None: that of whoever asks.
    pub reach: Option<Reach>,
    pub speaks_for_others: bool,
    pub expires_in: Option<Duration>,
}

/// A century is as good as for ever.
const LONGEST: Duration = Duration::days(36_500);
/// Who needs two secrets for longer needs two keys.
const LONGEST_OVERLAP: Duration = Duration::days(30);

impl NewKey {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let label = text(&mut object, "label")?.ok_or_else(|| missing("label"))?;
        let scopes = object.remove("scopes").ok_or_else(|| missing("scopes"))?;
        let reach = text(&mut object, "workspace_id")?;
        let speaks_for_others = match object.remove("speaks_for_others") {
            None => false,
            Some(Value::Bool(said)) => said,
            Some(_) => {
                let reason = "must be true or false";
                return Err(FieldErrors::one("speaks_for_others", reason));
            }
        };
        let expires_in = duration(&mut object, "expires_in", LONGEST)?;
        if expires_in.is_some_and(Duration::is_zero) {
            return Err(FieldErrors::one("expires_in", "must be longer than that"));
        }
        nothing_else(&object)?;
        Ok(Self {
            label: KeyLabel::parse(&label)?,
            rights: rights(&scopes)?,
            reach: reach.as_deref().map(Reach::parse).transpose()?,
            speaks_for_others,
            expires_in,
        })
    }
}

/// How long the former secret is still taken.
pub fn overlap(mut object: Map<String, Value>) -> Result<Duration, FieldErrors> {
    let overlap = duration(&mut object, "overlap", LONGEST_OVERLAP)?;
    nothing_else(&object)?;
    Ok(overlap.unwrap_or(Duration::ZERO))
}

/// An array of words, or the words with commas.
fn rights(scopes: &Value) -> Result<Rights, FieldError> {
    let words: Option<Vec<&str>> = match scopes {
        Value::String(words) => Some(words.split(',').collect()),
        Value::Array(words) => words.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let words = words.ok_or_else(|| FieldError::new("scopes", "must be an array of words"))?;
    Rights::parse(words)
}

fn text(object: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, FieldError> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(FieldError::new(name, "must be a string")),
    }
}

fn duration(
    object: &mut Map<String, Value>,
    name: &'static str,
    most: Duration,
) -> Result<Option<Duration>, FieldError> {
    let Some(text) = text(object, name)? else {
        return Ok(None);
    };
    let shown: String = text.chars().take(64).collect();
    let parsed = Duration::parse(&shown).map_err(|reason| FieldError::new(name, reason))?;
    if parsed > most {
        return Err(FieldError::new(name, format!("must be at most {most}")));
    }
    Ok(Some(parsed))
}

fn missing(name: &'static str) -> FieldError {
    FieldError::new(name, "is missing")
}

fn nothing_else(object: &Map<String, Value>) -> Result<(), FieldErrors> {
    match object.keys().next() {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(FieldErrors::one(name, "is not known here"))
        }
    }
}
