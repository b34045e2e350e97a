//! What a file is before it is opened as a book. Nothing is changed here: a file that is not ours, or
//! that is damaged, is left exactly as it was found.

use super::blueprint;
use super::connection::{APPLICATION_ID, pragma, uri};
use super::error;
use super::head::read_head;
use super::schema::activity_log;
use super::swap::{real, with_suffix};
use crate::domain::Seq;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_types::Text;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use std::path::Path;

/// Where diesel notes which migrations have run.
const MIGRATIONS_TABLE: &str = "__diesel_schema_migrations";

/// What a file is that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file, an empty one, or one whose making was cut short: it will become a book.
    Nothing,
    /// A book that an older version left.
    Older,
    Current,
}

/// Refuses what is not a book of this version or an older one, and one that nobody may go on writing.
pub fn look(path: &Path) -> Result<Found, StorageError> {
    examine(path, look_inside_for_writing)
}

fn examine(
    path: &Path,
    look_inside: fn(&mut SqliteConnection, &Path) -> Result<Found, StorageError>,
) -> Result<Found, StorageError> {
    let refuse = |found: String, advice| Err(not_a_book(path, found, advice));
    match std::fs::metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return match std::fs::read_link(path) {
                Err(_) => Ok(Found::Nothing),
                Ok(to) => refuse(
                    format!("is a link to {}, where there is nothing", to.display()),
                    "Set storage.url to the book itself, or have the link lead to it",
                ),
            };
        }
        Err(cause) => return refuse(cause.to_string(), "Check the path and its rights"),
        Ok(meta) if !meta.is_file() => {
            return refuse("is not a file".into(), "Set storage.url to a file");
        }
        Ok(meta) if meta.len() == 0 => return Ok(Found::Nothing),
        Ok(_) => {}
    }
    open(path).and_then(|mut conn| look_inside(&mut conn, path)).map_err(|cause| match cause {
        StorageError::Corrupt(found) if found.contains("not a database") => not_a_book(
            path,
            "is not an SQLite file".into(),
            "Set storage.url to another file, or move this one away",
        ),
        StorageError::Corrupt(found) => not_a_book(
            path,
            format!("is damaged: {found}"),
            "Nothing was changed. Keep a copy of it and of the files beside it, and restore the last backup",
        ),
        // SQLite says this of rights too, and not of a disk that fails.
        StorageError::Io(found) if found.contains("unable to open") => not_a_book(
            path,
            format!("cannot be opened: {found}"),
            "Check its rights and those of its folder",
        ),
        other => other,
    })
}

/// For whoever goes on writing it.
pub fn look_for_writing(path: &Path) -> Result<(), StorageError> {
    look(path)?;
    let book = real(path);
    for file in ["", "-wal", "-shm"].map(|suffix| with_suffix(&book, suffix)) {
        match allowed(&file, Access::READ_OK | Access::WRITE_OK) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(cause) => {
                let found = format!("may not be written: {}", std::io::Error::from(cause));
                let advice = "Check its rights, and how its file system is mounted";
                return Err(not_a_book(&file, found, advice));
            }
        }
    }
    Ok(())
}

/// For whoever only reads, and so can neither make a book nor bring one up to date.
pub fn look_for_reading(path: &Path) -> Result<(), StorageError> {
    match examine(path, look_inside)? {
        Found::Current => Ok(()),
        Found::Nothing => Err(not_a_book(
            path,
            "there is no book yet".into(),
            "Start `daybook serve` once to make one, or check storage.url",
        )),
        Found::Older => Err(not_a_book(
            path,
            "was left by an older Daybook".into(),
            "Start `daybook serve` once to bring it up to date",
        )),
    }
}

fn open(path: &Path) -> Result<SqliteConnection, StorageError> {
    let mut conn =
        SqliteConnection::establish(&uri(path, read_only(path))).map_err(error::connection)?;
    // Whoever closes a book holds it for itself for a moment.
    conn.batch_execute("PRAGMA busy_timeout = 5000")
        .map_err(error::storage)?;
    Ok(conn)
}

fn look_inside_for_writing(
    conn: &mut SqliteConnection,
    path: &Path,
) -> Result<Found, StorageError> {
    let found = look_inside(conn, path)?;
    // An older one may have no head yet.
    if found == Found::Current {
        refuse_entries_of_others(conn, path)?;
    }
    Ok(found)
}

fn look_inside(conn: &mut SqliteConnection, path: &Path) -> Result<Found, StorageError> {
    let id = pragma(conn, "application_id")?;
    let tables = names(
        conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY name",
    )?;
    if tables.is_empty() && (id == 0 || id == APPLICATION_ID) {
        return Ok(Found::Nothing);
    }
    if id != APPLICATION_ID {
        return Err(foreign(path, &tables));
    }
    if !tables.iter().any(|name| name == MIGRATIONS_TABLE) {
        return Err(missing(MIGRATIONS_TABLE));
    }
    // The migrations commit one by one, each with its tables.
    let (known, held) = compare_schema(conn, path)?;
    if held == 0 {
        return Ok(Found::Nothing);
    }
    let missed = blueprint::missing_tables(conn, held)?;
    if !missed.is_empty() {
        return Err(missing(&missed.join(", ")));
    }
    touch(conn)?;
    match held < known {
        true => Ok(Found::Older),
        false => Ok(Found::Current),
    }
}

fn missing(tables: &str) -> StorageError {
    StorageError::Corrupt(format!("without its tables ({tables})"))
}

/// Bytes before the first frame of a WAL.
const WAL_HEADER: u64 = 32;

/// How long the WAL and its index are that lie beside a file, behind links, where SQLite puts them.
fn beside(path: &Path) -> (Option<u64>, Option<u64>) {
    let book = real(path);
    let length = |suffix| {
        let meta = std::fs::metadata(with_suffix(&book, suffix));
        meta.map(|meta| meta.len()).ok()
    };
    (length("-wal"), length("-shm"))
}

/// How to open a file for as long as it is read. Where nothing can be made beside it, as on a medium that is there
/// to be read alone, SQLite is told that nobody writes it; a daemon that did would have a WAL and its index there.
pub fn for_reader(path: &Path) -> &'static str {
    let is_at_rest = matches!(beside(path), (None | Some(0..=WAL_HEADER), None));
    let book = real(path);
    let folder = book.parent().unwrap_or(Path::new("."));
    if is_at_rest && allowed(folder, Access::WRITE_OK).is_err() {
        "mode=ro&immutable=1"
    } else {
        "mode=ro"
    }
}

/// Whether this process may do that there.
fn allowed(path: &Path, access: Access) -> Result<(), Errno> {
    accessat(CWD, path, access, AtFlags::EACCESS)
}

/// How to open a file so that neither it nor anything beside it changes. Without a WAL nothing else has it
/// open, and SQLite need not make one to read it; with one, its index is read and not written.
pub fn read_only(path: &Path) -> &'static str {
    match beside(path) {
        (None, _) | (Some(0), None) => "mode=ro&immutable=1",
        // Cut off after its header, by a kill or a power cut in that moment: without an index that it may
        // write SQLite retries for ten seconds and gives up.
        (Some(WAL_HEADER), Some(_)) => "mode=ro",
        (Some(_), Some(_)) => "mode=ro&readonly_shm=1",
        // The WAL counts, and cannot be read without an index: SQLite makes one.
        (Some(_), None) => "mode=ro",
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(conn: &mut SqliteConnection, query: &str) -> Result<Vec<String>, StorageError> {
    let rows: Vec<Name> = diesel::sql_query(query)
        .load(conn)
        .map_err(error::storage)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

fn foreign(path: &Path, tables: &[String]) -> StorageError {
    let some = &tables[..tables.len().min(5)];
    not_a_book(
        path,
        format!(
            "is the SQLite file of another program (tables: {})",
            some.join(", ")
        ),
        "Set storage.url to another file",
    )
}

/// How many migrations there are, and how many of them made this book.
fn compare_schema(
    conn: &mut SqliteConnection,
    path: &Path,
) -> Result<(usize, usize), StorageError> {
    let known = blueprint::known_migrations()?;
    let held = names(
        conn,
        "SELECT version AS name FROM __diesel_schema_migrations",
    )?;
    match held.iter().find(|version| !known.contains(version)) {
        None => Ok((known.len(), held.len())),
        Some(newer) => Err(not_a_book(
            path,
            format!("was written by a newer Daybook (schema {newer})"),
            "Install that version, or a newer one",
        )),
    }
}

/// Reads both ends of the book. A file that was cut shows here without reading all of it; `daybook check`
/// reads all.
fn touch(conn: &mut SqliteConnection) -> Result<(), StorageError> {
    for order in ["ASC", "DESC"] {
        let end = format!("SELECT id AS name FROM activity_log ORDER BY seq {order} LIMIT 1");
        names(conn, &end)?;
    }
    Ok(())
}

/// The writer moves the head with every entry, so above it are none of its own.
fn refuse_entries_of_others(conn: &mut SqliteConnection, path: &Path) -> Result<(), StorageError> {
    let newest: Option<Seq> = activity_log::table
        .select(max(activity_log::seq))
        .first(conn)
        .map_err(error::storage)?;
    let head = read_head(conn)?.last_seq;
    match newest {
        Some(newest) if newest > head => Err(not_a_book(
            path,
            format!(
                "has entries above the book's head, which stands at {head}, up to {newest}: another program \
                 wrote into it"
            ),
            "Nothing was changed. Restore a backup, or keep the file and `daybook export` what it holds to \
             import that into a new book",
        )),
        _ => Ok(()),
    }
}

fn not_a_book(path: &Path, found: String, advice: &str) -> StorageError {
    StorageError::NotABook {
        path: path.to_owned(),
        found,
        advice: advice.to_owned(),
    }
}
