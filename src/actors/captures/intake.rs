//! From lines to the book: they are read as entries and committed many at a time, in their order. While the book
//! takes nothing they wait, and so does whoever sends them.

use super::status::Told;
use crate::actors::context::Context as Caller;
use crate::actors::{Recorder, Refusal, Writer};
use crate::config::Capture;
use crate::domain::{Act, Draft, Emitted, NewEntry, entity_event};
use crate::ingest::captured::Reading;
use crate::storage::{EntryReader, Request, StorageError};
use crate::telemetry::Why;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::cell::RefCell;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Lines in one transaction.
const TOGETHER: usize = 1000;
/// Between two tries while the book takes nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long it is still tried after a stop.
const LAST_TRIES: Duration = Duration::from_millis(400);

/// Why a capture cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    pub fn of(what: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {cause}"))
    }
}

/// What all captures share.
pub struct Tools {
    pub writer: Writer,
    pub recorder: Recorder,
    pub reader: Arc<dyn EntryReader>,
}

/// One capture at work. A clone is a handle on the same.
#[derive(Clone)]
pub struct Job {
    pub config: Arc<Capture>,
    pub tools: Arc<Tools>,
    pub told: Told,
    /// Who started it, when somebody did.
    pub by: Option<Caller>,
    reading: Rc<Reading>,
    pace: Option<Rc<DefaultDirectRateLimiter>>,
    /// What the book knows of how far was read, as far as we know.
    cursor: Rc<RefCell<Option<String>>>,
    stop: watch::Receiver<bool>,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub bytes: Vec<u8>,
    pub cut: bool,
    pub peer: Option<Arc<str>>,
}

/// Up to where was read, for the line at this index; none for what cannot be read again.
pub type PlaceOf<'a> = &'a dyn Fn(usize) -> Option<String>;

/// Lines as entries, and what is to be counted of them once they are in the book.
#[derive(Default)]
struct Read {
    entries: Vec<NewEntry>,
    cut: u64,
    rejected: u64,
    off: u64,
}

impl Job {
    pub fn new(
        config: Arc<Capture>,
        tools: Arc<Tools>,
        told: Told,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let rate = NonZeroU32::new(config.lines_per_second);
        Self {
            reading: Rc::new(reading(&config)),
            pace: rate.map(|rate| Rc::new(RateLimiter::direct(Quota::per_second(rate)))),
            cursor: Rc::default(),
            config,
            tools,
            told,
            by: None,
            stop,
        }
    }

    /// It runs from now on, and is recorded to.
    pub fn begun(&self, listening: Vec<String>) {
        let mut own = entity_event("capture", Emitted::CaptureStarted, &self.config.name, None)
            .with("kind", self.config.kind.as_str());
        if !listening.is_empty() {
            own = own.with("listening", listening.clone());
        }
        if let Some(path) = &self.config.path {
            own = own.with("path", path.display().to_string());
        }
        self.tools.recorder.record_event(own, self.by.as_ref());
        self.told.running(listening);
    }

    pub fn is_told_to_stop(&self) -> bool {
        *self.stop.borrow()
    }

    pub async fn told_to_stop(&self) {
        // A sender that is gone means the same.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    pub fn most(&self) -> usize {
        self.config.line_bytes.bytes()
    }

    /// A line came in, whatever becomes of it.
    pub fn received(&self, bytes: usize) {
        self.told.numbers.received.inc();
        self.told.numbers.bytes.inc_by(bytes as u64);
    }

    /// Whether the rate lets one more through now.
    pub fn may_pass(&self) -> bool {
        self.pace.as_ref().is_none_or(|pace| pace.check().is_ok())
    }

    /// Waits until the rate lets one more through.
    pub async fn pass(&self) {
        let Some(pace) = &self.pace else { return };
        while let Err(not_yet) = pace.check() {
            let wait = not_yet.wait_time_from(DefaultClock::default().now());
            tokio::select! {
                () = sleep(wait) => {}
                () = self.told_to_stop() => return,
            }
        }
    }

    /// Records what comes through the queue until nobody sends any more. What comes while a commit is under way is
    /// read meanwhile, and is the next one.
    pub async fn record_all(self, mut queue: mpsc::Receiver<Line>) -> Result<(), Failure> {
        let mut under_way: Option<JoinHandle<Result<bool, Failure>>> = None;
        loop {
            let mut lines = Vec::new();
            if queue.recv_many(&mut lines, TOGETHER).await == 0 {
                break;
            }
            let read = self.read(&lines);
            finished(under_way.take()).await?;
            let job = self.clone();
            under_way = Some(actix::spawn(async move {
                job.keep_read(&lines, Some(read), &|_| None).await
            }));
        }
        finished(under_way).await
    }

    /// What the book keeps of how far was read.
    pub async fn cursor(&self) -> Result<Option<String>, Failure> {
        let (tools, name) = (Arc::clone(&self.tools), self.cursor_name());
        let read = tokio::task::spawn_blocking(move || tools.reader.cursor(&name));
        let read = read.await.map_err(|cause| Failure::of("the book", cause))?;
        let cursor = read.map_err(|error| Failure::of("how far was read is not known", error))?;
        self.cursor.borrow_mut().clone_from(&cursor);
        Ok(cursor)
    }

    fn cursor_name(&self) -> String {
        format!("capture/{}", self.config.name)
    }

    /// Commits these lines, each part with the place up to where was read; false when it stopped before that.
    pub async fn keep(&self, lines: &[Line], place_of: PlaceOf<'_>) -> Result<bool, Failure> {
        for (at, part) in lines.chunks(TOGETHER).enumerate() {
            let place_of = |i| place_of(at * TOGETHER + i);
            if !self.keep_read(part, None, &place_of).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Commits a place alone; false when it stopped before that.
    pub async fn keep_place(&self, place: String) -> Result<bool, Failure> {
        let mut tries = Tries::default();
        while let Err(refusal) = self.commit(Some(place.clone()), Read::default()).await {
            if !tries.another(self, &refusal).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn keep_read(
        &self,
        lines: &[Line],
        mut read: Option<Read>,
        place_of: PlaceOf<'_>,
    ) -> Result<bool, Failure> {
        let (mut done, mut size) = (0, lines.len());
        let mut tries = Tries::default();
        while done < lines.len() {
            let end = lines.len().min(done + size);
            let part = &lines[done..end];
            let read = match read.take() {
                Some(read) if part.len() == lines.len() => read,
                _ => self.read(part),
            };
            let place = place_of(end - 1);
            let is_lost = place.is_none();
            match self.commit(place, read).await {
                Ok(()) => {
                    done = end;
                    if tries.were_some() {
                        self.told.goes_on();
                    }
                    tries = Tries::default();
                }
                Err(refusal) => {
                    // A part of it may have room.
                    if matches!(refusal, Refusal::QueueFull | Refusal::NeverFits { .. }) {
                        size = (part.len() / 2).max(1);
                    }
                    if !tries.another(self, &refusal).await? {
                        let lost = if is_lost { lines.len() - done } else { 0 };
                        self.told.numbers.dropped(Why::Stopping).inc_by(lost as u64);
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    async fn commit(&self, place: Option<String>, read: Read) -> Result<(), Refusal> {
        let mut receipts = Vec::new();
        if !(read.entries.is_empty() && place.is_none()) {
            let act = |value: &String| Act::PutCursor {
                name: self.cursor_name(),
                former: self.cursor.borrow().clone(),
                value: value.clone(),
            };
            let acts = place.iter().map(act).collect();
            let entries = read.entries;
            receipts = self.tools.writer.commit(Request { acts, entries }).await?;
        }
        if place.is_some() {
            *self.cursor.borrow_mut() = place;
        }
        let duplicates = receipts.iter().filter(|receipt| receipt.duplicate).count();
        let numbers = &self.told.numbers;
        numbers
            .recorded
            .inc_by((receipts.len() - duplicates) as u64);
        numbers.rejected.inc_by(read.rejected + duplicates as u64);
        numbers.cut.inc_by(read.cut);
        numbers.dropped(Why::Off).inc_by(read.off);
        Ok(())
    }

    fn read(&self, lines: &[Line]) -> Read {
        let recorder = &self.tools.recorder;
        let mut read = Read::default();
        read.entries.reserve(lines.len());
        for line in lines {
            let peer = line.peer.as_deref();
            let fitted = self
                .reading
                .read(&line.bytes, line.cut, peer, recorder.rules());
            match recorder.entry_of(fitted.draft) {
                Ok(Some(entry)) => {
                    read.entries.push(entry);
                    read.cut += u64::from(fitted.cut);
                }
                Ok(None) => read.off += 1,
                Err(wrong) => {
                    log::warn!("a line of the capture {}: {wrong}", self.config.name);
                    read.rejected += 1;
                }
            }
        }
        read
    }
}

async fn finished(under_way: Option<JoinHandle<Result<bool, Failure>>>) -> Result<(), Failure> {
    match under_way {
        None => Ok(()),
        Some(task) => match task.await {
            // What could not be kept was counted.
            Ok(kept) => kept.map(drop),
            Err(cause) => Err(Failure::of("recording", cause)),
        },
    }
}

fn reading(config: &Capture) -> Reading {
    let format = config.format();
    let or = |said: &Option<String>, otherwise: &str| {
        Some(said.clone().unwrap_or_else(|| otherwise.to_owned()))
    };
    Reading {
        format,
        map: config.map.clone(),
        defaults: Draft {
            category: or(&config.category, "capture"),
            action: or(&config.action, format.action()),
            severity: or(&config.severity, "info"),
            actor: or(&config.actor, &config.name),
            workspace_id: Some(config.workspace.clone()),
            ..Draft::default()
        },
    }
}

/// Trying again while the book takes nothing.
#[derive(Default)]
struct Tries {
    pause: Option<Duration>,
    give_up: Option<Instant>,
}

impl Tries {
    fn were_some(&self) -> bool {
        self.pause.is_some()
    }

    /// Waits for the next try; false when there is none.
    async fn another(&mut self, job: &Job, refusal: &Refusal) -> Result<bool, Failure> {
        match refusal {
            Refusal::Stopping => return Ok(false),
            Refusal::Storage(StorageError::Moved(_)) => return Err(Failure(refusal.to_string())),
            _ => {}
        }
        let pause = self
            .pause
            .map_or(FIRST_PAUSE, |pause| (2 * pause).min(LONGEST_PAUSE));
        if pause > 4 * FIRST_PAUSE {
            job.told
                .waiting(&format!("the book takes nothing now: {refusal}"));
        }
        self.pause = Some(pause);
        if job.is_told_to_stop() {
            let give_up = *self
                .give_up
                .get_or_insert_with(|| Instant::now() + LAST_TRIES);
            let left = give_up.saturating_duration_since(Instant::now());
            sleep(pause.min(left)).await;
            return Ok(!left.is_zero());
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = job.told_to_stop() => {}
        }
        Ok(true)
    }
}
