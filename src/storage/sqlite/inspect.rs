//! What a file is before it is opened for writing. Nothing is changed here: a file that is not ours, or
//! that is damaged, is left exactly as it was found.

use super::connection::{APPLICATION_ID, MIGRATIONS, uri};
use super::error;
use crate::storage::StorageError;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use std::path::Path;

/// Refuses what is not a book of this version or an older one; a missing or empty file will become one.
pub fn refuse_what_is_not_a_book(path: &Path) -> Result<(), StorageError> {
    match std::fs::metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => {
            return Err(not_a_book(
                path,
                cause.to_string(),
                "Check the path and its rights",
            ));
        }
        Ok(meta) if !meta.is_file() => {
            return Err(not_a_book(
                path,
                "is not a file".into(),
                "Set storage.url to a file",
            ));
        }
        Ok(meta) if meta.len() == 0 => return Ok(()),
        Ok(_) => {}
    }
    look_inside(path).map_err(|cause| match cause {
        StorageError::Corrupt(found) if found.contains("not a database") => not_a_book(
            path,
            "is not an SQLite file".into(),
            "Set storage.url to another file, or move this one away",
        ),
        StorageError::Corrupt(found) => not_a_book(
            path,
            format!("is damaged: {found}"),
            "Nothing was changed. Keep a copy of it and of the files beside it, see `daybook check`, and \
             restore the last backup",
        ),
        other => other,
    })
}

fn look_inside(path: &Path) -> Result<(), StorageError> {
    let mut conn =
        SqliteConnection::establish(&uri(path, read_only(path))).map_err(error::connection)?;
    let id: i32 = pragma(&mut conn, "application_id")?;
    if id != APPLICATION_ID {
        return refuse_foreign(&mut conn, path, id);
    }
    refuse_newer(&mut conn, path)?;
    touch(&mut conn)
}

/// Without a WAL beside it nothing else has the file open, and SQLite need not make one to read it.
fn read_only(path: &Path) -> &'static str {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    if Path::new(&wal).exists() {
        "mode=ro"
    } else {
        "mode=ro&immutable=1"
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    value: i32,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn pragma(conn: &mut SqliteConnection, name: &str) -> Result<i32, StorageError> {
    let query = format!("SELECT {name} AS value FROM pragma_{name}");
    let row: Number = diesel::sql_query(query)
        .get_result(conn)
        .map_err(error::storage)?;
    Ok(row.value)
}

fn refuse_foreign(conn: &mut SqliteConnection, path: &Path, id: i32) -> Result<(), StorageError> {
    let tables: Vec<Name> = diesel::sql_query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name LIMIT 5",
    )
    .load(conn)
    .map_err(error::storage)?;
    if tables.is_empty() && id == 0 {
        return Ok(());
    }
    let names: Vec<String> = tables.into_iter().map(|table| table.name).collect();
    Err(not_a_book(
        path,
        format!(
            "is the SQLite file of another program (tables: {})",
            names.join(", ")
        ),
        "Set storage.url to another file",
    ))
}

fn refuse_newer(conn: &mut SqliteConnection, path: &Path) -> Result<(), StorageError> {
    let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = MIGRATIONS
        .migrations()
        .map_err(|cause| StorageError::Other(cause.to_string()))?;
    let known: Vec<String> = migrations
        .iter()
        .map(|m| m.name().version().to_string())
        .collect();
    let held: Vec<Name> =
        diesel::sql_query("SELECT version AS name FROM __diesel_schema_migrations")
            .load(conn)
            .map_err(error::storage)?;
    match held.into_iter().find(|row| !known.contains(&row.name)) {
        None => Ok(()),
        Some(newer) => Err(not_a_book(
            path,
            format!("was written by a newer Daybook (schema {})", newer.name),
            "Install that version, or a newer one",
        )),
    }
}

/// Reads both ends of the book, and its head. A file that was cut shows here without reading all of it;
/// `daybook check` reads all.
fn touch(conn: &mut SqliteConnection) -> Result<(), StorageError> {
    for order in ["ASC", "DESC"] {
        let rows = format!("SELECT id AS name FROM activity_log ORDER BY seq {order} LIMIT 1");
        let _: Vec<Name> = diesel::sql_query(rows).load(conn).map_err(error::storage)?;
    }
    Ok(())
}

fn not_a_book(path: &Path, found: String, advice: &str) -> StorageError {
    StorageError::NotABook {
        path: path.to_owned(),
        found,
        advice: advice.to_owned(),
    }
}
