//! What came in, before it was checked, and the one check that turns it into a new entry.

use super::field::{FieldError, FieldErrors};
use super::{Action, Category, EntryId, Metadata, NewEntry, Rules, Severity, WorkspaceId};
use super::{limits, secret};
use serde_json::{Map, Value};

/// Everything a source may say of an entry; nothing of it is trusted yet. An empty optional text is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    pub id: Option<String>,
    pub category: Option<String>,
    pub action: Option<String>,
    pub severity: Option<String>,
    pub actor: Option<String>,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub entity_name: Option<String>,
    pub message: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub workspace_id: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// Words that are routes under `/activity/`, and so cannot be ids.
pub const RESERVED_IDS: [&str; 8] = [
    "count",
    "facets",
    "histogram",
    "export",
    "settings",
    "audit",
    "prune",
    "by-actor",
];
pub const REDACTED: &str = "[redacted]";

impl Draft {
    /// The new entry, or everything that is wrong with this draft.
    pub fn check(self, rules: &Rules) -> Result<NewEntry, FieldErrors> {
        let mut check = Check {
            rules,
            errors: Vec::new(),
        };
        let keeps_name = rules.redact.keeps_name_of(self.entity_type.as_deref());
        let entry = NewEntry {
            id: check.id(self.id),
            category: check.category(self.category),
            action: check.action(self.action),
            severity: check.severity(self.severity),
            actor: check.actor(self.actor),
            entity_type: check.identifier(
                "entity_type",
                self.entity_type,
                limits::ENTITY_TYPE_CHARS,
            ),
            entity_id: check.identifier("entity_id", self.entity_id, limits::ENTITY_ID_CHARS),
            entity_name: check
                .prose("entity_name", self.entity_name, limits::ENTITY_NAME_CHARS)
                .filter(|_| keeps_name),
            message: check.message(self.message),
            metadata: check.metadata(self.metadata),
            workspace_id: check.workspace(self.workspace_id),
            ip_address: check.identifier("ip_address", self.ip_address, limits::IP_ADDRESS_CHARS),
            user_agent: check.prose("user_agent", self.user_agent, limits::USER_AGENT_CHARS),
        };
        FieldErrors::none_in(check.errors)?;
        Ok(entry)
    }
}

struct Check<'a> {
    rules: &'a Rules,
    errors: Vec<FieldError>,
}

impl Check<'_> {
    fn wrong(&mut self, field: &'static str, reason: impl Into<std::borrow::Cow<'static, str>>) {
        self.errors.push(FieldError::new(field, reason));
    }

    fn id(&mut self, id: Option<String>) -> Option<EntryId> {
        let id = id?;
        if !name_like(&id, limits::ID_CHARS, is_name_char) {
            self.wrong("id", "must be 1 to 64 characters of A-Z a-z 0-9 _ -");
        } else if RESERVED_IDS.contains(&id.as_str()) {
            self.wrong("id", "is a reserved word");
        } else if self.rules.redact.holds_secret(&id) {
            self.wrong("id", "holds a Daybook key");
        }
        Some(EntryId::trusted(id))
    }

    fn category(&mut self, category: Option<String>) -> Category {
        match category {
            None => self.wrong("category", "is required"),
            Some(name) if self.rules.knows_category(&name) => return Category::trusted(name),
            Some(_) => {
                let known = self.rules.category_list();
                self.wrong("category", format!("must be one of {known}"));
            }
        }
        Category::trusted("")
    }

    fn action(&mut self, action: Option<String>) -> Action {
        match action {
            None => self.wrong("action", "is required"),
            Some(action) if !name_like(&action, limits::ACTION_CHARS, is_action_char) => {
                self.wrong(
                    "action",
                    "must be 1 to 128 characters of A-Z a-z 0-9 _ . : / -",
                );
            }
            Some(action) if self.rules.redact.holds_secret(&action) => {
                self.wrong("action", "holds a Daybook key");
            }
            Some(action) => return Action::trusted(action),
        }
        Action::trusted("")
    }

    fn severity(&mut self, severity: Option<String>) -> Severity {
        let Some(text) = severity else {
            return Severity::Info;
        };
        Severity::parse(&text).unwrap_or_else(|| {
            self.wrong("severity", "must be info, warning or error");
            Severity::Info
        })
    }

    fn actor(&mut self, actor: Option<String>) -> String {
        let checked = self.key("actor", actor, limits::ACTOR_CHARS);
        if checked.is_none() {
            self.wrong("actor", "must not be empty");
        }
        let kept = self.rules.redact.actor(checked.unwrap_or_default());
        shortened(kept, limits::ACTOR_CHARS)
    }

    fn identifier(
        &mut self,
        field: &'static str,
        text: Option<String>,
        most: usize,
    ) -> Option<String> {
        let text = self.key(field, text, most)?;
        Some(shortened(self.rules.redact.text(text), most))
    }

    /// A text that is looked up by: control characters are refused.
    fn key(&mut self, field: &'static str, text: Option<String>, most: usize) -> Option<String> {
        let text = text.filter(|text| !text.is_empty())?;
        if longer_than(&text, most) {
            self.wrong(field, format!("is longer than {most} characters"));
        } else if text.chars().any(char::is_control) {
            self.wrong(field, "holds a control character");
        }
        Some(self.without_secret(text))
    }

    /// A text that is read: control characters are replaced.
    fn prose(&mut self, field: &'static str, text: Option<String>, most: usize) -> Option<String> {
        let text = text.filter(|text| !text.is_empty())?;
        if longer_than(&text, most) {
            self.wrong(field, format!("is longer than {most} characters"));
            return None;
        }
        let text = self.without_secret(text);
        let text = shortened(self.rules.redact.text(text), most);
        if text.chars().any(char::is_control) {
            return Some(text.replace(char::is_control, "\u{fffd}"));
        }
        Some(text)
    }

    fn message(&mut self, message: Option<String>) -> String {
        if message.as_ref().is_none_or(String::is_empty) {
            self.wrong("message", "is required and must not be empty");
        }
        self.prose("message", message, limits::MESSAGE_CHARS)
            .unwrap_or_default()
    }

    fn metadata(&mut self, object: Option<Map<String, Value>>) -> Metadata {
        let mut object = object.unwrap_or_default();
        self.rules.redact.metadata(&mut object);
        Metadata::new(object).unwrap_or_else(|error| {
            self.errors.push(error);
            Metadata::default()
        })
    }

    fn workspace(&mut self, workspace: Option<String>) -> WorkspaceId {
        match workspace {
            None => WorkspaceId::default_workspace(),
            Some(name) => workspace_id(name).unwrap_or_else(|error| {
                self.errors.push(error);
                WorkspaceId::default_workspace()
            }),
        }
    }

    fn without_secret(&self, text: String) -> String {
        if self.rules.redact.holds_secret(&text) {
            REDACTED.to_owned()
        } else {
            text
        }
    }
}

/// The name of a workspace, as entries and filters may give it.
pub fn workspace_id(name: String) -> Result<WorkspaceId, FieldError> {
    if secret::holds_key(&name) {
        Err(FieldError::new("workspace_id", "holds a Daybook key"))
    } else if name_like(&name, limits::WORKSPACE_CHARS, is_name_char) {
        Ok(WorkspaceId::trusted(name))
    } else {
        Err(FieldError::new(
            "workspace_id",
            "must be 1 to 64 characters of A-Z a-z 0-9 _ -",
        ))
    }
}

fn name_like(text: &str, most: usize, allowed: fn(u8) -> bool) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_name_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

pub(super) fn is_action_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'/' | b'-')
}

/// What stands for something personal may be longer than that was.
fn shortened(text: String, most: usize) -> String {
    match longer_than(&text, most) {
        true => text.chars().take(most).collect(),
        false => text,
    }
}

fn longer_than(text: &str, most: usize) -> bool {
    // Most texts are shorter in bytes already, and then there is nothing to count.
    text.len() > most && text.chars().nth(most).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Redact;

    struct Nothing;
    impl Redact for Nothing {
        fn metadata(&self, _: &mut Map<String, Value>) {}
        fn holds_secret(&self, text: &str) -> bool {
            text.contains("dbk_secret")
        }
    }

    fn rules() -> Rules {
        Rules {
            extra_categories: vec!["billing".into()],
            redact: Box::new(Nothing),
        }
    }

    fn draft() -> Draft {
        Draft {
            category: Some("entity".into()),
            action: Some("task.created".into()),
            actor: Some("anna".into()),
            message: Some("made a task".into()),
            ..Draft::default()
        }
    }

    fn wrong_fields(draft: Draft) -> Vec<String> {
        match draft.check(&rules()) {
            Ok(_) => Vec::new(),
            Err(errors) => errors
                .as_slice()
                .iter()
                .map(|e| e.field.to_string())
                .collect(),
        }
    }

    #[test]
    fn what_is_not_said_gets_its_default() {
        let entry = draft().check(&rules()).unwrap();
        assert_eq!(entry.severity, Severity::Info);
        assert_eq!(entry.workspace_id.as_str(), "default");
        assert_eq!(entry.metadata.as_str(), "{}");
        assert_eq!(entry.id, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let all_wrong = Draft {
            id: Some("count".into()),
            category: Some("nope".into()),
            action: Some("has space".into()),
            severity: Some("fatal".into()),
            actor: Some("a\u{7}b".into()),
            entity_type: Some("x".repeat(65)),
            entity_id: Some("x".repeat(257)),
            entity_name: Some("x".repeat(257)),
            message: Some(String::new()),
            workspace_id: Some("a b".into()),
            ip_address: Some("x".repeat(65)),
            user_agent: Some("x".repeat(513)),
            metadata: None,
        };
        let mut wrong = wrong_fields(all_wrong);
        wrong.sort();
        wrong.dedup();
        assert_eq!(
            wrong,
            [
                "action",
                "actor",
                "category",
                "entity_id",
                "entity_name",
                "entity_type",
                "id",
                "ip_address",
                "message",
                "severity",
                "user_agent",
                "workspace_id"
            ]
        );
    }

    #[test]
    fn what_is_required_is_named_when_it_is_missing() {
        assert_eq!(
            wrong_fields(Draft::default()),
            ["category", "action", "actor", "message"]
        );
    }

    #[test]
    fn the_owners_categories_count() {
        let billing = Draft {
            category: Some("billing".into()),
            ..draft()
        };
        assert!(wrong_fields(billing).is_empty());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let long = |n: usize| Draft {
            message: Some("ü".repeat(n)),
            ..draft()
        };
        assert!(wrong_fields(long(4096)).is_empty());
        assert_eq!(wrong_fields(long(4097)), ["message"]);
    }

    #[test]
    fn control_characters_are_replaced_in_what_is_read() {
        let entry = Draft {
            message: Some("a\u{0}b\nc".into()),
            entity_name: Some("x\u{1b}y".into()),
            ..draft()
        }
        .check(&rules())
        .unwrap();
        assert_eq!(entry.message, "a\u{fffd}b\u{fffd}c");
        assert_eq!(entry.entity_name.as_deref(), Some("x\u{fffd}y"));
    }

    #[test]
    fn a_key_of_ours_is_stored_nowhere() {
        let entry = Draft {
            message: Some("it was dbk_secret".into()),
            actor: Some("dbk_secret".into()),
            entity_id: Some("dbk_secret".into()),
            user_agent: Some("dbk_secret".into()),
            ..draft()
        }
        .check(&rules())
        .unwrap();
        assert!(!format!("{entry:?}").contains("dbk_secret"));
        assert_eq!(entry.message, REDACTED);
        let named = Draft {
            id: Some("dbk_secret".into()),
            action: Some("dbk_secret".into()),
            ..draft()
        };
        assert_eq!(wrong_fields(named), ["id", "action"]);
    }
}
