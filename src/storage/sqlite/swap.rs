//! One book takes the place of another. At every moment the name of the book is that of a whole one, the old
//! or the new, so that whatever ends the process leaves one that opens.

use super::connection;
use super::copy::{io, sync_folder};
use super::inspect;
use super::lock::{BookLock, beside};
use super::staged;
use super::writer::SqliteWriter;
use crate::domain::Timestamp;
use crate::storage::replacing::remove_with_companions;
use crate::storage::{EntryReader, EntryWriter, Former, Replaced, Request, Staged, StorageError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long another process that has the book open may keep it from being replaced.
const OTHERS_WAIT: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the old book is called beside the new one, before the time.
const BEFORE: &str = "before-restore-";
/// What SQLite keeps beside a book that is open.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Replaces the book that `writer` has open. On an error the old one is in force again, unless the error is
/// fatal.
pub fn replace(
    writer: &mut SqliteWriter,
    now: Timestamp,
    with: &Staged,
    record: &Request,
    readers: Option<&dyn EntryReader>,
) -> Result<Replaced, StorageError> {
    let head = staged::finish(with, now, Some(writer.head()), record).map_err(harmless)?;
    if let Some(readers) = readers {
        readers.suspend()?;
    }
    let replaced = swapped(writer, now, with);
    let resumed = readers.map_or(Ok(()), EntryReader::resume);
    let former = replaced?;
    resumed.map_err(fatal)?;
    Ok(Replaced {
        epoch: head.epoch,
        last_seq: head.last_seq,
        former,
    })
}

/// Nothing but `writer` has the book open here.
fn swapped(
    writer: &mut SqliteWriter,
    now: Timestamp,
    with: &Staged,
) -> Result<Option<PathBuf>, StorageError> {
    let book = real(writer.path());
    let former = former_name(&book, now);
    writer.let_go()?;
    if let Err(error) = alone(&book).and_then(|()| exchange(&book, &with.file, &former)) {
        writer.take_up().map_err(fatal)?;
        return Err(harmless(error));
    }
    if let Err(error) = sync_folder(&book).and_then(|()| writer.take_up()) {
        put_back(writer, &book, &former).map_err(fatal)?;
        return Err(harmless(error));
    }
    if with.former == Former::Kept {
        return Ok(Some(former));
    }
    // All that it held is in the new one; that it stays is no failure.
    let _ = std::fs::remove_file(&former);
    Ok(None)
}

/// The old book gets a second name, and then the new one its first: there is no moment without a book. On an
/// error the name is still that of the old one.
fn exchange(book: &Path, new: &Path, former: &Path) -> Result<(), StorageError> {
    std::fs::hard_link(book, former).map_err(io(former))?;
    std::fs::rename(new, book).map_err(|cause| {
        let _ = std::fs::remove_file(former);
        io(book)(cause)
    })
}

/// The old book under its name again, and open.
fn put_back(writer: &mut SqliteWriter, book: &Path, former: &Path) -> Result<(), StorageError> {
    for suffix in COMPANIONS {
        let _ = std::fs::remove_file(with_suffix(book, suffix));
    }
    std::fs::rename(former, book).map_err(io(book))?;
    sync_folder(book)?;
    writer.take_up()
}

/// What failed at the other book is no reason not to go on with this one.
fn harmless(cause: StorageError) -> StorageError {
    match cause {
        StorageError::Io(_) | StorageError::Corrupt(_) => {
            StorageError::Other(format!("the book was not replaced: {cause}"))
        }
        other => other,
    }
}

/// The process must not go on without the book.
fn fatal(cause: StorageError) -> StorageError {
    StorageError::Io(format!("the book could not be opened again: {cause}"))
}

/// Waits until no other process has the book open: a WAL that stays is one that somebody else uses, and it
/// would be read together with the new book.
fn alone(book: &Path) -> Result<(), StorageError> {
    let until = Instant::now() + OTHERS_WAIT;
    while !is_closed(book) {
        if Instant::now() > until {
            let what = "another process has the book open; end it and try again";
            return Err(StorageError::Busy(what.into()));
        }
        std::thread::sleep(LOOK_EVERY);
        drop(connection::open_writer(book)?);
    }
    Ok(())
}

fn is_closed(book: &Path) -> bool {
    COMPANIONS
        .iter()
        .all(|suffix| !with_suffix(book, suffix).exists())
}

/// Where there is no book, or one that cannot be read: that is put aside as it is, with what lies beside it,
/// and the staged one takes its place.
pub fn install(
    path: &Path,
    now: Timestamp,
    with: &Staged,
    record: &Request,
) -> Result<Replaced, StorageError> {
    let _lock = BookLock::take(path)?;
    let head = staged::finish(with, now, None, record)?;
    let book = real(path);
    let mut former = None;
    if book.exists() {
        former = Some(put_aside(&book, with, now)?);
    } else {
        // What another book left beside this name must not be read together with this one.
        rename_companions(&book, &former_name(&book, now))?;
        std::fs::rename(&with.file, &book).map_err(io(&book))?;
    }
    sync_folder(&book)?;
    inspect::look(&book)?;
    Ok(Replaced {
        epoch: head.epoch,
        last_seq: head.last_seq,
        former,
    })
}

fn put_aside(book: &Path, with: &Staged, now: Timestamp) -> Result<PathBuf, StorageError> {
    let former = former_name(book, now);
    // First what lies beside it, which must never be read together with the new one.
    rename_companions(book, &former)?;
    if let Err(error) = exchange(book, &with.file, &former) {
        rename_companions(&former, book)?;
        return Err(error);
    }
    Ok(former)
}

fn rename_companions(from: &Path, to: &Path) -> Result<(), StorageError> {
    for suffix in COMPANIONS {
        let companion = with_suffix(from, suffix);
        if companion.exists() {
            std::fs::rename(&companion, with_suffix(to, suffix)).map_err(io(&companion))?;
        }
    }
    Ok(())
}

/// Removes what a crash left: a staged book, and the second name of the book between the two steps of an
/// exchange, which is no former one. Called with the lock held and nothing open.
pub fn tidy(path: &Path) {
    let book = real(path);
    for suffix in [staged::RESTORING, staged::IMPORTING] {
        remove_with_companions(&beside(&book, suffix));
    }
    let (Ok(own), Some(folder), Some(name)) =
        (std::fs::metadata(&book), book.parent(), book.file_name())
    else {
        return;
    };
    let Ok(beside) = std::fs::read_dir(folder) else {
        return;
    };
    let prefix = format!("{}.{BEFORE}", name.to_string_lossy());
    for entry in beside.flatten() {
        let is_former = entry.file_name().to_string_lossy().starts_with(&prefix);
        let is_second_name = entry
            .metadata()
            .is_ok_and(|meta| meta.ino() == own.ino() && meta.dev() == own.dev());
        if is_former && is_second_name {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// `BOOK.before-restore-20261121T080000123456Z`; a name that is taken is left alone.
fn former_name(book: &Path, now: Timestamp) -> PathBuf {
    let mut time = now;
    loop {
        let text: String = time
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let name = beside(book, &format!("{BEFORE}{text}"));
        if !name.exists() {
            return name;
        }
        time = time.successor();
    }
}

pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Behind links, where SQLite puts what lies beside the book too.
pub fn real(book: &Path) -> PathBuf {
    book.canonicalize().unwrap_or_else(|_| book.to_owned())
}
