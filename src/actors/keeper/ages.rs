//! How long entries are kept, workspace by workspace: what the last run went by, against what a run goes by now. Whose
//! age limit was changed in between is known from it, and of nobody else; what follows from that is the keeper's.

use super::Keeper;
use crate::actors::pruning::Plan;
use crate::domain::Act;
use crate::domain::retention::Retention;
use crate::storage::{EntryReader, StorageError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Under which name the book keeps the age limits that the last run went by.
const SEEN: &str = "pruner.seen";
/// Whose limit is that of all who have none of their own.
const OTHERS: &str = "";

/// The age limit of each workspace that has one of its own, and of all others under an empty name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ages(BTreeMap<String, u32>);

impl Ages {
    pub fn of(retention: &Retention) -> Self {
        let own = retention.workspaces.keys();
        let named = own.map(|name| (name.to_string(), retention.in_force(Some(name))));
        let ages = [(OTHERS.to_owned(), retention.in_force(None))]
            .into_iter()
            .chain(named)
            .map(|(name, held)| (name, held.rule.max_days));
        Self(ages.collect())
    }

    /// As the book keeps them; one that no run has seen keeps none.
    pub fn kept(reader: &dyn EntryReader) -> Result<Option<Self>, StorageError> {
        let kept = reader.settings(SEEN)?.pop();
        let kept = kept.and_then(|(_, value)| serde_json::from_str::<Self>(&value).ok());
        Ok(kept.filter(|ages| ages.0.contains_key(OTHERS)))
    }

    /// The entries of this workspace are not kept as long as by `other`.
    fn differ_for(&self, other: &Self, workspace: &str) -> bool {
        let of = |ages: &Self| {
            let own = ages.0.get(workspace).or(ages.0.get(OTHERS));
            own.copied()
        };
        of(self) != of(other)
    }

    /// Nobody's are, with whatever is in the book.
    pub fn differ_for_all(&self, other: &Self) -> bool {
        let mut named = self.0.keys().chain(other.0.keys());
        named.all(|name| self.differ_for(other, name))
    }

    fn remembered(&self) -> Act {
        Act::PutSetting {
            key: SEEN.to_owned(),
            value: serde_json::to_string(self).unwrap_or_default(),
        }
    }
}

/// What a run goes by, and in which of the books.
pub struct GoingBy {
    ages: Ages,
    book: u32,
}

impl Keeper {
    pub(super) fn going_by(&self) -> GoingBy {
        GoingBy {
            ages: Ages::of(&self.current()),
            book: self.book.get(),
        }
    }

    /// What goes from workspaces whose own age limit was changed since the last run, and what goes from all others:
    /// a change says that somebody wants those entries to go, and nothing of anybody else's.
    pub(super) fn by_change(&self, plan: &Plan, by: &GoingBy) -> (Plan, Plan) {
        let seen = self.seen.borrow();
        let parts = plan.parts.iter().cloned();
        let (changed, rest) = parts.partition(|(name, _)| {
            by.book == self.book.get() && seen.differ_for(&by.ages, name.as_str())
        });
        (Plan { parts: changed }, Plan { parts: rest })
    }

    /// After a run. One that began in a former book says nothing of this one.
    pub(super) fn note_ages(&self, by: GoingBy) {
        if by.book == self.book.get() {
            self.seen.replace(by.ages);
        }
    }

    /// What the book is told of the last run, where it does not know it.
    pub(super) fn remember_ages(&self) -> Option<Act> {
        let seen = self.seen.borrow();
        let is_new = self.seen_in_book.borrow().as_ref() != Some(&*seen);
        is_new.then(|| {
            self.seen_in_book.replace(Some(seen.clone()));
            seen.remembered()
        })
    }
}
