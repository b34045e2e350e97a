//! How entries leave the book: floors that are raised at once, and rows that are deleted step by step.

use super::bisect;
use super::error::storage;
use super::schema::activity_log;
use super::transaction::{Floor, Transaction};
use crate::access::Scope;
use crate::domain::{Seq, WorkspaceId};
use crate::storage::{PruneStep, Removed, StorageError};
use diesel::prelude::*;

impl Transaction<'_> {
    /// Everything of the scope is out of the book; answers how many entries that were.
    pub fn raise_floors(&mut self, scope: &Scope) -> Result<u64, StorageError> {
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

    pub fn sweep(
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

    pub fn prune(&mut self, step: &PruneStep) -> Result<Removed, StorageError> {
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
