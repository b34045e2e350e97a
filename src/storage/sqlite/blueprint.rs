//! What a whole book is made of: the tables, indexes and triggers that the migrations make, held against those
//! that a file has. What is in them is `check`'s.

use super::connection::MIGRATIONS;
use super::error;
use crate::storage::StorageError;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::MigrationHarness;
use std::collections::BTreeMap;

/// SQLite's own, and diesel's, are left out.
const PARTS: &str = "SELECT type AS kind, name, coalesce(sql, '') AS sql FROM sqlite_schema \
                     WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB '__*'";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

/// What each part is made with, by its kind and name.
type Parts = BTreeMap<(String, String), String>;

fn parts_of(conn: &mut SqliteConnection) -> Result<Parts, StorageError> {
    let rows: Vec<Row> = diesel::sql_query(PARTS)
        .load(conn)
        .map_err(error::storage)?;
    let parts = rows.into_iter();
    Ok(parts
        .map(|row| ((row.kind, row.name), bare(&row.sql)))
        .collect())
}

/// Without comments, and however it is broken into lines: neither changes what is made.
fn bare(sql: &str) -> String {
    let lines = sql.lines().map(|line| match line.split_once("--") {
        Some((said, _)) => said,
        None => line,
    });
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// A book that the first `migrations` of ours made.
fn made_by(migrations: usize) -> Result<Parts, StorageError> {
    let mut conn = SqliteConnection::establish(":memory:").map_err(error::connection)?;
    for _ in 0..migrations {
        conn.run_next_migration(MIGRATIONS)
            .map_err(|cause| StorageError::Other(cause.to_string()))?;
    }
    parts_of(&mut conn)
}

/// The versions of our migrations.
pub fn known_migrations() -> Result<Vec<String>, StorageError> {
    let migrations: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS
        .migrations()
        .map_err(|cause| StorageError::Other(cause.to_string()))?;
    let versions = migrations.iter().map(|m| m.name().version().to_string());
    Ok(versions.collect())
}

/// The tables that a book has not got, after so many of our migrations.
pub fn missing_tables(
    conn: &mut SqliteConnection,
    migrations: usize,
) -> Result<Vec<String>, StorageError> {
    let held = parts_of(conn)?;
    let missing = made_by(migrations)?.into_keys();
    Ok(missing
        .filter(|part| part.0 == "table" && !held.contains_key(part))
        .map(|(_, name)| name)
        .collect())
}

/// What is not as all of our migrations make it. An index or a table beside ours is no harm; a trigger changes
/// what is written.
pub fn problems(conn: &mut SqliteConnection) -> Result<Vec<String>, StorageError> {
    let held = parts_of(conn)?;
    let made = made_by(known_migrations()?.len())?;
    let mut problems = Vec::new();
    for (part @ (kind, name), sql) in &made {
        match held.get(part) {
            None => problems.push(format!("the {kind} {name} is missing")),
            Some(other) if other != sql => problems.push(format!(
                "the {kind} {name} is not as Daybook makes it: {other}"
            )),
            Some(_) => {}
        }
    }
    let triggers = held.keys().filter(|(kind, _)| kind == "trigger");
    for (_, name) in triggers.filter(|part| !made.contains_key(*part)) {
        problems.push(format!("the trigger {name} is none of Daybook's"));
    }
    Ok(problems)
}
