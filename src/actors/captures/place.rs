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
use std::time::Duration;

/// How often it is looked again where names move.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
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

/// A regular file; what is none is not opened, since a pipe would wait for somebody.
pub fn opened(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    File::open(path)
}

/// The file that the place means. While files are renamed one may be overlooked, so it is looked for again.
pub fn found(place: &Place) -> Option<File> {
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let found = looked_for(place);
        if found.is_some() {
            return found;
        }
    }
    None
}

fn looked_for(place: &Place) -> Option<File> {
    let own = Identity {
        dev: place.dev,
        ino: place.ino,
    };
    let mut copy = None;
    for path in std::iter::once(place.path.clone()).chain(beside(&place.path)) {
        let Ok(file) = opened(&path) else { continue };
        let Ok(metadata) = file.metadata() else {
            continue;
        };
        if !is_there(&file, place) {
            continue;
        }
        if Identity::of(&metadata) == own {
            return Some(file);
        }
        if place.mark.bytes > 0 && path != place.path {
            copy.get_or_insert(file);
        }
    }
    copy
}

/// The file to be read after this one, or after that time where the file is gone: the oldest that was rotated away
/// since, or the one that has the name now. None while there is no such file.
pub fn successor(path: &Path, than: i128, after: Option<Identity>) -> io::Result<Option<File>> {
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let first = newer(path, than, after);
        let file = match opened(first.as_ref().map_or(path, |(_, path)| path)) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(cause),
        };
        // Names may have moved on in the meantime: what was opened must still be what comes next.
        let identity = Identity::of(&file.metadata()?);
        let is_next = match newer(path, than, after) {
            Some((next, _)) => next == identity,
            None => first.is_none(),
        };
        if is_next {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The oldest of what was rotated away after this file, or after that time where the file is gone.
fn newer(path: &Path, than: i128, after: Option<Identity>) -> Option<(Identity, PathBuf)> {
    let rotated = |other: PathBuf| {
        let number = rotation(path, &other)?;
        let metadata = std::fs::metadata(&other).ok()?;
        let order = (written(&metadata), Reverse(number));
        Some((order, Identity::of(&metadata), other))
    };
    let mut rotated: Vec<_> = beside(path).into_iter().filter_map(rotated).collect();
    rotated.sort_by(|one, other| (one.0, &one.2).cmp(&(other.0, &other.2)));
    let is_own = |identity: Identity| Some(identity) == after;
    // Seen under two names, it is the last of them that counts.
    let own = rotated
        .iter()
        .rposition(|(_, identity, _)| is_own(*identity));
    let is_newer = |(at, ((time, _), ..)): &(usize, (Order, Identity, PathBuf))| match own {
        Some(own) => *at > own,
        None => *time > than,
    };
    let mut newer = rotated.into_iter().enumerate().filter(is_newer);
    newer
        .next()
        .map(|(_, (_, identity, path))| (identity, path))
}

/// When it was written to, and the number of its rotation, which is larger for what is older.
type Order = (i128, Reverse<u64>);

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
