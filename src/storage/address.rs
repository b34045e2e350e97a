//! The address of a book, and how it is opened: the backend is chosen by its URL.

use super::replacing::remove_with_companions;
use super::{
    EntryReader, EntryWriter, Importer, Replaced, Request, Reserve, Staged, StorageError, sqlite,
};
use crate::domain::Timestamp;
use std::fs;
use std::os::unix::fs::MetadataExt;
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
        if !path.exists() && !path.is_symlink() {
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

    /// Removes a book in which there is nothing yet, for whoever made it by opening `store`, before anybody else can
    /// open it.
    pub fn unmake(&self, store: Box<dyn EntryWriter>) {
        let Self::Sqlite(path) = self;
        if store.head().last_seq == 0 {
            remove_with_companions(&fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        }
        drop(store);
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

    /// Whether what is written there is written over the book, or over what lies beside it while it is in use.
    pub fn is_taken_by_the_book(&self, path: &Path) -> bool {
        let Self::Sqlite(book) = self;
        let asked = Place::of(path);
        let own = sqlite::own_files(book);
        own.iter().any(|own| asked.is(&Place::of(own)))
    }

    pub fn file(&self) -> &Path {
        let Self::Sqlite(path) = self;
        path
    }
}

/// A file by what it is, where it is there, and by where it stands.
struct Place {
    inode: Option<(u64, u64)>,
    path: Option<PathBuf>,
}

impl Place {
    fn of(path: &Path) -> Self {
        let inode = fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let folder = fs::canonicalize(folder).ok();
        Self {
            inode: inode.ok(),
            path: folder.and_then(|folder| Some(folder.join(path.file_name()?))),
        }
    }

    fn is(&self, other: &Self) -> bool {
        let same_inode = self.inode.is_some() && self.inode == other.inode;
        same_inode || self.path.is_some() && self.path == other.path
    }
}

fn make_folder(book: &Path) -> Result<(), StorageError> {
    let Some(folder) = book.parent() else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(|cause| StorageError::of_making(folder, &cause))
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

    #[test]
    fn the_files_of_the_book_are_known_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.db"), "").unwrap();
        fs::create_dir(at("sub")).unwrap();
        std::os::unix::fs::symlink(at("a.db"), at("link.db")).unwrap();
        fs::hard_link(at("a.db"), at("hard.db")).unwrap();
        let address = Address::Sqlite(at("link.db"));
        for own in [
            "a.db",
            "link.db",
            "hard.db",
            "sub/../a.db",
            "a.db-wal",
            "a.db-shm",
            "link.db.lock",
            "a.db.sock",
            "link.db.reserve",
            "a.db-journal",
        ] {
            assert!(address.is_taken_by_the_book(&at(own)), "{own}");
        }
        for other in ["b.db", "a.db.csv", "sub/a.db", "a.db-walk", "nowhere/a.db"] {
            assert!(!address.is_taken_by_the_book(&at(other)), "{other}");
        }
    }
}
