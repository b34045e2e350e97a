//! A transaction of the writer: what it commits and how numbers, times and ids are given. What is removed
//! is in `removal`.

use super::error::storage;
use super::rows::{NewRow, timestamp};
use super::schema::{activity_log, setting, workspace};
use super::sign_ins;
use super::tally::Tally;
use super::{automations, board, cursors, devices, keys, workspaces};
use crate::domain::vocabulary::passes_when_off;
use crate::domain::workspace::MOST_WORKSPACES;
use crate::domain::{
    Act, EntryId, Head, NewEntry, Reach, Receipt, Seq, Timestamp, Workspace, WorkspaceId,
};
use crate::storage::{Imported, Request, StorageError};
use diesel::prelude::*;
use std::collections::HashMap;

/// Where a workspace begins.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Floor {
    /// Nothing at or below it is in the book.
    pub floor: Seq,
    /// Nothing at or below it is in the file either.
    pub swept: Seq,
    /// It takes nothing but what the daemon says of the book itself.
    pub is_archived: bool,
}

/// A transaction that is under way.
pub struct Transaction<'a> {
    pub conn: &'a mut SqliteConnection,
    pub head: Head,
    pub known: &'a HashMap<WorkspaceId, Floor>,
    pub changed: HashMap<WorkspaceId, Floor>,
    /// What was committed above `rolled`, the number up to which the roll-ups cover the book.
    pub tally: &'a Tally,
    pub rolled: Seq,
}

impl Transaction<'_> {
    pub fn request(
        &mut self,
        now: Timestamp,
        request: &Request,
    ) -> Result<Vec<Receipt>, StorageError> {
        for act in &request.acts {
            self.act(now, act)?;
        }
        request
            .entries
            .iter()
            .map(|entry| self.entry(now, entry))
            .collect()
    }

    fn act(&mut self, now: Timestamp, act: &Act) -> Result<(), StorageError> {
        match act {
            Act::PutKey(key) => {
                // A workspace comes into being with its first key as with its first entry.
                if let Reach::One(name) = &key.reach {
                    self.floor(name, Some(now))?;
                }
                return keys::put(self.conn, key);
            }
            Act::KeyUsed { id, used } => return keys::used(self.conn, id, used),
            Act::PutSignIn(sign_in) => return sign_ins::put(self.conn, sign_in),
            Act::SignInUsed { token, at } => return sign_ins::used(self.conn, token, *at),
            Act::EndSignIns(tokens) => return sign_ins::end(self.conn, tokens),
            Act::PutWorkspace(put) => return self.put_workspace(now, put),
            Act::PutOnBoard { at, value } => return board::put(self.conn, at, value),
            Act::TakeOffBoard { at } => return board::take(self.conn, at),
            Act::PutDevice(device) => return devices::put(self.conn, device),
            Act::RemoveDevice { id } => return devices::remove(self.conn, id),
            Act::PutCursor {
                name,
                former,
                value,
            } => return cursors::put(self.conn, name, former.as_deref(), value),
            Act::PutRule { .. }
            | Act::RemoveRule { .. }
            | Act::PutStanding { .. }
            | Act::ReadUpTo { .. }
            | Act::PutDelivery(_)
            | Act::RemoveDelivery { .. } => return automations::act(self.conn, act),
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
        let floor = self.floor(entry.workspace_id(), Some(now))?;
        if floor.is_archived && !passes_when_off(entry.category().as_str(), entry.action().as_str())
        {
            return Err(StorageError::Archived(entry.workspace_id().clone()));
        }
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
        self.insert(entry, seq, &id, ts)?;
        Ok(Receipt {
            id,
            seq,
            ts,
            duplicate: false,
        })
    }

    /// An entry that brings its own id and time; `false` when its id is taken.
    pub fn import(&mut self, line: &Imported) -> Result<bool, StorageError> {
        let Imported { entry, ts } = line;
        let floor = self.floor(entry.workspace_id(), None)?;
        let id = match entry.id() {
            Some(id) => id.clone(),
            None => EntryId::fresh(uuid::Uuid::now_v7()),
        };
        if self.first_with(entry.workspace_id(), &id, floor)?.is_some() {
            return Ok(false);
        }
        self.insert(entry, self.head.last_seq + 1, &id, *ts)?;
        Ok(true)
    }

    fn insert(
        &mut self,
        entry: &NewEntry,
        seq: Seq,
        id: &EntryId,
        ts: Timestamp,
    ) -> Result<(), StorageError> {
        let text = ts.text();
        let text = std::str::from_utf8(&text).map_err(|e| StorageError::Other(e.to_string()))?;
        NewRow::new(entry, seq, id, text)
            .execute(self.conn)
            .map_err(storage)?;
        self.head.last_seq = seq;
        self.head.last_ts = ts;
        Ok(())
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
                let removed = diesel::delete(activity_log::table.find(seq))
                    .execute(self.conn)
                    .map_err(storage)?;
                self.note_removed(removed, seq)?;
                Ok(None)
            }
        }
    }

    /// Where the workspace begins; its first entry, or its first key, brings it into being.
    pub fn floor(
        &mut self,
        name: &WorkspaceId,
        created: Option<Timestamp>,
    ) -> Result<Floor, StorageError> {
        if let Some(floor) = self.changed.get(name).or_else(|| self.known.get(name)) {
            return Ok(*floor);
        }
        let new = |name: &&WorkspaceId| !self.known.contains_key(*name);
        if self.known.len() + self.changed.keys().filter(new).count() >= MOST_WORKSPACES {
            return Err(StorageError::TooManyWorkspaces);
        }
        let floor = Floor::default();
        workspaces::make(self.conn, name, created)?;
        self.changed.insert(name.clone(), floor);
        Ok(floor)
    }

    pub fn set_floor(&mut self, name: WorkspaceId, at: Floor) -> Result<(), StorageError> {
        diesel::update(workspace::table.find(name.as_str()))
            .set((
                workspace::floor_seq.eq(at.floor),
                workspace::swept_seq.eq(at.swept),
            ))
            .execute(self.conn)
            .map_err(storage)?;
        self.changed.insert(name, at);
        Ok(())
    }

    fn put_workspace(&mut self, now: Timestamp, put: &Workspace) -> Result<(), StorageError> {
        let at = self.floor(&put.name, Some(now))?;
        workspaces::put(self.conn, put)?;
        let is_archived = put.archived.is_some();
        self.changed
            .insert(put.name.clone(), Floor { is_archived, ..at });
        Ok(())
    }
}
