//! Statements that are always the same words, prepared once. What diesel makes of a plain text is prepared anew
//! each time, which a commit of one entry would feel.

use super::error::storage;
use crate::storage::StorageError;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
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
pub fn run<W: Words>(_: W, conn: &mut SqliteConnection) -> Result<(), StorageError> {
    let done = Fixed::<W>(PhantomData).execute(conn);
    done.map(drop).map_err(storage)
}

struct Fixed<W>(PhantomData<W>);

impl<W: Words> QueryFragment<Sqlite> for Fixed<W> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(W::SQL);
        Ok(())
    }
}

impl<W: Words> QueryId for Fixed<W> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<W: Words> RunQueryDsl<SqliteConnection> for Fixed<W> {}
