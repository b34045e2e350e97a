//! The writing half of the roll-ups: the tally goes into the file within the writer's own transactions, and
//! what is removed from the book is taken off them.

use super::erasures::Erasures;
use super::error::storage;
use super::facts::FactRow;
use super::floors::Floors;
use super::hints::of_workspace;
use super::schema::{activity_log, book, rollup};
use super::tally::{Key, Tally};
use super::transaction::Transaction;
use crate::domain::{Seq, WorkspaceId};
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

/// Entries in the tally at which the next commit writes it down. More of them make recording cheaper, and
/// the tail longer that readers add up themselves.
pub const ROLL_AT: u64 = 16_000;

/// Entries rolled up in one transaction when a book of a former version is opened.
const STEP: i64 = 10_000;

impl Transaction<'_> {
    /// Writes down the tally: the roll-ups cover all that was committed before this transaction.
    pub fn roll(&mut self) -> Result<(), StorageError> {
        write(self.conn, self.tally, self.head.last_seq)?;
        self.rolled = self.head.last_seq;
        Ok(())
    }

    /// Takes off what is about to be removed: the entries of a workspace above `above` and up to `upto`.
    pub fn take_off(
        &mut self,
        workspace: &WorkspaceId,
        above: Seq,
        upto: Seq,
    ) -> Result<(), StorageError> {
        if upto > self.rolled {
            self.roll()?;
        }
        let mut rows: Vec<FactRow> = activity_log::table
            .filter(of_workspace(workspace.as_str()))
            .filter(activity_log::seq.gt(above))
            .filter(activity_log::seq.le(upto))
            .order(activity_log::seq.asc())
            .select(FactRow::as_select())
            .load(self.conn)
            .map_err(storage)?;
        // They were counted as a reader sees them.
        Erasures::all(self.conn)?.blank_facts(&mut rows);
        let mut gone = Tally::default();
        rows.iter()
            .filter_map(FactRow::facts)
            .for_each(|facts| gone.add(facts));
        gone.each(|key, count| subtract(self.conn, key, count))
    }

    /// Drops all that is rolled up of a workspace; answers how many entries that were, the tally included.
    pub fn drop_rollups(&mut self, workspace: &WorkspaceId) -> Result<u64, StorageError> {
        let name = workspace.as_str();
        let counts: Vec<i64> = rollup::table
            .filter(rollup::workspace_id.eq(name))
            .filter(rollup::grain.eq(0))
            .filter(rollup::dimension.eq(0))
            .select(rollup::count)
            .load(self.conn)
            .map_err(storage)?;
        diesel::delete(rollup::table.filter(rollup::workspace_id.eq(name)))
            .execute(self.conn)
            .map_err(storage)?;
        let rolled = counts.iter().sum::<i64>().unsigned_abs();
        Ok(rolled + self.tally.entries_of(name))
    }
}

/// Adds a tally to the roll-ups, which cover everything up to `upto` then.
fn write(conn: &mut SqliteConnection, tally: &Tally, upto: Seq) -> Result<(), StorageError> {
    tally.each(|key, count| add(conn, key, count))?;
    diesel::update(book::table)
        .set(book::rolled_seq.eq(upto))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

/// What a count goes up by. A statement of its own, as that of a row is, since a commit that rolls has
/// hundreds of them.
struct Add<'a> {
    texts: [&'a str; 2],
    numbers: [i64; 4],
}

impl<'a> Add<'a> {
    fn new(key: Key<'a>, count: i64) -> Self {
        Self {
            // As the statement names them.
            texts: [key.workspace, key.value],
            numbers: [key.grain as i64, key.dimension as i64, key.start, count],
        }
    }
}

impl QueryFragment<Sqlite> for Add<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO rollup (workspace_id, value, grain, dimension, start, count) VALUES (",
        );
        for text in &self.texts {
            out.push_bind_param::<Text, _>(text)?;
            out.push_sql(", ");
        }
        for (place, number) in self.numbers.iter().enumerate() {
            out.push_sql(if place == 0 { "" } else { ", " });
            out.push_bind_param::<BigInt, _>(number)?;
        }
        out.push_sql(
            ") ON CONFLICT (workspace_id, grain, dimension, start, value) \
             DO UPDATE SET count = count + excluded.count",
        );
        Ok(())
    }
}

/// One statement, whatever the count: it is prepared once.
impl QueryId for Add<'_> {
    type QueryId = Add<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Add<'_> {}

pub fn add(conn: &mut SqliteConnection, key: Key<'_>, count: i64) -> Result<(), StorageError> {
    let added = Add::new(key, count).execute(conn);
    added.map(drop).map_err(storage)
}

/// What comes to nought goes.
pub fn subtract(conn: &mut SqliteConnection, key: Key<'_>, count: i64) -> Result<(), StorageError> {
    // An UPDATE that diesel builds is prepared anew each time, and a step of a prune has thousands.
    add(conn, key, -count)?;
    let row = rollup::table.find((
        key.workspace,
        key.grain as i64,
        key.dimension as i64,
        key.start,
        key.value,
    ));
    diesel::delete(row.filter(rollup::count.le(0)))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

/// Up to where the roll-ups cover the book.
pub fn read_rolled(conn: &mut SqliteConnection) -> Result<Seq, StorageError> {
    book::table
        .select(book::rolled_seq)
        .first(conn)
        .map_err(storage)
}

/// The watermark and the tally of what is above it, made anew from the entries. A short tail, as a crash
/// leaves it, is not written down: a full disk is no reason not to start. A long one, of a book that a
/// former version left, is, step by step.
pub fn catch_up(conn: &mut SqliteConnection) -> Result<(Seq, Tally), StorageError> {
    loop {
        let rolled = read_rolled(conn)?;
        match tally_above(conn, rolled)? {
            (None, tally) => return Ok((rolled, tally)),
            (Some(last), tally) => write_alone(conn, &tally, last)?,
        }
    }
}

fn write_alone(conn: &mut SqliteConnection, tally: &Tally, upto: Seq) -> Result<(), StorageError> {
    conn.batch_execute("BEGIN IMMEDIATE").map_err(storage)?;
    let written =
        write(conn, tally, upto).and_then(|()| conn.batch_execute("COMMIT").map_err(storage));
    if written.is_err() {
        // SQLite may have rolled back by itself already, and then this says so.
        let _ = conn.batch_execute("ROLLBACK");
    }
    written
}

/// The next entries above `rolled`, and the last of them when it is one step of many.
fn tally_above(
    conn: &mut SqliteConnection,
    rolled: Seq,
) -> Result<(Option<Seq>, Tally), StorageError> {
    let floors = Floors::read(conn)?;
    let mut rows: Vec<FactRow> = activity_log::table
        .filter(activity_log::seq.gt(rolled))
        .order(activity_log::seq.asc())
        .limit(STEP)
        .select(FactRow::as_select())
        .load(conn)
        .map_err(storage)?;
    Erasures::all(conn)?.blank_facts(&mut rows);
    let mut tally = Tally::default();
    for row in &rows {
        if let Some(facts) = row.facts()
            && row.seq > floors.of(facts.workspace)
        {
            tally.add(facts);
        }
    }
    let is_full = rows.len() as i64 == STEP;
    Ok((rows.last().filter(|_| is_full).map(|row| row.seq), tally))
}
