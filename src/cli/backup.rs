//! `daybook backup`: a consistent copy of the whole book. It is read beside the daemon, which goes on
//! recording; what is recorded of it goes through the daemon, or into the book when none keeps it.

use super::{Exit, output};
use crate::actors::backups::work::created;
use crate::actors::wall_clock;
use crate::cli::args::Backup;
use crate::client::control;
use crate::config::Loaded;
use crate::storage::{Address, Copied, Request, StorageError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A daemon that takes longer to record an entry is not well.
const WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{}: is there already; --force overwrites it", .0.display())]
    Exists(PathBuf),
    #[error("{}: is the book itself, or a file that it needs beside it", .0.display())]
    TheBook(PathBuf),
}

impl BackupError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Exists(_) => Exit::Exists,
            Self::TheBook(_) => Exit::Usage,
        }
    }
}

pub fn run(loaded: &Loaded, args: &Backup) -> Exit {
    // What holds the whole book is for its own user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match backup(loaded, args) {
        Ok(copied) => output::print(format_args!(
            "{}: {} bytes, up to entry {}\n",
            args.file.display(),
            copied.bytes,
            copied.head.last_seq
        )),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn backup(loaded: &Loaded, args: &Backup) -> Result<Copied, BackupError> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    may_be_written(&address, args)?;
    if !address.file().exists() {
        // Says that there is none; opening it for writing would make one.
        address.open_reader(1)?;
    }
    match address.open_writer() {
        Ok(mut store) => {
            let copied = address.open_reader(1)?.copy_to(&args.file)?;
            let request = Request {
                acts: Vec::new(),
                entries: vec![created(&name_of(&args.file), &copied).by_system()],
            };
            let kept = store.commit(wall_clock()(), &[request]).map(drop);
            tell_if_not(kept.and_then(|()| store.close()));
            Ok(copied)
        }
        Err(StorageError::Held { .. }) => {
            let copied = address.open_reader(1)?.copy_to(&args.file)?;
            let said = said(&args.file, &copied);
            tell_if_not(tell_the_daemon(&address, &said));
            Ok(copied)
        }
        Err(error) => Err(error.into()),
    }
}

fn may_be_written(address: &Address, args: &Backup) -> Result<(), BackupError> {
    if address.is_taken_by_the_book(&args.file) {
        return Err(BackupError::TheBook(args.file.clone()));
    }
    match args.file.exists() && !args.force {
        true => Err(BackupError::Exists(args.file.clone())),
        false => Ok(()),
    }
}

fn tell_the_daemon(address: &Address, said: &Value) -> Result<(), String> {
    let answer = control::post(&address.control_socket(), "/api/v1/activity", said, WAIT);
    match answer.map_err(|error| error.to_string())? {
        taken if matches!(taken.status, 200 | 201) => Ok(()),
        refused => Err(refused.problem()),
    }
}

/// The copy is whole whatever becomes of the entry.
fn tell_if_not<E: std::fmt::Display>(recorded: Result<(), E>) {
    if let Err(cause) = recorded {
        output::complain(format_args!(
            "the copy is whole, but was not recorded: {cause}"
        ));
    }
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The same, as a daemon is told it.
fn said(file: &Path, copied: &Copied) -> Value {
    let entry = created(&name_of(file), copied).by_system();
    json!({
        "category": entry.category(), "action": entry.action(), "actor": entry.actor(),
        "entity_type": entry.entity_type(), "entity_id": entry.entity_id(),
        "message": entry.message(), "metadata": entry.metadata(),
    })
}
