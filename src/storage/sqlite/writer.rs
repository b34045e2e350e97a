//! The writing face: the one connection that changes the file. Held by the LogWriter alone.

use super::connection::pragma;
use super::error::storage;
use super::head::{read_head, write_head};
use super::lock::BookLock;
use super::schema::workspace;
use super::transaction::{Floor, Transaction};
use crate::access::Scope;
use crate::domain::{Head, Receipt, Seq, Timestamp, WorkspaceId};
use crate::storage::{EntryWriter, PruneStep, Removed, Request, StorageError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::HashMap;

/// Pages given back to the file system in one step; more at once would keep recording waiting.
const VACUUM_PAGES: u32 = 200;

pub struct SqliteWriter {
    conn: SqliteConnection,
    head: Head,
    workspaces: HashMap<WorkspaceId, Floor>,
    /// Given back when the connection is closed.
    _lock: BookLock,
}

impl SqliteWriter {
    pub fn new(mut conn: SqliteConnection, lock: BookLock) -> Result<Self, StorageError> {
        let head = read_head(&mut conn)?;
        let rows: Vec<(String, Seq, Seq)> = workspace::table.load(&mut conn).map_err(storage)?;
        let workspaces = rows
            .into_iter()
            .map(|(name, floor, swept)| (WorkspaceId::trusted(name), Floor { floor, swept }))
            .collect();
        Ok(Self {
            conn,
            head,
            workspaces,
            _lock: lock,
        })
    }

    /// One transaction around `work`, which sees the head and moves it on. What it changed in memory
    /// counts only when the commit came through.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.conn
            .batch_execute("BEGIN IMMEDIATE")
            .map_err(storage)?;
        let mut transaction = Transaction {
            conn: &mut self.conn,
            head: self.head.clone(),
            known: &self.workspaces,
            changed: HashMap::new(),
        };
        let done = work(&mut transaction).and_then(|value| {
            if transaction.head != self.head {
                write_head(transaction.conn, &transaction.head)?;
            }
            transaction.conn.batch_execute("COMMIT").map_err(storage)?;
            Ok(value)
        });
        let Transaction { head, changed, .. } = transaction;
        match done {
            Ok(value) => {
                self.head = head;
                self.workspaces.extend(changed);
                Ok(value)
            }
            Err(error) => {
                // SQLite may have rolled back by itself already, and then this says so.
                let _ = self.conn.batch_execute("ROLLBACK");
                Err(error)
            }
        }
    }
}

impl SqliteWriter {
    /// Whether more of them can follow.
    fn give_pages_back(&mut self) -> Result<bool, StorageError> {
        let before = pragma(&mut self.conn, "freelist_count")?;
        if before == 0 {
            return Ok(false);
        }
        let vacuum = format!("PRAGMA incremental_vacuum({VACUUM_PAGES})");
        self.conn.batch_execute(&vacuum).map_err(storage)?;
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
        self.transaction(|transaction| {
            group
                .iter()
                .map(|request| transaction.request(now, request))
                .collect()
        })
    }

    fn prune(&mut self, step: &PruneStep) -> Result<Removed, StorageError> {
        self.transaction(|transaction| transaction.prune(step))
    }

    fn clear(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        record: &Request,
    ) -> Result<u64, StorageError> {
        self.transaction(|transaction| {
            let removed = transaction.raise_floors(scope)?;
            transaction.request(now, record)?;
            Ok(removed)
        })
    }

    fn sweep(&mut self, limit: usize) -> Result<Removed, StorageError> {
        let waiting = self
            .workspaces
            .iter()
            .find(|(_, at)| at.floor > at.swept)
            .map(|(name, at)| (name.clone(), *at));
        let swept = match waiting {
            None => Removed::default(),
            Some((name, at)) => {
                self.transaction(|transaction| transaction.sweep(name, at, limit))?
            }
        };
        let more_pages = self.give_pages_back()?;
        Ok(Removed {
            removed: swept.removed,
            more: more_pages || self.workspaces.values().any(|at| at.floor > at.swept),
        })
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        // Writes a page for real; what it says is what it said before.
        self.conn
            .batch_execute("BEGIN IMMEDIATE")
            .map_err(storage)?;
        let written = write_head(&mut self.conn, &self.head);
        let kept = self.conn.batch_execute("COMMIT").map_err(storage);
        let done = written.and(kept);
        if done.is_err() {
            let _ = self.conn.batch_execute("ROLLBACK");
        }
        done
    }

    fn close(&mut self) -> Result<(), StorageError> {
        self.conn
            .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(storage)
    }
}
