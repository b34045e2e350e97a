//! What does not fit is made to fit, so that one bad record never refuses its batch: other characters, a cut at the
//! end, the largest values of the metadata. `metadata.cut` names the fields.

use crate::domain::Redact;
use crate::domain::draft::REDACTED;
use crate::domain::{Draft, Rules, Severity, limits};
use serde_json::{Map, Value};

/// Keys of metadata that are kept where there are too many to be cut by their values.
const KEYS: usize = 64;
const KEY_CHARS: usize = 64;
/// What redaction and `cut` may still add.
const SPARE: usize = 1024;

pub struct Fitted {
    pub draft: Draft,
    /// Something of it was changed to fit.
    pub cut: bool,
}

/// A draft that is right; `defaults` say what it does not. `cut` is what was cut of it before.
pub fn fit(mut draft: Draft, defaults: &Draft, rules: &Rules, mut cut: Vec<String>) -> Fitted {
    let metadata = draft.metadata.get_or_insert_default();
    if let Some(category) = draft
        .category
        .take_if(|category| !rules.knows_category(category))
    {
        cut.push("category".to_owned());
        metadata.insert("category".to_owned(), category.into());
    }
    draft.severity = draft.severity.and_then(|word| match severity(&word) {
        Some(severity) => Some(severity.as_str().to_owned()),
        None => {
            cut.push("severity".to_owned());
            metadata.insert("severity".to_owned(), word.into());
            None
        }
    });
    draft.action = draft
        .action
        .and_then(|text| action(text, rules.redact.as_ref(), &mut cut));
    let keys = [
        ("actor", &mut draft.actor, limits::ACTOR_CHARS),
        (
            "entity_type",
            &mut draft.entity_type,
            limits::ENTITY_TYPE_CHARS,
        ),
        ("entity_id", &mut draft.entity_id, limits::ENTITY_ID_CHARS),
        (
            "entity_name",
            &mut draft.entity_name,
            limits::ENTITY_NAME_CHARS,
        ),
        (
            "ip_address",
            &mut draft.ip_address,
            limits::IP_ADDRESS_CHARS,
        ),
        (
            "user_agent",
            &mut draft.user_agent,
            limits::USER_AGENT_CHARS,
        ),
    ];
    for (name, text, most) in keys {
        if let Some(text) = text
            && (plain(text) | shorten(text, most))
        {
            cut.push(name.to_owned());
        }
    }
    if let Some(message) = &mut draft.message
        && shorten(message, limits::MESSAGE_CHARS)
    {
        cut.push("message".to_owned());
    }
    fill(&mut draft, defaults);
    let metadata = draft.metadata.get_or_insert_default();
    fit_metadata(metadata, rules.redact.as_ref(), &mut cut);
    let was_cut = !cut.is_empty();
    if was_cut {
        metadata.insert("cut".to_owned(), cut.into());
    }
    Fitted {
        draft,
        cut: was_cut,
    }
}

fn fill(draft: &mut Draft, defaults: &Draft) {
    let fields = [
        (&mut draft.category, &defaults.category),
        (&mut draft.action, &defaults.action),
        (&mut draft.severity, &defaults.severity),
        (&mut draft.actor, &defaults.actor),
    ];
    for (field, default) in fields {
        if field.as_ref().is_none_or(String::is_empty) {
            field.clone_from(default);
        }
    }
    // Never the line's own word: it may not choose whose book it is in.
    draft.workspace_id.clone_from(&defaults.workspace_id);
    draft.id = None;
}

/// The word of any system, or the number of syslog.
fn severity(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "5" | "6" | "7" | "notice" | "info" | "information" | "informational" | "debug"
        | "trace" => Severity::Info,
        "4" | "warn" | "warning" => Severity::Warning,
        "0" | "1" | "2" | "3" | "err" | "error" | "crit" | "critical" | "alert" | "emerg"
        | "emergency" | "fatal" | "panic" => Severity::Error,
        _ => return None,
    })
}

fn action(text: String, redact: &dyn Redact, cut: &mut Vec<String>) -> Option<String> {
    if redact.holds_secret(&text) {
        cut.push("action".to_owned());
        return None;
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:/-".contains(c);
    if text.len() <= limits::ACTION_CHARS && text.chars().all(allowed) {
        return Some(text).filter(|text| !text.is_empty());
    }
    cut.push("action".to_owned());
    let kept = text.chars().take(limits::ACTION_CHARS);
    Some(kept.map(|c| if allowed(c) { c } else { '_' }).collect())
}

/// Whether it held a control character.
fn plain(text: &mut String) -> bool {
    let held = text.chars().any(char::is_control);
    if held {
        *text = text.replace(char::is_control, "\u{fffd}");
    }
    held
}

/// Whether it was longer.
fn shorten(text: &mut String, most: usize) -> bool {
    if text.len() <= most || text.chars().nth(most).is_none() {
        return false;
    }
    let end = text.char_indices().nth(most - 1).map_or(0, |(at, _)| at);
    text.truncate(end);
    text.push('…');
    true
}

fn fit_metadata(object: &mut Map<String, Value>, redact: &dyn Redact, cut: &mut Vec<String>) {
    // Most are small, and then nothing need be measured.
    let weight = |(key, value): (&String, &Value)| 2 * key.len() + 8 + estimate(value);
    if object.iter().map(weight).sum::<usize>() < 2048 && depth_fits(object) {
        return;
    }
    // What is hidden may be longer than what it hides.
    redact.metadata(object);
    if !depth_fits(object) {
        flatten(object, cut);
    }
    if object.len() > KEYS && !size_fits(object) {
        let beyond: Vec<String> = object.keys().skip(KEYS).cloned().collect();
        beyond.iter().for_each(|key| drop(object.remove(key)));
        cut.push("metadata".to_owned());
    }
    while !size_fits(object) {
        let largest = object.iter().max_by_key(|(_, value)| size(value));
        let Some((key, bytes)) = largest.map(|(key, value)| (key.clone(), size(value))) else {
            return;
        };
        let said = format!("[cut: {bytes} bytes]");
        if bytes <= said.len() + 2 || key.chars().count() > KEY_CHARS {
            // Its name is what is large.
            object.remove(&key);
            cut.push("metadata".to_owned());
        } else {
            cut.push(format!("metadata.{key}"));
            object.insert(key, said.into());
        }
    }
    cut.dedup();
}

fn size(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

fn size_fits(object: &Map<String, Value>) -> bool {
    size(object) + SPARE <= limits::METADATA_BYTES
}

fn depth_fits(object: &Map<String, Value>) -> bool {
    object
        .values()
        .all(|value| !matches!(value, Value::Object(_) | Value::Array(_)))
        || depth(object.values()) < limits::JSON_DEPTH - 1
}

fn depth<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let below = |value: &Value| match value {
        Value::Object(object) => depth(object.values()),
        Value::Array(items) => depth(items.iter()),
        _ => 0,
    };
    1 + values.map(below).max().unwrap_or(0)
}

fn flatten(object: &mut Map<String, Value>, cut: &mut Vec<String>) {
    for (key, value) in object {
        if depth(std::iter::once(&*value)) >= limits::JSON_DEPTH - 2 {
            *value = format!("[cut: {} bytes]", size(value)).into();
            cut.push(format!("metadata.{key}"));
        }
    }
}

/// More than it weighs as JSON, or nearly.
fn estimate(value: &Value) -> usize {
    match value {
        Value::String(text) => 2 * text.len().max(REDACTED.len()),
        Value::Array(items) => items.iter().map(estimate).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| 2 * key.len() + estimate(value))
            .sum(),
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;
    impl Redact for Nothing {
        fn metadata(&self, _: &mut Map<String, Value>) {}
        fn holds_secret(&self, text: &str) -> bool {
            text.contains("dbk_secret")
        }
    }

    fn fitted(draft: Draft) -> Draft {
        let some = |text: &str| Some(text.to_owned());
        let rules = Rules {
            extra_categories: Vec::new(),
            redact: Box::new(Nothing),
        };
        let defaults = Draft {
            category: some("capture"),
            action: some("line.read"),
            severity: some("info"),
            actor: some("shop"),
            ..Draft::default()
        };
        let fitted = fit(draft, &defaults, &rules, Vec::new()).draft;
        let checked = fitted.clone().check(&rules);
        assert!(checked.is_ok(), "{:?}", checked.err());
        fitted
    }

    fn cut(draft: &Draft) -> Vec<String> {
        let cut = draft
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get("cut"));
        let names = cut.and_then(Value::as_array).cloned().unwrap_or_default();
        names
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    fn draft() -> Draft {
        Draft {
            message: Some("hi".to_owned()),
            ..Draft::default()
        }
    }

    #[test]
    fn what_is_right_is_left_as_it_is() {
        let right = fitted(draft());
        assert_eq!(right.message.as_deref(), Some("hi"));
        assert_eq!(cut(&right), [""; 0]);
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character_and_said() {
        let long = fitted(Draft {
            message: Some("é".repeat(5000)),
            actor: Some("a\u{7}b".to_owned()),
            action: Some("has space ü".to_owned()),
            entity_id: Some("x".repeat(300)),
            ..draft()
        });
        let message = long.message.as_deref().unwrap();
        assert_eq!(message.chars().count(), limits::MESSAGE_CHARS);
        assert!(message.ends_with("é…"));
        assert_eq!(long.actor.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(long.action.as_deref(), Some("has_space__"));
        assert_eq!(cut(&long), ["action", "actor", "entity_id", "message"]);
    }

    #[test]
    fn the_largest_values_of_the_metadata_go_first_and_the_small_ones_stay() {
        let large = "x".repeat(10_000);
        let object = serde_json::json!({"a": large, "b": large, "c": "small"});
        let Value::Object(metadata) = object else {
            panic!()
        };
        let whole = fitted(Draft {
            metadata: Some(metadata),
            ..draft()
        });
        let kept = whole.metadata.as_ref().unwrap();
        assert_eq!(kept["c"], "small");
        assert_eq!(cut(&whole).len(), 1);
        assert_eq!(
            [&kept["a"], &kept["b"]]
                .iter()
                .filter(|v| **v == "[cut: 10002 bytes]")
                .count(),
            1
        );
    }

    #[test]
    fn too_many_too_deep_and_too_long_names_fit_too() {
        let many = (0..5000).map(|n| (format!("key{n}"), Value::from("v")));
        let names = (0..40).map(|n| (format!("{n}{}", "k".repeat(1000)), Value::from("v")));
        let deep = (0..40).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        for metadata in [
            many.collect(),
            names.collect(),
            Map::from_iter([("deep".to_owned(), deep)]),
        ] {
            let fitted = fitted(Draft {
                metadata: Some(metadata),
                ..draft()
            });
            assert!(!cut(&fitted).is_empty());
        }
    }

    #[test]
    fn words_and_numbers_of_other_systems_are_severities() {
        for (word, ours) in [
            ("WARN", "warning"),
            ("3", "error"),
            ("notice", "info"),
            ("odd", "info"),
        ] {
            let read = fitted(Draft {
                severity: Some(word.to_owned()),
                ..draft()
            });
            assert_eq!(read.severity.as_deref(), Some(ours), "{word}");
        }
    }
}
