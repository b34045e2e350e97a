//! What one asks for: the same filter for pages, counts, trails, exports and live subscriptions, and
//! the one predicate that says whether an entry fits it.

mod except;
mod parameters;

pub use except::Except;
pub use parameters::PARAMETERS;

use super::{Category, Entry, Severity, Timestamp};

/// Every dimension narrows; an empty filter lets everything through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Any of these; empty: any at all.
    pub categories: Vec<Category>,
    /// Any of these; empty: any at all.
    pub severities: Vec<Severity>,
    pub actor: Option<String>,
    pub action: Option<ActionPattern>,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Up to this moment, itself included.
    pub until: Option<Timestamp>,
    pub text: Option<Text>,
    /// None of these.
    pub except: Except,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionPattern {
    Exact(String),
    /// What came before the `*`.
    Prefix(String),
}

impl ActionPattern {
    pub fn matches(&self, action: &str) -> bool {
        match self {
            Self::Exact(wanted) => action == wanted,
            Self::Prefix(prefix) => action.starts_with(prefix),
        }
    }
}

/// A part of the message, ASCII letters folded, everything else as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_in(&self, message: &str) -> bool {
        let (needle, hay) = (self.0.as_bytes(), message.as_bytes());
        needle.is_empty()
            || hay
                .windows(needle.len())
                .any(|window| window.eq_ignore_ascii_case(needle))
    }
}

impl Filter {
    pub fn matches(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, held: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| held == Some(wanted))
        };
        (self.categories.is_empty() || self.categories.contains(&entry.category))
            && (self.severities.is_empty() || self.severities.contains(&entry.severity))
            && is(&self.actor, Some(&entry.actor))
            && is(&self.entity_type, entry.entity_type.as_deref())
            && is(&self.entity_id, entry.entity_id.as_deref())
            && self
                .action
                .as_ref()
                .is_none_or(|pattern| pattern.matches(entry.action.as_str()))
            && self.since.is_none_or(|since| entry.ts >= since)
            && self.until.is_none_or(|until| entry.ts <= until)
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.is_in(&entry.message))
            && self.except.lets_through(entry)
    }

    /// Narrows by nothing but time.
    pub fn is_by_time_alone(&self) -> bool {
        let timeless = Self {
            since: None,
            until: None,
            ..self.clone()
        };
        timeless == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_folds_ascii_letters_only_and_has_no_wildcards() {
        assert!(Text::new("WORLD").is_in("hello world"));
        assert!(!Text::new("Ü").is_in("ü"));
        assert!(!Text::new("h%o").is_in("hello"));
        assert!(!Text::new("h_llo").is_in("hello"));
        assert!(Text::new("100%").is_in("at 100% now"));
    }
}
