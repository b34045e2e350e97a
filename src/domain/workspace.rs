//! A workspace as the book holds it. Its name stands in entries, which never change, and so never changes
//! either; its title is what people call it. What it may do and who sees it is `access`'s.

use super::{FieldError, Seq, Timestamp, WorkspaceId};
use std::fmt;

pub const TITLE_CHARS: usize = 128;
/// Workspaces in one book, with those that are archived.
pub const MOST_WORKSPACES: usize = 10_000;

/// What people call a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |reason| Err(FieldError::new("title", reason));
        if text.trim() != text || text.is_empty() || text.chars().count() > TITLE_CHARS {
            return wrong("must be 1 to 128 characters, without blanks around it");
        }
        if text.chars().any(char::is_control) {
            return wrong("must hold no control characters");
        }
        if super::secret::holds_key(text) {
            return wrong("holds a Daybook key");
        }
        Ok(Self(text.to_owned()))
    }

    /// Out of the book, where only checked ones are.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub name: WorkspaceId,
    pub title: Option<Title>,
    /// Not known of one that came with an import or from a former version.
    pub created: Option<Timestamp>,
    /// From then on it takes no new entries.
    pub archived: Option<Timestamp>,
}

impl Workspace {
    /// `active` or `archived`.
    pub fn state(&self) -> &'static str {
        match self.archived {
            None => "active",
            Some(_) => "archived",
        }
    }
}

/// A workspace, and what the book has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    pub workspace: Workspace,
    pub entries: u64,
    pub oldest: Option<(Seq, Timestamp)>,
    pub newest: Option<(Seq, Timestamp)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_a_short_line() {
        for title in ["A", "Häuser & Gärten", &"ä".repeat(TITLE_CHARS)] {
            assert_eq!(Title::parse(title).unwrap().as_str(), title);
        }
        let long = "ä".repeat(TITLE_CHARS + 1);
        let key = format!("dbk_{}_{}", "a".repeat(12), "b".repeat(32));
        for wrong in ["", " a", "a\n", "a\u{7}b", &long, &key] {
            assert_eq!(Title::parse(wrong).unwrap_err().field, "title", "{wrong:?}");
        }
    }
}
