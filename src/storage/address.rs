//! The address of a book, and how it is opened: the backend is chosen by its URL.

use super::{
    EntryReader, EntryWriter, Importer, Replaced, Request, Reserve, Staged, StorageError, sqlite,
};
use crate::domain::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Sqlite(PathBuf),
}

impl Address {
    /// `sqlite:///absolute/daybook.db` or `sqlite://relative.db`.
    pub fn parse(url: &str) -> Result<Self, StorageError> {
        let refused = |why: &str| Err(StorageError::Address(format!("{url:?} {why}")));
        match url.split_once("://") {
            Some(("sqlite", "")) => refused("names no file"),
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => {
                refused("is a PostgreSQL address, which this version cannot use; use sqlite://…")
            }
            _ => refused("is not like sqlite:///var/lib/daybook/daybook.db"),
        }
    }

    /// The one writer; it holds the book's lock.
    pub fn open_writer(&self) -> Result<Box<dyn EntryWriter>, StorageError> {
        let Self::Sqlite(path) = self;
        make_folder(path)?;
        Ok(Box::new(sqlite::open_writer(path)?))
    }

    /// A reader of a book that exists.
    pub fn open_reader(&self, readers: u32) -> Result<Arc<dyn EntryReader>, StorageError> {
        let Self::Sqlite(path) = self;
        if !path.exists() {
            return Err(StorageError::NotABook {
                path: path.clone(),
                found: "does not exist".into(),
                advice: "`daybook serve` makes it; --config or storage.url may name another".into(),
            });
        }
        Ok(Arc::new(sqlite::open_reader(path, readers)?))
    }

    /// The backup in `file`, checked and ready to take the place of this book, which is not touched.
    pub fn stage(&self, file: &Path) -> Result<Staged, StorageError> {
        let Self::Sqlite(path) = self;
        make_folder(path)?;
        sqlite::stage(path, file)
    }

    /// A book for the lines of an export, with all that this one holds beside its entries. The caller
    /// holds this one's writer.
    pub fn stage_import(&self) -> Result<Box<dyn Importer>, StorageError> {
        let Self::Sqlite(path) = self;
        Ok(Box::new(sqlite::SqliteImporter::new(path)?))
    }

    /// As `EntryWriter::replace`, where there is no book, or one that cannot be opened.
    pub fn install(
        &self,
        now: Timestamp,
        with: &Staged,
        record: &Request,
    ) -> Result<Replaced, StorageError> {
        let Self::Sqlite(path) = self;
        sqlite::install(path, now, with, record)
    }

    /// Where the daemon that writes this book listens for commands on this machine.
    pub fn control_socket(&self) -> PathBuf {
        let Self::Sqlite(path) = self;
        sqlite::control_socket(path)
    }

    /// The room beside the book that is given up when the disk is full.
    pub fn reserve(&self) -> Reserve {
        let Self::Sqlite(path) = self;
        Reserve::at(sqlite::reserve(path))
    }

    pub fn file(&self) -> &Path {
        let Self::Sqlite(path) = self;
        path
    }
}

fn make_folder(book: &Path) -> Result<(), StorageError> {
    let Some(folder) = book.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|cause| StorageError::of_making(folder, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_absolute_or_relative() {
        let path = |url| Address::parse(url).map(|address| address.file().to_owned());
        assert_eq!(path("sqlite:///var/a.db"), Ok(PathBuf::from("/var/a.db")));
        assert_eq!(path("sqlite://data/a.db"), Ok(PathBuf::from("data/a.db")));
        for url in ["sqlite://", "a.db", "mysql://x", "postgres://x/y"] {
            assert!(matches!(path(url), Err(StorageError::Address(_))), "{url}");
        }
    }
}
