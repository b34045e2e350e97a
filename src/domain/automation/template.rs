//! A text with a few words in braces that the newest matched entry fills in. There is no more to it: no
//! conditions, no code.

use crate::domain::{Entry, FieldError, Severity};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// What may stand in braces.
const WORDS: [&str; 12] = [
    "rule",
    "count",
    "message",
    "actor",
    "action",
    "category",
    "severity",
    "entity_type",
    "entity_id",
    "entity_name",
    "workspace",
    "ts",
];

/// Parts of a template: as they are, and what stood in braces.
enum Part<'a> {
    Text(&'a str),
    Word(&'a str),
}

impl Template {
    pub fn parse(field: &'static str, text: String) -> Result<Self, FieldError> {
        let wrong = |reason: String| Err(FieldError::new(field, reason));
        for part in parts(&text) {
            match part {
                Part::Word(word) if !WORDS.contains(&word) => {
                    let known = WORDS.join("}, {");
                    return wrong(format!("in braces only these: {{{known}}}"));
                }
                Part::Text(text) if text.contains(['{', '}']) => {
                    return wrong("has a brace that is not part of a word in braces".into());
                }
                _ => {}
            }
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With the words of the entry, at most `most` bytes of it.
    pub fn filled(&self, rule: &str, count: u64, entry: &Entry, most: usize) -> String {
        let mut filled = String::new();
        for part in parts(&self.0) {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Word(word) => filled.push_str(&said(word, rule, count, entry)),
            }
        }
        let end = (0..=most.min(filled.len()))
            .rev()
            .find(|at| filled.is_char_boundary(*at));
        filled.truncate(end.unwrap_or(0));
        filled
    }
}

fn said(word: &str, rule: &str, count: u64, entry: &Entry) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    match word {
        "rule" => rule.to_owned(),
        "count" => count.to_string(),
        "message" => entry.message.clone(),
        "actor" => entry.actor.clone(),
        "action" => entry.action.to_string(),
        "category" => entry.category.to_string(),
        "severity" => Severity::as_str(entry.severity).to_owned(),
        "entity_type" => optional(&entry.entity_type),
        "entity_id" => optional(&entry.entity_id),
        "entity_name" => optional(&entry.entity_name),
        "workspace" => entry.workspace_id.to_string(),
        _ => entry.ts.to_string(),
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((word, behind)) = after.split_once('}') else {
            break;
        };
        parts.push(Part::Text(before));
        parts.push(Part::Word(word));
        rest = behind;
    }
    parts.push(Part::Text(rest));
    parts
}

impl From<&Template> for Value {
    fn from(template: &Template) -> Self {
        template.0.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Emitted, EntryId, Receipt, Timestamp};

    fn entry() -> Entry {
        let receipt = Receipt {
            id: EntryId::trusted("al_1"),
            seq: 1,
            ts: Timestamp::from_micros(0),
            duplicate: false,
        };
        let new = Emitted::ServerStarted.says("{count} up").by_system();
        new.recorded(&receipt)
    }

    #[test]
    fn words_in_braces_are_filled_in_once_and_nothing_else_is() {
        let template = Template::parse("message", "{rule}: {message} ({count})".into()).unwrap();
        let filled = template.filled("r", 3, &entry(), 100);
        assert_eq!(filled, "r: {count} up (3)");
        assert_eq!(template.filled("ü", 3, &entry(), 1), "");
    }

    #[test]
    fn an_unknown_word_or_a_lone_brace_is_refused() {
        for wrong in ["{password}", "{", "a}b", "{{message}}", "{ message }"] {
            let refused = Template::parse("message", wrong.into()).unwrap_err();
            assert_eq!(refused.field, "message", "{wrong}");
        }
    }
}
