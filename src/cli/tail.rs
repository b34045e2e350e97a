//! `daybook tail`: follows what is recorded, and goes on after the daemon was restarted.

use super::args::Tail;
use super::{Exit, output};
use crate::client::control::{self, ControlError};
use crate::client::events::{Events, Told};
use crate::config::Loaded;
use crate::storage::Address;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a request to the daemon may take.
const WAIT: Duration = Duration::from_secs(10);
/// Between two attempts to reach a daemon that was there before.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    seqs: Vec<i64>,
    newest_seq: Option<i64>,
}

pub fn run(loaded: &Loaded, tail: &Tail) -> Exit {
    let address = match Address::parse(loaded.settings.storage.url.as_str()) {
        Ok(address) => address,
        Err(error) => {
            output::complain(&error);
            return Exit::from(&error);
        }
    };
    let mut follower = Follower {
        socket: address.control_socket(),
        filters: filters(tail),
        json: tail.json,
        after: 0,
    };
    match follower.begin(tail.lines).and_then(|()| follower.follow()) {
        Ok(()) => Exit::Ok,
        Err(TailError::Refused(why)) => {
            output::complain(why);
            Exit::Usage
        }
        Err(TailError::Write(cause)) => output::exit_of(Err(cause)),
        Err(TailError::Control(ControlError::NotRunning)) => {
            output::complain(format_args!(
                "no daemon keeps {} now",
                address.file().display()
            ));
            Exit::Temporary
        }
        Err(TailError::Control(error)) => {
            output::complain(error);
            Exit::Io
        }
    }
}

fn filters(tail: &Tail) -> Vec<(String, String)> {
    let workspace = tail.workspace.as_deref().map(|name| ("workspace_id", name));
    let all = tail.filters.parameters().chain(workspace);
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

enum TailError {
    Refused(String),
    Control(ControlError),
    Write(io::Error),
}

impl From<ControlError> for TailError {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

struct Follower {
    socket: PathBuf,
    filters: Vec<(String, String)>,
    json: bool,
    /// Everything up to this number was written.
    after: i64,
}

impl Follower {
    /// The newest lines there are.
    fn begin(&mut self, lines: u16) -> Result<(), TailError> {
        // At least one is asked for, to learn where the book stands.
        let page = self.page(&format!("limit={}", lines.max(1)))?;
        let newest_first = page.seqs.iter().zip(&page.items).take(lines.into());
        let shown: Vec<_> = newest_first.collect();
        for (seq, entry) in shown.into_iter().rev() {
            write_entry(self.json, *seq, entry).map_err(TailError::Write)?;
        }
        self.after = page.newest_seq.unwrap_or(0);
        Ok(())
    }

    fn follow(&mut self) -> Result<(), TailError> {
        let mut was_there = false;
        loop {
            match Events::follow(&self.socket, &self.filters, Some(self.after)) {
                Ok(events) => {
                    was_there = true;
                    self.listen(events)?;
                }
                Err(error) if !was_there => return Err(error.into()),
                // It was there: it is being restarted, and comes back.
                Err(_) => {}
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn listen(&mut self, mut events: Events) -> Result<(), TailError> {
        loop {
            match events.wait() {
                Told::Entry { seq, entry } => {
                    write_entry(self.json, seq, &entry).map_err(TailError::Write)?;
                    self.after = seq;
                }
                Told::Lagged { missed } => {
                    output::complain(format_args!("{missed} entries were passed over"));
                }
                Told::Refused { field, reason } => {
                    let field = field.unwrap_or_default();
                    return Err(TailError::Refused(format!("{field}: {reason}")));
                }
                Told::End => return Ok(()),
            }
        }
    }

    fn page(&self, more: &str) -> Result<Page, TailError> {
        let mut target = format!("/api/v1/activity?{more}");
        for (name, value) in &self.filters {
            target += &format!("&{name}={}", control::escaped(value));
        }
        let answer = control::get(Path::new(&self.socket), &target, WAIT)?;
        if answer.status != 200 {
            return Err(TailError::Refused(answer.problem()));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|cause| TailError::Control(io::Error::other(cause).into()))
    }
}

#[derive(Deserialize)]
struct Line {
    ts: String,
    severity: String,
    actor: String,
    action: String,
    entity_type: Option<String>,
    entity_id: Option<String>,
    message: String,
}

fn write_entry(json: bool, seq: i64, entry: &RawValue) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{{\"seq\":{seq},\"entry\":{}}}", entry.get())?;
    } else {
        let line: Line = serde_json::from_str(entry.get())?;
        writeln!(out, "{}", line.text())?;
    }
    out.flush()
}

impl Line {
    fn text(&self) -> String {
        let entity = match (&self.entity_type, &self.entity_id) {
            (Some(kind), Some(id)) => format!(" {kind}/{id}"),
            (Some(one), None) | (None, Some(one)) => format!(" {one}"),
            (None, None) => String::new(),
        };
        format!(
            "{} {:<7} {} {}{entity}: {}",
            self.ts, self.severity, self.actor, self.action, self.message
        )
    }
}
