//! A book that is made ready beside the one in force: out of a backup, or emptied for an import.

use super::check::integrity_problems;
use super::connection::{self, open_copier};
use super::copy::{sync_folder, synced, vacuum_into};
use super::error;
use super::head::read_head;
use super::inspect::{self, Found, read_only};
use super::lock::beside;
use super::rollup::ROLL_AT;
use super::swap::real;
use super::writer::SqliteWriter;
use crate::domain::{Head, Timestamp};
use crate::storage::replacing::remove_with_companions;
use crate::storage::{EntryWriter, Former, Request, Staged, StorageError};
use diesel::connection::SimpleConnection;
use std::path::Path;

/// What a staged book is called beside the one in force.
pub const RESTORING: &str = "restoring";
pub const IMPORTING: &str = "importing";

/// The backup in `file`, checked as a whole and brought up to date, ready to take the place of `book`.
/// Neither of the two is touched.
pub fn stage(book: &Path, file: &Path) -> Result<Staged, StorageError> {
    match inspect::look(file).map_err(|cause| not_restored(file, cause))? {
        Found::Nothing => {
            let found = match file.exists() {
                true => "holds no book",
                false => "does not exist",
            };
            return Err(refused(file, found.into()));
        }
        Found::Older | Found::Current => {}
    }
    copied(book, file, read_only(file), RESTORING, Former::Kept)
        .map_err(|cause| not_restored(file, cause))
}

/// All of the book but its entries.
pub fn stage_emptied(book: &Path) -> Result<(Staged, SqliteWriter), StorageError> {
    let staged = copied(book, book, "mode=ro", IMPORTING, Former::Removed)?;
    let mut conn = connection::open_writer(&staged.file)?;
    // Nothing of it counts before it is whole and synced, so nothing need be synced before.
    conn.batch_execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;")
        .map_err(error::storage)?;
    let writer = SqliteWriter::new(&staged.file, conn, None, Some(ROLL_AT))?;
    Ok((staged, writer))
}

fn copied(
    book: &Path,
    file: &Path,
    options: &str,
    suffix: &str,
    former: Former,
) -> Result<Staged, StorageError> {
    let path = beside(&real(book), suffix);
    remove_with_companions(&path);
    match made(file, options, &path) {
        Ok(head) => Ok(Staged {
            file: path,
            head,
            former,
        }),
        Err(error) => {
            remove_with_companions(&path);
            Err(error)
        }
    }
}

/// A copy that is a whole book of this version.
fn made(file: &Path, options: &str, path: &Path) -> Result<Head, StorageError> {
    vacuum_into(&mut open_copier(file, options)?, path)?;
    let mut conn = connection::open_writer(path)?;
    let problems = integrity_problems(&mut conn, "integrity_check")?;
    if let Some(problem) = problems.into_iter().next() {
        return Err(StorageError::Corrupt(problem));
    }
    let head = read_head(&mut conn)?;
    drop(conn);
    // Now, so that the writer waits for no more than its own part of it later.
    synced(path)?;
    Ok(head)
}

/// What is damaged or foreign is said of the file that was to be restored, and that nothing was done.
fn not_restored(file: &Path, cause: StorageError) -> StorageError {
    match cause {
        StorageError::Corrupt(found) => refused(file, format!("is damaged: {found}")),
        StorageError::NotABook { path, found, .. } => refused(&path, found),
        other => other,
    }
}

fn refused(file: &Path, found: String) -> StorageError {
    StorageError::NotABook {
        path: file.to_owned(),
        found,
        advice: "It was not restored, and nothing was changed".into(),
    }
}

/// The last transaction of a staged book: its numbers and times go on from both books, it is another
/// history, and `record` says how it came about. On disk when this comes back.
pub fn finish(
    staged: &Staged,
    now: Timestamp,
    past: Option<&Head>,
    record: &Request,
) -> Result<Head, StorageError> {
    let conn = connection::open_writer(&staged.file)?;
    let mut writer = SqliteWriter::new(&staged.file, conn, None, Some(ROLL_AT))?;
    writer.begin_another_history(now, past, record)?;
    writer.close()?;
    let head = writer.head().clone();
    // With the last connection SQLite takes away what lay beside the file.
    drop(writer);
    synced(&staged.file)?;
    sync_folder(&staged.file)?;
    Ok(head)
}
