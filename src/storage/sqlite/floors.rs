//! Where each workspace begins, as a reader sees it within its transaction.

use super::error::storage;
use super::schema::workspace;
use crate::access::Scope;
use crate::domain::Seq;
use crate::storage::StorageError;
use diesel::prelude::*;

/// Every workspace of the book, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Floors(Vec<(String, Seq, Seq)>);

impl Floors {
    pub fn read(conn: &mut SqliteConnection) -> Result<Self, StorageError> {
        workspace::table
            .order(workspace::workspace_id.asc())
            .load(conn)
            .map(Self)
            .map_err(storage)
    }

    pub fn workspaces(&self) -> Vec<String> {
        self.0.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// The workspaces of a scope, whether the book has entries of them or not.
    pub fn names_in(&self, scope: &Scope) -> Vec<String> {
        match scope.workspace() {
            Some(one) => vec![one.to_string()],
            None => self.workspaces(),
        }
    }

    /// The first number of the book that can be in the scope.
    pub fn first_in(&self, scope: &Scope) -> Seq {
        scope
            .workspace()
            .map_or(1, |name| self.of(name.as_str()) + 1)
    }

    /// Nothing of this workspace at or below it is in the book.
    pub fn of(&self, workspace: &str) -> Seq {
        let own = self.0.iter().find(|(name, ..)| name == workspace);
        own.map_or(0, |(_, floor, _)| *floor)
    }

    /// Nothing of this workspace at or below it is in the file; `None` when the book does not know it.
    pub fn swept(&self, workspace: &str) -> Option<Seq> {
        let own = self.0.iter().find(|(name, ..)| name == workspace);
        own.map(|(_, _, swept)| *swept)
    }

    /// For a scope of all: what was cleared and still has rows in the file. One workspace's scope
    /// begins above its floor anyway.
    pub fn cleared_in(&self, scope: &Scope) -> Vec<(String, Seq)> {
        let waiting = |(name, floor, swept): &(String, Seq, Seq)| {
            (floor > swept).then(|| (name.clone(), *floor))
        };
        match scope.workspace() {
            Some(_) => Vec::new(),
            None => self.0.iter().filter_map(waiting).collect(),
        }
    }
}
