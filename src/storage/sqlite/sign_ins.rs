//! Who is signed in: how it stands in its table.

use super::error::storage;
use super::rows::timestamp;
use super::schema::sign_ins;
use crate::domain::{SecretHash, SignIn, Timestamp};
use crate::storage::StorageError;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sign_ins)]
struct Row {
    token_sha256: String,
    key_id: String,
    key_sha256: String,
    created_at: String,
    last_used_at: String,
}

pub fn put(conn: &mut SqliteConnection, sign_in: &SignIn) -> Result<(), StorageError> {
    diesel::replace_into(sign_ins::table)
        .values(Row::from(sign_in))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn used(
    conn: &mut SqliteConnection,
    token: &SecretHash,
    at: Timestamp,
) -> Result<(), StorageError> {
    diesel::update(sign_ins::table.find(token.to_string()))
        .set(sign_ins::last_used_at.eq(at.to_string()))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn end(conn: &mut SqliteConnection, tokens: &[SecretHash]) -> Result<(), StorageError> {
    for token in tokens {
        diesel::delete(sign_ins::table.find(token.to_string()))
            .execute(conn)
            .map_err(storage)?;
    }
    Ok(())
}

pub fn end_all(conn: &mut SqliteConnection) -> Result<(), StorageError> {
    let ended = diesel::delete(sign_ins::table).execute(conn);
    ended.map(drop).map_err(storage)
}

pub fn all(conn: &mut SqliteConnection) -> Result<Vec<SignIn>, StorageError> {
    let rows: Vec<Row> = sign_ins::table
        .select(Row::as_select())
        .order(sign_ins::token_sha256.asc())
        .load(conn)
        .map_err(storage)?;
    rows.into_iter().map(Row::sign_in).collect()
}

impl From<&SignIn> for Row {
    fn from(sign_in: &SignIn) -> Self {
        Self {
            token_sha256: sign_in.token.to_string(),
            key_id: sign_in.key_id.clone(),
            key_sha256: sign_in.key_secret.to_string(),
            created_at: sign_in.created.to_string(),
            last_used_at: sign_in.last_used.to_string(),
        }
    }
}

impl Row {
    fn sign_in(self) -> Result<SignIn, StorageError> {
        let hash = |text: &str| {
            let wrong = || StorageError::Corrupt("the hash of a sign-in cannot be read".into());
            SecretHash::parse(text).ok_or_else(wrong)
        };
        Ok(SignIn {
            token: hash(&self.token_sha256)?,
            key_secret: hash(&self.key_sha256)?,
            created: timestamp(&self.created_at)?,
            last_used: timestamp(&self.last_used_at)?,
            key_id: self.key_id,
        })
    }
}
