//! `daybook check`: reads the whole book and says everything that is wrong with it.

use super::{Exit, output};
use crate::config::Loaded;
use crate::storage::{Address, CheckReport, StorageError};
use std::io::{IsTerminal, Write};

pub fn run(loaded: &Loaded) -> Exit {
    match check(loaded) {
        Ok(report) => tell(&report),
        Err(error) => {
            output::complain(&error);
            Exit::from(&error)
        }
    }
}

fn check(loaded: &Loaded) -> Result<CheckReport, StorageError> {
    let reader = Address::parse(loaded.settings.storage.url.as_str())?.open_reader(1)?;
    let mut progress = Progress::new();
    let report = reader.check(&mut |entries| progress.at(entries));
    progress.end();
    report
}

fn tell(report: &CheckReport) -> Exit {
    let read = match report.entries {
        1 => "1 entry".to_owned(),
        several => format!("{several} entries"),
    };
    if report.problems.is_empty() {
        return output::print(format_args!("{read}, all in order\n"));
    }
    let mut text: String = report
        .problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect();
    let found = match report.problems.len() {
        1 => "1 problem".to_owned(),
        several => format!("{several} problems"),
    };
    text += &format!("{read} read, {found} found\n");
    match output::print(text) {
        Exit::Ok => Exit::Found,
        failed => failed,
    }
}

/// How far a long command is, on a terminal; nothing anywhere else.
pub struct Progress {
    shown: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
        }
    }

    pub fn at(&mut self, entries: u64) {
        if self.shown {
            // Nobody to show it to is no failure of the command.
            let _ = write!(std::io::stderr().lock(), "\r{entries} entries");
        }
    }

    pub fn end(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
