//! Reads an object field by field, and collects what is wrong, each under its whole name.

use crate::domain::{FieldError, FieldErrors};
use serde_json::{Map, Value};
use std::time::Duration;

pub struct Reader {
    object: Map<String, Value>,
    /// Before the names of its fields: `webhook.`.
    prefix: &'static str,
    errors: Vec<FieldError>,
}

impl Reader {
    pub fn of(object: Map<String, Value>) -> Self {
        Self {
            object,
            prefix: "",
            errors: Vec::new(),
        }
    }

    pub fn within(object: Map<String, Value>, prefix: &'static str) -> Self {
        Self {
            prefix,
            ..Self::of(object)
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.object.get(key).is_some_and(|value| !value.is_null())
    }

    pub fn refuse(&mut self, key: &str, reason: impl Into<std::borrow::Cow<'static, str>>) {
        let field = format!("{}{key}", self.prefix);
        self.errors.push(FieldError::new(field, reason));
    }

    pub fn refuse_all(&mut self, errors: FieldErrors) {
        self.errors.extend(errors.into_vec());
    }

    pub fn has_refused(&self, key: &str) -> bool {
        let field = format!("{}{key}", self.prefix);
        self.errors.iter().any(|error| error.field == field)
    }

    /// What is right, or none and its error is noted.
    pub fn check<T>(&mut self, checked: Result<T, FieldError>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError {
                    field: format!("{}{}", self.prefix, error.field).into(),
                    ..error
                });
                None
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.object.remove(key).filter(|value| !value.is_null())
    }

    pub fn object(&mut self, key: &str) -> Option<Map<String, Value>> {
        match self.take(key)? {
            Value::Object(object) => Some(object),
            _ => {
                self.refuse(key, "must be an object");
                None
            }
        }
    }

    pub fn optional_text(&mut self, key: &str, most: usize) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if text.chars().count() <= most => Some(text),
            Value::String(_) => {
                self.refuse(key, format!("is longer than {most} characters"));
                None
            }
            _ => {
                self.refuse(key, "must be a text");
                None
            }
        }
    }

    pub fn text(&mut self, key: &str, most: usize) -> Option<String> {
        if !self.has(key) {
            self.refuse(key, "is missing");
            return None;
        }
        self.optional_text(key, most)
    }

    pub fn texts(&mut self, key: &str, most: usize) -> Vec<String> {
        let values = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(one) => vec![one],
        };
        let read: Option<Vec<String>> = values
            .into_iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect();
        match read {
            Some(texts) if texts.len() <= most => texts,
            Some(_) => {
                self.refuse(key, format!("are more than {most}"));
                Vec::new()
            }
            None => {
                self.refuse(key, "must be an array of texts");
                Vec::new()
            }
        }
    }

    pub fn flag(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.refuse(key, "must be true or false");
                None
            }
        }
    }

    pub fn number(&mut self, key: &str, (least, most): (usize, usize), default: usize) -> usize {
        let Some(value) = self.take(key) else {
            return default;
        };
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok());
        match number.filter(|n| (least..=most).contains(n)) {
            Some(number) => number,
            None => {
                self.refuse(
                    key,
                    format!("must be a whole number from {least} to {most}"),
                );
                default
            }
        }
    }

    /// In words, such as `5m`.
    pub fn duration(
        &mut self,
        key: &str,
        (least, most): (Duration, Duration),
        default: Duration,
    ) -> Duration {
        let Some(value) = self.take(key) else {
            return default;
        };
        let read = value.as_str().map(humantime::parse_duration);
        match read {
            Some(Ok(duration)) if (least..=most).contains(&duration) => duration,
            Some(Ok(_)) => {
                let words = humantime::format_duration;
                self.refuse(key, format!("must be {} to {}", words(least), words(most)));
                default
            }
            _ => {
                self.refuse(key, "must be a duration such as \"10s\", \"5m\" or \"24h\"");
                default
            }
        }
    }

    /// Of an object within another: its errors are told with the other's.
    pub fn end(mut self, parent: &mut Reader) {
        self.refuse_unknown();
        parent.errors.append(&mut self.errors);
    }

    fn refuse_unknown(&mut self) {
        if let Some(name) = self.object.keys().next() {
            let name: String = name.chars().take(64).collect();
            self.refuse(&name, "is not known here");
        }
    }

    /// What was read, unless anything is wrong.
    pub fn nothing_else<T>(mut self, read: Option<T>) -> Result<T, FieldErrors> {
        self.refuse_unknown();
        FieldErrors::none_in(self.errors)?;
        read.ok_or_else(|| FieldErrors::one("automation", "is incomplete"))
    }
}
