//! A saved view: a filter under a name, and how its rows are shown.

use super::{Lens, no_key, nothing_else, title};
use crate::domain::{FieldError, FieldErrors, Rules, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Beside the filter: the zone of its times, its columns, and what else a page wants back.
const MOST_SHOWN: usize = 16;
const SHOWN_CHARS: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    pub name: String,
    pub filters: Lens,
    pub shown: BTreeMap<String, String>,
}

impl View {
    pub fn read(
        mut object: Map<String, Value>,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        let name = title(&mut object, "name")?;
        let filters = Lens::take(&mut object, now, rules)?;
        let shown = shown(object.remove("shown"))?;
        nothing_else(&object)?;
        Ok(Self {
            name,
            filters,
            shown,
        })
    }
}

fn shown(said: Option<Value>) -> Result<BTreeMap<String, String>, FieldError> {
    let wrong = || {
        let reason = format!(
            "must be an object of at most {MOST_SHOWN} texts of at most {SHOWN_CHARS} characters"
        );
        FieldError::new("shown", reason)
    };
    let said = match said {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(said)) if said.len() <= MOST_SHOWN => said,
        Some(_) => return Err(wrong()),
    };
    let fits = |text: &str| text.chars().count() <= SHOWN_CHARS;
    let read = said.into_iter().map(|(name, value)| match value {
        Value::String(text) if fits(&name) && fits(&text) => {
            no_key("shown", &text)?;
            no_key("shown", &name)?;
            Ok((name, text))
        }
        _ => Err(wrong()),
    });
    read.collect()
}
