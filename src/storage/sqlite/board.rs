//! What principals arrange on the dashboard: how it stands in its table.

use super::error::storage;
use super::schema::board;
use crate::access::Scope;
use crate::domain::WorkspaceId;
use crate::domain::board::{Address, Kind, Owner};
use crate::storage::StorageError;
use diesel::prelude::*;

/// Of those who see all there is none.
fn workspace(owner: &Owner) -> &str {
    owner.workspace.as_ref().map_or("", WorkspaceId::as_str)
}

pub fn put(conn: &mut SqliteConnection, at: &Address, value: &str) -> Result<(), StorageError> {
    diesel::replace_into(board::table)
        .values((
            board::workspace_id.eq(workspace(&at.owner)),
            board::principal.eq(&at.owner.principal),
            board::kind.eq(at.kind.as_str()),
            board::id.eq(&at.id),
            board::value.eq(value),
        ))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn take(conn: &mut SqliteConnection, at: &Address) -> Result<(), StorageError> {
    let owner = (workspace(&at.owner), at.owner.principal.as_str());
    diesel::delete(board::table.find((owner.0, owner.1, at.kind.as_str(), at.id.as_str())))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn of(
    conn: &mut SqliteConnection,
    owner: &Owner,
    kind: Kind,
) -> Result<Vec<(String, String)>, StorageError> {
    board::table
        .filter(board::workspace_id.eq(workspace(owner)))
        .filter(board::principal.eq(&owner.principal))
        .filter(board::kind.eq(kind.as_str()))
        .order(board::id.asc())
        .select((board::id, board::value))
        .load(conn)
        .map_err(storage)
}

/// What is somebody's who is erased, and what anybody keeps that names him.
pub fn forget(conn: &mut SqliteConnection, scope: &Scope, name: &str) -> Result<(), StorageError> {
    type Row = (String, String, String, String, String);
    let rows: Vec<Row> = board::table.load(conn).map_err(storage)?;
    for (workspace, principal, kind, id, value) in rows {
        let covered = scope
            .workspace()
            .is_none_or(|own| own.as_str() == workspace);
        // Who sees all may keep a view of any workspace.
        let may_name = covered || workspace.is_empty();
        if (covered && principal == name) || (may_name && names(&value, name)) {
            diesel::delete(board::table.find((workspace, principal, kind, id)))
                .execute(conn)
                .map_err(storage)?;
        }
    }
    Ok(())
}

/// As a text in it, not as its JSON spells it.
fn names(value: &str, name: &str) -> bool {
    fn holds(value: &serde_json::Value, name: &str) -> bool {
        use serde_json::Value as V;
        match value {
            V::String(text) => text.contains(name),
            V::Array(values) => values.iter().any(|value| holds(value, name)),
            V::Object(values) => values.values().any(|value| holds(value, name)),
            V::Null | V::Bool(_) | V::Number(_) => false,
        }
    }
    serde_json::from_str(value).is_ok_and(|value| holds(&value, name))
}
