//! The lock beside the book: whoever holds it is the one process that writes. It is released by the
//! kernel, whatever way the process ends, and the file stays.

use crate::storage::StorageError;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub struct BookLock {
    path: PathBuf,
    held: File,
}

/// Closing the file is not enough: a process that was just started from this one has it for a moment too.
impl Drop for BookLock {
    fn drop(&mut self) {
        let _ = self.held.unlock();
    }
}

impl BookLock {
    pub fn take(book: &Path) -> Result<Self, StorageError> {
        let path = beside(book, "lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|cause| StorageError::of_making(&path, &cause))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held_by_another(book, &mut file)),
            Err(TryLockError::Error(cause)) => {
                return Err(StorageError::Io(format!("{}: {cause}", path.display())));
            }
        }
        // Who holds it, for whoever finds it held; only a help, so a failure to write it is none.
        let _ = file.set_len(0);
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { path, held: file })
    }

    /// Whoever took the file away lets another process lock one of the same name.
    pub fn look(&self) -> Result<(), StorageError> {
        let held = self.held.metadata();
        let named = std::fs::metadata(&self.path);
        let which = |meta: &Metadata| (meta.dev(), meta.ino());
        match (held, named) {
            (Ok(held), Ok(named)) if which(&held) == which(&named) => Ok(()),
            (Ok(_), Ok(_)) => Err(StorageError::LockLost(self.path.clone())),
            (_, Err(cause)) if cause.kind() == ErrorKind::NotFound => {
                Err(StorageError::LockLost(self.path.clone()))
            }
            // What cannot be seen now is no reason to stop.
            _ => Ok(()),
        }
    }
}

fn held_by_another(book: &Path, file: &mut File) -> StorageError {
    let mut holder = String::new();
    let _ = file.take(32).read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => "another process".to_owned(),
        pid => format!("process {pid}"),
    };
    StorageError::Held {
        book: book.to_owned(),
        holder,
    }
}

/// `BOOK.lock`, `BOOK.sock`.
pub fn beside(book: &Path, suffix: &str) -> PathBuf {
    let mut name = book.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
