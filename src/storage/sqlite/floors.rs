//! Where each workspace begins, as a reader sees it within its transaction.

use super::error::storage;
use super::schema::workspace;
use crate::access::Scope;
use crate::domain::Seq;
use crate::storage::StorageError;
use diesel::prelude::*;

/// The workspaces of the book, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Floors {
    read: Vec<(String, Seq, Seq)>,
    /// Nothing in the book is of a workspace that was not read.
    are_all: bool,
}

impl Floors {
    pub fn read(conn: &mut SqliteConnection) -> Result<Self, StorageError> {
        let read = columns()
            .order(workspace::workspace_id.asc())
            .load(conn)
            .map_err(storage)?;
        let are_all = true;
        Ok(Self { read, are_all })
    }

    /// Those of a scope alone: what one workspace's holder asks takes the same whatever others there are.
    pub fn within(conn: &mut SqliteConnection, scope: &Scope) -> Result<Self, StorageError> {
        let Some(one) = scope.workspace() else {
            return Self::read(conn);
        };
        let read = columns()
            .filter(workspace::workspace_id.eq(one.as_str()))
            .load(conn)
            .map_err(storage)?;
        let other: Option<String> = workspace::table
            .filter(workspace::workspace_id.ne(one.as_str()))
            .select(workspace::workspace_id)
            .first(conn)
            .optional()
            .map_err(storage)?;
        let are_all = other.is_none();
        Ok(Self { read, are_all })
    }

    /// The scope's one workspace is the only one of the book.
    pub fn are_all_in(&self, scope: &Scope) -> bool {
        self.are_all && self.workspaces() == self.names_in(scope)
    }

    pub fn workspaces(&self) -> Vec<String> {
        self.read.iter().map(|(name, ..)| name.clone()).collect()
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
        let own = self.read.iter().find(|(name, ..)| name == workspace);
        own.map_or(0, |(_, floor, _)| *floor)
    }

    /// Nothing of this workspace at or below it is in the file; `None` when the book does not know it.
    pub fn swept(&self, workspace: &str) -> Option<Seq> {
        let own = self.read.iter().find(|(name, ..)| name == workspace);
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
            None => self.read.iter().filter_map(waiting).collect(),
        }
    }
}

type Columns = (
    workspace::workspace_id,
    workspace::floor_seq,
    workspace::swept_seq,
);

fn columns() -> diesel::dsl::Select<workspace::table, Columns> {
    workspace::table.select((
        workspace::workspace_id,
        workspace::floor_seq,
        workspace::swept_seq,
    ))
}
