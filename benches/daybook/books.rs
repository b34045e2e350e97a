//! The books that are measured: large ones are made once and kept, and what is written to is a copy.

use crate::fastapi;
use crate::raw::Connection;
use crate::raw_book::{self, newest_seq};
use crate::report::{number, say};
use crate::rows::{self, Rows};
use crate::subject;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

const SEED: u64 = 7;
/// What lies beside a book while it is open, or when whoever had it open was killed.
const BESIDE: [&str; 6] = ["", "-wal", "-shm", ".lock", ".sock", ".reserve"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Daybook,
    /// The FastAPI server's.
    Origins,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Daybook => "daybook",
            Self::Origins => "origins",
        }
    }

    fn make(self, path: &Path, count: u64) -> Result<(), String> {
        match self {
            Self::Daybook => raw_book::fill(path, Rows::new(SEED), count),
            Self::Origins => fastapi::fill(path, Rows::new(SEED), count),
        }
    }

    /// Everything that a kept book depends on.
    fn fingerprint(self, scratch: &Path) -> Result<u64, String> {
        let mut hasher = DefaultHasher::new();
        rows::VERSION.hash(&mut hasher);
        match self {
            Self::Daybook => schema(&scratch.join("schema.db"))?.hash(&mut hasher),
            Self::Origins => fastapi::SCHEMA.hash(&mut hasher),
        }
        Ok(hasher.finish())
    }
}

/// What the product's own migrations come to.
fn schema(path: &Path) -> Result<Vec<String>, String> {
    remove(path)?;
    drop(subject::open_writer(path)?);
    let mut sql = Vec::new();
    let connection = Connection::open(path)?;
    let mut tables = connection.prepare("SELECT coalesce(sql, name) FROM sqlite_master")?;
    tables.run(&[], |row| sql.extend(row.text(0)))?;
    drop((tables, connection));
    remove(path)?;
    Ok(sql)
}

/// Where the books stand.
#[derive(Debug, Clone)]
pub struct Shelf {
    scratch: PathBuf,
}

impl Shelf {
    pub fn new(scratch: &Path) -> Self {
        Self {
            scratch: scratch.to_owned(),
        }
    }

    /// A book of so many rows that nobody writes to. Made when it is not there yet.
    pub fn kept(&self, kind: Kind, count: u64) -> Result<PathBuf, String> {
        let print = kind.fingerprint(&self.scratch)?;
        let start = format!("{}-{count}-", kind.name());
        let path = self.scratch.join(format!("{start}{print:016x}.db"));
        if path.exists() {
            return Ok(path);
        }
        self.forget(&start)?;
        let part = self.scratch.join(format!("{start}unfinished.db"));
        say(&format!(
            "making a book of {} entries",
            number(count as f64)
        ));
        let began = Instant::now();
        kind.make(&part, count)?;
        prove(kind, &part, count)?;
        remove_beside(&part)?;
        fs::rename(&part, &path).map_err(|e| e.to_string())?;
        say(&format!("it took {:.1} s", began.elapsed().as_secs_f64()));
        Ok(path)
    }

    /// A book that may be written to; with no rows, a new one for each who asks.
    pub fn working(&self, kind: Kind, count: u64) -> Result<Working, String> {
        self.working_named(kind, count, kind.name())
    }

    /// The same, for who needs several at once.
    pub fn working_named(&self, kind: Kind, count: u64, name: &str) -> Result<Working, String> {
        let kept = match count {
            0 => None,
            count => Some(self.kept(kind, count)?),
        };
        let working = Working {
            path: self.scratch.join(format!("working-{name}.db")),
            kind,
            kept,
        };
        working.renew()?;
        Ok(working)
    }

    /// Books of another schema, or left unfinished.
    fn forget(&self, start: &str) -> Result<(), String> {
        let entries = fs::read_dir(&self.scratch).map_err(|e| e.to_string())?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(start) {
                fs::remove_file(entry.path()).map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    }
}

/// A made book is looked through before it is believed.
fn prove(kind: Kind, path: &Path, count: u64) -> Result<(), String> {
    let held = newest_seq(path)?;
    if held.unsigned_abs() != count {
        return Err(format!("the book made for {count} entries holds {held}"));
    }
    if kind == Kind::Daybook {
        let problems = subject::Reader::open(path)?.problems()?;
        if let Some(first) = problems.first() {
            return Err(format!(
                "the product does not believe the book made here: {first}"
            ));
        }
    }
    Ok(())
}

/// A book to write to. Within a round, who takes it next goes on where the one before stopped, unless it
/// begins empty.
pub struct Working {
    path: PathBuf,
    kind: Kind,
    /// What it is a copy of.
    kept: Option<PathBuf>,
}

impl Working {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes everything back that was written.
    pub fn renew(&self) -> Result<(), String> {
        remove(&self.path)?;
        let Some(kept) = &self.kept else {
            return self.kind.make(&self.path, 0);
        };
        fs::copy(kept, &self.path).map_err(|e| e.to_string())?;
        // Else the copy would still be on its way to the disk while the first one is measured.
        let written = File::open(&self.path).and_then(|file| file.sync_all());
        written.map_err(|e| e.to_string())
    }

    /// The book, ready for the next one who writes.
    pub fn ready(&self) -> Result<&Path, String> {
        if self.kept.is_none() {
            self.renew()?;
        }
        Ok(&self.path)
    }

    /// Runs `work` on the book and holds it to what it says was acknowledged.
    pub fn measured<T>(
        &self,
        work: impl FnOnce(&Path) -> Result<(u64, T), String>,
    ) -> Result<T, String> {
        let path = self.ready()?;
        let before = newest_seq(path)?;
        let (acknowledged, result) = work(path)?;
        let grown = newest_seq(path)?.saturating_sub(before).unsigned_abs();
        if grown < acknowledged {
            return Err(format!(
                "{acknowledged} entries were acknowledged and {grown} are in the book"
            ));
        }
        Ok(result)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        // It is only scratch; the next run removes what stays.
        let _ = remove(&self.path);
    }
}

/// Removes a book with all that belongs to it.
pub fn remove(path: &Path) -> Result<(), String> {
    BESIDE
        .iter()
        .try_for_each(|suffix| remove_one(path, suffix))
}

fn remove_beside(path: &Path) -> Result<(), String> {
    BESIDE[1..]
        .iter()
        .try_for_each(|suffix| remove_one(path, suffix))
}

fn remove_one(path: &Path, suffix: &str) -> Result<(), String> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    match fs::remove_file(&name) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {e}", Path::new(&name).display()))
        }
        _ => Ok(()),
    }
}
