//! The only place that knows SQL. Two faces of one book, in the domain's words: the writer, which the
//! LogWriter actor alone holds, and the reader, which never touches the writer.
//!
//! `tests/storage` holds the contract that every backend keeps.

pub mod address;
pub mod error;
pub mod replacing;
pub mod reserve;
pub mod sqlite;

pub use address::Address;
pub use error::StorageError;
pub use replacing::{Copied, Former, Imported, Importer, NotImported, Replaced, Staged};
pub use reserve::Reserve;

use crate::access::Scope;
use crate::domain::automation::Delivery;
use crate::domain::board::{Kind, Owner};
use crate::domain::{
    Act, Count, Device, EntryId, Erasure, Facets, Filter, Head, Histogram, HistogramRequest,
    Holding, Key, NewEntry, Page, PageRequest, Receipt, Seq, SignIn, Stored, Timestamp,
    WorkspaceId,
};
use std::path::Path;
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
    /// Remove what stands at or below this; `EntryReader::prunable` finds it for a rule.
    pub upto: Seq,
    /// Remove at most so many in this step.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    pub removed: u64,
    /// More is left to remove; call again.
    pub more: bool,
}

impl Removed {
    /// `record` with how many went, for those of its entries that are about a removal.
    pub fn told_in(self, record: &Request) -> Request {
        let mut record = record.clone();
        for entry in &mut record.entries {
            entry.add_to("removed", self.removed);
        }
        record
    }
}

/// Somebody was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Of how many entries that was the actor.
    pub entries: u64,
    /// What came after this is another matter.
    pub upto: Seq,
}

impl Erased {
    /// `record` with how many entries it was about.
    pub fn told_in(self, record: &Request) -> Request {
        let mut record = record.clone();
        for entry in &mut record.entries {
            entry.add_to("entries", self.entries);
            entry.add_to("upto_seq", self.upto.unsigned_abs());
        }
        record
    }
}

/// One step of the erasures that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureStep {
    /// Entries that held a name.
    pub blanked: u64,
    /// More is left to do; call again.
    pub more: bool,
    /// Only a reader that has not come to its end is in the way; call again in a moment.
    pub held_up: bool,
}

/// What a rule does not keep of one workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prunable {
    /// Everything of the workspace that stands at or below this goes; 0 when nothing does.
    pub upto: Seq,
    /// How many those are.
    pub entries: u64,
    /// How many go by their age, whatever the number allows.
    pub by_age: u64,
    /// How many the workspace has.
    pub held: u64,
    /// Of the oldest that stays.
    pub oldest_kept: Option<Timestamp>,
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

    /// Removes the oldest of one workspace. The step that leaves nothing more commits `record` with it,
    /// and adds how many it removed itself to the `removed` in the metadata of those entries.
    fn prune(
        &mut self,
        now: Timestamp,
        step: &PruneStep,
        record: Option<&Request>,
    ) -> Result<Removed, StorageError>;

    /// Empties a workspace (or all) at once for every reader, together with `record`, which stays, and
    /// whose metadata is told how many were `removed`. Their rows are deleted by `sweep`.
    fn clear(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        record: &Request,
    ) -> Result<u64, StorageError>;

    /// Deletes at most `limit` rows that a clear left behind, and gives a part of what is free in the
    /// file back to the file system, whatever freed it.
    fn sweep(&mut self, limit: usize) -> Result<Removed, StorageError>;

    /// Nobody sees `actor` any more in what the scope has up to now, in whatever way it is read, from the same
    /// commit on as `record` stands, whose metadata is told of how many `entries` that was the actor, and
    /// `upto_seq`. The entries keep their places, numbers and ids; `Erasure::blank` says what is left of them.
    fn erase(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        actor: &str,
        record: &Request,
    ) -> Result<Erased, StorageError> {
        let _ = (now, scope, actor, record);
        Err(StorageError::Other("this book erases nobody".into()))
    }

    /// Looks at no more than `limit` entries and blanks them where they are kept. When there is no more, the
    /// store holds what was erased nowhere, not in what is free in it either.
    fn erase_rows(&mut self, _limit: usize) -> Result<ErasureStep, StorageError> {
        Ok(ErasureStep::default())
    }

    /// Who is erased for readers, while entries still hold the name.
    fn erasures(&self) -> Vec<Erasure> {
        Vec::new()
    }

    /// What a commit leaves to be tidied up. It is asked for after the senders were answered, who need not
    /// wait for it: what was committed is durable already.
    fn settle(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    /// An error, which is fatal, when another process may be writing the book as well.
    fn look_whether_alone(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Proves that the book can be written, without leaving anything in it.
    fn probe(&mut self) -> Result<(), StorageError>;

    /// The staged book takes the place of this one: another epoch, numbers and times beyond both, and
    /// `record` as its newest entry. `readers` of the same book answer busy meanwhile. On an error that is
    /// not fatal the old one is in force.
    fn replace(
        &mut self,
        _now: Timestamp,
        _with: &Staged,
        _record: &Request,
        _readers: Option<&dyn EntryReader>,
    ) -> Result<Replaced, StorageError> {
        Err(StorageError::Other("this book cannot be replaced".into()))
    }

    /// Everything committed moves into the book's own file. The last call.
    fn close(&mut self) -> Result<(), StorageError>;
}

/// How far a search may look before it answers with what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub rows: u64,
    pub time: Duration,
}

impl Stretch {
    /// For what a dashboard asks again and again.
    pub const BRIEF: Self = Self {
        rows: 1_000_000,
        time: Duration::from_millis(35),
    };
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

/// What the book holds of automations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptAutomations {
    /// Names and JSON.
    pub rules: Vec<(String, String)>,
    pub standings: Vec<(String, String)>,
    /// Up to where the book was read for them.
    pub position: Option<Seq>,
    pub deliveries: Vec<Delivery>,
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

    /// Counts up to `cap`, the newest first, from below `below` or from the end of the book. By time alone
    /// most of it is known without looking.
    fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        below: Option<Seq>,
        cap: u64,
        stretch: Stretch,
    ) -> Result<Count, StorageError>;

    /// How many entries have which value. By time alone of all of them, else of the newest matches.
    fn facets(
        &self,
        scope: &Scope,
        filter: &Filter,
        stretch: Stretch,
    ) -> Result<Facets, StorageError>;

    /// How many entries there were when, in whole buckets around the filter's time. By time alone of all
    /// of them, else of the newest matches.
    fn histogram(
        &self,
        scope: &Scope,
        filter: &Filter,
        request: HistogramRequest,
        stretch: Stretch,
    ) -> Result<Histogram, StorageError>;

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

    /// What a rule does not keep of a workspace: what is older than `before`, and what is not among the
    /// newest `keep`. A rule holds for each workspace on its own, so the scope is of one.
    fn prunable(
        &self,
        scope: &Scope,
        before: Option<Timestamp>,
        keep: Option<u64>,
    ) -> Result<Prunable, StorageError>;

    /// The workspaces that the book knows.
    fn workspaces(&self) -> Result<Vec<WorkspaceId>, StorageError>;

    /// The workspaces of the scope whose names come after `after`, by name, at most `limit`, each with what the
    /// book has of it. It takes no longer for many entries than for few.
    fn holdings(
        &self,
        scope: &Scope,
        after: Option<&WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StorageError>;

    /// Those that take no new entries.
    fn archived(&self) -> Result<Vec<WorkspaceId>, StorageError>;

    /// What was changed at run time and kept: the setting of this key, and those below it (`KEY/…`).
    fn settings(&self, key: &str) -> Result<Vec<(String, String)>, StorageError>;

    /// Every key, with those that were revoked, by label.
    fn keys(&self) -> Result<Vec<Key>, StorageError>;

    /// Everybody who is signed in, as far as the book knows.
    fn sign_ins(&self) -> Result<Vec<SignIn>, StorageError>;

    /// What somebody arranged, by id: the ids and their JSON.
    fn board(&self, owner: &Owner, kind: Kind) -> Result<Vec<(String, String)>, StorageError>;

    /// Every device, by id.
    fn devices(&self) -> Result<Vec<Device>, StorageError>;
    /// How far the intake of this name had read, as of the last entry that it brought.
    fn cursor(&self, name: &str) -> Result<Option<String>, StorageError>;
    /// Automations that were made over HTTP, and how all of them stand.
    fn automations(&self) -> Result<KeptAutomations, StorageError>;

    /// Reads the whole book and says everything that is wrong with it.
    fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<CheckReport, StorageError>;

    /// Copies the whole book, one state of it, to `to`, whatever that was; checked and on disk when this
    /// comes back.
    fn copy_to(&self, to: &Path) -> Result<Copied, StorageError>;

    /// Every connection is closed when this comes back with `Ok`; reading answers busy until `resume`.
    fn suspend(&self) -> Result<(), StorageError>;

    fn resume(&self) -> Result<(), StorageError>;
}
