//! `daybook export`: writes entries, the oldest first. It reads the book itself and works whether a daemon
//! runs or not; that it began is recorded either way.

use super::args::{self, Export};
use super::check::Progress;
use super::{Exit, output};
use crate::access::scope::Refused;
use crate::access::{Principal, Scope};
use crate::actors::wall_clock;
use crate::client::control::{self, ControlError};
use crate::config::Loaded;
use crate::domain::{Emitted, FieldErrors, Filter, NewEntry, Own, Seq};
use crate::export::Format;
use crate::storage::{Address, EntryReader, Request, StorageError};
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Entries read in one short transaction.
const PART: usize = 2_000;
/// How long the daemon may take to record that an export began.
const NOTE_WAIT: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Wrong(#[from] FieldErrors),
    #[error("{0}")]
    Scope(#[from] Refused),
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{}: is the book itself, or a file that it needs beside it", .0.display())]
    TheBook(PathBuf),
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl ExportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Wrong(_) | Self::Scope(_) | Self::TheBook(_) => Exit::Usage,
            Self::Write(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Self::File { .. } | Self::Write(_) => Exit::Io,
        }
    }
}

pub fn run(loaded: &Loaded, export: &Export) -> Exit {
    match write(loaded, export) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            let exit = error.exit();
            if exit != Exit::Ok {
                output::complain(error);
            }
            exit
        }
    }
}

fn write(loaded: &Loaded, export: &Export) -> Result<(), ExportError> {
    let settings = &loaded.settings;
    let rules = settings.activity.rules(settings.privacy.policy());
    let parameters: Vec<(&str, &str)> = export.filters.parameters().collect();
    let filter = Filter::from_parameters(parameters, wall_clock()(), &rules)?;
    let scope = Scope::of(&Principal::anonymous(), export.workspace.as_deref())?;
    let address = Address::parse(settings.storage.url.as_str())?;
    if let Some(path) = &export.output
        && address.is_taken_by_the_book(path)
    {
        return Err(ExportError::TheBook(path.clone()));
    }
    let reader = address.open_reader(1)?;
    let upto = reader.head()?.last_seq;
    if let Err(cause) = note(&address, &began(&scope, format(export.format))) {
        log::warn!("the export was not recorded: {cause}");
    }
    let source = Source {
        reader: reader.as_ref(),
        upto,
        scope,
        filter,
        format: format(export.format),
    };
    match &export.output {
        None => source.write(&mut io::stdout().lock(), &mut |_| {}),
        Some(path) => to_file(&source, path),
    }
}

fn began(scope: &Scope, format: Format) -> Own {
    let whose = scope.workspace().map_or("*", |name| name.as_str());
    Emitted::ActivityLogExported
        .says(format!(
            "An export as {} began on the command line",
            format.extension()
        ))
        .with("format", format.extension())
        .with("workspace_id", whose)
}

/// Through the daemon that keeps the book, or into the book when none does. The export does not depend on it:
/// a daemon may be busy, and a medium be there to be read alone.
fn note(address: &Address, began: &Own) -> Result<(), String> {
    let entry = began.clone().by_system();
    let said = serde_json::json!({
        "category": entry.category(), "action": entry.action(),
        "message": entry.message(), "metadata": entry.metadata(),
    });
    let socket = address.control_socket();
    match control::post(&socket, "/api/v1/activity", &said, NOTE_WAIT) {
        Ok(answer) if matches!(answer.status, 200 | 201) => Ok(()),
        Ok(answer) => Err(answer.problem()),
        Err(ControlError::NotRunning) => {
            write_down(address, entry).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn write_down(address: &Address, entry: NewEntry) -> Result<(), StorageError> {
    let mut store = address.open_writer()?;
    let request = Request {
        acts: Vec::new(),
        entries: vec![entry],
    };
    store.commit(wall_clock()(), &[request])?;
    store.close()
}

fn format(named: args::Format) -> Format {
    match named {
        args::Format::Csv => Format::Csv,
        args::Format::Json => Format::Json,
        args::Format::Ndjson => Format::Ndjson,
    }
}

/// Under another name until it is whole, so that a file of that name is never half an export.
fn to_file(source: &Source<'_>, path: &Path) -> Result<(), ExportError> {
    let named = |cause| ExportError::File {
        path: path.to_owned(),
        cause,
    };
    let kind = fs::metadata(path).map(|found| found.file_type());
    if kind.as_ref().is_ok_and(FileType::is_dir) {
        return Err(named(io::ErrorKind::IsADirectory.into()));
    }
    if kind.is_ok_and(|kind| !kind.is_file()) {
        // A device or a pipe is written to; a file in its place would be the end of it.
        let file = OpenOptions::new().write(true).open(path).map_err(named)?;
        return source.write(&mut BufWriter::new(file), &mut |_| {});
    }
    // What a link leads to is replaced, and not the link.
    let path = fs::canonicalize(path)
        .or_else(|_| fs::read_link(path).map(|target| path.with_file_name(target)))
        .unwrap_or_else(|_| path.to_owned());
    let mut partial = path.clone().into_os_string();
    partial.push(format!(".{}.part", std::process::id()));
    let partial = PathBuf::from(partial);
    let done = whole(source, &partial).and_then(|()| fs::rename(&partial, &path).map_err(named));
    if done.is_err() {
        // It may be what takes the room that was missing.
        let _ = fs::remove_file(&partial);
    }
    done
}

/// A file that is on disk when this comes back.
fn whole(source: &Source<'_>, path: &Path) -> Result<(), ExportError> {
    let named = |cause| ExportError::File {
        path: path.to_owned(),
        cause,
    };
    let mut file = BufWriter::new(File::create(path).map_err(named)?);
    let mut progress = Progress::new();
    let written = source.write(&mut file, &mut |entries| progress.at(entries));
    progress.end();
    written.map_err(|error| match error {
        ExportError::Write(cause) => named(cause),
        other => other,
    })?;
    let file = file
        .into_inner()
        .map_err(|error| named(error.into_error()))?;
    file.sync_all().map_err(named)
}

struct Source<'a> {
    reader: &'a dyn EntryReader,
    /// Where the book stood when it began.
    upto: Seq,
    scope: Scope,
    filter: Filter,
    format: Format,
}

impl Source<'_> {
    fn write(&self, out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<(), ExportError> {
        let upto = self.upto;
        let mut encoder = self.format.encoder();
        let mut bytes = Vec::new();
        encoder.start(&mut bytes);
        let (mut after, mut written) = (Some(0), 0);
        while let Some(from) = after.filter(|from| *from < upto) {
            let part = self
                .reader
                .export(&self.scope, &self.filter, from, upto, PART)?;
            for stored in &part.items {
                encoder.entry(&stored.entry, &mut bytes);
            }
            written += part.items.len() as u64;
            out.write_all(&bytes)?;
            bytes.clear();
            progress(written);
            after = part.next;
        }
        encoder.end(&mut bytes);
        out.write_all(&bytes)?;
        out.flush()?;
        Ok(())
    }
}
