//! A widget: a filter under a title, and what is shown of what it finds. Some are there from the first day.

use super::{Lens, nothing_else, title};
use crate::domain::{Dimension, FieldError, FieldErrors, Rules, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// The newest entries, live.
    List,
    /// How many there are.
    Count,
    /// How many when.
    OverTime,
    /// The most frequent values of one dimension.
    Top,
    /// Not of entries, and therefore not for widgets of one's own: the devices, the book's file, the rules.
    Devices,
    Storage,
    Retention,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Widget {
    pub title: String,
    pub view: Look,
    /// Of `top`.
    pub by: Option<&'static str>,
    pub filters: Lens,
}

/// One that is there for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltIn {
    pub id: &'static str,
    pub widget: Widget,
    /// Columns and rows that it takes at first.
    pub width: u8,
    pub height: u8,
}

impl Widget {
    /// One of somebody's own.
    pub fn read(
        mut object: Map<String, Value>,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        let title = title(&mut object, "title")?;
        let view = match object.remove("view").as_ref().and_then(Value::as_str) {
            Some("list") => Look::List,
            Some("count") => Look::Count,
            Some("over_time") => Look::OverTime,
            Some("top") => Look::Top,
            _ => {
                return Err(FieldErrors::one(
                    "view",
                    "must be list, count, over_time or top",
                ));
            }
        };
        let by = by(object.remove("by"), view)?;
        let filters = Lens::take(&mut object, now, rules)?;
        nothing_else(&object)?;
        Ok(Self {
            title,
            view,
            by,
            filters,
        })
    }
}

fn by(said: Option<Value>, view: Look) -> Result<Option<&'static str>, FieldError> {
    let said = said.filter(|said| !said.is_null());
    let names = || Dimension::ALL.into_iter().map(Dimension::as_str);
    match (view, said) {
        (Look::Top, Some(Value::String(named))) if names().any(|name| name == named) => {
            Ok(names().find(|name| *name == named))
        }
        (Look::Top, _) => {
            let reason = "must be severity, category, action, actor or entity_type";
            Err(FieldError::new("by", reason))
        }
        (_, None) => Ok(None),
        (_, Some(_)) => Err(FieldError::new("by", "goes with the view top alone")),
    }
}

/// In the order in which they are offered.
pub fn built_in() -> Vec<BuiltIn> {
    let make = |id, title: &str, view, by, filters: &[_], (width, height)| BuiltIn {
        id,
        widget: Widget {
            title: title.to_owned(),
            view,
            by,
            filters: Lens::of(filters),
        },
        width,
        height,
    };
    let (day, week) = (("since", "24h"), ("since", "7d"));
    vec![
        make(
            "recent_activity",
            "Recent activity",
            Look::List,
            None,
            &[],
            (6, 4),
        ),
        make(
            "over_time",
            "Entries over time",
            Look::OverTime,
            None,
            &[week],
            (6, 2),
        ),
        make(
            "categories",
            "By category",
            Look::Top,
            Some("category"),
            &[week],
            (3, 2),
        ),
        make(
            "severities",
            "By severity",
            Look::Top,
            Some("severity"),
            &[week],
            (3, 2),
        ),
        make(
            "busiest_actors",
            "Busiest actors",
            Look::Top,
            Some("actor"),
            &[day],
            (6, 2),
        ),
        make("devices", "Devices", Look::Devices, None, &[], (6, 2)),
        make(
            "last_errors",
            "Last errors",
            Look::List,
            None,
            &[("severity", "error")],
            (6, 2),
        ),
        make("storage", "The book", Look::Storage, None, &[], (3, 2)),
        make(
            "retention",
            "What is kept",
            Look::Retention,
            None,
            &[],
            (3, 2),
        ),
    ]
}
