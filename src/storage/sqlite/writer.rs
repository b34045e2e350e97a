//! The writing face: the one connection that changes the file. Held by the LogWriter alone.

use super::bisect;
use super::error::storage;
use super::head::{read_head, write_head};
use super::lock::BookLock;
use super::rows::{NewRow, timestamp};
use super::schema::{activity_log, setting, workspace};
use crate::access::Scope;
use crate::domain::{Act, EntryId, Head, NewEntry, Receipt, Seq, Timestamp, WorkspaceId};
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

/// Where a workspace begins.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Floor {
    /// Nothing at or below it is in the book.
    floor: Seq,
    /// Nothing at or below it is in the file either.
    swept: Seq,
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
        let vacuum = format!("PRAGMA incremental_vacuum({VACUUM_PAGES})");
        self.conn.batch_execute(&vacuum).map_err(storage)?;
        Ok(Removed {
            removed: swept.removed,
            more: self.workspaces.values().any(|at| at.floor > at.swept),
        })
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        // Writes a page for real, and takes it back before anyone can see it.
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

/// A transaction that is under way.
struct Transaction<'a> {
    conn: &'a mut SqliteConnection,
    head: Head,
    known: &'a HashMap<WorkspaceId, Floor>,
    changed: HashMap<WorkspaceId, Floor>,
}

impl Transaction<'_> {
    fn request(&mut self, now: Timestamp, request: &Request) -> Result<Vec<Receipt>, StorageError> {
        for act in &request.acts {
            self.act(act)?;
        }
        request
            .entries
            .iter()
            .map(|entry| self.entry(now, entry))
            .collect()
    }

    fn act(&mut self, act: &Act) -> Result<(), StorageError> {
        match act {
            Act::PutSetting { key, value } => diesel::replace_into(setting::table)
                .values((setting::key.eq(key), setting::value.eq(value)))
                .execute(self.conn),
            Act::DeleteSetting { key } => {
                diesel::delete(setting::table.find(key)).execute(self.conn)
            }
        }
        .map(drop)
        .map_err(storage)
    }

    fn entry(&mut self, now: Timestamp, entry: &NewEntry) -> Result<Receipt, StorageError> {
        let floor = self.floor(entry.workspace_id())?;
        if let Some(id) = entry.id()
            && let Some(first) = self.first_with(entry.workspace_id(), id, floor)?
        {
            return Ok(first);
        }
        let seq = self.head.last_seq + 1;
        let ts = if now >= self.head.last_ts {
            now
        } else {
            self.head.last_ts.successor()
        };
        let id = entry
            .id()
            .cloned()
            .unwrap_or_else(|| EntryId::fresh(uuid::Uuid::now_v7()));
        let text = ts.text();
        let text = std::str::from_utf8(&text).map_err(|e| StorageError::Other(e.to_string()))?;
        diesel::insert_into(activity_log::table)
            .values(NewRow::new(entry, seq, &id, text))
            .execute(self.conn)
            .map_err(storage)?;
        self.head.last_seq = seq;
        self.head.last_ts = ts;
        Ok(Receipt {
            id,
            seq,
            ts,
            duplicate: false,
        })
    }

    /// The entry that has this id already. One that a clear took out of the book makes room.
    fn first_with(
        &mut self,
        workspace: &WorkspaceId,
        id: &EntryId,
        floor: Floor,
    ) -> Result<Option<Receipt>, StorageError> {
        let held: Option<(Seq, String)> = activity_log::table
            .filter(activity_log::workspace_id.eq(workspace.as_str()))
            .filter(activity_log::id.eq(id.as_str()))
            .select((activity_log::seq, activity_log::ts))
            .first(self.conn)
            .optional()
            .map_err(storage)?;
        match held {
            None => Ok(None),
            Some((seq, ts)) if seq > floor.floor => Ok(Some(Receipt {
                id: id.clone(),
                seq,
                ts: timestamp(&ts)?,
                duplicate: true,
            })),
            Some((seq, _)) => {
                diesel::delete(activity_log::table.find(seq))
                    .execute(self.conn)
                    .map_err(storage)?;
                Ok(None)
            }
        }
    }

    /// Where the workspace begins; its first entry brings it into being.
    fn floor(&mut self, name: &WorkspaceId) -> Result<Floor, StorageError> {
        if let Some(floor) = self.changed.get(name).or_else(|| self.known.get(name)) {
            return Ok(*floor);
        }
        self.set_floor(name.clone(), Floor::default())?;
        Ok(Floor::default())
    }

    fn set_floor(&mut self, name: WorkspaceId, at: Floor) -> Result<(), StorageError> {
        diesel::replace_into(workspace::table)
            .values((
                workspace::workspace_id.eq(name.as_str()),
                workspace::floor_seq.eq(at.floor),
                workspace::swept_seq.eq(at.swept),
            ))
            .execute(self.conn)
            .map_err(storage)?;
        self.changed.insert(name, at);
        Ok(())
    }

    /// Everything of the scope is out of the book; answers how many entries that were.
    fn raise_floors(&mut self, scope: &Scope) -> Result<u64, StorageError> {
        let covered: Vec<(WorkspaceId, Floor)> = self
            .known
            .iter()
            .filter(|(name, _)| scope.covers(name))
            .map(|(name, floor)| (name.clone(), *floor))
            .collect();
        let mut removed = 0;
        for (name, at) in covered {
            removed += self.count_above(&name, at.floor)?;
            let floor = self.head.last_seq;
            self.set_floor(name, Floor { floor, ..at })?;
        }
        Ok(removed)
    }

    fn count_above(&mut self, name: &WorkspaceId, floor: Seq) -> Result<u64, StorageError> {
        let count: i64 = activity_log::table
            .filter(activity_log::workspace_id.eq(name.as_str()))
            .filter(activity_log::seq.gt(floor))
            .count()
            .get_result(self.conn)
            .map_err(storage)?;
        Ok(count.unsigned_abs())
    }

    fn sweep(
        &mut self,
        name: WorkspaceId,
        at: Floor,
        limit: usize,
    ) -> Result<Removed, StorageError> {
        let removed = self.delete_oldest(&name, 0, at.floor, limit)?.0;
        if removed < limit as u64 {
            let swept = at.floor;
            self.set_floor(name, Floor { swept, ..at })?;
        }
        Ok(Removed {
            removed,
            more: removed == limit as u64,
        })
    }

    fn prune(&mut self, step: &PruneStep) -> Result<Removed, StorageError> {
        let Some(at) = self.known.get(&step.workspace).copied() else {
            return Ok(Removed::default());
        };
        let by_age = match step.before {
            Some(before) => bisect::first_from(self.conn, before)? - 1,
            None => 0,
        };
        let by_number = match step.keep {
            Some(keep) => self.first_not_kept(&step.workspace, at.floor, keep)?,
            None => 0,
        };
        let (removed, last) =
            self.delete_oldest(&step.workspace, at.floor, by_age.max(by_number), step.limit)?;
        if let Some(floor) = last {
            // What a clear left for the sweep stays marked as such.
            let swept = if at.swept == at.floor {
                floor
            } else {
                at.swept
            };
            self.set_floor(step.workspace.clone(), Floor { floor, swept })?;
        }
        Ok(Removed {
            removed,
            more: removed == step.limit as u64,
        })
    }

    /// The newest entry that is not among the newest `keep`.
    fn first_not_kept(
        &mut self,
        name: &WorkspaceId,
        floor: Seq,
        keep: u64,
    ) -> Result<Seq, StorageError> {
        let seq: Option<Seq> = activity_log::table
            .filter(activity_log::workspace_id.eq(name.as_str()))
            .filter(activity_log::seq.gt(floor))
            .order(activity_log::seq.desc())
            .offset(i64::try_from(keep).unwrap_or(i64::MAX))
            .select(activity_log::seq)
            .first(self.conn)
            .optional()
            .map_err(storage)?;
        Ok(seq.unwrap_or(0))
    }

    /// Deletes at most `limit` rows of a workspace above `above` and up to `upto`, the oldest first;
    /// answers how many, and the last of them.
    fn delete_oldest(
        &mut self,
        name: &WorkspaceId,
        above: Seq,
        upto: Seq,
        limit: usize,
    ) -> Result<(u64, Option<Seq>), StorageError> {
        if upto <= above {
            return Ok((0, None));
        }
        let seqs: Vec<Seq> = activity_log::table
            .filter(activity_log::workspace_id.eq(name.as_str()))
            .filter(activity_log::seq.gt(above))
            .filter(activity_log::seq.le(upto))
            .order(activity_log::seq.asc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(activity_log::seq)
            .load(self.conn)
            .map_err(storage)?;
        let Some(last) = seqs.last().copied() else {
            return Ok((0, None));
        };
        diesel::delete(
            activity_log::table
                .filter(activity_log::workspace_id.eq(name.as_str()))
                .filter(activity_log::seq.gt(above))
                .filter(activity_log::seq.le(last)),
        )
        .execute(self.conn)
        .map_err(storage)?;
        Ok((seqs.len() as u64, Some(last)))
    }
}
