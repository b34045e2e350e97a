//! How the file is opened for writing and for copying. The connections that read are in `readers`.

use super::error;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::Path;

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// "DyBk": tells a book from any other SQLite file.
pub const APPLICATION_ID: i32 = 0x4479_426b;

/// Earlier ones can damage a WAL when two connections checkpoint at once.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Opens the file for writing, makes it a book if it is new, and brings an older one up to date.
pub fn open_writer(path: &Path) -> Result<SqliteConnection, StorageError> {
    refuse_old_sqlite()?;
    let mut conn =
        SqliteConnection::establish(&uri(path, "mode=rwc")).map_err(error::connection)?;
    // Waiting first, before anything can find the file busy.
    execute(&mut conn, "PRAGMA busy_timeout = 5000")?;
    // Only a new file takes it, and a book that has its mark is not written to: a full disk is no reason
    // not to start.
    let is_marked = pragma(&mut conn, "application_id")? == APPLICATION_ID;
    if !is_marked {
        execute(&mut conn, "PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    // When the WAL is moved into the file is said in `checkpoint`.
    execute(
        &mut conn,
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    if !is_marked {
        execute(
            &mut conn,
            &format!("PRAGMA application_id = {APPLICATION_ID}"),
        )?;
    }
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|cause| migration_error(cause.as_ref()))?;
    Ok(conn)
}

/// A connection that cannot change the file, and may make a copy of it elsewhere.
pub fn open_copier(path: &Path, options: &str) -> Result<SqliteConnection, StorageError> {
    let mut conn = SqliteConnection::establish(&uri(path, options)).map_err(error::connection)?;
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192;")
        .map_err(error::storage)?;
    Ok(conn)
}

fn execute(conn: &mut SqliteConnection, sql: &str) -> Result<(), StorageError> {
    conn.batch_execute(sql).map_err(error::storage)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    value: i32,
}

/// What a pragma that is a number says.
pub fn pragma(conn: &mut SqliteConnection, name: &str) -> Result<i32, StorageError> {
    let query = format!("SELECT {name} AS value FROM pragma_{name}");
    let row: Number = diesel::sql_query(query)
        .get_result(conn)
        .map_err(error::storage)?;
    Ok(row.value)
}

/// SQLite reads a file name as a URI; what would mean something there is escaped.
pub fn uri(path: &Path, options: &str) -> String {
    let mut name = String::from("file:");
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            c => name.push(c),
        }
    }
    format!("{name}?{options}")
}

pub fn sqlite_version() -> &'static str {
    libsqlite3_sys::SQLITE_VERSION
        .to_str()
        .unwrap_or("of an unknown version")
}

fn refuse_old_sqlite() -> Result<(), StorageError> {
    let version = libsqlite3_sys::SQLITE_VERSION_NUMBER;
    if version < OLDEST_SQLITE {
        return Err(StorageError::Other(format!(
            "this build carries SQLite {version}, and needs at least {OLDEST_SQLITE}"
        )));
    }
    Ok(())
}

fn migration_error(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> StorageError {
    match cause.downcast_ref::<diesel::result::Error>() {
        Some(diesel::result::Error::DatabaseError(_, info)) => error::by_message(info.message()),
        _ => error::by_message(&cause.to_string()),
    }
}
