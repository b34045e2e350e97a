//! Rows of the file, and how they become what the domain speaks of. Private to this backend.

use super::schema::activity_log;
use crate::domain::{
    Action, Category, Entry, EntryId, Metadata, NewEntry, Seq, Severity, Stored, Timestamp,
    WorkspaceId,
};
use crate::storage::StorageError;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};

#[derive(Queryable, Selectable)]
#[diesel(table_name = activity_log, check_for_backend(Sqlite))]
pub struct EntryRow {
    pub seq: Seq,
    id: String,
    ts: Read<Timestamp>,
    category: String,
    action: String,
    severity: Read<Severity>,
    actor: String,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    message: String,
    metadata: String,
    workspace_id: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

/// What a text says, read in place, since an export reads millions of them; `None` when it says nothing
/// that the domain knows.
#[derive(Debug, FromSqlRow)]
pub struct Read<T>(Option<T>);

impl<T: Copy> Read<T> {
    pub fn get(&self) -> Option<T> {
        self.0
    }
}

impl FromSql<Text, Sqlite> for Read<Timestamp> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Timestamp::parse(value.read_text()).ok()))
    }
}

impl FromSql<Text, Sqlite> for Read<Severity> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Severity::parse(value.read_text())))
    }
}

impl EntryRow {
    pub fn stored(self) -> Result<Stored, StorageError> {
        let seq = self.seq;
        let damaged = |what: &str| StorageError::Corrupt(format!("entry {seq}: {what}"));
        Ok(Stored {
            seq,
            entry: Entry {
                id: EntryId::trusted(self.id),
                ts: self.ts.0.ok_or_else(|| damaged("its ts is not a time"))?,
                category: Category::trusted(self.category),
                action: Action::trusted(self.action),
                severity: self
                    .severity
                    .0
                    .ok_or_else(|| damaged("its severity is unknown"))?,
                actor: self.actor,
                entity_type: self.entity_type,
                entity_id: self.entity_id,
                entity_name: self.entity_name,
                message: self.message,
                metadata: Metadata::from_stored(self.metadata)
                    .map_err(|e| damaged(&e.to_string()))?,
                workspace_id: WorkspaceId::trusted(self.workspace_id),
                ip_address: self.ip_address,
                user_agent: self.user_agent,
            },
        })
    }
}

pub fn timestamp(text: &str) -> Result<Timestamp, StorageError> {
    Timestamp::parse(text).map_err(|_| StorageError::Corrupt(format!("{text:?} is not a time")))
}

/// Borrowed from the new entry, so that a commit copies no text. `None` is bound as NULL and not left
/// to the column's default, so that every insert is one and the same prepared statement.
#[derive(Insertable)]
#[diesel(table_name = activity_log, treat_none_as_null = true)]
pub struct NewRow<'a> {
    seq: Seq,
    id: &'a str,
    ts: &'a str,
    category: &'a str,
    action: &'a str,
    severity: &'static str,
    actor: &'a str,
    entity_type: Option<&'a str>,
    entity_id: Option<&'a str>,
    entity_name: Option<&'a str>,
    message: &'a str,
    metadata: &'a str,
    workspace_id: &'a str,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
}

impl<'a> NewRow<'a> {
    pub fn new(entry: &'a NewEntry, seq: Seq, id: &'a EntryId, ts: &'a str) -> Self {
        Self {
            seq,
            id: id.as_str(),
            ts,
            category: entry.category().as_str(),
            action: entry.action().as_str(),
            severity: entry.severity().as_str(),
            actor: entry.actor(),
            entity_type: entry.entity_type(),
            entity_id: entry.entity_id(),
            entity_name: entry.entity_name(),
            message: entry.message(),
            metadata: entry.metadata().as_str(),
            workspace_id: entry.workspace_id().as_str(),
            ip_address: entry.ip_address(),
            user_agent: entry.user_agent(),
        }
    }
}
