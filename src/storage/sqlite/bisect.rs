//! From a moment to a number. `ts` follows `seq`, so a bisection on the primary key finds where a moment
//! stands, and no index on `ts` is needed.

use super::error::storage;
use super::rows::timestamp;
use super::schema::activity_log;
use crate::domain::{Seq, Timestamp};
use crate::storage::StorageError;
use diesel::dsl::{max, min};
use diesel::prelude::*;

/// The number that parts the book at `moment`: every entry below it is older, none from it on is.
pub fn first_from(conn: &mut SqliteConnection, moment: Timestamp) -> Result<Seq, StorageError> {
    let Some((first, last)) = ends(conn)? else {
        return Ok(1);
    };
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if at_or_above(conn, middle)? < moment {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The first and the last number in the file.
pub fn ends(conn: &mut SqliteConnection) -> Result<Option<(Seq, Seq)>, StorageError> {
    // Two statements: SQLite reads one end of the tree for each, and the whole tree for both at once.
    let first: Option<Seq> = activity_log::table
        .select(min(activity_log::seq))
        .get_result(conn)
        .map_err(storage)?;
    let last: Option<Seq> = activity_log::table
        .select(max(activity_log::seq))
        .get_result(conn)
        .map_err(storage)?;
    Ok(first.zip(last))
}

fn at_or_above(conn: &mut SqliteConnection, seq: Seq) -> Result<Timestamp, StorageError> {
    let ts: String = activity_log::table
        .filter(activity_log::seq.ge(seq))
        .order(activity_log::seq.asc())
        .select(activity_log::ts)
        .first(conn)
        .map_err(storage)?;
    timestamp(&ts)
}

/// The times of the first and the last entry of the file from `from` on and below `below`.
pub fn times_within(
    conn: &mut SqliteConnection,
    from: Seq,
    below: Seq,
) -> Result<Option<(Timestamp, Timestamp)>, StorageError> {
    let newest: Option<(Seq, String)> = activity_log::table
        .filter(activity_log::seq.lt(below))
        .order(activity_log::seq.desc())
        .select((activity_log::seq, activity_log::ts))
        .first(conn)
        .optional()
        .map_err(storage)?;
    match newest {
        Some((seq, ts)) if seq >= from => Ok(Some((at_or_above(conn, from)?, timestamp(&ts)?))),
        _ => Ok(None),
    }
}
