//! The head row of the book.

use super::error::storage;
use super::rows::timestamp;
use super::schema::book;
use crate::domain::{Epoch, Head, Seq};
use crate::storage::StorageError;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

pub fn read_head(conn: &mut SqliteConnection) -> Result<Head, StorageError> {
    let (last_seq, last_ts, epoch): (Seq, String, String) = book::table
        .select((book::last_seq, book::last_ts, book::epoch))
        .first(conn)
        .map_err(storage)?;
    Ok(Head {
        last_seq,
        last_ts: timestamp(&last_ts)?,
        epoch: Epoch::new(epoch),
    })
}

pub fn write_head(conn: &mut SqliteConnection, head: &Head) -> Result<(), StorageError> {
    let ts = head.last_ts.text();
    let put = Put {
        last_seq: head.last_seq,
        last_ts: std::str::from_utf8(&ts).map_err(|e| StorageError::Other(e.to_string()))?,
        epoch: head.epoch.as_str(),
    };
    put.execute(conn).map(drop).map_err(storage)
}

/// Every commit moves the head on, so this is, as `NewRow` is, a statement that is found by its type.
struct Put<'a> {
    last_seq: Seq,
    last_ts: &'a str,
    epoch: &'a str,
}

impl QueryFragment<Sqlite> for Put<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE book SET last_seq = ");
        out.push_bind_param::<BigInt, _>(&self.last_seq)?;
        out.push_sql(", last_ts = ");
        out.push_bind_param::<Text, _>(self.last_ts)?;
        out.push_sql(", epoch = ");
        out.push_bind_param::<Text, _>(self.epoch)?;
        out.push_sql(" WHERE id = 1");
        Ok(())
    }
}

impl QueryId for Put<'_> {
    type QueryId = Put<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Put<'_> {}
