//! A line that a capture took in to a draft that will be taken: what the owner maps first, then what the format
//! says by itself, then the capture's own defaults, and all of it made to fit.

use super::fit::{Fitted, fit};
use super::{journal, line, syslog};
use crate::domain::{Draft, Rules};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub use super::journal::place as journal_place;

/// How a line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Text,
    Json,
    Syslog,
    Journal,
}

/// How one capture reads its lines.
#[derive(Debug, Clone)]
pub struct Reading {
    pub format: Format,
    /// Our field, and theirs that goes there.
    pub map: BTreeMap<String, String>,
    /// For what no line says; complete but for the message.
    pub defaults: Draft,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Syslog => "syslog",
            Self::Journal => "journal",
        }
    }

    /// What was done, where nothing says it.
    pub fn action(self) -> &'static str {
        match self {
            Self::Text | Self::Json => "line.read",
            Self::Syslog => "syslog.message",
            Self::Journal => "journal.message",
        }
    }
}

impl Reading {
    /// Never fails: a line that follows no rule is a message. `peer` is the address that it came from; `cut` says
    /// that it was longer.
    pub fn read(&self, line: &[u8], cut: bool, peer: Option<&str>, rules: &Rules) -> Fitted {
        let mut fields = match self.format {
            Format::Text => line::text(line),
            Format::Json => line::json(line),
            Format::Syslog => syslog::fields(line),
            Format::Journal => journal::fields(line),
        };
        let mut draft = Draft::default();
        self.map(&mut draft, &mut fields);
        match self.format {
            Format::Text | Format::Json => line::fill(&mut draft, &mut fields),
            Format::Syslog => syslog::fill(&mut draft, &mut fields),
            Format::Journal => journal::fill(&mut draft, &mut fields),
        }
        if let Some(peer) = peer {
            draft.ip_address.get_or_insert_with(|| peer.to_owned());
        }
        if draft.message.as_ref().is_none_or(String::is_empty) {
            draft.message = Some(said(line));
        }
        draft.metadata = Some(fields);
        let cut = if cut {
            vec!["line".to_owned()]
        } else {
            Vec::new()
        };
        fit(draft, &self.defaults, rules, cut)
    }

    fn map(&self, draft: &mut Draft, fields: &mut Map<String, Value>) {
        for (ours, theirs) in &self.map {
            let Some(text) = taken(fields, theirs) else {
                continue;
            };
            let field = match ours.as_str() {
                "action" => &mut draft.action,
                "actor" => &mut draft.actor,
                "category" => &mut draft.category,
                "entity_id" => &mut draft.entity_id,
                "entity_name" => &mut draft.entity_name,
                "entity_type" => &mut draft.entity_type,
                "ip_address" => &mut draft.ip_address,
                "message" => &mut draft.message,
                "severity" => &mut draft.severity,
                "user_agent" => &mut draft.user_agent,
                other => {
                    fields.insert(other.to_owned(), text.into());
                    continue;
                }
            };
            *field = Some(text);
        }
    }
}

/// The line itself, where it has no message of its own.
fn said(line: &[u8]) -> String {
    match String::from_utf8_lossy(line) {
        text if text.trim().is_empty() => "(empty)".to_owned(),
        text => text.into_owned(),
    }
}

/// The text at this name, or at this path of names with dots between, taken out of where it stands. A name may
/// hold dots itself.
fn taken(fields: &mut Map<String, Value>, path: &str) -> Option<String> {
    match fields.get(path) {
        Some(Value::Object(_) | Value::Array(_) | Value::Null) => return None,
        Some(_) => return fields.remove(path).map(as_text),
        None => {}
    }
    let dots = path.match_indices('.').map(|(at, _)| at);
    for at in dots {
        if let Some(Value::Object(inner)) = fields.get_mut(&path[..at])
            && let Some(text) = taken(inner, &path[at + 1..])
        {
            return Some(text);
        }
    }
    // The elements of syslog need not be named with what holds them.
    match fields.get_mut("structured_data") {
        Some(Value::Object(inner)) => taken(inner, path),
        _ => None,
    }
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Redact;
    use proptest::prelude::*;
    use serde_json::json;

    struct Nothing;
    impl Redact for Nothing {
        fn metadata(&self, _: &mut Map<String, Value>) {}
        fn holds_secret(&self, text: &str) -> bool {
            text.contains("dbk_secret")
        }
    }

    fn rules() -> Rules {
        Rules {
            extra_categories: Vec::new(),
            redact: Box::new(Nothing),
        }
    }

    fn reading(format: Format, map: &[(&str, &str)]) -> Reading {
        let some = |text: &str| Some(text.to_owned());
        Reading {
            format,
            map: map
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
            defaults: Draft {
                category: some("capture"),
                action: some(format.action()),
                severity: some("info"),
                actor: some("shop"),
                workspace_id: some("default"),
                ..Draft::default()
            },
        }
    }

    fn read(reading: &Reading, line: &str) -> Draft {
        reading
            .read(line.as_bytes(), false, Some("10.0.0.1"), &rules())
            .draft
    }

    #[test]
    fn a_line_of_text_is_a_message() {
        let draft = read(&reading(Format::Text, &[]), "the door opened");
        assert_eq!(draft.message.as_deref(), Some("the door opened"));
        assert_eq!(draft.action.as_deref(), Some("line.read"));
        assert_eq!(
            (draft.actor.as_deref(), draft.ip_address.as_deref()),
            (Some("shop"), Some("10.0.0.1"))
        );
        assert_eq!(draft.metadata, Some(Map::new()));
    }

    #[test]
    fn what_is_mapped_goes_to_our_fields_and_the_rest_to_metadata() {
        let json = reading(
            Format::Json,
            &[
                ("actor", "user.name"),
                ("action", "event"),
                ("occurred_at", "t"),
                ("severity", "level"),
                ("entity_id", "n"),
            ],
        );
        let draft = read(
            &json,
            r#"{"event":"order paid","user":{"name":"anna","age":7},"t":"then","level":"WARN","n":5}"#,
        );
        assert_eq!(draft.actor.as_deref(), Some("anna"));
        assert_eq!(draft.action.as_deref(), Some("order_paid"));
        assert_eq!(
            (draft.severity.as_deref(), draft.entity_id.as_deref()),
            (Some("warning"), Some("5"))
        );
        let rest = json!({"user": {"age": 7}, "occurred_at": "then", "cut": ["action"]});
        assert_eq!(draft.metadata.map(Value::Object), Some(rest));
        let syslog = reading(
            Format::Syslog,
            &[("actor", "x@1.user"), ("action", "app_name")],
        );
        let draft = read(&syslog, "<13>1 - h app - m [x@1 user=\"anna\"] hi");
        assert_eq!(
            (draft.actor.as_deref(), draft.action.as_deref()),
            (Some("anna"), Some("app"))
        );
    }

    #[test]
    fn json_may_use_our_own_names_and_what_is_no_json_is_text() {
        let json = reading(Format::Json, &[]);
        let draft = read(
            &json,
            r#"{"message":"hi","category":"device","action":"lamp.on","metadata":{"a":1},"b":2}"#,
        );
        assert_eq!(
            (draft.category.as_deref(), draft.action.as_deref()),
            (Some("device"), Some("lamp.on"))
        );
        assert_eq!(
            draft.metadata.map(Value::Object),
            Some(json!({"a": 1, "b": 2}))
        );
        let draft = read(&json, "{not json");
        assert_eq!(draft.message.as_deref(), Some("{not json"));
        assert_eq!(
            read(&json, r#"{"b":2}"#).message.as_deref(),
            Some(r#"{"b":2}"#)
        );
    }

    #[test]
    fn a_category_that_there_is_not_becomes_the_captures_own() {
        let draft = read(
            &reading(Format::Json, &[]),
            r#"{"message":"x","category":"nope"}"#,
        );
        assert_eq!(draft.category.as_deref(), Some("capture"));
        assert_eq!(
            draft.metadata.map(Value::Object),
            Some(json!({"category": "nope", "cut": ["category"]}))
        );
    }

    fn formats() -> impl Strategy<Value = Format> {
        prop_oneof![
            Just(Format::Text),
            Just(Format::Json),
            Just(Format::Syslog),
            Just(Format::Journal)
        ]
    }

    proptest! {
        #[test]
        fn whatever_comes_in_becomes_an_entry(
            format in formats(),
            line in prop_oneof![
                prop::collection::vec(any::<u8>(), 1..400),
                "<1[0-9]>1 - [a-zé\u{7}]{0,300} [a-z]{0,300} - .{0,200} \\[audit (action|actor|category|severity)=\".{0,60}\"\\] .{0,60}"
                    .prop_map(String::into_bytes),
                "\\{\"(action|message|actor|entity_id|severity|x)\":\"[^\"\\\\]{0,300}\"\\}".prop_map(String::into_bytes),
            ]
        ) {
            let fitted = reading(format, &[("actor", "x")]).read(&line, true, None, &rules());
            let checked = fitted.draft.check(&rules());
            prop_assert!(checked.is_ok(), "{:?}", checked.err());
        }
    }
}
