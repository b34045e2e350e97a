//! Where a follower of files stands, as the book keeps it, and how the file that it means is found again: under
//! its name, renamed, or as the copy that was made of it before it was emptied.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Bytes before a place by which it is known again.
pub const MARK: usize = 64;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What is followed; another path in the configuration begins anew.
    pub path: PathBuf,
    pub dev: u64,
    pub ino: u64,
    /// When the file was last written to, as far as it was read; nanoseconds.
    pub written: i128,
    pub offset: u64,
    /// Within a line that was cut.
    pub skipping: bool,
    pub mark: Mark,
}

/// What stands before a place, so that another content at the same place is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub bytes: usize,
    pub sha256: String,
}

impl Mark {
    pub fn of(before: &[u8]) -> Self {
        let bytes = &before[before.len().saturating_sub(MARK)..];
        let hash = Sha256::digest(bytes);
        let hex = |byte: &u8| format!("{byte:02x}");
        Self {
            bytes: bytes.len(),
            sha256: hash.iter().take(16).map(hex).collect(),
        }
    }
}

/// Which file it is, and when it was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub dev: u64,
    pub ino: u64,
}

impl Identity {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
        }
    }
}

pub fn written(metadata: &Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}

/// The bytes before `offset`, where the file goes so far.
pub fn before(file: &File, offset: u64) -> io::Result<Option<Vec<u8>>> {
    let bytes = offset.min(MARK as u64);
    if file.metadata()?.len() < offset {
        return Ok(None);
    }
    let mut held = vec![0; usize::try_from(bytes).unwrap_or(MARK)];
    match file.read_exact_at(&mut held, offset - bytes) {
        Ok(()) => Ok(Some(held)),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Whether the file holds at the place what stood there when it was kept.
fn is_there(file: &File, place: &Place) -> bool {
    let Ok(Some(held)) = before(file, place.offset) else {
        return false;
    };
    held.len() >= place.mark.bytes && Mark::of(&held[held.len() - place.mark.bytes..]) == place.mark
}

/// The file that the place means, opened.
pub fn found(place: &Place) -> Option<PathBuf> {
    let beside = beside(&place.path);
    let all = || std::iter::once(&place.path).chain(&beside);
    let same = |path: &&PathBuf| {
        File::open(path).is_ok_and(|file| {
            let identity = file.metadata().map(|metadata| Identity::of(&metadata));
            let own = Identity {
                dev: place.dev,
                ino: place.ino,
            };
            identity.is_ok_and(|identity| identity == own) && is_there(&file, place)
        })
    };
    let copied = |path: &&PathBuf| {
        place.mark.bytes > 0 && File::open(path).is_ok_and(|file| is_there(&file, place))
    };
    let found = all().find(same).or_else(|| beside.iter().find(copied));
    found.cloned()
}

/// What was rotated away after this file, or after that time where the file is gone; the oldest first.
pub fn newer(path: &Path, than: i128, after: Option<Identity>) -> Vec<PathBuf> {
    let rotated = |other: PathBuf| {
        let number = rotation(path, &other)?;
        let metadata = std::fs::metadata(&other).ok()?;
        let order = (written(&metadata), Reverse(number));
        Some((order, Identity::of(&metadata), other))
    };
    let mut rotated: Vec<_> = beside(path).into_iter().filter_map(rotated).collect();
    rotated.sort_by(|one, other| (one.0, &one.2).cmp(&(other.0, &other.2)));
    let own = rotated
        .iter()
        .position(|(_, identity, _)| Some(*identity) == after);
    let newer = rotated
        .into_iter()
        .enumerate()
        .filter(|(at, ((time, _), ..))| match own {
            Some(own) => *at > own,
            None => *time > than,
        });
    newer.map(|(_, (_, _, path))| path).collect()
}

/// Regular files whose names begin with that of this one.
fn beside(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_beside = |other: &OsStr| {
        other.as_bytes().len() > name.len() && other.as_bytes().starts_with(name.as_bytes())
    };
    let entries = entries
        .flatten()
        .filter(|entry| is_beside(&entry.file_name()));
    let regular = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut paths: Vec<PathBuf> = regular.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The number of a rotation, 0 for a date; none for a name that is of no rotation.
fn rotation(path: &Path, other: &Path) -> Option<u64> {
    let (name, other) = (path.file_name()?.as_bytes(), other.file_name()?.as_bytes());
    let suffix = std::str::from_utf8(other.strip_prefix(name)?).ok()?;
    let suffix = suffix.strip_prefix(['.', '-', '_'])?;
    if suffix == "old" {
        return Some(0);
    }
    let allowed = |c: char| c.is_ascii_digit() || "-._T:Z".contains(c);
    let is_rotation =
        suffix.starts_with(|c: char| c.is_ascii_digit()) && suffix.chars().all(allowed);
    is_rotation.then(|| {
        suffix
            .parse()
            .ok()
            .filter(|number| *number < 100_000)
            .unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rotation_makes_is_taken_for_it() {
        let of = |other: &str| rotation(Path::new("/l/app.log"), &Path::new("/l").join(other));
        assert_eq!(of("app.log.1"), Some(1));
        assert_eq!(of("app.log-20261121"), Some(0));
        assert_eq!(of("app.log.old"), Some(0));
        for other in [
            "app.log.1.gz",
            "app.log.errors",
            "app.log2",
            "app.logs.1",
            "other.log.1",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
