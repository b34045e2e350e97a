//! Statements that are always the same words, prepared once. What diesel makes of a plain text is prepared anew
//! each time, which a commit of one entry would feel.

use super::error::storage;
use crate::storage::StorageError;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use std::marker::PhantomData;

pub trait Words: 'static {
    const SQL: &'static str;
}

pub struct Begin;

impl Words for Begin {
    const SQL: &'static str = "BEGIN IMMEDIATE";
}

pub struct Commit;

impl Words for Commit {
    const SQL: &'static str = "COMMIT";
}

/// Runs a statement that answers nothing.
pub fn run<W: Words>(words: W, conn: &mut SqliteConnection) -> Result<(), StorageError> {
    run_with(words, [], conn)
}

/// The same for one that asks for numbers, a `?` for each.
pub fn run_with<W: Words, const N: usize>(
    _: W,
    numbers: [i64; N],
    conn: &mut SqliteConnection,
) -> Result<(), StorageError> {
    let done = Fixed::<W, N>(numbers, PhantomData).execute(conn);
    done.map(drop).map_err(storage)
}

struct Fixed<W, const N: usize>([i64; N], PhantomData<W>);

impl<W: Words, const N: usize> QueryFragment<Sqlite> for Fixed<W, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut parts = W::SQL.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for (number, part) in self.0.iter().zip(parts) {
            out.push_bind_param::<BigInt, _>(number)?;
            out.push_sql(part);
        }
        Ok(())
    }
}

impl<W: Words, const N: usize> QueryId for Fixed<W, N> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<W: Words, const N: usize> RunQueryDsl<SqliteConnection> for Fixed<W, N> {}
