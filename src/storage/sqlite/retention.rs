//! What the reading face says for retention: what a rule does not keep, and what was set at run time.

use super::bisect;
use super::error::storage;
use super::floors::Floors;
use super::hints::of_workspace;
use super::rollup::read_rolled;
use super::rows::timestamp;
use super::schema::{activity_log, setting};
use super::workspaces;
use crate::domain::{Seq, Timestamp, WorkspaceId};
use crate::storage::{Prunable, StorageError};
use diesel::prelude::*;

pub fn prunable(
    conn: &mut SqliteConnection,
    workspace: &WorkspaceId,
    before: Option<Timestamp>,
    keep: Option<u64>,
) -> Result<Prunable, StorageError> {
    let floor = Floors::read(conn)?.of(workspace.as_str());
    let older = match before {
        Some(before) => bisect::first_from(conn, before)? - 1,
        None => 0,
    };
    let rolled = read_rolled(conn)?;
    let held = workspaces::entries(conn, workspace.as_str(), floor, rolled)?;
    let by_number = match keep {
        Some(keep) if keep < held => first_not_kept(conn, workspace, floor, keep)?,
        _ => 0,
    };
    let upto = older.max(by_number);
    let by_age = count(conn, workspace, floor, older)?;
    let entries = if upto == older {
        by_age
    } else {
        count(conn, workspace, floor, upto)?
    };
    Ok(Prunable {
        upto: if entries > 0 { upto } else { 0 },
        entries,
        by_age,
        held,
        oldest_kept: first_after(conn, workspace, floor.max(upto))?,
    })
}

fn count(
    conn: &mut SqliteConnection,
    workspace: &WorkspaceId,
    above: Seq,
    upto: Seq,
) -> Result<u64, StorageError> {
    if upto <= above {
        return Ok(0);
    }
    let count: i64 = activity_log::table
        .filter(of_workspace(workspace.as_str()))
        .filter(activity_log::seq.gt(above))
        .filter(activity_log::seq.le(upto))
        .count()
        .get_result(conn)
        .map_err(storage)?;
    Ok(count.unsigned_abs())
}

/// The newest entry that is not among the newest `keep`. Counted from the newest down, so that no count that went
/// wrong elsewhere can take away what is to be kept.
fn first_not_kept(
    conn: &mut SqliteConnection,
    workspace: &WorkspaceId,
    floor: Seq,
    keep: u64,
) -> Result<Seq, StorageError> {
    let seq: Option<Seq> = activity_log::table
        .filter(of_workspace(workspace.as_str()))
        .filter(activity_log::seq.gt(floor))
        .order(activity_log::seq.desc())
        .offset(i64::try_from(keep).unwrap_or(i64::MAX))
        .select(activity_log::seq)
        .first(conn)
        .optional()
        .map_err(storage)?;
    Ok(seq.unwrap_or(0))
}

fn first_after(
    conn: &mut SqliteConnection,
    workspace: &WorkspaceId,
    above: Seq,
) -> Result<Option<Timestamp>, StorageError> {
    let ts: Option<String> = activity_log::table
        .filter(of_workspace(workspace.as_str()))
        .filter(activity_log::seq.gt(above))
        .order(activity_log::seq.asc())
        .select(activity_log::ts)
        .first(conn)
        .optional()
        .map_err(storage)?;
    ts.map(|ts| timestamp(&ts)).transpose()
}

pub fn settings(
    conn: &mut SqliteConnection,
    key: &str,
) -> Result<Vec<(String, String)>, StorageError> {
    // A range and not a pattern: '0' is what follows '/'.
    setting::table
        .filter(
            setting::key.eq(key).or(setting::key
                .ge(format!("{key}/"))
                .and(setting::key.lt(format!("{key}0")))),
        )
        .order(setting::key.asc())
        .load(conn)
        .map_err(storage)
}
