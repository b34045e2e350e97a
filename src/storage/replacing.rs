//! Words for copies of a whole book, and for one book that takes the place of another.

use super::StorageError;
use crate::domain::{Epoch, Head, NewEntry, Seq, Timestamp};
use std::path::{Path, PathBuf};

/// A copy of the whole book that was made, checked and put on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub head: Head,
    pub bytes: u64,
}

/// What becomes of the book that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Former {
    /// It stays beside the new one, under another name.
    Kept,
    /// All that it held is in the new one.
    Removed,
}

/// A book that was checked and lies ready, beside the one whose place it is to take. Unless it does, its
/// files are removed when this is dropped.
#[derive(Debug)]
pub struct Staged {
    pub(super) file: PathBuf,
    pub(super) head: Head,
    pub(super) former: Former,
}

impl Staged {
    /// Where it stands; a book whose numbers or times are beyond these is newer.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        remove_with_companions(&self.file);
    }
}

/// Removes a file and what SQLite leaves beside one.
pub(super) fn remove_with_companions(file: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        // What is not there need not go.
        let _ = std::fs::remove_file(name);
    }
}

/// The book is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    pub epoch: Epoch,
    pub last_seq: Seq,
    /// Where the former one lies, when it was kept.
    pub former: Option<PathBuf>,
}

/// A line of a former export: an entry that brings its own id and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub entry: NewEntry,
    pub ts: Timestamp,
}

/// Why lines were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    /// The id of the line with this index is taken in its workspace already.
    #[error("an id is given twice")]
    Twice { index: usize },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A book in the making, with all that the one in force holds beside its entries.
pub trait Importer {
    /// Appends lines in their order. After a refusal nothing can be done with it but dropping it.
    fn append(&mut self, lines: &[Imported]) -> Result<(), NotImported>;

    fn finish(self: Box<Self>) -> Result<Staged, StorageError>;
}
