//! How entries leave the book: floors that are raised at once, and rows that are deleted step by step.

use super::error::storage;
use super::hints::of_workspace;
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
            removed += self.drop_rollups(&name)?;
            let floor = self.head.last_seq;
            self.set_floor(name, Floor { floor, ..at })?;
        }
        Ok(removed)
    }

    pub fn sweep(
        &mut self,
        name: WorkspaceId,
        at: Floor,
        limit: usize,
    ) -> Result<Removed, StorageError> {
        let (removed, last) = self.oldest(&name, 0, at.floor, limit)?;
        if let Some(last) = last {
            self.delete(&name, 0, last)?;
        }
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
        let (removed, last) = self.oldest(&step.workspace, at.floor, step.upto, step.limit)?;
        if let Some(floor) = last {
            self.take_off(&step.workspace, at.floor, floor)?;
            self.delete(&step.workspace, at.floor, floor)?;
            // What a clear left for the sweep stays marked as such.
            let swept = if at.swept == at.floor {
                floor
            } else {
                at.swept
            };
            self.set_floor(step.workspace.clone(), Floor { floor, swept, ..at })?;
        }
        Ok(Removed {
            removed,
            more: removed == step.limit as u64,
        })
    }

    /// How many rows of a workspace, but at most `limit`, are above `above` and up to `upto`; and the last of
    /// them, counted from the oldest.
    fn oldest(
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
            .filter(of_workspace(name.as_str()))
            .filter(activity_log::seq.gt(above))
            .filter(activity_log::seq.le(upto))
            .order(activity_log::seq.asc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(activity_log::seq)
            .load(self.conn)
            .map_err(storage)?;
        Ok((seqs.len() as u64, seqs.last().copied()))
    }

    fn delete(&mut self, name: &WorkspaceId, above: Seq, upto: Seq) -> Result<(), StorageError> {
        let removed = diesel::delete(
            activity_log::table
                .filter(of_workspace(name.as_str()))
                .filter(activity_log::seq.gt(above))
                .filter(activity_log::seq.le(upto)),
        )
        .execute(self.conn)
        .map_err(storage)?;
        self.note_removed(removed, upto)
    }
}
