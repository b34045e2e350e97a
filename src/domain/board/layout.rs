//! Where the widgets stand: on a grid of twelve columns.

use super::built_in;
use crate::domain::{FieldError, FieldErrors};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub const COLUMNS: u64 = 12;
pub const MOST_PLACES: usize = 64;
const MOST_ROWS: u64 = 1000;
const TALLEST: u64 = 24;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    pub widget: String,
    pub x: u64,
    pub y: u64,
    pub w: u64,
    pub h: u64,
}

/// What stands first comes first where there is but one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    pub widgets: Vec<Place>,
}

impl Default for Layout {
    fn default() -> Self {
        let place = |widget: &str, x, y, w, h| Place {
            widget: widget.to_owned(),
            x,
            y,
            w,
            h,
        };
        Self {
            widgets: vec![
                place("recent_activity", 0, 0, 7, 6),
                place("over_time", 7, 0, 5, 2),
                place("categories", 7, 2, 3, 2),
                place("severities", 10, 2, 2, 2),
                place("busiest_actors", 7, 4, 5, 2),
                place("last_errors", 0, 6, 7, 3),
                place("storage", 7, 6, 3, 3),
                place("retention", 10, 6, 2, 3),
                // Below everything, since there may be none to show.
                place("devices", 0, 9, 7, 3),
            ],
        }
    }
}

impl Layout {
    /// `own` are the widgets that whoever asks has made.
    pub fn read(mut object: Map<String, Value>, own: &[String]) -> Result<Self, FieldErrors> {
        let places = match object.remove("widgets") {
            Some(Value::Array(places)) if places.len() <= MOST_PLACES => places,
            _ => {
                let reason = format!("must be an array of at most {MOST_PLACES} places");
                return Err(FieldErrors::one("widgets", reason));
            }
        };
        super::nothing_else(&object)?;
        let mut seen = BTreeSet::new();
        let read = places.into_iter().enumerate().map(|(index, value)| {
            let place = place(index, value)?;
            let known = built_in().iter().any(|one| one.id == place.widget);
            if !known && !own.contains(&place.widget) {
                return Err(of(index, "widget", "is no widget of yours"));
            }
            match seen.insert(place.widget.clone()) {
                true => Ok(place),
                false => Err(of(index, "widget", "stands there twice")),
            }
        });
        Ok(Self {
            widgets: read.collect::<Result<_, _>>()?,
        })
    }

    /// Without the widgets that are gone.
    pub fn with_what_is_there(mut self, own: &[String]) -> Self {
        let is_there = |place: &Place| {
            own.contains(&place.widget) || built_in().iter().any(|one| one.id == place.widget)
        };
        self.widgets.retain(is_there);
        self
    }

    /// As the book gave it back; where it cannot be read, the one that everybody begins with.
    pub fn kept(value: &str) -> Self {
        let read = || -> Option<Self> {
            let mut object: Map<String, Value> = serde_json::from_str(value).ok()?;
            let Value::Array(places) = object.remove("widgets")? else {
                return None;
            };
            let places = places.into_iter().enumerate();
            let widgets = places.map(|(index, value)| place(index, value).ok());
            Some(Self {
                widgets: widgets.collect::<Option<_>>()?,
            })
        };
        read().unwrap_or_default()
    }
}

fn place(index: usize, value: Value) -> Result<Place, FieldError> {
    let Value::Object(mut object) = value else {
        return Err(FieldError::new(
            format!("widgets[{index}]"),
            "must be an object",
        ));
    };
    let widget = match object.remove("widget") {
        Some(Value::String(id)) if id.len() <= super::TITLE_CHARS => id,
        _ => return Err(of(index, "widget", "must be the id of a widget")),
    };
    let mut number = |field: &str, least: u64, most: u64| {
        let said = object.remove(field).and_then(|value| value.as_u64());
        said.filter(|said| (least..=most).contains(said))
            .ok_or_else(|| {
                of(
                    index,
                    field,
                    format!("must be a whole number, {least} to {most}"),
                )
            })
    };
    let place = Place {
        widget,
        x: number("x", 0, COLUMNS - 1)?,
        y: number("y", 0, MOST_ROWS)?,
        w: number("w", 1, COLUMNS)?,
        h: number("h", 1, TALLEST)?,
    };
    if place.x + place.w > COLUMNS {
        let reason = format!("and x are more than the {COLUMNS} columns");
        return Err(of(index, "w", reason));
    }
    match object.keys().next() {
        None => Ok(place),
        Some(unknown) => {
            let named: String = unknown.chars().take(super::TITLE_CHARS).collect();
            Err(of(index, &named, "is not known here"))
        }
    }
}

fn of(index: usize, field: &str, reason: impl Into<std::borrow::Cow<'static, str>>) -> FieldError {
    FieldError::new(format!("widgets[{index}].{field}"), reason)
}
