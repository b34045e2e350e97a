//! `daybook demo`: a scratch book with a believable week, served until it is stopped, and gone afterwards. The
//! owner's own book is not touched.

mod week;

use super::args::Import;
use super::{Exit, import, output, serve};
use crate::actors::wall_clock;
use crate::config::{Loaded, Settings, StorageUrl};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub fn run(loaded: &Loaded) -> Exit {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let scratch = match Scratch::make() {
        Ok(scratch) => scratch,
        Err(error) => {
            output::complain(&error);
            return Exit::Io;
        }
    };
    match filled(&scratch.0, loaded) {
        Ok(demo) => serve::run(&demo, &mut || Ok(demo.clone())),
        Err(exit) => exit,
    }
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> io::Result<Self> {
        let name = format!("daybook-demo-{}", uuid::Uuid::now_v7().simple());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            output::complain(format!("{}: {error}", self.0.display()));
        }
    }
}

/// The configuration of a daemon on a book that has the week in it.
fn filled(folder: &Path, loaded: &Loaded) -> Result<Loaded, Exit> {
    let failed = |error: &dyn std::fmt::Display| {
        output::complain(error);
        Exit::Io
    };
    let lines = folder.join("week.ndjson");
    write(&lines).map_err(|error| failed(&error))?;
    let book = folder.join("daybook.db");
    let mut settings = Settings::default();
    settings.server.listen = loaded.settings.server.listen.clone();
    settings.storage.url = StorageUrl::parse(format!("sqlite://{}", book.display()))
        .map_err(|error| failed(&error))?;
    settings.retention.max_entries = 0;
    settings.backup.dir = folder.join("backups");
    let demo = Loaded {
        settings,
        file: None,
        ..loaded.clone()
    };
    let import = Import {
        file: lines,
        restamp: false,
    };
    match import::run(&demo, &import) {
        Exit::Ok => Ok(demo),
        other => Err(other),
    }
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    for line in week::lines(wall_clock()()) {
        writeln!(file, "{line}")?;
    }
    file.flush()
}
