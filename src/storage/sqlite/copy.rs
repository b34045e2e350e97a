//! A consistent copy of the whole book, made by SQLite out of one state of it while recording goes on.

use super::check::integrity_problems;
use super::connection::{open_copier, uri};
use super::error::storage;
use super::head::read_head;
use super::inspect::for_reader;
use super::lock::beside;
use crate::domain::Head;
use crate::storage::replacing::remove_with_companions;
use crate::storage::{Copied, StorageError};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fs::File;
use std::path::Path;

/// Under another name until it is whole, checked and on disk; then it takes the name, whatever held it.
pub fn whole_book(book: &Path, to: &Path) -> Result<Copied, StorageError> {
    let part = beside(to, "part");
    let done = copied(book, &part).and_then(|copied| {
        std::fs::rename(&part, to).map_err(io(to))?;
        sync_folder(to)?;
        Ok(copied)
    });
    if done.is_err() {
        remove_with_companions(&part);
    }
    done
}

fn copied(book: &Path, part: &Path) -> Result<Copied, StorageError> {
    remove_with_companions(part);
    vacuum_into(&mut open_copier(book, for_reader(book))?, part)?;
    let head = checked(part)?;
    Ok(Copied {
        head,
        bytes: synced(part)?,
    })
}

/// One state of the book, however long that takes, into a file that is not there yet.
pub fn vacuum_into(conn: &mut SqliteConnection, to: &Path) -> Result<(), StorageError> {
    if to.to_str().is_none() {
        let what = format!("{}: the name is not UTF-8", to.display());
        return Err(StorageError::Io(what));
    }
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(uri(to, "mode=rwc"))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

fn checked(copy: &Path) -> Result<Head, StorageError> {
    let mut conn = open_copier(copy, "mode=ro&immutable=1")?;
    match integrity_problems(&mut conn, "quick_check")?
        .into_iter()
        .next()
    {
        None => read_head(&mut conn),
        Some(problem) => Err(StorageError::Corrupt(format!("the copy: {problem}"))),
    }
}

/// On disk, and how large it is. SQLite has not got it open.
pub fn synced(file: &Path) -> Result<u64, StorageError> {
    let open = File::open(file).map_err(io(file))?;
    open.sync_all().map_err(io(file))?;
    Ok(open.metadata().map_err(io(file))?.len())
}

/// What was renamed in it stays so.
pub fn sync_folder(of: &Path) -> Result<(), StorageError> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let open = File::open(folder).map_err(io(folder))?;
    open.sync_all().map_err(io(folder))
}

pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StorageError {
    let path = path.to_owned();
    move |cause| match cause.kind() {
        std::io::ErrorKind::StorageFull => StorageError::Full,
        _ => StorageError::Io(format!("{}: {cause}", path.display())),
    }
}
