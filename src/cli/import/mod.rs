//! `daybook import`: a former export becomes the entries of a book that has none of its own. The lines go
//! into a staged book, which takes the place of the one in force when the last line is in it: one wrong
//! line, or a crash, leaves that as it was. A daemon must be stopped first: what it would record meanwhile
//! belongs after entries that are not there yet.

mod lines;
mod order;

use super::args::Import;
use super::own::{each_part, holds_only_own};
use super::progress::Bar;
use super::{Exit, output};
use crate::actors::{email_key, wall_clock};
use crate::config::{Loaded, Retention};
use crate::domain::{Emitted, FieldError, FieldErrors, NewEntry, Rules, Timestamp};
use crate::ingest::exported;
use crate::storage::{
    Address, EntryReader, Imported, Importer, NotImported, Request, Staged, StorageError,
};
use lines::Lines;
use order::Order;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

/// Lines in one transaction.
const PART: usize = 2_000;

#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "a daemon keeps this book ({holder}); stop it first, since what it records comes after what is imported"
    )]
    Running { holder: String },
    #[error("the book has entries already; lines are imported into a new one")]
    NotEmpty,
    #[error("line {line}: {errors}. Nothing was imported")]
    Wrong { line: u64, errors: FieldErrors },
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
}

impl ImportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Running { .. } => Exit::Temporary,
            Self::NotEmpty => Exit::Exists,
            Self::Wrong { .. } => Exit::Data,
            Self::File { .. } => Exit::Io,
        }
    }
}

/// What an import came to.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    entries: u64,
    restamped: u64,
    oldest: Option<Timestamp>,
}

pub fn run(loaded: &Loaded, args: &Import) -> Exit {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match import(loaded, args) {
        Ok(done) => output::print(told(done, &loaded.settings.retention)),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn told(done: Done, retention: &Retention) -> String {
    let mut text = format!("{} entries imported\n", done.entries);
    if done.restamped > 0 {
        text += &format!(
            "{} of them got another ts; the one they had is in metadata.occurred_at\n",
            done.restamped
        );
    }
    let day = 86_400_000_000;
    let oldest_kept = wall_clock()().minus_micros(i64::from(retention.max_days) * day);
    let too_old = retention.max_days > 0 && done.oldest.is_some_and(|ts| ts < oldest_kept);
    if too_old || (retention.max_entries > 0 && done.entries > retention.max_entries) {
        text += &format!(
            "warning: retention ({} days, {} entries a workspace) will remove some of them; see [retention]\n",
            retention.max_days, retention.max_entries
        );
    }
    text
}

fn import(loaded: &Loaded, args: &Import) -> Result<Done, ImportError> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    let source = Source::open(&args.file)?;
    let is_new = !address.file().exists();
    let mut store = address.open_writer().map_err(|error| match error {
        StorageError::Held { holder, .. } => ImportError::Running { holder },
        other => other.into(),
    })?;
    let reader = address.open_reader(1)?;
    let (staged, done) = match staged(loaded, args, source, &address, reader.as_ref()) {
        Ok(made) => made,
        Err(error) => {
            if is_new {
                drop(reader);
                address.unmake(store);
            }
            return Err(error);
        }
    };
    let record = recorded(done);
    store.replace(wall_clock()(), &staged, &record, Some(reader.as_ref()))?;
    store.close()?;
    Ok(done)
}

/// The lines in a book beside the one in force, which is as it was.
fn staged(
    loaded: &Loaded,
    args: &Import,
    source: Source,
    address: &Address,
    reader: &dyn EntryReader,
) -> Result<(Staged, Done), ImportError> {
    if !holds_only_own(reader)? {
        return Err(ImportError::NotEmpty);
    }
    let settings = &loaded.settings;
    let policy = settings.privacy.policy_with(email_key::kept(reader)?);
    let rules = settings.activity.rules(policy);
    let mut importing = Importing {
        importer: address.stage_import()?,
        order: Order::new(wall_clock()(), args.restamp),
        rules: &rules,
        part: Vec::with_capacity(PART),
        numbers: Vec::with_capacity(PART),
        done: Done::default(),
    };
    importing.lines(source)?;
    importing.own_entries(reader)?;
    let (importer, done) = (importing.importer, importing.done);
    Ok((importer.finish()?, done))
}

/// Where the lines come from, and how many bytes they are when that is known.
struct Source {
    lines: Lines<Box<dyn BufRead>>,
    bytes: Option<u64>,
    path: PathBuf,
}

impl Source {
    fn open(path: &std::path::Path) -> Result<Self, ImportError> {
        let failed = |cause| ImportError::File {
            path: path.to_owned(),
            cause,
        };
        if path.as_os_str() == "-" {
            return Ok(Self {
                lines: Lines::new(Box::new(io::stdin().lock())),
                bytes: None,
                path: "standard input".into(),
            });
        }
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        Ok(Self {
            lines: Lines::new(Box::new(BufReader::with_capacity(256 * 1024, file))),
            bytes: meta.is_file().then_some(meta.len()),
            path: path.to_owned(),
        })
    }
}

/// An import under way.
struct Importing<'a> {
    importer: Box<dyn Importer>,
    order: Order,
    rules: &'a Rules,
    part: Vec<Imported>,
    /// Of the lines in `part`.
    numbers: Vec<u64>,
    done: Done,
}

impl Importing<'_> {
    fn lines(&mut self, mut source: Source) -> Result<(), ImportError> {
        let mut bar = Bar::new(source.bytes);
        loop {
            let line = source.lines.next().map_err(|cause| ImportError::File {
                path: source.path.clone(),
                cause,
            })?;
            let Some((number, text)) = line else {
                break;
            };
            let checked = checked(text, self.rules);
            self.take(number, checked)?;
            if self.part.len() == PART {
                self.append()?;
                bar.at(self.done.entries, source.lines.read());
            }
        }
        self.append()?;
        Ok(())
    }

    fn take(
        &mut self,
        line: u64,
        checked: Result<(NewEntry, Timestamp), FieldErrors>,
    ) -> Result<(), ImportError> {
        let wrong = |errors| ImportError::Wrong { line, errors };
        let (mut entry, said) = checked.map_err(wrong)?;
        let is_first = self.order.last().is_none();
        let ts = self.order.place(&mut entry, said);
        let ts = ts.map_err(|error| wrong(error.into()))?;
        if is_first && self.order.last().is_some() {
            // Those before it all lie ahead, and there was none before them.
            self.part.iter_mut().for_each(|line| line.ts = ts);
        }
        self.done.entries += 1;
        self.done.restamped += u64::from(ts != said);
        self.part.push(Imported { entry, ts });
        self.numbers.push(line);
        Ok(())
    }

    fn append(&mut self) -> Result<(), ImportError> {
        if let (Some(first), Some(last)) = (self.part.first(), self.part.last()) {
            self.done.oldest.get_or_insert(first.ts);
            self.order.settle(last.ts);
        }
        let appended = self.importer.append(&self.part);
        appended.map_err(|refused| match refused {
            NotImported::Storage(error) => error.into(),
            NotImported::Twice { index } => ImportError::Wrong {
                line: self.numbers.get(index).copied().unwrap_or_default(),
                errors: FieldErrors::one("id", "stands on a line before in the same workspace"),
            },
        })?;
        self.part.clear();
        self.numbers.clear();
        Ok(())
    }

    /// What the daemon itself had recorded comes after what was imported.
    fn own_entries(&mut self, reader: &dyn EntryReader) -> Result<(), ImportError> {
        self.order.restamp();
        let (rules, order, importer) = (self.rules, &mut self.order, &mut self.importer);
        each_part(reader, |part| {
            let mut lines = Vec::with_capacity(part.len());
            for stored in part {
                lines.push(again(stored.entry, rules, order)?);
            }
            match importer.append(&lines) {
                Ok(()) => Ok(true),
                Err(NotImported::Storage(error)) => Err(error.into()),
                Err(NotImported::Twice { .. }) => {
                    let what = "an imported line has the id of an entry of the daemon's own";
                    Err(StorageError::Other(what.into()).into())
                }
            }
        })
    }
}

fn checked(text: &[u8], rules: &Rules) -> Result<(NewEntry, Timestamp), FieldErrors> {
    let (draft, ts) = exported::line(text)?;
    Ok((draft.check(rules)?, ts))
}

/// An entry of this book, as a line of it would be.
fn again(
    entry: crate::domain::Entry,
    rules: &Rules,
    order: &mut Order,
) -> Result<Imported, ImportError> {
    let mut line = Vec::new();
    crate::export::write_json(&entry, &mut line);
    let wrong = |errors: FieldErrors| StorageError::Other(format!("entry {}: {errors}", entry.id));
    let (mut entry, said) = checked(&line, rules).map_err(wrong)?;
    let placed = order.place(&mut entry, said);
    let ts = placed.map_err(|error: FieldError| wrong(error.into()))?;
    order.settle(ts);
    Ok(Imported { entry, ts })
}

fn recorded(done: Done) -> Request {
    let own = Emitted::ActivityLogImported
        .says(format!("{} entries were imported", done.entries))
        .with("entries", done.entries)
        .with("restamped", done.restamped);
    Request {
        acts: Vec::new(),
        entries: vec![own.by_system()],
    }
}
