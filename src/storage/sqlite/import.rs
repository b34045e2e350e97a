//! Entries of a former export, into a staged book that has none.

use super::staged;
use super::writer::SqliteWriter;
use crate::access::Scope;
use crate::domain::Timestamp;
use crate::storage::{EntryWriter, Imported, Importer, NotImported, Request, Staged, StorageError};
use std::path::Path;

/// Rows of the former book deleted at once.
const SWEEP: usize = 10_000;

pub struct SqliteImporter {
    writer: SqliteWriter,
    staged: Staged,
}

impl SqliteImporter {
    /// `book` is locked by the caller, and stays as it is.
    pub fn new(book: &Path) -> Result<Self, StorageError> {
        let (staged, mut writer) = staged::stage_emptied(book)?;
        let everything = Scope::for_the_daemon();
        writer.clear(staged.head().last_ts, &everything, &Request::default())?;
        while writer.sweep(SWEEP)?.more {}
        // The first line may be older than anything that the book held.
        writer.settled(|transaction| {
            transaction.head.last_ts = Timestamp::from_micros(i64::MIN);
            Ok(())
        })?;
        Ok(Self { writer, staged })
    }
}

impl Importer for SqliteImporter {
    fn append(&mut self, lines: &[Imported]) -> Result<(), NotImported> {
        let mut index = 0;
        let done = self.writer.settled(|transaction| {
            for line in lines {
                if !transaction.import(line)? {
                    return Ok(false);
                }
                index += 1;
            }
            Ok(true)
        });
        match done? {
            true => Ok(()),
            false => Err(NotImported::Twice { index }),
        }
    }

    fn finish(self: Box<Self>) -> Result<Staged, StorageError> {
        let Self { mut writer, staged } = *self;
        // Here, where nobody waits for it.
        writer.roll_all()?;
        writer.close()?;
        Ok(staged)
    }
}
