//! The book in one SQLite file. Everything that is SQLite's own way stays in this folder.

mod bisect;
mod check;
mod connection;
mod error;
mod floors;
mod head;
mod inspect;
mod lock;
mod plan;
mod reader;
mod removal;
mod rows;
mod schema;
mod search;
mod transaction;
mod writer;

pub use reader::SqliteReader;
pub use writer::SqliteWriter;

use super::StorageError;
use std::path::{Path, PathBuf};

/// Opens a book for writing; makes one where there is none, and brings an older one up to date.
pub fn open_writer(path: &Path) -> Result<SqliteWriter, StorageError> {
    inspect::look(path)?;
    let lock = lock::BookLock::take(path)?;
    SqliteWriter::new(connection::open_writer(path)?, lock)
}

/// Opens a book that exists for reading, with at most `readers` at once.
pub fn open_reader(path: &Path, readers: u32) -> Result<SqliteReader, StorageError> {
    inspect::look_for_reading(path)?;
    let pool = connection::open_readers(path, readers)?;
    Ok(SqliteReader::new(pool, path.to_owned()))
}

/// Where the daemon that writes this book listens for commands on this machine.
pub fn control_socket(book: &Path) -> PathBuf {
    lock::beside(book, "sock")
}
