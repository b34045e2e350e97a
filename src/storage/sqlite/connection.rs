//! How the file is opened: one connection that writes, and a pool of connections that cannot.

use super::error;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::sql_types::Integer;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::Path;
use std::time::Duration;

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// "DyBk": tells a book from any other SQLite file.
pub const APPLICATION_ID: i32 = 0x4479_426b;

/// Earlier ones can damage a WAL when two connections checkpoint at once.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Pages in the WAL at which a commit moves them into the book's file: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4_000;

/// How long a reader waits for a free connection before the caller is told that the book is busy.
const READER_WAIT: Duration = Duration::from_secs(5);

pub type Readers = Pool<ConnectionManager<SqliteConnection>>;
pub type Reader = PooledConnection<ConnectionManager<SqliteConnection>>;

/// Opens the file for writing, makes it a book if it is new, and brings an older one up to date.
pub fn open_writer(path: &Path) -> Result<SqliteConnection, StorageError> {
    refuse_old_sqlite()?;
    let mut conn =
        SqliteConnection::establish(&uri(path, "mode=rwc")).map_err(error::connection)?;
    // Waiting first, before anything can find the file busy; then what only an empty file still takes.
    let pragmas = format!(
        "PRAGMA busy_timeout = 5000;
         PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = 67108864;
         PRAGMA application_id = {APPLICATION_ID};"
    );
    conn.batch_execute(&pragmas).map_err(error::storage)?;
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|cause| migration_error(cause.as_ref()))?;
    Ok(conn)
}

/// A pool of read-only connections. None is opened before it is needed, but for one.
pub fn open_readers(path: &Path, size: u32) -> Result<Readers, StorageError> {
    let manager = ConnectionManager::<SqliteConnection>::new(uri(path, "mode=ro"));
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .test_on_check_out(false)
        .connection_timeout(READER_WAIT)
        .connection_customizer(Box::new(ReadOnly))
        .build(manager)
        .map_err(|cause| error::by_message(&cause.to_string()))
}

pub fn reader(pool: &Readers) -> Result<Reader, StorageError> {
    pool.get()
        .map_err(|_| StorageError::Busy("every reader is in use".into()))
}

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "PRAGMA busy_timeout = 5000;
             PRAGMA query_only = ON;
             PRAGMA cache_size = -4096;",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
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
