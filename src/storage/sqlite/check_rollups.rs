//! The proof of the roll-ups: counted anew from the entries, they are the same.

use super::erasures::Erasures;
use super::error::storage;
use super::facts::FactRow;
use super::floors::Floors;
use super::rollup::read_rolled;
use super::schema::{activity_log, rollup};
use super::tally::{Grain, Key, Tally};
use crate::domain::buckets::moment_of;
use crate::domain::{Dimension, Seq};
use crate::storage::StorageError;
use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Rows read at once.
const STEP: i64 = 2_000;

/// Workspace, grain, dimension, start and value, as the file has them.
type Named = (String, i64, i64, i64, String);
type Row = (String, i64, i64, i64, String, i64);

/// At most `most` of what is wrong. All within one state of the book, and with as much memory as the
/// roll-ups have rows.
pub fn problems(conn: &mut SqliteConnection, most: usize) -> Result<Vec<String>, StorageError> {
    conn.batch_execute("BEGIN").map_err(storage)?;
    let found = compare(conn, most);
    let ended = conn.batch_execute("COMMIT").map_err(storage);
    found.and_then(|found| ended.map(|()| found))
}

fn compare(conn: &mut SqliteConnection, most: usize) -> Result<Vec<String>, StorageError> {
    let tally = counted_anew(conn)?;
    let mut expected = BTreeMap::<Named, i64>::new();
    tally.each(|key, count| {
        expected.insert(named(key), count);
        Ok::<(), StorageError>(())
    })?;
    drop(tally);
    let mut problems = Vec::new();
    let rows = rollup::table
        .load_iter::<Row, DefaultLoadingMode>(conn)
        .map_err(storage)?;
    for row in rows {
        let (workspace, grain, dimension, start, value, says) = row.map_err(storage)?;
        let name = (workspace, grain, dimension, start, value);
        let is = expected.remove(&name).unwrap_or(0);
        if is != says && problems.len() < most {
            problems.push(wrong(&name, says, is));
        }
    }
    let room = most - problems.len();
    let missing = expected.iter().take(room);
    problems.extend(missing.map(|(name, is)| wrong(name, 0, *is)));
    Ok(problems)
}

fn named(key: Key<'_>) -> Named {
    let (workspace, value) = (key.workspace.to_owned(), key.value.to_owned());
    let (grain, dimension) = (key.grain as i64, key.dimension as i64);
    (workspace, grain, dimension, key.start, value)
}

fn counted_anew(conn: &mut SqliteConnection) -> Result<Tally, StorageError> {
    let floors = Floors::read(conn)?;
    let rolled = read_rolled(conn)?;
    let (mut tally, mut last) = (Tally::default(), Seq::MIN);
    let erasures = Erasures::all(conn)?;
    loop {
        let mut rows: Vec<FactRow> = activity_log::table
            .filter(activity_log::seq.gt(last))
            .filter(activity_log::seq.le(rolled))
            .order(activity_log::seq.asc())
            .limit(STEP)
            .select(FactRow::as_select())
            .load(conn)
            .map_err(storage)?;
        let Some(newest) = rows.last() else {
            return Ok(tally);
        };
        last = newest.seq;
        erasures.blank_facts(&mut rows);
        let of_book = rows
            .iter()
            .filter_map(|row| row.facts().map(|facts| (row.seq, facts)))
            .filter(|(seq, facts)| *seq > floors.of(facts.workspace));
        of_book.for_each(|(_, facts)| tally.add(facts));
    }
}

fn span(grain: i64, start: i64) -> String {
    let named = Grain::ALL.into_iter().find(|own| *own as i64 == grain);
    match named {
        Some(Grain::Total) => "over all time".to_owned(),
        Some(Grain::Day) => format!("in the day from {}", moment_of(start)),
        Some(Grain::Hour) => format!("in the hour from {}", moment_of(start)),
        Some(Grain::Minute) => format!("in the minute from {}", moment_of(start)),
        None => format!("in a span of an unknown kind {grain} from {start}"),
    }
}

fn dimension_name(dimension: i64) -> String {
    let named = Dimension::ALL
        .into_iter()
        .find(|own| *own as i64 == dimension);
    named.map_or_else(
        || format!("unknown dimension {dimension}"),
        |own| own.as_str().to_owned(),
    )
}

fn wrong((workspace, grain, dimension, start, value): &Named, says: i64, is: i64) -> String {
    let (span, dimension) = (span(*grain, *start), dimension_name(*dimension));
    format!(
        "workspace {workspace}: the roll-up of {dimension} {value} {span} says {says}, but there are {is}"
    )
}
