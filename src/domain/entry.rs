//! The entry: one recorded line of the book, and the checked values that it is made of.

use super::erasure::{ERASED, Erasure};
use super::{Metadata, Receipt, Timestamp};
use serde::Serialize;
use std::fmt;

/// The book's own number of an entry, given by the writer in commit order.
pub type Seq = i64;

/// A text that was checked when it was made, or that comes out of the book, where only checked texts are.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// For what is known to be right: read from the book, or a constant of ours.
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// `al_` and a UUIDv7, or what a client chose to make its retry safe.
    EntryId
);
checked_text!(
    /// The tenant that an entry belongs to.
    WorkspaceId
);
checked_text!(
    /// One of the five, or of those that the owner added.
    Category
);
checked_text!(
    /// What was done: by convention `noun.verb_in_past_tense`.
    Action
);

impl EntryId {
    /// A fresh id; `uuid` comes from the caller, who has the clock and the randomness.
    pub fn fresh(uuid: uuid::Uuid) -> Self {
        let mut hex = uuid::Uuid::encode_buffer();
        let hex = uuid.simple().encode_lower(&mut hex);
        let mut text = String::with_capacity(3 + hex.len());
        text.push_str("al_");
        text.push_str(hex);
        Self(text)
    }
}

impl WorkspaceId {
    /// The operator's own workspace.
    pub fn default_workspace() -> Self {
        Self("default".to_owned())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// An entry that is right, before the writer gave it `id`, `ts` and `seq`. Made by `Draft::check` only.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The client's own; a retry with it records nothing twice.
    pub(super) id: Option<EntryId>,
    pub(super) category: Category,
    pub(super) action: Action,
    pub(super) severity: Severity,
    pub(super) actor: String,
    pub(super) entity_type: Option<String>,
    pub(super) entity_id: Option<String>,
    pub(super) entity_name: Option<String>,
    pub(super) message: String,
    pub(super) metadata: Metadata,
    pub(super) workspace_id: WorkspaceId,
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
}

impl NewEntry {
    pub fn id(&self) -> Option<&EntryId> {
        self.id.as_ref()
    }

    pub fn category(&self) -> &Category {
        &self.category
    }

    pub fn action(&self) -> &Action {
        &self.action
    }

    pub fn severity(&self) -> Severity {
        self.severity
    }

    pub fn actor(&self) -> &str {
        &self.actor
    }

    pub fn entity_type(&self) -> Option<&str> {
        self.entity_type.as_deref()
    }

    pub fn entity_id(&self) -> Option<&str> {
        self.entity_id.as_deref()
    }

    pub fn entity_name(&self) -> Option<&str> {
        self.entity_name.as_deref()
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }

    pub fn ip_address(&self) -> Option<&str> {
        self.ip_address.as_deref()
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// What it weighs in a queue or a transaction: its texts and a round figure for the rest.
    pub fn weight(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        super::limits::ENTRY_OVERHEAD
            + self.message.len()
            + self.metadata.as_str().len()
            + self.actor.len()
            + self.action.as_str().len()
            + optional(&self.entity_type)
            + optional(&self.entity_id)
            + optional(&self.entity_name)
            + optional(&self.ip_address)
            + optional(&self.user_agent)
    }

    /// Keeps the wall time of an entry whose `ts` cannot show it, unless its source gave its own.
    pub fn note_wall_time(&mut self, now: Timestamp) {
        let mut object = self.metadata.to_object();
        if object.contains_key("occurred_at") {
            return;
        }
        object.insert("occurred_at".to_owned(), now.to_string().into());
        // Metadata that has no room for it is worth more than it.
        if let Ok(metadata) = Metadata::new(object) {
            self.metadata = metadata;
        }
    }

    /// Adds to a number in the metadata that is known only at the commit, as how many entries went.
    pub fn add_to(&mut self, key: &str, n: u64) {
        let mut object = self.metadata.to_object();
        let so_far = object.get(key).and_then(serde_json::Value::as_u64);
        object.insert(key.to_owned(), (so_far.unwrap_or(0) + n).into());
        if let Ok(metadata) = Metadata::new(object) {
            self.metadata = metadata;
        }
    }

    /// The same without who is erased, for what records the erasure.
    pub fn without(mut self, whom: &Erasure) -> Self {
        let is_named = |text: &String| whom.name() == text || whom.is_named_in(text);
        let erased = || ERASED.to_owned();
        if is_named(&self.actor) {
            self.actor = erased();
            self.ip_address = self.ip_address.map(|_| erased());
            self.user_agent = self.user_agent.map(|_| erased());
        }
        for text in [&mut self.ip_address, &mut self.user_agent] {
            if text.as_ref().is_some_and(is_named) {
                *text = Some(erased());
            }
        }
        self
    }

    /// Gives it an id before the writer does, for whoever has to know it.
    pub fn identified(mut self, fresh: uuid::Uuid) -> Self {
        self.id.get_or_insert_with(|| EntryId::fresh(fresh));
        self
    }

    /// The entry that the writer made of it.
    pub fn recorded(self, receipt: &Receipt) -> Entry {
        Entry {
            id: receipt.id.clone(),
            ts: receipt.ts,
            category: self.category,
            action: self.action,
            severity: self.severity,
            actor: self.actor,
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            entity_name: self.entity_name,
            message: self.message,
            metadata: self.metadata,
            workspace_id: self.workspace_id,
            ip_address: self.ip_address,
            user_agent: self.user_agent,
        }
    }
}

/// One line of the book. The order of the fields is the order on the wire, in exports and in events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub id: EntryId,
    pub ts: Timestamp,
    pub category: Category,
    pub action: Action,
    pub severity: Severity,
    pub actor: String,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub entity_name: Option<String>,
    pub message: String,
    pub metadata: Metadata,
    pub workspace_id: WorkspaceId,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// The keys of an entry on the wire, in their order; the header of a CSV export.
pub const KEYS: [&str; 14] = [
    "id",
    "ts",
    "category",
    "action",
    "severity",
    "actor",
    "entity_type",
    "entity_id",
    "entity_name",
    "message",
    "metadata",
    "workspace_id",
    "ip_address",
    "user_agent",
];

/// An entry with the number that rides beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub seq: Seq,
    pub entry: Entry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_on_the_wire_has_every_key_in_its_order() {
        let entry = Entry {
            id: EntryId::fresh(uuid::Uuid::from_u128(7)),
            ts: Timestamp::from_micros(0),
            category: Category::trusted("entity"),
            action: Action::trusted("task.created"),
            severity: Severity::Info,
            actor: "anna".into(),
            entity_type: None,
            entity_id: None,
            entity_name: None,
            message: "made".into(),
            metadata: Metadata::default(),
            workspace_id: WorkspaceId::default_workspace(),
            ip_address: None,
            user_agent: None,
        };
        let text = serde_json::to_string(&entry).unwrap();
        let places: Vec<usize> = KEYS
            .iter()
            .map(|key| text.find(&format!("\"{key}\":")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{text}");
        assert!(text.contains("\"id\":\"al_00000000000000000000000000000007\""));
        assert!(text.contains("\"metadata\":{},"));
    }
}
