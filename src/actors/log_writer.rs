//! The LogWriter: the only actor that writes the book. It sits alone on its own thread and commits in
//! groups: what arrives while a transaction runs is one transaction next, and each sender is answered
//! after its commit.

use super::queue::Permit;
use super::{Clock, vital};
use crate::domain::{Receipt, limits};
use crate::storage::{EntryWriter, Request, StorageError};
use crate::telemetry::{Metrics, Refusal};
use actix::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How often a writer whose disk is full looks whether there is room again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

// Messages

/// Commit these acts and entries, all or none, and answer after the commit.
pub struct Commit {
    pub request: Request,
    pub permit: Permit,
    pub answer: oneshot::Sender<Result<Vec<Receipt>, StorageError>>,
}

impl Message for Commit {
    type Result = ();
}

/// To itself: commit what waits.
struct Flush;

impl Message for Flush {
    type Result = ();
}

/// Commit all that was sent before this, answer everybody, close the book.
pub struct Close;

impl Message for Close {
    type Result = ();
}

/// Is the mailbox served? Answered in its turn.
pub struct Heartbeat;

impl Message for Heartbeat {
    type Result = ();
}

/// Whether the book can be written, for `/readyz` and the telemetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Writable,
    /// The disk is full; writers are told so, readers go on, and it mends itself when there is room.
    Full,
    /// The book was closed in order.
    Closed,
}

// State

pub struct LogWriter {
    store: Box<dyn EntryWriter>,
    clock: Clock,
    waiting: VecDeque<Commit>,
    flush_is_planned: bool,
    health: watch::Sender<Health>,
    metrics: Metrics,
    mailbox: usize,
}

impl LogWriter {
    /// `mailbox` is more than the queue's permits, so that what has a permit is never refused.
    pub fn new(
        store: Box<dyn EntryWriter>,
        clock: Clock,
        health: watch::Sender<Health>,
        metrics: Metrics,
        mailbox: usize,
    ) -> Self {
        Self {
            store,
            clock,
            waiting: VecDeque::new(),
            flush_is_planned: false,
            health,
            metrics,
            mailbox,
        }
    }

    fn plan_flush(&mut self, ctx: &mut Context<Self>) {
        if !self.flush_is_planned && !self.waiting.is_empty() {
            self.flush_is_planned = true;
            ctx.notify(Flush);
        }
    }

    /// Commits one group of what waits.
    fn flush(&mut self) {
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        let (mut entries, mut bytes) = (0, 0);
        while let Some(commit) = self.waiting.pop_front() {
            entries += commit.request.entries.len();
            bytes += commit.request.weight();
            let over = entries > limits::GROUP_ENTRIES || bytes > limits::GROUP_BYTES;
            if over && !requests.is_empty() {
                self.waiting.push_front(commit);
                break;
            }
            requests.push(commit.request);
            answers.push((commit.answer, commit.permit));
        }
        if requests.is_empty() {
            return;
        }
        match self.commit(&mut requests) {
            Ok(receipts) => {
                for ((answer, _permit), receipts) in answers.into_iter().zip(receipts) {
                    // Whoever asked may have gone away meanwhile; the entry is in the book all the same.
                    let _ = answer.send(Ok(receipts));
                }
            }
            Err(StorageError::Other(_)) if requests.len() > 1 => {
                // One of them is at fault; the others do not pay for it.
                for (mut request, (answer, _permit)) in requests.into_iter().zip(answers) {
                    let alone = self.commit(std::slice::from_mut(&mut request));
                    let _ = answer.send(alone.map(|mut receipts| receipts.remove(0)));
                }
            }
            Err(error) => {
                for (answer, _permit) in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn commit(&mut self, requests: &mut [Request]) -> Result<Vec<Vec<Receipt>>, StorageError> {
        let now = (self.clock)();
        if now < self.store.head().last_ts {
            let entries = requests.iter_mut().flat_map(|request| &mut request.entries);
            entries.for_each(|entry| entry.note_wall_time(now));
        }
        let began = Instant::now();
        let committed = self.store.commit(now, requests);
        match &committed {
            Ok(receipts) => {
                self.count(began.elapsed(), receipts);
                self.set_health(Health::Writable);
            }
            Err(StorageError::Full) => {
                let entries: usize = requests.iter().map(|request| request.entries.len()).sum();
                self.metrics
                    .refused(Refusal::DiskFull)
                    .inc_by(entries as u64);
                self.set_health(Health::Full);
            }
            Err(error) if error.is_fatal() => vital::stop_on(error),
            Err(error) => log::warn!("a commit failed, and its senders were told so: {error}"),
        }
        committed
    }

    fn count(&self, took: Duration, receipts: &[Vec<Receipt>]) {
        let all = receipts.iter().map(Vec::len).sum::<usize>();
        let duplicates = receipts
            .iter()
            .flatten()
            .filter(|receipt| receipt.duplicate)
            .count();
        self.metrics.committed(all, took);
        self.metrics
            .entries_recorded
            .inc_by((all - duplicates) as u64);
        self.metrics.entries_duplicate.inc_by(duplicates as u64);
        self.metrics.last_seq.set(self.store.head().last_seq);
    }

    fn set_health(&self, health: Health) {
        let changed = self.health.send_if_modified(|held| {
            let changes = *held != health;
            held.clone_from(&health);
            changes
        });
        match (changed, &health) {
            (true, Health::Full) => {
                log::error!("no space is left for the book: entries are refused, reading goes on");
            }
            (true, Health::Writable) => log::info!("the book can be written again"),
            _ => {}
        }
    }

    fn probe(&mut self) {
        if *self.health.borrow() != Health::Full {
            return;
        }
        match self.store.probe() {
            Ok(()) => self.set_health(Health::Writable),
            Err(error) if error.is_fatal() => vital::stop_on(&error),
            Err(_) => {}
        }
    }

    fn close(&mut self) {
        while !self.waiting.is_empty() {
            self.flush();
        }
        if let Err(error) = self.store.close() {
            // The entries are safe in the WAL; the next start reads them from there.
            log::warn!("the book was not tidied up at the end: {error}");
        }
        self.set_health(Health::Closed);
    }
}

// Handlers

impl Actor for LogWriter {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(self.mailbox);
        ctx.run_interval(PROBE_EVERY, |writer, _| {
            vital::guard("LogWriter", || writer.probe());
        });
    }
}

impl Handler<Commit> for LogWriter {
    type Result = ();

    fn handle(&mut self, commit: Commit, ctx: &mut Context<Self>) {
        if *self.health.borrow() == Health::Closed {
            let stopping = StorageError::Busy("the daemon is stopping".into());
            let _ = commit.answer.send(Err(stopping));
            return;
        }
        self.waiting.push_back(commit);
        self.plan_flush(ctx);
    }
}

impl Handler<Flush> for LogWriter {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Context<Self>) {
        self.flush_is_planned = false;
        vital::guard("LogWriter", || self.flush());
        self.plan_flush(ctx);
    }
}

impl Handler<Heartbeat> for LogWriter {
    type Result = ();

    fn handle(&mut self, _: Heartbeat, _: &mut Context<Self>) {}
}

impl Handler<Close> for LogWriter {
    type Result = ();

    fn handle(&mut self, _: Close, ctx: &mut Context<Self>) {
        vital::guard("LogWriter", || self.close());
        ctx.stop();
    }
}
