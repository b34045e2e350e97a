//! The part of an entry that is counted, read without the rest of it.

use super::rows::Read;
use super::schema::activity_log;
use super::tally::Facts;
use crate::domain::buckets::minute_of;
use crate::domain::erasure::ERASED;
use crate::domain::{Erasure, Seq, Stored, Timestamp};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

#[derive(Queryable, Selectable)]
#[diesel(table_name = activity_log, check_for_backend(Sqlite))]
pub struct FactRow {
    pub seq: Seq,
    ts: Read<Timestamp>,
    severity: String,
    category: String,
    action: String,
    actor: String,
    entity_type: Option<String>,
    workspace_id: String,
}

impl FactRow {
    /// Of one that was judged as a whole.
    pub fn of(Stored { seq, entry }: Stored) -> Self {
        Self {
            seq,
            ts: Read::known(entry.ts),
            severity: entry.severity.as_str().to_owned(),
            category: entry.category.into_string(),
            action: entry.action.into_string(),
            actor: entry.actor,
            entity_type: entry.entity_type,
            workspace_id: entry.workspace_id.into_string(),
        }
    }

    pub fn blank(&mut self, erased: &Erasure) {
        if self.actor == erased.name() && erased.covers(&self.workspace_id, self.seq) {
            ERASED.clone_into(&mut self.actor);
        }
    }

    /// `None` when its time cannot be read; `daybook check` tells of it.
    pub fn facts(&self) -> Option<Facts<'_>> {
        let ts = self.ts.get()?;
        Some(Facts {
            workspace: &self.workspace_id,
            minute: minute_of(ts),
            values: [
                Some(&self.severity),
                Some(&self.category),
                Some(&self.action),
                Some(&self.actor),
                self.entity_type.as_deref(),
            ],
        })
    }
}
