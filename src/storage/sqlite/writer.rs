//! The writing face: the one connection that changes the file. Held by the LogWriter alone.

use super::automations;
use super::checkpoint::Wal;
use super::connection::{self, pragma};
use super::erasures::{self, Waiting};
use super::error::{self, storage};
use super::fixed::{Begin, Commit, run};
use super::head::{read_head, write_head};
use super::lock::BookLock;
use super::rollup::catch_up;
use super::sign_ins;
use super::swap;
use super::tally::Tally;
use super::transaction::{Floor, Transaction};
use super::workspaces;
use crate::access::Scope;
use crate::domain::{Epoch, Erasure, Head, Receipt, Seq, Timestamp, WorkspaceId};
use crate::storage::{
    EntryReader, EntryWriter, Erased, ErasureStep, PruneStep, Removed, Replaced, Request, Staged,
    StorageError,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Pages given back to the file system in one step; more at once would keep recording waiting.
const VACUUM_PAGES: u32 = 200;

pub struct SqliteWriter {
    path: PathBuf,
    pub(super) conn: SqliteConnection,
    head: Head,
    workspaces: HashMap<WorkspaceId, Floor>,
    /// The roll-ups in the file cover the book up to here; the tally holds what came after.
    rolled: Seq,
    pub(super) tally: Tally,
    /// Who is being erased.
    pub(super) erasures: Vec<Waiting>,
    /// Entries in the tally at which it is written down. `None`: what is committed is not counted.
    roll_at: Option<u64>,
    wal: Wal,
    /// Given back when the connection is closed. A book that is only being made has none.
    lock: Option<BookLock>,
}

impl SqliteWriter {
    pub fn new(
        path: &Path,
        mut conn: SqliteConnection,
        lock: Option<BookLock>,
        roll_at: Option<u64>,
    ) -> Result<Self, StorageError> {
        let (rolled, tally) = catch_up(&mut conn)?;
        Ok(Self {
            path: path.to_owned(),
            head: read_head(&mut conn)?,
            workspaces: workspaces::floors(&mut conn)?,
            erasures: erasures::waiting(&mut conn)?,
            conn,
            rolled,
            tally,
            roll_at,
            wal: Wal::default(),
            lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file and keeps the lock; nothing but `take_up` may follow.
    pub fn let_go(&mut self) -> Result<(), StorageError> {
        // What stays in the WAL now is moved by the last connection, or shows that there is another.
        let _ = self.close();
        self.conn = SqliteConnection::establish(":memory:").map_err(error::connection)?;
        Ok(())
    }

    /// Opens the file that has the book's name now.
    pub fn take_up(&mut self) -> Result<(), StorageError> {
        let mut conn = connection::open_writer(&self.path)?;
        (self.rolled, self.tally) = catch_up(&mut conn)?;
        self.head = read_head(&mut conn)?;
        self.workspaces = workspaces::floors(&mut conn)?;
        self.erasures = erasures::waiting(&mut conn)?;
        self.conn = conn;
        Ok(())
    }

    /// Rolls up all that was not: for a book that was filled without being asked for its roll-ups.
    pub fn roll_all(&mut self) -> Result<(), StorageError> {
        (self.rolled, self.tally) = catch_up(&mut self.conn)?;
        Ok(())
    }

    /// Before something is taken off what was counted.
    pub(super) fn count_all(&mut self) -> Result<(), StorageError> {
        match self.roll_at {
            Some(_) => Ok(()),
            None => self.roll_all(),
        }
    }

    /// From here on it is another history, which goes on where both books end.
    pub fn begin_another_history(
        &mut self,
        now: Timestamp,
        past: Option<&Head>,
        record: &Request,
    ) -> Result<(), StorageError> {
        self.settled(|transaction| {
            if let Some(past) = past {
                transaction.skip_to(past.last_seq)?;
                transaction.head.last_ts = transaction.head.last_ts.max(past.last_ts);
            }
            transaction.head.epoch = Epoch::new(uuid::Uuid::now_v7().to_string());
            // Who had signed in when a copy was made may have signed out since.
            sign_ins::end_all(transaction.conn)?;
            automations::start_over(transaction.conn)?;
            transaction.request(now, record).map(drop)
        })
    }

    /// One transaction around `work`, which sees the head and moves it on. What it changed in memory
    /// counts only when the commit came through.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        run(Begin, &mut self.conn)?;
        let mut transaction = Transaction {
            conn: &mut self.conn,
            head: self.head.clone(),
            known: &self.workspaces,
            changed: HashMap::new(),
            tally: &self.tally,
            rolled: self.rolled,
        };
        let done = work(&mut transaction).and_then(|value| {
            if transaction.head != self.head {
                write_head(transaction.conn, &transaction.head)?;
            }
            run(Commit, transaction.conn)?;
            Ok(value)
        });
        let Transaction {
            head,
            changed,
            rolled,
            ..
        } = transaction;
        match done {
            Ok(value) => {
                self.head = head;
                self.workspaces.extend(changed);
                if rolled != self.rolled {
                    self.rolled = rolled;
                    self.tally = Tally::default();
                }
                Ok(value)
            }
            Err(error) => {
                // SQLite may have rolled back by itself already, and then this says so.
                let _ = self.conn.batch_execute("ROLLBACK");
                Err(error)
            }
        }
    }

    /// A transaction after which nobody waits for an answer, so that it is tidied up at once.
    pub(super) fn settled<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let done = self.transaction(work)?;
        self.wal.look_at(&mut self.conn)?;
        Ok(done)
    }

    /// The same for one of many, between which others record.
    pub(super) fn a_step<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let done = self.transaction(work)?;
        self.wal.look_at_after_a_step(&mut self.conn)?;
        Ok(done)
    }
}

impl SqliteWriter {
    /// Whether more of them can follow.
    pub(super) fn give_pages_back(&mut self) -> Result<bool, StorageError> {
        let before = pragma(&mut self.conn, "freelist_count")?;
        if before == 0 {
            return Ok(false);
        }
        let vacuum = format!("PRAGMA incremental_vacuum({VACUUM_PAGES})");
        self.conn.batch_execute(&vacuum).map_err(storage)?;
        self.wal.look_at_after_a_step(&mut self.conn)?;
        let after = pragma(&mut self.conn, "freelist_count")?;
        // A file that was not made by us may not let go of any.
        Ok(0 < after && after < before)
    }
}

impl EntryWriter for SqliteWriter {
    fn head(&self) -> &Head {
        &self.head
    }

    fn commit(
        &mut self,
        now: Timestamp,
        group: &[Request],
    ) -> Result<Vec<Vec<Receipt>>, StorageError> {
        let is_due = self
            .roll_at
            .is_some_and(|roll_at| self.tally.entries() >= roll_at);
        let receipts: Vec<Vec<Receipt>> = self.transaction(|transaction| {
            if is_due {
                transaction.roll()?;
            }
            group
                .iter()
                .map(|request| transaction.request(now, request))
                .collect::<Result<_, _>>()
        })?;
        for (request, receipts) in group.iter().zip(&receipts) {
            if self.roll_at.is_some() {
                self.tally.add_committed(&request.entries, receipts);
            }
            self.wal.grew_by(receipts.len());
        }
        Ok(receipts)
    }

    fn settle(&mut self) -> Result<(), StorageError> {
        self.wal.look_when_grown(&mut self.conn)
    }

    fn prune(
        &mut self,
        now: Timestamp,
        step: &PruneStep,
        record: Option<&Request>,
    ) -> Result<Removed, StorageError> {
        self.count_all()?;
        let (removed, receipts) = self.a_step(|transaction| {
            let removed = transaction.prune(step)?;
            let receipts = match record.filter(|_| !removed.more) {
                Some(record) => transaction.request(now, &removed.told_in(record))?,
                None => Vec::new(),
            };
            Ok((removed, receipts))
        })?;
        if let Some(record) = record {
            self.tally.add_committed(&record.entries, &receipts);
        }
        Ok(removed)
    }

    fn clear(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        record: &Request,
    ) -> Result<u64, StorageError> {
        self.count_all()?;
        let (removed, receipts) = self.settled(|transaction| {
            let removed = transaction.raise_floors(scope)?;
            let all = Removed {
                removed,
                more: false,
            };
            Ok((removed, transaction.request(now, &all.told_in(record))?))
        })?;
        self.tally.forget(scope);
        self.tally.add_committed(&record.entries, &receipts);
        Ok(removed)
    }

    fn sweep(&mut self, limit: usize) -> Result<Removed, StorageError> {
        let waiting = self
            .workspaces
            .iter()
            .find(|(_, at)| at.floor > at.swept)
            .map(|(name, at)| (name.clone(), *at));
        let swept = match waiting {
            None => Removed::default(),
            Some((name, at)) => self.a_step(|transaction| transaction.sweep(name, at, limit))?,
        };
        let more_pages = self.give_pages_back()?;
        Ok(Removed {
            removed: swept.removed,
            more: more_pages || self.workspaces.values().any(|at| at.floor > at.swept),
        })
    }

    fn erase(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        actor: &str,
        record: &Request,
    ) -> Result<Erased, StorageError> {
        self.erase_at_once(now, scope, actor, record)
    }

    fn erase_rows(&mut self, limit: usize) -> Result<ErasureStep, StorageError> {
        self.erase_a_step(limit)
    }

    fn erasures(&self) -> Vec<Erasure> {
        self.waiting_names()
    }

    fn look_whether_alone(&self) -> Result<(), StorageError> {
        self.lock.as_ref().map_or(Ok(()), BookLock::look)
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        // Writes a page for real; what it says is what it said before.
        run(Begin, &mut self.conn)?;
        let written = write_head(&mut self.conn, &self.head);
        let kept = run(Commit, &mut self.conn);
        let done = written.and(kept);
        if done.is_err() {
            let _ = self.conn.batch_execute("ROLLBACK");
        }
        done
    }

    fn replace(
        &mut self,
        now: Timestamp,
        with: &Staged,
        record: &Request,
        readers: Option<&dyn EntryReader>,
    ) -> Result<Replaced, StorageError> {
        swap::replace(self, now, with, record, readers)
    }

    fn close(&mut self) -> Result<(), StorageError> {
        self.conn
            .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(storage)
    }
}
