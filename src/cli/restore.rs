//! `daybook restore`: a backup takes the place of the book. A daemon that runs restores by itself, from its
//! own directory; this command is for when none does.

use super::args::Restore;
use super::own::holds_only_own;
use super::{Exit, output};
use crate::actors::backups::work::restored;
use crate::actors::{lifecycle, wall_clock};
use crate::config::Loaded;
use crate::storage::{Address, EntryWriter, Replaced, Request, Staged, StorageError};
use std::path::Path;

#[derive(Debug, thiserror::Error)]
enum RestoreError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "a daemon keeps this book ({holder}); restore through it (POST /api/v1/backups/NAME/restore), \
         or stop it first"
    )]
    Running { holder: String },
    #[error(
        "the book is newer than the backup: it ends at {book}, the backup at {backup}; --force replaces it"
    )]
    Newer { book: String, backup: String },
    #[error("{0}; --force replaces it, and keeps it beside the new one")]
    Unreadable(StorageError),
}

impl RestoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) | Self::Unreadable(error) => Exit::from(error),
            Self::Running { .. } => Exit::Temporary,
            Self::Newer { .. } => Exit::Exists,
        }
    }
}

pub fn run(loaded: &Loaded, args: &Restore) -> Exit {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match restore(loaded, args) {
        Ok(replaced) => output::print(told(&replaced)),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn told(replaced: &Replaced) -> String {
    let mut text = format!("restored; entries go on after {}\n", replaced.last_seq);
    if let Some(former) = &replaced.former {
        text += &format!(
            "the former book is {}; remove it when nobody misses it\n",
            former.display()
        );
    }
    text
}

fn restore(loaded: &Loaded, args: &Restore) -> Result<Replaced, RestoreError> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    if !address.file().exists() {
        let staged = address.stage(&args.file)?;
        let record = record(&args.file, &staged);
        return Ok(address.install(wall_clock()(), &staged, &record)?);
    }
    match address.open_writer() {
        Ok(store) => over_a_book(&address, store, args),
        Err(StorageError::Held { holder, .. }) => Err(RestoreError::Running { holder }),
        Err(error @ (StorageError::NotABook { .. } | StorageError::Corrupt(_))) => {
            if !args.force {
                return Err(RestoreError::Unreadable(error));
            }
            let staged = address.stage(&args.file)?;
            let record = record(&args.file, &staged);
            Ok(address.install(wall_clock()(), &staged, &record)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn over_a_book(
    address: &Address,
    mut store: Box<dyn EntryWriter>,
    args: &Restore,
) -> Result<Replaced, RestoreError> {
    let staged = address.stage(&args.file)?;
    let (book, backup) = (store.head(), staged.head());
    if !args.force && book.is_newer_than(backup) && !holds_only_own(&*address.open_reader(1)?)? {
        let end = |head: &crate::domain::Head| format!("{} ({})", head.last_seq, head.last_ts);
        return Err(RestoreError::Newer {
            book: end(book),
            backup: end(backup),
        });
    }
    let record = record(&args.file, &staged);
    let replaced = store.replace(wall_clock()(), &staged, &record, None)?;
    store.close()?;
    Ok(replaced)
}

fn record(file: &Path, staged: &Staged) -> Request {
    let name = file.file_name().unwrap_or(file.as_os_str());
    Request {
        // The backup may be of a book that a daemon ran with, which is no unclean stop of this one.
        acts: vec![lifecycle::is_running(false)],
        entries: vec![restored(&name.to_string_lossy(), staged).by_system()],
    }
}
