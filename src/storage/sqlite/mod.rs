//! The book in one SQLite file. Everything that is SQLite's own way stays in this folder.

mod asked;
mod automations;
mod bisect;
mod blueprint;
mod board;
mod check;
mod check_rollups;
mod checkpoint;
mod connection;
mod copy;
mod cursors;
mod devices;
mod erasing;
mod erasures;
mod error;
mod facets;
mod facts;
#[cfg(test)]
mod fault_tests;
mod fixed;
mod floors;
mod head;
mod hints;
mod histogram;
mod holes;
mod import;
mod inspect;
mod keys;
mod lock;
mod plan;
mod reader;
mod readers;
mod removal;
mod retention;
mod rolled;
mod rollup;
mod rows;
mod sample;
mod schema;
mod search;
mod sign_ins;
mod staged;
mod swap;
mod tally;
mod transaction;
mod workspaces;
mod writer;

pub use import::SqliteImporter;
pub use reader::SqliteReader;
pub use rollup::ROLL_AT;
pub use staged::stage;
pub use swap::install;
pub use writer::SqliteWriter;

use super::StorageError;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Opens a book for writing; makes one where there is none, and brings an older one up to date.
pub fn open_writer(path: &Path) -> Result<SqliteWriter, StorageError> {
    open_writer_that_rolls(path, ROLL_AT)
}

/// The same, with the number of entries at which they are rolled up.
pub fn open_writer_that_rolls(path: &Path, roll_at: u64) -> Result<SqliteWriter, StorageError> {
    open_locked(path, Some(roll_at))
}

/// The same without counting what is committed, for who fills a book and does not want to pay for that yet:
/// readers walk what is not counted, and a removal or the next who opens the book makes up for it.
pub fn open_uncounted(path: &Path) -> Result<SqliteWriter, StorageError> {
    open_locked(path, None)
}

fn open_locked(path: &Path, roll_at: Option<u64>) -> Result<SqliteWriter, StorageError> {
    inspect::look_for_writing(path)?;
    let lock = lock::BookLock::take(path)?;
    swap::tidy(path);
    SqliteWriter::new(path, connection::open_writer(path)?, Some(lock), roll_at)
}

/// Opens a book that exists for reading, with at most `readers` at once.
pub fn open_reader(path: &Path, readers: u32) -> Result<SqliteReader, StorageError> {
    inspect::look_for_reading(path)?;
    Ok(SqliteReader::new(readers::Readers::open(path, readers)?))
}

/// Where the daemon that writes this book listens for commands on this machine.
/// The book and what lies beside it while it is in use, also where a link to it leads.
pub fn own_files(book: &Path) -> Vec<PathBuf> {
    let by_sqlite = ["", "-wal", "-shm", "-journal"].map(OsStr::new);
    let target = std::fs::canonicalize(book).ok();
    let books = [Some(book.to_owned()), target].into_iter().flatten();
    books
        .flat_map(|book| {
            let by_sqlite = by_sqlite.map(|suffix| {
                let mut name = book.clone().into_os_string();
                name.push(suffix);
                PathBuf::from(name)
            });
            let ours = ["lock", "sock", "reserve"].map(|suffix| lock::beside(&book, suffix));
            by_sqlite.into_iter().chain(ours)
        })
        .collect()
}

pub fn control_socket(book: &Path) -> PathBuf {
    lock::beside(book, "sock")
}

/// Where a little room is kept for the day on which the disk is full.
pub fn reserve(book: &Path) -> PathBuf {
    lock::beside(book, "reserve")
}
