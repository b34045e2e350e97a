//! `daybook export`: writes entries, the oldest first. It reads the book itself and works whether a daemon
//! runs or not.

use super::args::{self, Export};
use super::check::Progress;
use super::{Exit, output};
use crate::access::scope::Refused;
use crate::access::{Principal, Scope};
use crate::actors::wall_clock;
use crate::config::Loaded;
use crate::domain::{FieldErrors, Filter};
use crate::export::Format;
use crate::storage::{Address, EntryReader, StorageError};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Entries read in one short transaction.
const PART: usize = 2_000;

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
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl ExportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Wrong(_) | Self::Scope(_) => Exit::Usage,
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
    let reader = Address::parse(settings.storage.url.as_str())?.open_reader(1)?;
    let source = Source {
        reader: reader.as_ref(),
        scope,
        filter,
        format: format(export.format),
    };
    match &export.output {
        None => source.write(&mut io::stdout().lock(), &mut |_| {}),
        Some(path) => to_file(&source, path),
    }
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
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let named = |path: &Path| {
        let path = path.to_owned();
        move |cause| ExportError::File { path, cause }
    };
    let mut file = BufWriter::new(File::create(&partial).map_err(named(&partial))?);
    let mut progress = Progress::new();
    source.write(&mut file, &mut |entries| progress.at(entries))?;
    progress.end();
    let file = file.into_inner().map_err(|error| error.into_error())?;
    file.sync_all().map_err(named(&partial))?;
    std::fs::rename(&partial, path).map_err(named(path))
}

struct Source<'a> {
    reader: &'a dyn EntryReader,
    scope: Scope,
    filter: Filter,
    format: Format,
}

impl Source<'_> {
    fn write(&self, out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<(), ExportError> {
        let upto = self.reader.head()?.last_seq;
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
