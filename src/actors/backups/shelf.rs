//! The directory in which backups lie. What is there is what counts: it is read anew each time.

use crate::domain::{BackupName, Timestamp};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

#[derive(Debug, Clone)]
pub struct Shelf {
    dir: PathBuf,
    /// Never taken for a backup, wherever it lies.
    book: PathBuf,
}

/// A backup on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub name: BackupName,
    pub bytes: u64,
    pub created_at: Timestamp,
    /// Made by the daemon itself.
    pub scheduled: bool,
}

impl Shelf {
    /// `dir` as the configuration says: empty for `backups` beside the book.
    pub fn new(dir: &Path, book: &Path) -> Self {
        let beside = || book.parent().unwrap_or(Path::new("")).join("backups");
        Self {
            dir: match dir.as_os_str().is_empty() {
                true => beside(),
                false => dir.to_owned(),
            },
            book: book.to_owned(),
        }
    }

    /// The newest first.
    pub fn list(&self) -> io::Result<Vec<Backup>> {
        let held = match fs::read_dir(&self.dir) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            held => held.map_err(|cause| self.named(&cause))?,
        };
        let mut backups = Vec::new();
        for entry in held {
            let name = entry?.file_name();
            let Some(name) = name.to_str().and_then(|name| BackupName::parse(name).ok()) else {
                continue;
            };
            // One that was removed meanwhile is none.
            backups.extend(self.find(name)?);
        }
        backups.sort_by(|a, b| (b.created_at, &b.name).cmp(&(a.created_at, &a.name)));
        Ok(backups)
    }

    pub fn find(&self, name: BackupName) -> io::Result<Option<Backup>> {
        let meta = match fs::symlink_metadata(self.path(&name)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            meta => meta?,
        };
        let is_book = fs::metadata(&self.book)
            .is_ok_and(|book| book.ino() == meta.ino() && book.dev() == meta.dev());
        if !meta.is_file() || is_book {
            return Ok(None);
        }
        Ok(Some(Backup {
            created_at: name.time().unwrap_or_else(|| modified(&meta)),
            scheduled: name.is_scheduled(),
            bytes: meta.len(),
            name,
        }))
    }

    /// What it holds, and how long it is.
    pub fn open(&self, name: BackupName) -> io::Result<Option<(File, u64)>> {
        let Some(backup) = self.find(name)? else {
            return Ok(None);
        };
        let file = File::open(self.path(&backup.name))?;
        let bytes = file.metadata()?.len();
        Ok(Some((file, bytes)))
    }

    /// False when there was none.
    pub fn remove(&self, name: BackupName) -> io::Result<bool> {
        match self.find(name)? {
            None => Ok(false),
            Some(backup) => fs::remove_file(self.path(&backup.name)).map(|()| true),
        }
    }

    /// Removes what a scheduled backup left that was cut short; only while none is made. What somebody else makes here,
    /// `daybook backup` among them, has another name.
    pub fn clear_parts(&self) -> io::Result<()> {
        let held = match fs::read_dir(&self.dir) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            held => held?,
        };
        for entry in held {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(is_part) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A name that nothing has yet, and the directory it goes into.
    pub fn name_for(&self, now: Timestamp, scheduled: bool) -> io::Result<BackupName> {
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|cause| self.named(&cause))?;
        let mut time = now;
        loop {
            let name = BackupName::made_at(time, scheduled);
            if !self.path(&name).try_exists()? {
                return Ok(name);
            }
            time = time.successor();
        }
    }

    /// So that whoever is told why knows where.
    fn named(&self, cause: &io::Error) -> io::Error {
        io::Error::new(cause.kind(), format!("{}: {cause}", self.dir.display()))
    }

    pub fn path(&self, name: &BackupName) -> PathBuf {
        self.dir.join(name.as_str())
    }
}

/// What SQLite writes before a scheduled backup has its name.
fn is_part(name: &str) -> bool {
    let (name, companion) = name.rsplit_once(".part").unwrap_or_default();
    matches!(companion, "" | "-journal" | "-wal" | "-shm")
        && BackupName::parse(name).is_ok_and(|name| name.is_scheduled())
}

fn modified(meta: &fs::Metadata) -> Timestamp {
    let since = meta.modified().ok();
    let since = since.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let micros = since.map_or(0, |since| since.as_micros());
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// The scheduled ones beyond the newest `keep`, the oldest first. What somebody asked for stays. Those from the future,
/// which a clock that was ahead made, are counted for themselves, so that they push out none of the others.
pub fn beyond(backups: &[Backup], keep: usize, now: Timestamp) -> Vec<BackupName> {
    let scheduled = || backups.iter().filter(|backup| backup.scheduled);
    let ahead = scheduled().filter(|backup| backup.created_at > now);
    let past = scheduled().filter(|backup| backup.created_at <= now);
    let beyond = ahead.skip(keep).chain(past.skip(keep));
    let mut names: Vec<BackupName> = beyond.map(|backup| backup.name.clone()).collect();
    names.reverse();
    names
}
