//! `daybook tail`: follows what is recorded, each entry once. It goes on where it was after the daemon was restarted or
//! what it follows was too much for a session, and starts over when another book took the place of the one it follows.

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
/// Entries of a page of what was left out.
const PAGE: usize = 500;

#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    seqs: Vec<i64>,
    newest_seq: Option<i64>,
    next_after_seq: Option<i64>,
    next_before_seq: Option<i64>,
    epoch: String,
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
        lines: tail.lines,
        after: 0,
        epoch: String::new(),
    };
    match follower.begin().and_then(|()| follower.follow()) {
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
    /// How many it begins with.
    lines: u16,
    /// Everything up to this number was written,
    after: i64,
    /// of this book.
    epoch: String,
}

/// Why it listens no more.
enum Over {
    /// The daemon stops or is gone.
    Gone,
    AnotherBook,
}

impl Follower {
    /// The newest lines there are; of a book that took the place of another, all that was recorded since, too.
    fn begin(&mut self) -> Result<(), TailError> {
        // At least one is asked for, to learn where the book stands.
        let lines = usize::from(self.lines);
        let mut page = self.page(&format!("limit={}", lines.max(1)))?;
        let (newest, epoch) = (page.newest_seq.unwrap_or(0), page.epoch);
        let mut shown: Vec<(i64, Box<RawValue>)> = Vec::new();
        loop {
            shown.extend(page.seqs.into_iter().zip(page.items));
            let Some(before) = page.next_before_seq.filter(|_| shown.len() < lines) else {
                break;
            };
            // A page of what is rare may come short.
            let left = lines - shown.len();
            page = self.page(&format!("limit={left}&before_seq={before}"))?;
        }
        shown.truncate(lines);
        self.epoch = epoch;
        // Numbers go on past both books.
        let former = self.after;
        let reaches_back = shown.last().is_some_and(|(seq, _)| *seq <= former);
        if former > 0 && former <= newest && !reaches_back {
            return self.page_on(former).map(drop);
        }
        for (seq, entry) in shown.iter().rev() {
            write_entry(self.json, *seq, entry).map_err(TailError::Write)?;
        }
        self.after = newest;
        Ok(())
    }

    fn follow(&mut self) -> Result<(), TailError> {
        let mut was_there = false;
        loop {
            let followed = match Events::open(&self.socket) {
                Ok(events) => {
                    was_there = true;
                    self.listen(events)
                }
                Err(error) => Err(error.into()),
            };
            match followed {
                Ok(Over::Gone) => {}
                Ok(Over::AnotherBook) => {
                    output::complain("another book took the place of this one; starting over");
                    self.epoch.clear();
                }
                // It was there: it is being restarted, and comes back.
                Err(TailError::Control(_)) if was_there => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn listen(&mut self, mut events: Events) -> Result<Over, TailError> {
        if self.epoch.is_empty() {
            self.begin()?;
        }
        if events.epoch != self.epoch {
            return Ok(Over::AnotherBook);
        }
        events.subscribe(&self.filters, Some(self.after))?;
        loop {
            match events.wait() {
                Told::Entry { seq, entry } => self.write(seq, &entry)?,
                Told::Lagged { resume_after_seq } => {
                    if let Some(over) = self.page_on(resume_after_seq)? {
                        return Ok(over);
                    }
                }
                Told::Refused { field, reason } => {
                    let field = field.unwrap_or_default();
                    return Err(TailError::Refused(format!("{field}: {reason}")));
                }
                Told::End => return Ok(Over::Gone),
            }
        }
    }

    /// Once, whichever way it comes: what is recorded while pages are read is in the last of them and comes live too.
    fn write(&mut self, seq: i64, entry: &RawValue) -> Result<(), TailError> {
        if seq > self.after {
            write_entry(self.json, seq, entry).map_err(TailError::Write)?;
            self.after = seq;
        }
        Ok(())
    }

    /// What a session left out, up to the end of the book.
    fn page_on(&mut self, resume_after_seq: i64) -> Result<Option<Over>, TailError> {
        let mut next = Some(resume_after_seq);
        while let Some(after) = next {
            let page = self.page(&format!("limit={PAGE}&after_seq={after}"))?;
            if page.epoch != self.epoch {
                return Ok(Some(Over::AnotherBook));
            }
            for (seq, entry) in page.seqs.iter().zip(&page.items) {
                self.write(*seq, entry)?;
            }
            next = page.next_after_seq;
        }
        Ok(None)
    }

    fn page(&self, more: &str) -> Result<Page, TailError> {
        let mut target = format!("/api/v1/activity?{more}");
        for (name, value) in &self.filters {
            target += &format!("&{name}={}", control::escaped(value));
        }
        let answer = control::get(Path::new(&self.socket), &target, WAIT)?;
        match answer.status {
            200 => {}
            // Another book is taking the place of this one, or it is stopping.
            503 => {
                return Err(TailError::Control(
                    io::Error::other(answer.problem()).into(),
                ));
            }
            _ => return Err(TailError::Refused(answer.problem())),
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
