//! The head row of the book.

use super::error::storage;
use super::rows::timestamp;
use super::schema::book;
use crate::domain::{Epoch, Head, Seq};
use crate::storage::StorageError;
use diesel::prelude::*;

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
    let text = head.last_ts.to_string();
    diesel::update(book::table)
        .set((
            book::last_seq.eq(head.last_seq),
            book::last_ts.eq(text),
            book::epoch.eq(head.epoch.as_str()),
        ))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}
