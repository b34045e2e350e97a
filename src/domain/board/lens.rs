//! A saved filter: the same parameters as everywhere, kept as they were said, so that `24h` stays the last day.

use super::no_key;
use crate::domain::live::pairs;
use crate::domain::{FieldError, FieldErrors, Filter, Rules, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Lens(BTreeMap<String, Vec<String>>);

impl Lens {
    /// `{"severity":["error"],"since":"24h"}`; what a list would refuse is refused here as well.
    pub fn take(
        object: &mut Map<String, Value>,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        let filters = match object.remove("filters") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(filters)) => filters,
            Some(_) => return Err(FieldErrors::one("filters", "must be an object")),
        };
        let pairs = pairs(filters)?;
        for (_, value) in &pairs {
            no_key("filters", value)?;
        }
        let parameters = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        // Which workspace it is about is judged when it is used: rights change.
        let (_, judged): (Vec<_>, Vec<_>) = parameters.partition(|(name, _)| *name == WORKSPACE);
        Filter::from_parameters(judged, now, rules)?;
        let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            kept.entry(name).or_default().push(value);
        }
        match kept.get(WORKSPACE).map(Vec::as_slice) {
            None => {}
            Some([one]) if one == "*" => {}
            Some([one]) => drop(crate::domain::draft::workspace_id(one.clone())?),
            Some(_) => return Err(FieldError::new(WORKSPACE, "must be given once").into()),
        }
        Ok(Self(kept))
    }

    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let one = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
        Self(pairs.iter().map(one).collect())
    }
}

const WORKSPACE: &str = "workspace_id";
