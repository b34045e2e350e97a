//! Following one path, step by step, without knowing who records: which file is open, what it holds that is new,
//! and which one comes after it.

use crate::actors::captures::intake::Line;
use crate::actors::captures::place::{self, Identity, MARK, Mark, Place};
use crate::config::captures::From;
use crate::ingest::framing::Framer;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CHUNK: usize = 256 * 1024;
/// How long a file that was renamed is still looked at: whoever writes it may not know yet.
const GRACE: Duration = Duration::from_secs(2);

pub struct Follower {
    path: PathBuf,
    most: usize,
    from: From,
    /// Where the last one stopped, until it was gone on from there.
    kept: Option<Place>,
    open: Option<Open>,
    /// What is read next comes after this.
    after: Option<After>,
}

/// A file that was read to its end; none of its own where it is gone.
struct After {
    identity: Option<Identity>,
    written: i128,
}

pub enum Step {
    Lines {
        lines: Vec<Line>,
        places: Places,
    },
    /// Begun here, and nothing is read of it.
    Moved(Place),
    Nothing {
        is_missing: bool,
    },
}

/// Where each line of a step ends.
pub struct Places {
    of_file: Place,
    ends: Vec<u64>,
    /// What was read, from `start` on.
    window: Vec<u8>,
    start: u64,
}

struct Open {
    file: File,
    identity: Identity,
    framer: Framer,
    /// Up to where it was read.
    at: u64,
    /// What stands before that.
    tail: Vec<u8>,
    written: i128,
    /// Since when there was nothing more to read, after it lost its name.
    quiet: Option<Instant>,
}

impl Places {
    pub fn of(&self, index: usize) -> Place {
        let end = self.ends[index];
        let upto = usize::try_from(end - self.start).unwrap_or(usize::MAX);
        let is_last = index + 1 == self.ends.len();
        Place {
            offset: end,
            skipping: is_last && self.of_file.skipping,
            mark: Mark::of(&self.window[..upto.min(self.window.len())]),
            ..self.of_file.clone()
        }
    }
}

impl Follower {
    pub fn new(path: PathBuf, most: usize, from: From, kept: Option<Place>) -> Self {
        Self {
            path,
            most,
            from,
            kept,
            open: None,
            after: None,
        }
    }

    pub fn step(&mut self) -> io::Result<Step> {
        loop {
            let Some(open) = &mut self.open else {
                match self.begin()? {
                    Some(step) => return Ok(step),
                    None => continue,
                }
            };
            match open.read(&self.path, self.most)? {
                Seen::Lines(step) => return Ok(*step),
                Seen::Nothing => return Ok(Step::Nothing { is_missing: false }),
                Seen::Part => {}
                Seen::Emptied => {
                    if let Some(step) = self.emptied() {
                        return Ok(step);
                    }
                }
                Seen::Over => {
                    if let Some(step) = self.over() {
                        return Ok(step);
                    }
                }
            }
        }
    }

    /// Opens what is to be read next; a step when there is nothing to go on with.
    fn begin(&mut self) -> io::Result<Option<Step>> {
        if let Some(kept) = self.kept.take() {
            // What comes later under this name is read whole.
            self.from = From::Start;
            if let Some(file) = place::found(&kept) {
                self.open = Some(Open::at(file, &kept, self.most)?);
                return Ok(None);
            }
            let path = kept.path.display();
            log::warn!("{path}: what was read last is gone; going on with what came after it");
            self.after = Some(After {
                identity: None,
                written: kept.written,
            });
        }
        let next = match &self.after {
            Some(after) => place::successor(&self.path, after.written, after.identity)?,
            None => match place::opened(&self.path) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
                opened => Some(opened?),
            },
        };
        let from = std::mem::replace(&mut self.from, From::Start);
        let Some(file) = next else {
            return Ok(Some(Step::Nothing { is_missing: true }));
        };
        self.after = None;
        let mut open = Open::new(file, self.most)?;
        let moved = match from {
            From::End => {
                open.pass_over(self.most)?;
                Some(Step::Moved(open.place(&self.path)))
            }
            From::Start => None,
        };
        self.open = Some(open);
        Ok(moved)
    }

    /// The file was emptied, and perhaps filled again: if a copy was made before, it has what was not read.
    fn emptied(&mut self) -> Option<Step> {
        let mut open = self.open.take()?;
        let place = Place {
            offset: open.at,
            mark: Mark::of(&open.tail),
            // No file: only a copy is looked for.
            dev: 0,
            ino: 0,
            ..open.place(&self.path)
        };
        if let Some(copy) = place::found(&place)
            && let Ok(metadata) = copy.metadata()
        {
            open.identity = Identity::of(&metadata);
            open.file = copy;
            open.quiet = Instant::now().checked_sub(GRACE);
            self.open = Some(open);
            return None;
        }
        // What it had begun to say is all that there is of it.
        open.rest(&self.path)
    }

    /// The file lost its name and nobody writes it any more.
    fn over(&mut self) -> Option<Step> {
        let mut open = self.open.take()?;
        self.after = Some(After {
            identity: Some(open.identity),
            written: open.written,
        });
        open.rest(&self.path)
    }
}

enum Seen {
    Lines(Box<Step>),
    Nothing,
    /// Of a line that is not whole yet.
    Part,
    Emptied,
    Over,
}

impl Open {
    fn new(file: File, most: usize) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            identity: Identity::of(&metadata),
            written: place::written(&metadata),
            file,
            framer: Framer::new(most, false),
            at: 0,
            tail: Vec::new(),
            quiet: None,
        })
    }

    fn at(file: File, kept: &Place, most: usize) -> io::Result<Self> {
        let mut open = Self::new(file, most)?;
        open.framer = Framer::resumed(most, kept.offset, kept.skipping);
        open.at = kept.offset;
        open.tail = place::before(&open.file, kept.offset)?.unwrap_or_default();
        Ok(open)
    }

    /// Behind what is there; the rest of a line that is being written is passed over.
    fn pass_over(&mut self, most: usize) -> io::Result<()> {
        self.at = self.file.metadata()?.len();
        self.tail = place::before(&self.file, self.at)?.unwrap_or_default();
        let within = self.tail.last().is_some_and(|byte| *byte != b'\n');
        self.framer = Framer::resumed(most, self.at, within);
        Ok(())
    }

    fn place(&self, path: &Path) -> Place {
        Place {
            path: path.to_owned(),
            dev: self.identity.dev,
            ino: self.identity.ino,
            written: self.written,
            offset: self.framer.offset(),
            skipping: self.framer.is_skipping(),
            mark: Mark::of(&self.tail),
        }
    }

    fn read(&mut self, path: &Path, most: usize) -> io::Result<Seen> {
        let metadata = self.file.metadata()?;
        if metadata.len() < self.at {
            return Ok(Seen::Emptied);
        }
        if metadata.len() == self.at {
            return Ok(self.at_end(path));
        }
        // With what stands before, so that another content is noticed.
        let start = self.at - self.tail.len() as u64;
        let mut window = vec![0; self.tail.len() + CHUNK.max(most)];
        let n = self.file.read_at(&mut window, start)?;
        window.truncate(n);
        if !window.starts_with(&self.tail) {
            return Ok(Seen::Emptied);
        }
        self.written = place::written(&metadata);
        self.quiet = None;
        let mut found = Vec::new();
        let new = &window[self.tail.len()..];
        self.framer.feed(new, |line| found.push(line));
        self.at += new.len() as u64;
        self.tail = window[window.len().saturating_sub(MARK)..].to_vec();
        if found.is_empty() {
            return Ok(Seen::Part);
        }
        let (lines, ends) = split(found);
        let of_file = self.place(path);
        Ok(Seen::Lines(Box::new(Step::Lines {
            lines,
            places: Places {
                of_file,
                ends,
                window,
                start,
            },
        })))
    }

    /// Whether there is more to come, under this name or after it was renamed.
    fn at_end(&mut self, path: &Path) -> Seen {
        let named = std::fs::metadata(path).map(|metadata| Identity::of(&metadata));
        match named {
            Ok(identity) if identity != self.identity => {
                let since = *self.quiet.get_or_insert_with(Instant::now);
                match since.elapsed() >= GRACE || self.was_left_alone() {
                    true => Seen::Over,
                    false => Seen::Nothing,
                }
            }
            _ => Seen::Nothing,
        }
    }

    /// Nobody has written it for a while: when there is much to catch up with, each need not be waited for.
    fn was_left_alone(&self) -> bool {
        let metadata = self.file.metadata();
        let modified = metadata.and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        age.is_some_and(|age| age >= GRACE)
    }

    /// What stands behind the last newline, of a file that is over.
    fn rest(&mut self, path: &Path) -> Option<Step> {
        let line = self.framer.end()?;
        let (lines, ends) = split(vec![line]);
        Some(Step::Lines {
            lines,
            places: Places {
                of_file: self.place(path),
                ends,
                window: self.tail.clone(),
                start: self.at - self.tail.len() as u64,
            },
        })
    }
}

fn split(found: Vec<crate::ingest::framing::Line>) -> (Vec<Line>, Vec<u64>) {
    let line = |line: crate::ingest::framing::Line| {
        let read = Line {
            bytes: line.bytes,
            cut: line.cut,
            peer: None,
        };
        (read, line.end)
    };
    found.into_iter().map(line).unzip()
}
