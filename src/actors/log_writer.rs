//! The LogWriter: the only actor that writes the book. It sits alone on its own thread and commits in
//! groups: what arrives while a transaction runs is one transaction next, and each sender is answered
//! after its commit.

use super::bad_days::BadDays;
use super::erasing::Blanks;
use super::messages::Recorded;
use super::queue::Permit;
use super::teller::{Listener, Teller};
use super::{Clock, vital};
use crate::domain::{Receipt, limits};
use crate::storage::{EntryWriter, Request, StorageError};
use crate::telemetry::{Metrics, Refusal};
use actix::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How often a writer looks whether it is alone, and, when its disk is full, whether there is room again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

// Messages

/// Commit these acts and entries, all or none, and answer after the commit.
pub struct Commit {
    pub request: Request,
    pub permit: Permit,
    pub answer: oneshot::Sender<Answer>,
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
    /// Another book is taking its place.
    Replacing,
    /// The book was closed in order.
    Closed,
}

// State

type Answer = Result<Vec<Receipt>, StorageError>;

/// Who waits for a group, in its order, each with its room in the queue.
type Answers = VecDeque<(oneshot::Sender<Answer>, Permit)>;

fn answer_next(answers: &mut Answers, answer: Answer) {
    if let Some((sender, permit)) = answers.pop_front() {
        // First, so that there is room again for whoever sends on at once.
        drop(permit);
        // Whoever asked may have gone away meanwhile; the entry is in the book all the same.
        let _ = sender.send(answer);
    }
}

pub struct LogWriter {
    /// Given back when the book is closed; nothing is committed after that.
    store: Option<Box<dyn EntryWriter>>,
    pub(super) clock: Clock,
    waiting: VecDeque<Commit>,
    flush_is_planned: bool,
    pub(super) health: watch::Sender<Health>,
    pub(super) metrics: Metrics,
    mailbox: usize,
    pub(super) teller: Teller,
    pub(super) bad_days: BadDays,
    pub(super) blanks: Blanks,
}

impl LogWriter {
    /// `mailbox` is more than the queue's permits, so that what has a permit is never refused.
    pub fn new(
        store: Box<dyn EntryWriter>,
        clock: Clock,
        health: watch::Sender<Health>,
        metrics: Metrics,
        mailbox: usize,
        listener: Option<Listener>,
        blanks: Blanks,
    ) -> Self {
        Self {
            teller: Teller::new(listener, store.head().last_seq),
            store: Some(store),
            clock,
            waiting: VecDeque::new(),
            flush_is_planned: false,
            health,
            metrics,
            mailbox,
            bad_days: BadDays::default(),
            blanks,
        }
    }

    pub(super) fn store(&mut self) -> &mut dyn EntryWriter {
        let held = self.store.as_deref_mut();
        held.expect("it is asked for only before the book is closed")
    }

    fn plan_flush(&mut self, ctx: &mut Context<Self>) {
        if !self.flush_is_planned && !self.waiting.is_empty() {
            self.flush_is_planned = true;
            ctx.notify(Flush);
        }
    }

    /// Commits one group of what waits.
    fn flush(&mut self) {
        let (requests, mut answers) = self.next_group();
        // Outside the guard: dropped by a panic, they would tell their senders that nothing was recorded,
        // and nobody knows that then.
        vital::guard("LogWriter", || {
            self.commit_and_answer(requests, &mut answers);
        });
    }

    fn next_group(&mut self) -> (Vec<Request>, Answers) {
        let (mut requests, mut answers) = (Vec::new(), Answers::new());
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
            answers.push_back((commit.answer, commit.permit));
        }
        (requests, answers)
    }

    fn commit_and_answer(&mut self, mut requests: Vec<Request>, answers: &mut Answers) {
        if requests.is_empty() {
            return;
        }
        let fell_behind = self.clock_fell_behind((self.clock)());
        let notes_the_clock = fell_behind.is_some();
        // Behind what was sent, so that each answer still finds its own.
        requests.extend(fell_behind);
        match self.commit(&mut requests) {
            Ok(receipts) => {
                if notes_the_clock {
                    self.clock_was_noted();
                }
                let recorded = self.recorded_of(requests, &receipts);
                for receipts in receipts {
                    answer_next(answers, Ok(receipts));
                }
                self.tell(recorded);
                self.settle();
            }
            Err(error) if error.is_of_one() && requests.len() > 1 => {
                // One of them is at fault; the others do not pay for it.
                for mut request in requests {
                    let alone = self.commit(std::slice::from_mut(&mut request));
                    let recorded = match &alone {
                        Ok(receipts) => self.recorded_of(vec![request], receipts),
                        Err(_) => None,
                    };
                    answer_next(answers, alone.map(|mut receipts| receipts.remove(0)));
                    self.tell(recorded);
                }
            }
            Err(error) => {
                for _ in requests {
                    answer_next(answers, Err(error.clone()));
                }
            }
        }
    }

    fn commit(&mut self, requests: &mut [Request]) -> Result<Vec<Vec<Receipt>>, StorageError> {
        let now = (self.clock)();
        if now < self.store().head().last_ts {
            let entries = requests.iter_mut().flat_map(|request| &mut request.entries);
            entries.for_each(|entry| entry.note_wall_time(now));
        }
        let began = Instant::now();
        let committed = self.store().commit(now, requests);
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
                self.is_full();
            }
            Err(error) if error.is_fatal() => vital::stop_on(error),
            Err(error) => log::warn!("a commit failed, and its senders were told so: {error}"),
        }
        committed
    }

    /// Behind the answers, since nobody has to wait for it.
    fn settle(&mut self) {
        if let Err(error) = self.store().settle() {
            match error.is_fatal() {
                true => vital::stop_on(&error),
                false => log::warn!("the book was not tidied up after a commit: {error}"),
            }
        }
    }

    /// What a group brought into the book; none when nobody listens, or when nothing was new.
    pub(super) fn recorded_of(
        &mut self,
        requests: Vec<Request>,
        receipts: &[Vec<Receipt>],
    ) -> Option<Recorded> {
        let last_seq = self.store().head().last_seq;
        if !self.teller.is_heard_at(last_seq) {
            return None;
        }
        let new = requests.into_iter().flat_map(|request| request.entries);
        let entries: Vec<_> = new
            .zip(receipts.iter().flatten())
            .filter(|(_, receipt)| !receipt.duplicate)
            .map(|(entry, receipt)| (receipt.seq, Arc::new(entry.recorded(receipt))))
            .collect();
        Some(Recorded {
            first_seq: entries.first()?.0,
            last_seq: entries.last()?.0,
            entries,
        })
    }

    pub(super) fn tell(&mut self, recorded: Option<Recorded>) {
        if let Some(recorded) = recorded {
            self.teller.tell(recorded);
        }
    }

    fn tell_where_it_stands(&mut self) {
        let last_seq = self.store().head().last_seq;
        self.teller.stands_at(last_seq);
    }

    fn count(&mut self, took: Duration, receipts: &[Vec<Receipt>]) {
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
        let last_seq = self.store().head().last_seq;
        self.metrics.last_seq.set(last_seq);
    }

    pub(super) fn set_health(&self, health: Health) {
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

    fn look_whether_alone(&mut self) {
        if let Err(error) = self.store().look_whether_alone() {
            vital::stop_on(&error);
        }
    }

    fn probe(&mut self) {
        if *self.health.borrow() != Health::Full {
            return;
        }
        match self.store().probe() {
            Ok(()) => self.set_health(Health::Writable),
            Err(error) if error.is_fatal() => vital::stop_on(&error),
            Err(_) => {}
        }
    }

    pub(super) fn drain(&mut self) {
        while !self.waiting.is_empty() {
            self.flush();
        }
    }

    fn close(&mut self) {
        self.drain();
        // The book is free for the next one when this is answered.
        let store = self.store.take();
        let closed = vital::guard("LogWriter", || store.map(|mut store| store.close()));
        if let Some(Err(error)) = closed {
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
            if writer.store.is_none() {
                return;
            }
            vital::guard("LogWriter", || {
                writer.look_whether_alone();
                writer.probe();
                writer.keep_reserve();
                writer.tell_where_it_stands();
                writer.forget_blanks();
            });
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
        self.flush();
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
        self.close();
        ctx.stop();
    }
}
