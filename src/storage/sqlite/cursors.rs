//! How far intakes have read: how it stands in its table.

use super::error::storage;
use super::schema::cursors;
use crate::storage::StorageError;
use diesel::prelude::*;

pub fn put(
    conn: &mut SqliteConnection,
    name: &str,
    former: Option<&str>,
    value: &str,
) -> Result<(), StorageError> {
    if of(conn, name)?.as_deref() != former {
        return Err(StorageError::Moved(name.to_owned()));
    }
    diesel::replace_into(cursors::table)
        .values((cursors::name.eq(name), cursors::value.eq(value)))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn of(conn: &mut SqliteConnection, name: &str) -> Result<Option<String>, StorageError> {
    cursors::table
        .find(name)
        .select(cursors::value)
        .first(conn)
        .optional()
        .map_err(storage)
}
