//! The keys: how they stand in their table.

use super::error::storage;
use super::rows::timestamp;
use super::schema::api_keys;
use crate::domain::key::{FormerSecret, LastUse};
use crate::domain::{Key, KeyLabel, Reach, Rights, SecretHash, Timestamp, WorkspaceId};
use crate::storage::StorageError;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
struct Row {
    label: String,
    id: String,
    secret_sha256: String,
    former_sha256: Option<String>,
    former_until: Option<String>,
    scopes: String,
    workspace_id: Option<String>,
    speaks_for_others: bool,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

pub fn put(conn: &mut SqliteConnection, key: &Key) -> Result<(), StorageError> {
    let row = Row::from(key);
    diesel::insert_into(api_keys::table)
        .values(&row)
        .on_conflict(api_keys::label)
        .do_update()
        .set(&row)
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn used(conn: &mut SqliteConnection, id: &str, used: &LastUse) -> Result<(), StorageError> {
    diesel::update(api_keys::table.filter(api_keys::id.eq(id)))
        .set((
            api_keys::last_used_at.eq(used.at.to_string()),
            api_keys::last_used_from.eq(used.from.as_deref()),
        ))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

type Used = (Option<String>, Option<String>);

pub fn all(conn: &mut SqliteConnection) -> Result<Vec<Key>, StorageError> {
    let rows: Vec<(Row, Used)> = api_keys::table
        .select((
            Row::as_select(),
            (api_keys::last_used_at, api_keys::last_used_from),
        ))
        .order(api_keys::label.asc())
        .load(conn)
        .map_err(storage)?;
    let keys = rows.into_iter().map(|(row, used)| row.key(used));
    keys.collect()
}

impl From<&Key> for Row {
    fn from(key: &Key) -> Self {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            label: key.label.to_string(),
            id: key.id.clone(),
            secret_sha256: key.secret.to_string(),
            former_sha256: key.former.map(|former| former.hash.to_string()),
            former_until: text(key.former.map(|former| former.until)),
            scopes: key.rights.to_string(),
            workspace_id: match &key.reach {
                Reach::All => None,
                Reach::One(name) => Some(name.to_string()),
            },
            speaks_for_others: key.speaks_for_others,
            created_at: key.created.to_string(),
            expires_at: text(key.expires),
            revoked_at: text(key.revoked),
        }
    }
}

impl Row {
    fn key(self, (used_at, used_from): Used) -> Result<Key, StorageError> {
        let wrong = |what: &str| {
            let label = &self.label;
            StorageError::Corrupt(format!("the key {label}: {what} cannot be read"))
        };
        let time = |text: &Option<String>| text.as_deref().map(timestamp).transpose();
        let hash = |text: &str| SecretHash::parse(text).ok_or_else(|| wrong("its hash"));
        let former = match (&self.former_sha256, time(&self.former_until)?) {
            (Some(held), Some(until)) => Some(FormerSecret {
                hash: hash(held)?,
                until,
            }),
            _ => None,
        };
        Ok(Key {
            secret: hash(&self.secret_sha256)?,
            former,
            rights: Rights::parse(self.scopes.split(',')).map_err(|_| wrong("what it may do"))?,
            reach: match &self.workspace_id {
                None => Reach::All,
                Some(name) => Reach::One(WorkspaceId::trusted(name)),
            },
            speaks_for_others: self.speaks_for_others,
            created: timestamp(&self.created_at)?,
            expires: time(&self.expires_at)?,
            revoked: time(&self.revoked_at)?,
            last_used: time(&used_at)?.map(|at| LastUse {
                at,
                from: used_from,
            }),
            label: KeyLabel::trusted(self.label),
            id: self.id,
        })
    }
}
