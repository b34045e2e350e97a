//! The way to the LogWriter, for everything that records. It takes room in the queue before it sends, and
//! waits for the answer that comes after the commit.

use super::Clock;
use super::bad_days::KeepReserve;
use super::erasing::{Blanks, Erase, EraseRows, Looked, Names};
use super::log_writer::{Close, Commit, Health, Heartbeat, LogWriter};
use super::queue::{Permit, Queue, Size};
use super::removal::{Clear, Prune, Step, Sweep};
use super::replacement::Replace;
use super::teller::Listener;
use super::vital;
use crate::access::Scope;
use crate::domain::{NewEntry, Receipt, limits};
use crate::storage::{
    EntryReader, EntryWriter, Erased, PruneStep, Replaced, Request, Reserve, Staged, StorageError,
};
use crate::telemetry::{Metrics, Refusal as Refused};
use actix::prelude::*;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

#[derive(Clone)]
pub struct Writer {
    addr: Addr<LogWriter>,
    queue: Queue,
    health: watch::Receiver<Health>,
    blanks: watch::Receiver<Names>,
    metrics: Metrics,
}

/// Why something was not recorded. Nothing of it is in the book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the writer's queue is full; try again soon")]
    QueueFull,
    /// It is heavier than the whole queue; in smaller parts it has room.
    #[error(
        "it is larger than all that may wait to be written ({key} = {most}); send it in smaller parts"
    )]
    NeverFits { key: &'static str, most: usize },
    #[error("the daemon is stopping")]
    Stopping,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What became of each entry of a bulk, in its order.
pub type Outcome = Result<Receipt, Refusal>;

impl Writer {
    /// Starts the LogWriter on a thread of its own, and comes back when it serves its mailbox.
    pub async fn start(
        store: Box<dyn EntryWriter>,
        clock: Clock,
        size: Size,
        metrics: Metrics,
        listener: Option<Listener>,
    ) -> Result<Self, Refusal> {
        let (health, seen) = watch::channel(Health::Writable);
        let (told, blanks) = watch::channel(Names::default());
        let mailbox = size.entries + 64;
        let for_actor = metrics.clone();
        let addr = vital::start_alone("LogWriter", move || {
            LogWriter::new(
                store,
                clock,
                health,
                for_actor,
                mailbox,
                listener,
                Blanks::new(told),
            )
        });
        addr.send(Heartbeat).await.map_err(|_| Refusal::Stopping)?;
        Ok(Self {
            addr,
            queue: Queue::new(size),
            health: seen,
            blanks,
            metrics,
        })
    }

    /// Acts and entries in one transaction; answered after it is durable.
    pub async fn commit(&self, request: Request) -> Result<Vec<Receipt>, Refusal> {
        let permit = self.room_for(size_of(&request))?;
        let answer = self.send(request, permit)?;
        received(answer).await
    }

    /// One entry.
    pub async fn record_one(&self, entry: NewEntry) -> Outcome {
        let request = Request {
            entries: vec![entry],
            ..Request::default()
        };
        let mut receipts = self.commit(request).await?;
        receipts.pop().ok_or(Refusal::Stopping)
    }

    /// Entries that stand each alone, in as few transactions as their number allows. They have room in
    /// the queue all together or not at all; what the disk does afterwards is told for each.
    pub async fn record(&self, entries: Vec<NewEntry>) -> Result<Vec<Outcome>, Refusal> {
        let parts = parts_of(entries);
        let whole = parts.iter().map(size_of).fold(
            Size {
                entries: 0,
                bytes: 0,
            },
            Size::plus,
        );
        let mut permit = self.room_for(whole)?;
        let mut answers = Vec::with_capacity(parts.len());
        for part in parts {
            let count = part.entries.len();
            let room = permit.split(size_of(&part)).ok_or(Refusal::QueueFull)?;
            answers.push((count, self.send(part, room)));
        }
        let mut outcomes = Vec::new();
        for (count, answer) in answers {
            let receipts = match answer {
                Ok(answer) => received(answer).await,
                Err(refusal) => Err(refusal),
            };
            match receipts {
                Ok(receipts) => outcomes.extend(receipts.into_iter().map(Ok)),
                Err(refusal) => outcomes.extend((0..count).map(|_| Err(refusal.clone()))),
            }
        }
        Ok(outcomes)
    }

    /// Sends without waiting for anything: for what may be lost rather than keep its sender.
    pub fn hand_over(&self, request: Request) -> Result<(), Refusal> {
        let permit = self.room_for(size_of(&request))?;
        // What becomes of it is in the LogWriter's telemetry and counters.
        self.send(request, permit).map(drop)
    }

    pub async fn prune(&self, step: PruneStep, record: Option<Request>) -> Result<Step, Refusal> {
        self.asked(Prune { step, record }).await
    }

    /// Empties the scope together with the entry that records it.
    pub async fn clear(&self, scope: Scope, record: Request) -> Result<u64, Refusal> {
        self.asked(Clear { scope, record }).await
    }

    /// Blanks an actor for every reader together with the entry that records it.
    pub async fn erase(
        &self,
        scope: Scope,
        actor: String,
        record: Request,
    ) -> Result<Erased, Refusal> {
        self.asked(Erase {
            scope,
            actor,
            record,
        })
        .await
    }

    pub async fn erase_rows(&self, limit: usize) -> Result<Looked, Refusal> {
        self.asked(EraseRows { limit }).await
    }

    /// Who must not stand in what was read or made before.
    pub fn blanks(&self) -> watch::Receiver<Names> {
        self.blanks.clone()
    }

    pub async fn sweep(&self, limit: usize) -> Result<Step, Refusal> {
        self.asked(Sweep { limit }).await
    }

    /// From now on this room is held on the disk, to record that it is full.
    pub async fn keep_reserve(&self, reserve: Reserve) -> Result<(), Refusal> {
        let sent = self.addr.send(KeepReserve(reserve)).await;
        sent.map_err(|_| Refusal::Stopping)
    }

    async fn asked<M, T>(&self, message: M) -> Result<T, Refusal>
    where
        M: Message<Result = Result<T, StorageError>> + Send + 'static,
        T: Send + 'static,
        LogWriter: Handler<M>,
    {
        match self.addr.send(message).await {
            Ok(done) => done.map_err(Refusal::from),
            Err(_) => Err(Refusal::Stopping),
        }
    }

    /// Another book takes the place of this one; in its order among what is written.
    pub async fn replace(
        &self,
        with: Staged,
        record: Request,
        readers: Arc<dyn EntryReader>,
    ) -> Result<Replaced, Refusal> {
        let (answer, receiver) = oneshot::channel();
        let replace = Replace {
            with,
            record,
            readers,
            answer,
        };
        let sent = self.addr.send(replace).await;
        sent.map_err(|_| Refusal::Stopping)?;
        match receiver.await {
            Ok(done) => done.map_err(Refusal::from),
            Err(_) => Err(Refusal::Stopping),
        }
    }

    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Comes back when the LogWriter has served what was sent before: a sign of life.
    pub async fn heartbeat(&self) -> Result<(), Refusal> {
        self.addr
            .send(Heartbeat)
            .await
            .map_err(|_| Refusal::Stopping)
    }

    /// Everything that was sent is committed and answered, and the book is closed, when this comes back.
    pub async fn close(&self) {
        // It is gone already when the mailbox is closed.
        let _ = self.addr.send(Close).await;
    }

    fn room_for(&self, needed: Size) -> Result<Permit, Refusal> {
        if *self.health.borrow() == Health::Replacing {
            let what = "the book is being replaced; try again";
            return Err(StorageError::Busy(what.into()).into());
        }
        let whole = self.queue.size();
        for (key, needed, most) in [
            ("limits.queue_entries", needed.entries, whole.entries),
            ("limits.queue_bytes", needed.bytes, whole.bytes),
        ] {
            if needed > most {
                return Err(Refusal::NeverFits { key, most });
            }
        }
        self.queue.room_for(needed).ok_or_else(|| {
            self.metrics
                .refused(Refused::QueueFull)
                .inc_by(needed.entries as u64);
            Refusal::QueueFull
        })
    }

    fn send(
        &self,
        request: Request,
        permit: Permit,
    ) -> Result<oneshot::Receiver<Result<Vec<Receipt>, StorageError>>, Refusal> {
        let (answer, receiver) = oneshot::channel();
        let commit = Commit {
            request,
            permit,
            answer,
        };
        match self.addr.try_send(commit) {
            Ok(()) => Ok(receiver),
            Err(SendError::Full(_)) => Err(Refusal::QueueFull),
            Err(SendError::Closed(_)) => Err(Refusal::Stopping),
        }
    }
}

async fn received(
    answer: oneshot::Receiver<Result<Vec<Receipt>, StorageError>>,
) -> Result<Vec<Receipt>, Refusal> {
    match answer.await {
        Ok(done) => done.map_err(Refusal::from),
        // Dropped unanswered: the writer stopped first, and nothing was committed.
        Err(_) => Err(Refusal::Stopping),
    }
}

fn size_of(request: &Request) -> Size {
    Size {
        entries: request.entries.len().max(1),
        bytes: request.weight(),
    }
}

impl Size {
    fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// Parts that each fit a transaction.
fn parts_of(entries: Vec<NewEntry>) -> Vec<Request> {
    let mut parts = Vec::new();
    let mut part = Request::default();
    let mut bytes = 0;
    for entry in entries {
        let weight = entry.weight();
        let full =
            part.entries.len() == limits::GROUP_ENTRIES || bytes + weight > limits::GROUP_BYTES;
        if full && !part.entries.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += weight;
        part.entries.push(entry);
    }
    if !part.entries.is_empty() {
        parts.push(part);
    }
    parts
}
