//! What one does not want to see: any of these values, in the dimension that it belongs to.

use super::ActionPattern;
use crate::domain::{Category, Entry, Severity};

/// Empty lets everything through. An entry that has no entity is not one of an excluded entity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Except {
    pub categories: Vec<Category>,
    pub severities: Vec<Severity>,
    pub actors: Vec<String>,
    pub actions: Vec<ActionPattern>,
    pub entity_types: Vec<String>,
    pub entity_ids: Vec<String>,
}

impl Except {
    pub fn lets_through(&self, entry: &Entry) -> bool {
        let is_in = |values: &[String], held: Option<&String>| {
            held.is_some_and(|held| values.contains(held))
        };
        let mut actions = self.actions.iter();
        !(self.categories.contains(&entry.category)
            || self.severities.contains(&entry.severity)
            || is_in(&self.actors, Some(&entry.actor))
            || actions.any(|pattern| pattern.matches(entry.action.as_str()))
            || is_in(&self.entity_types, entry.entity_type.as_ref())
            || is_in(&self.entity_ids, entry.entity_id.as_ref()))
    }

    /// How many values there are of all dimensions.
    pub fn len(&self) -> usize {
        self.categories.len()
            + self.severities.len()
            + self.actors.len()
            + self.actions.len()
            + self.entity_types.len()
            + self.entity_ids.len()
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
