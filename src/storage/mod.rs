//! The only place that knows SQL. Two faces of one book, in the domain's words: the writer, which the
//! LogWriter actor alone holds, and the reader, which never touches the writer.
//!
//! `tests/storage` holds the contract that every backend keeps.

pub mod address;
pub mod error;
pub mod sqlite;

pub use address::Address;
pub use error::StorageError;

use crate::access::Scope;
use crate::domain::{
    Act, Count, EntryId, Filter, Head, NewEntry, Page, PageRequest, Receipt, Seq, Stored,
    Timestamp, WorkspaceId,
};
use std::time::Duration;

/// What one sender wants committed: all of it in one transaction, or none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    pub acts: Vec<Act>,
    pub entries: Vec<NewEntry>,
}

impl Request {
    /// What it weighs in a queue or a transaction.
    pub fn weight(&self) -> usize {
        let acts: usize = self.acts.iter().map(Act::weight).sum();
        let entries: usize = self.entries.iter().map(NewEntry::weight).sum();
        acts + entries
    }
}

/// One step of pruning one workspace, small enough that recording never waits long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneStep {
    pub workspace: WorkspaceId,
    /// Remove what is older than this.
    pub before: Option<Timestamp>,
    /// Remove what is not among the newest so many.
    pub keep: Option<u64>,
    /// Remove at most so many in this step.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    pub removed: u64,
    /// More is left to remove; call again.
    pub more: bool,
}

/// The writing face. One process holds one, for as long as it runs.
pub trait EntryWriter: Send {
    fn head(&self) -> &Head;

    /// Commits every request in one durable transaction and answers each entry, in order. On an error
    /// nothing of the group is in the book. `now` is the wall clock; `ts` never steps back whatever it says.
    fn commit(
        &mut self,
        now: Timestamp,
        group: &[Request],
    ) -> Result<Vec<Vec<Receipt>>, StorageError>;

    /// Removes the oldest of one workspace that its rule does not keep.
    fn prune(&mut self, step: &PruneStep) -> Result<Removed, StorageError>;

    /// Empties a workspace (or all) at once for every reader, together with `record`, which stays.
    /// Answers how many entries went; their rows are deleted by `sweep`.
    fn clear(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        record: &Request,
    ) -> Result<u64, StorageError>;

    /// Deletes at most `limit` rows that a clear left behind, and gives a part of what is free in the
    /// file back to the file system, whatever freed it.
    fn sweep(&mut self, limit: usize) -> Result<Removed, StorageError>;

    /// Proves that the book can be written, without leaving anything in it.
    fn probe(&mut self) -> Result<(), StorageError>;

    /// Everything committed moves into the book's own file. The last call.
    fn close(&mut self) -> Result<(), StorageError>;
}

/// How far a search may look before it answers with what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub rows: u64,
    pub time: Duration,
}

impl Default for Stretch {
    fn default() -> Self {
        Self {
            rows: 1_000_000,
            time: Duration::from_millis(120),
        }
    }
}

/// A part of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPart {
    pub items: Vec<Stored>,
    /// Go on from above this; `None` at the end.
    pub next: Option<Seq>,
}

/// What the book holds, for `/system/info` and the metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct BookInfo {
    pub head: Head,
    pub first_seq: Option<Seq>,
    pub bytes: u64,
    pub engine: String,
}

/// What a check of the whole book found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    pub entries: u64,
    pub problems: Vec<String>,
}

/// The reading face; as many at once as the pool has connections.
pub trait EntryReader: Send + Sync {
    fn head(&self) -> Result<Head, StorageError>;

    fn info(&self) -> Result<BookInfo, StorageError>;

    fn page(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: PageRequest,
        stretch: Stretch,
    ) -> Result<Page, StorageError>;

    /// Counts up to `cap`, the newest first, from below `below` or from the end of the book.
    fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        below: Option<Seq>,
        cap: u64,
        stretch: Stretch,
    ) -> Result<Count, StorageError>;

    fn entry(&self, scope: &Scope, id: &EntryId) -> Result<Option<Stored>, StorageError>;

    /// The next part of an export: the oldest matches above `after` and up to `upto`, in a short transaction.
    fn export(
        &self,
        scope: &Scope,
        filter: &Filter,
        after: Seq,
        upto: Seq,
        limit: usize,
    ) -> Result<ExportPart, StorageError>;

    /// Reads the whole book and says everything that is wrong with it.
    fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<CheckReport, StorageError>;
}
