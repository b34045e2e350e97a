//! The workspaces: how they stand in their table, and what the book has of each. Where one begins, as readers
//! see it, is `floors`'s.

use super::error::storage;
use super::hints::of_workspace;
use super::rollup::read_rolled;
use super::rows::timestamp;
use super::schema::{activity_log, rollup, workspace};
use super::tally::Grain;
use super::transaction::Floor;
use crate::access::Scope;
use crate::domain::{Dimension, Holding, Seq, Timestamp, Title, Workspace, WorkspaceId};
use crate::storage::StorageError;
use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;
use std::collections::HashMap;

/// One that was not there comes into being.
pub fn make(
    conn: &mut SqliteConnection,
    name: &WorkspaceId,
    created: Option<Timestamp>,
) -> Result<(), StorageError> {
    diesel::insert_into(workspace::table)
        .values((
            workspace::workspace_id.eq(name.as_str()),
            workspace::created_at.eq(created.map(|at| at.to_string())),
        ))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn put(conn: &mut SqliteConnection, put: &Workspace) -> Result<(), StorageError> {
    diesel::update(workspace::table.find(put.name.as_str()))
        .set((
            workspace::title.eq(put.title.as_ref().map(Title::as_str)),
            workspace::archived_at.eq(put.archived.map(|at| at.to_string())),
        ))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

/// All of them, as the writer keeps them in mind.
pub fn floors(conn: &mut SqliteConnection) -> Result<HashMap<WorkspaceId, Floor>, StorageError> {
    let rows: Vec<(String, Seq, Seq, bool)> = workspace::table
        .select((
            workspace::workspace_id,
            workspace::floor_seq,
            workspace::swept_seq,
            workspace::archived_at.is_not_null(),
        ))
        .load(conn)
        .map_err(storage)?;
    let floor = |(name, floor, swept, is_archived): (String, Seq, Seq, bool)| {
        let at = Floor {
            floor,
            swept,
            is_archived,
        };
        (WorkspaceId::trusted(name), at)
    };
    Ok(rows.into_iter().map(floor).collect())
}

pub fn archived(conn: &mut SqliteConnection) -> Result<Vec<WorkspaceId>, StorageError> {
    let names: Vec<String> = workspace::table
        .filter(workspace::archived_at.is_not_null())
        .select(workspace::workspace_id)
        .load(conn)
        .map_err(storage)?;
    Ok(names.into_iter().map(WorkspaceId::trusted).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = workspace, check_for_backend(diesel::sqlite::Sqlite))]
struct Row {
    workspace_id: String,
    floor_seq: Seq,
    title: Option<String>,
    created_at: Option<String>,
    archived_at: Option<String>,
}

pub fn holdings(
    conn: &mut SqliteConnection,
    scope: &Scope,
    after: Option<&WorkspaceId>,
    limit: usize,
) -> Result<Vec<Holding>, StorageError> {
    let mut rows = workspace::table.select(Row::as_select()).into_boxed();
    if let Some(one) = scope.workspace() {
        rows = rows.filter(workspace::workspace_id.eq(one.as_str()));
    }
    if let Some(after) = after {
        rows = rows.filter(workspace::workspace_id.gt(after.as_str()));
    }
    let rows: Vec<Row> = rows
        .order(workspace::workspace_id.asc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(conn)
        .map_err(storage)?;
    let rolled = read_rolled(conn)?;
    let held = rows.into_iter().map(|row| row.holding(conn, rolled));
    held.collect()
}

impl Row {
    fn holding(self, conn: &mut SqliteConnection, rolled: Seq) -> Result<Holding, StorageError> {
        let time = |text: &Option<String>| text.as_deref().map(timestamp).transpose();
        let (name, floor) = (self.workspace_id.as_str(), self.floor_seq);
        Ok(Holding {
            entries: entries(conn, name, floor, rolled)?,
            oldest: end(conn, name, floor, End::Oldest)?,
            newest: end(conn, name, floor, End::Newest)?,
            workspace: Workspace {
                created: time(&self.created_at)?,
                archived: time(&self.archived_at)?,
                title: self.title.map(Title::trusted),
                name: WorkspaceId::trusted(self.workspace_id),
            },
        })
    }
}

/// How many entries: what is rolled up, and the short tail that is not yet.
pub fn entries(
    conn: &mut SqliteConnection,
    name: &str,
    floor: Seq,
    rolled: Seq,
) -> Result<u64, StorageError> {
    let known: Vec<i64> = rollup::table
        .filter(rollup::workspace_id.eq(name))
        .filter(rollup::grain.eq(Grain::Total as i64))
        .filter(rollup::dimension.eq(Dimension::Severity as i64))
        .select(rollup::count)
        .load(conn)
        .map_err(storage)?;
    let tail: i64 = activity_log::table
        .filter(of_workspace(name))
        .filter(activity_log::seq.gt(floor.max(rolled)))
        .select(count_star())
        .first(conn)
        .map_err(storage)?;
    Ok((known.iter().sum::<i64>() + tail).unsigned_abs())
}

#[derive(Clone, Copy)]
enum End {
    Oldest,
    Newest,
}

fn end(
    conn: &mut SqliteConnection,
    name: &str,
    floor: Seq,
    which: End,
) -> Result<Option<(Seq, Timestamp)>, StorageError> {
    let own = activity_log::table
        .filter(of_workspace(name))
        .filter(activity_log::seq.gt(floor));
    let seq: Option<Seq> = match which {
        End::Oldest => own.select(min(activity_log::seq)).first(conn),
        End::Newest => own.select(max(activity_log::seq)).first(conn),
    }
    .map_err(storage)?;
    let Some(seq) = seq else {
        return Ok(None);
    };
    let ts: String = activity_log::table
        .find(seq)
        .select(activity_log::ts)
        .first(conn)
        .map_err(storage)?;
    Ok(Some((seq, timestamp(&ts)?)))
}
