//! Rows of the file, and how they become what the domain speaks of. Private to this backend.

use super::schema::activity_log;
use crate::domain::{
    Action, Category, Entry, EntryId, Metadata, NewEntry, Seq, Severity, Stored, Timestamp,
    WorkspaceId,
};
use crate::storage::StorageError;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
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
    pub fn known(value: T) -> Self {
        Self(Some(value))
    }

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

/// A row to be inserted, borrowed from the new entry, so that a commit copies no text.
///
/// It is a statement of its own and not an `Insertable`: of that the library writes the SQL anew for each
/// row, to find its prepared statement by it, which costs half as much as the insert itself.
pub struct NewRow<'a> {
    seq: Seq,
    texts: [Option<&'a str>; 14],
}

const INSERT: &str = "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, entity_type, \
                      entity_id, entity_name, message, metadata, workspace_id, ip_address, user_agent) VALUES (";

impl<'a> NewRow<'a> {
    pub fn new(entry: &'a NewEntry, seq: Seq, id: &'a EntryId, ts: &'a str) -> Self {
        Self {
            seq,
            // As `INSERT` names them.
            texts: [
                Some(id.as_str()),
                Some(ts),
                Some(entry.category().as_str()),
                Some(entry.action().as_str()),
                Some(entry.severity().as_str()),
                Some(entry.actor()),
                entry.entity_type(),
                entry.entity_id(),
                entry.entity_name(),
                Some(entry.message()),
                Some(entry.metadata().as_str()),
                Some(entry.workspace_id().as_str()),
                entry.ip_address(),
                entry.user_agent(),
            ],
        }
    }
}

impl QueryFragment<Sqlite> for NewRow<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(INSERT);
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        for text in &self.texts {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(text)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// One statement, whatever the row: it is prepared once.
impl QueryId for NewRow<'_> {
    type QueryId = NewRow<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for NewRow<'_> {}
