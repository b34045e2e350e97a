//! What the LogWriter is told to take out of the book, in steps that keep recording waiting for a few
//! milliseconds each. Who tells it, and how large a step is, is the Pruner's.

use super::log_writer::{Health, LogWriter};
use super::messages::Recorded;
use super::vital;
use crate::access::Scope;
use crate::domain::Receipt;
use crate::storage::{PruneStep, Removed, Request, StorageError};
use actix::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

// Messages

/// Remove the oldest of one workspace. The step that leaves nothing more commits the record with it.
pub struct Prune {
    pub step: PruneStep,
    pub record: Option<Request>,
}

/// Empty the scope at once, with the entry that records it. Answers how many entries went.
pub struct Clear {
    pub scope: Scope,
    pub record: Request,
}

/// Delete what a clear left behind, and give room back to the file system.
pub struct Sweep {
    pub limit: usize,
}

/// What a step did, and how long recording waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub removed: u64,
    pub more: bool,
    pub took: Duration,
}

impl Message for Prune {
    type Result = Result<Step, StorageError>;
}

impl Message for Clear {
    type Result = Result<u64, StorageError>;
}

impl Message for Sweep {
    type Result = Result<Step, StorageError>;
}

// Handlers

impl LogWriter {
    fn prune(&mut self, prune: Prune) -> Result<Step, StorageError> {
        let now = (self.clock)();
        let record = prune.record.map(identified);
        let began = Instant::now();
        let removed = self.store().prune(now, &prune.step, record.as_ref())?;
        let took = began.elapsed();
        if let Some(record) = record.filter(|_| !removed.more) {
            self.tell_of(removed.told_in(&record));
        }
        Ok(step(removed, took))
    }

    fn clear(&mut self, clear: Clear) -> Result<u64, StorageError> {
        let now = (self.clock)();
        let record = identified(clear.record);
        let removed = self.store().clear(now, &clear.scope, &record)?;
        let all = Removed {
            removed,
            more: false,
        };
        self.tell_of(all.told_in(&record));
        Ok(removed)
    }

    fn sweep(&mut self, limit: usize) -> Result<Step, StorageError> {
        let began = Instant::now();
        let removed = self.store().sweep(limit)?;
        Ok(step(removed, began.elapsed()))
    }

    /// Tells the live subscribers of the entry that a removal committed last.
    pub(super) fn tell_of(&mut self, record: Request) {
        let head = self.store().head();
        let (last_seq, ts) = (head.last_seq, head.last_ts);
        self.metrics.last_seq.set(last_seq);
        self.metrics.entries_recorded.inc();
        let Some(entry) = record.entries.into_iter().next_back() else {
            return;
        };
        let Some(id) = entry.id().cloned() else {
            return;
        };
        let receipt = Receipt {
            id,
            seq: last_seq,
            ts,
            duplicate: false,
        };
        self.tell(Some(Recorded {
            first_seq: last_seq,
            last_seq,
            entries: vec![(last_seq, Arc::new(entry.recorded(&receipt)))],
        }));
    }

    pub(super) fn judged<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if *self.health.borrow() == Health::Closed {
            return Err(StorageError::Busy("the daemon is stopping".into()));
        }
        let done = vital::guard("LogWriter", || work(self));
        match &done {
            Err(StorageError::Full) => self.is_full(),
            Err(error) if error.is_fatal() => vital::stop_on(error),
            _ => {}
        }
        done
    }
}

/// The id is known here, so that the live subscribers can be told it.
pub(super) fn identified(mut record: Request) -> Request {
    let given = std::mem::take(&mut record.entries).into_iter();
    record.entries = given
        .map(|entry| entry.identified(uuid::Uuid::now_v7()))
        .collect();
    record
}

fn step(removed: Removed, took: Duration) -> Step {
    Step {
        removed: removed.removed,
        more: removed.more,
        took,
    }
}

impl Handler<Prune> for LogWriter {
    type Result = Result<Step, StorageError>;

    fn handle(&mut self, prune: Prune, _: &mut Context<Self>) -> Self::Result {
        self.judged(|writer| writer.prune(prune))
    }
}

impl Handler<Clear> for LogWriter {
    type Result = Result<u64, StorageError>;

    fn handle(&mut self, clear: Clear, _: &mut Context<Self>) -> Self::Result {
        self.judged(|writer| writer.clear(clear))
    }
}

impl Handler<Sweep> for LogWriter {
    type Result = Result<Step, StorageError>;

    fn handle(&mut self, sweep: Sweep, _: &mut Context<Self>) -> Self::Result {
        self.judged(|writer| writer.sweep(sweep.limit))
    }
}
