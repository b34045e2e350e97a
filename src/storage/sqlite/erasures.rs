//! Who is being erased. Readers see them blanked from the commit on; the rows follow behind, step by step, and
//! at the end nothing in the file or beside it holds the name, this list included.

use super::error::storage;
use super::facts::FactRow;
use super::hints::of_workspace;
use super::rollup::{add, subtract};
use super::rows::EntryRow;
use super::schema::{activity_log, erasure, rollup};
use super::tally::{Grain, Key};
use super::transaction::Transaction;
use super::{automations, board};
use crate::access::Scope;
use crate::domain::erasure::{ERASED, loosened};
use crate::domain::{Dimension, Erasure, Filter, Seq, Stored, WorkspaceId};
use crate::storage::StorageError;
use diesel::prelude::*;

/// One that is in the file.
#[derive(Debug, Clone)]
pub struct Waiting {
    id: i64,
    /// Its name is empty when no row holds it any more.
    pub erasure: Erasure,
    /// The rows up to here do not hold it.
    pub done: Seq,
}

impl Waiting {
    /// No row holds it any more, but what was written before may be in the WAL or in freed pages.
    pub fn is_in_no_row(&self) -> bool {
        self.erasure.name().is_empty()
    }
}

/// In the order in which they were asked for.
pub fn waiting(conn: &mut SqliteConnection) -> Result<Vec<Waiting>, StorageError> {
    type Row = (i64, String, String, Seq, Seq);
    let rows: Vec<Row> = erasure::table
        .order(erasure::id.asc())
        .load(conn)
        .map_err(storage)?;
    let of_row = |(id, workspace, name, upto, done): Row| {
        let workspace = (!workspace.is_empty()).then(|| WorkspaceId::trusted(workspace));
        Waiting {
            id,
            erasure: Erasure::new(workspace, name, upto),
            done,
        }
    };
    Ok(rows.into_iter().map(of_row).collect())
}

/// What a reader must not show.
#[derive(Debug, Clone, Default)]
pub struct Erasures(Vec<Erasure>);

impl Erasures {
    /// Those that touch the scope.
    pub fn of(conn: &mut SqliteConnection, scope: &Scope) -> Result<Self, StorageError> {
        let touches = |one: &Waiting| {
            let both = one.erasure.workspace.as_ref().zip(scope.workspace());
            !one.is_in_no_row() && both.is_none_or(|(erased, seen)| erased == seen)
        };
        let held = waiting(conn)?.into_iter().filter(touches);
        Ok(Self(held.map(|one| one.erasure).collect()))
    }

    pub fn all(conn: &mut SqliteConnection) -> Result<Self, StorageError> {
        Self::of(conn, &Scope::for_the_daemon())
    }

    /// The filter to search by, when each row that is found is to be blanked and judged by the real one.
    pub fn loosen(&self, filter: &Filter) -> Option<Filter> {
        let bears = self.0.iter().any(|one| one.bears_on(filter));
        bears.then(|| loosened(filter))
    }

    pub fn blank(&self, stored: &mut Stored) {
        for one in &self.0 {
            one.blank(stored);
        }
    }

    pub fn blank_facts(&self, rows: &mut [FactRow]) {
        for one in &self.0 {
            rows.iter_mut().for_each(|row| row.blank(one));
        }
    }
}

impl Transaction<'_> {
    /// Nobody sees `actor` any more in the scope, up to the newest entry; answers how many entries that was
    /// the actor of.
    pub fn erase(&mut self, scope: &Scope, actor: &str) -> Result<u64, StorageError> {
        // So that the roll-ups cover all that is erased.
        self.roll()?;
        let covered: Vec<WorkspaceId> = self
            .known
            .keys()
            .filter(|name| scope.covers(name))
            .cloned()
            .collect();
        let mut entries = 0;
        for name in covered {
            entries += self.move_counts(name.as_str(), actor)?;
        }
        board::forget(self.conn, scope, actor)?;
        automations::forget(self.conn, scope, actor)?;
        let workspace = scope.workspace().map_or("", WorkspaceId::as_str);
        diesel::insert_into(erasure::table)
            .values((
                erasure::workspace_id.eq(workspace),
                erasure::actor.eq(actor),
                erasure::upto_seq.eq(self.head.last_seq),
                erasure::done_seq.eq(0),
            ))
            .execute(self.conn)
            .map_err(storage)?;
        Ok(entries)
    }

    /// What was counted as the actor's is counted as nobody's.
    fn move_counts(&mut self, workspace: &str, actor: &str) -> Result<u64, StorageError> {
        let dimension = Dimension::Actor as usize;
        let mut entries = 0;
        for grain in Grain::ALL {
            let counts: Vec<(i64, i64)> = rollup::table
                .filter(rollup::workspace_id.eq(workspace))
                .filter(rollup::grain.eq(grain as i64))
                .filter(rollup::dimension.eq(dimension as i64))
                .filter(rollup::value.eq(actor))
                .select((rollup::start, rollup::count))
                .load(self.conn)
                .map_err(storage)?;
            for (start, count) in counts {
                let of = |value| Key {
                    workspace,
                    grain,
                    dimension,
                    start,
                    value,
                };
                subtract(self.conn, of(actor), count)?;
                add(self.conn, of(ERASED), count)?;
                if grain == Grain::Total {
                    entries += count.unsigned_abs();
                }
            }
        }
        Ok(entries)
    }

    /// Looks at the next `limit` rows, and blanks those that hold the name. Answers how many those were.
    pub fn erase_rows(&mut self, one: &Waiting, limit: usize) -> Result<u64, StorageError> {
        let erased = &one.erasure;
        let mut rows = activity_log::table
            .filter(activity_log::seq.gt(one.done))
            .filter(activity_log::seq.le(erased.upto))
            .into_boxed();
        if let Some(workspace) = &erased.workspace {
            rows = rows.filter(of_workspace(workspace.as_str()));
        }
        let rows: Vec<EntryRow> = rows
            .order(activity_log::seq.asc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(EntryRow::as_select())
            .load(self.conn)
            .map_err(storage)?;
        let last = rows.last().map(|row| row.seq);
        let is_full = rows.len() == limit;
        let mut blanked = 0;
        for row in rows {
            // One that cannot be read is for `daybook check` to tell of.
            if let Ok(mut stored) = row.stored()
                && erased.blank(&mut stored)
            {
                self.rewrite(&stored)?;
                blanked += 1;
            }
        }
        match last.filter(|_| is_full) {
            Some(done) => self.came_to(one, erased.name(), done)?,
            None => self.came_to(one, "", erased.upto)?,
        }
        Ok(blanked)
    }

    fn rewrite(&mut self, Stored { seq, entry }: &Stored) -> Result<(), StorageError> {
        diesel::update(activity_log::table.find(seq))
            .set((
                activity_log::actor.eq(&entry.actor),
                activity_log::entity_id.eq(&entry.entity_id),
                activity_log::entity_name.eq(&entry.entity_name),
                activity_log::message.eq(&entry.message),
                activity_log::metadata.eq(entry.metadata.as_str()),
                activity_log::ip_address.eq(&entry.ip_address),
                activity_log::user_agent.eq(&entry.user_agent),
            ))
            .execute(self.conn)
            .map(drop)
            .map_err(storage)
    }

    fn came_to(&mut self, one: &Waiting, name: &str, done: Seq) -> Result<(), StorageError> {
        diesel::update(erasure::table.find(one.id))
            .set((erasure::actor.eq(name), erasure::done_seq.eq(done)))
            .execute(self.conn)
            .map(drop)
            .map_err(storage)
    }

    /// Nothing holds the name any more.
    pub fn forget_erasure(&mut self, one: &Waiting) -> Result<(), StorageError> {
        diesel::delete(erasure::table.find(one.id))
            .execute(self.conn)
            .map(drop)
            .map_err(storage)
    }
}
