//! The names of an entry's fields, and why any other name is none.

use crate::domain::{Draft, FieldError};
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use std::fmt;

/// As much of an unknown field's name is told back.
const ECHOED_CHARS: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Category,
    Action,
    Severity,
    Actor,
    EntityType,
    EntityId,
    EntityName,
    Message,
    Metadata,
    WorkspaceId,
    IpAddress,
    UserAgent,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "category" => Self::Category,
            "action" => Self::Action,
            "severity" => Self::Severity,
            "actor" => Self::Actor,
            "entity_type" => Self::EntityType,
            "entity_id" => Self::EntityId,
            "entity_name" => Self::EntityName,
            "message" => Self::Message,
            "metadata" => Self::Metadata,
            "workspace_id" => Self::WorkspaceId,
            "ip_address" => Self::IpAddress,
            "user_agent" => Self::UserAgent,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Category => "category",
            Self::Action => "action",
            Self::Severity => "severity",
            Self::Actor => "actor",
            Self::EntityType => "entity_type",
            Self::EntityId => "entity_id",
            Self::EntityName => "entity_name",
            Self::Message => "message",
            Self::Metadata => "metadata",
            Self::WorkspaceId => "workspace_id",
            Self::IpAddress => "ip_address",
            Self::UserAgent => "user_agent",
        }
    }

    /// Its place in the draft; `None` for the only field that is no text.
    pub fn text_in(self, draft: &mut Draft) -> Option<&mut Option<String>> {
        Some(match self {
            Self::Id => &mut draft.id,
            Self::Category => &mut draft.category,
            Self::Action => &mut draft.action,
            Self::Severity => &mut draft.severity,
            Self::Actor => &mut draft.actor,
            Self::EntityType => &mut draft.entity_type,
            Self::EntityId => &mut draft.entity_id,
            Self::EntityName => &mut draft.entity_name,
            Self::Message => &mut draft.message,
            Self::Metadata => return None,
            Self::WorkspaceId => &mut draft.workspace_id,
            Self::IpAddress => &mut draft.ip_address,
            Self::UserAgent => &mut draft.user_agent,
        })
    }
}

/// The name of a field, or why it is none.
pub(super) enum Name {
    Known(Field),
    /// The book gives it, unless the entry comes out of a book.
    Ts,
    Refused(FieldError),
}

pub(super) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Name, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(match Field::named(name) {
            Some(field) => Name::Known(field),
            None if name == "ts" => Name::Ts,
            None => Name::Refused(refused(name)),
        })
    }
}

fn refused(name: &str) -> FieldError {
    match name {
        "seq" => FieldError::new("seq", "is given by the book"),
        _ => FieldError::new(echoed(name), "is not a field of an entry"),
    }
}

/// As much of a foreign name as may stand in an answer or a terminal.
fn echoed(name: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    name.chars().take(ECHOED_CHARS).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::KEYS;

    #[test]
    fn every_key_of_an_entry_but_the_time_is_a_field() {
        for key in KEYS {
            let field = Field::named(key).map(Field::name);
            assert_eq!(field, (key != "ts").then_some(key));
        }
    }

    #[test]
    fn of_a_foreign_name_little_is_told_back_and_nothing_that_a_terminal_obeys() {
        let told = echoed(&format!("\u{1b}[31m\n{}", "é".repeat(1000)));
        assert!(told.starts_with("\u{fffd}[31m\u{fffd}é"));
        assert_eq!(told.chars().count(), ECHOED_CHARS);
    }
}
