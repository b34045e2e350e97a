//! What a draft is checked against: the owner's categories, and what must not be stored.

use super::limits;
use serde_json::{Map, Value};

pub const CATEGORIES: [&str; 5] = ["auth", "device", "entity", "capture", "system"];

/// What a category may be called, the owner's included: 1 to 64 characters of a-z 0-9 _ -
pub fn is_category_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    (1..=limits::CATEGORY_CHARS).contains(&name.len()) && name.bytes().all(allowed)
}

/// Takes secrets out of what is about to be stored. A draft cannot be checked without one.
pub trait Redact: Send + Sync {
    fn metadata(&self, object: &mut Map<String, Value>);
    /// The text holds a secret and must not be stored as it is.
    fn holds_secret(&self, text: &str) -> bool;
    /// What of a text may be stored, as far as it is personal.
    fn text(&self, text: String) -> String {
        text
    }
    /// The same of who did it.
    fn actor(&self, actor: String) -> String {
        actor
    }
    /// Under which name an actor is to be looked for, if it can be.
    fn sought(&self, actor: String) -> String {
        actor
    }
    /// Whether the name of such an entity may be stored.
    fn keeps_name_of(&self, _entity_type: Option<&str>) -> bool {
        true
    }
}

/// What a draft is checked against.
pub struct Rules {
    /// The categories that the owner added to the five.
    pub extra_categories: Vec<String>,
    pub redact: Box<dyn Redact>,
}

impl Rules {
    pub fn knows_category(&self, category: &str) -> bool {
        CATEGORIES.contains(&category) || self.extra_categories.iter().any(|c| c == category)
    }

    pub fn category_list(&self) -> String {
        let extra = self.extra_categories.iter().map(String::as_str);
        CATEGORIES
            .into_iter()
            .chain(extra)
            .collect::<Vec<_>>()
            .join(", ")
    }
}
