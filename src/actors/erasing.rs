//! Erasing somebody: the LogWriter's part, whose answer comes when no reader sees the name any more, the steps
//! that follow, and what keeps the name out of frames that were made before.

use super::log_writer::LogWriter;
use super::pruning::Pace;
use super::removal::identified;
use super::{Refusal, Writer};
use crate::access::Scope;
use crate::domain::Erasure;
use crate::storage::{Erased, ErasureStep, Request, StorageError};
use actix::prelude::*;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a session may still hold frames that were made before an erasure: one that does not read for
/// half of it is cut.
const FRAMES_LIVE: Duration = Duration::from_secs(60);
/// How long a reader that is in the way of the last step is waited for, again and again.
const HELD_UP: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
const PAUSE: Duration = Duration::from_millis(1);

// Messages

/// Nobody sees this actor any more in what the scope has now, with the entry that records it.
pub struct Erase {
    pub scope: Scope,
    pub actor: String,
    pub record: Request,
}

impl Message for Erase {
    type Result = Result<Erased, StorageError>;
}

/// Look at the next rows.
pub struct EraseRows {
    pub limit: usize,
}

/// What a step did, and how long recording waited for it.
#[derive(Debug, Clone, Copy)]
pub struct Looked {
    pub step: ErasureStep,
    pub took: Duration,
}

impl Message for EraseRows {
    type Result = Result<Looked, StorageError>;
}

// State

/// Who was erased while frames of before may be on their way.
pub type Names = Arc<Vec<Erasure>>;

pub struct Blanks {
    held: Vec<(Erasure, Option<Instant>)>,
    told: watch::Sender<Names>,
}

impl Blanks {
    pub fn new(told: watch::Sender<Names>) -> Self {
        Self {
            held: Vec::new(),
            told,
        }
    }

    fn add(&mut self, erasure: Erasure) {
        self.held.push((erasure, None));
        self.tell();
    }

    /// Forgets the names that the book has forgotten and that are in no frame any more.
    pub fn forget(&mut self, waiting: &[Erasure], now: Instant) {
        if self.held.is_empty() {
            return;
        }
        let before = self.held.len();
        for (erasure, ended) in &mut self.held {
            let waits = |one: &Erasure| one.upto == erasure.upto && one.name() == erasure.name();
            if !waiting.iter().any(waits) {
                ended.get_or_insert(now);
            }
        }
        self.held
            .retain(|(_, ended)| ended.is_none_or(|ended| now.duration_since(ended) < FRAMES_LIVE));
        if self.held.len() != before {
            self.tell();
        }
    }

    fn tell(&self) {
        let names = self.held.iter().map(|(erasure, _)| erasure.clone());
        self.told.send_replace(Arc::new(names.collect()));
    }
}

// Handlers

impl LogWriter {
    fn erase(&mut self, erase: Erase) -> Result<Erased, StorageError> {
        // What was sent before this is erased too.
        self.drain();
        let now = (self.clock)();
        let record = identified(erase.record);
        let erased = self
            .store()
            .erase(now, &erase.scope, &erase.actor, &record)?;
        let workspace = erase.scope.workspace().cloned();
        // Before anybody is told that it was done.
        self.blanks
            .add(Erasure::new(workspace, erase.actor, erased.upto));
        self.tell_of(erased.told_in(&record));
        Ok(erased)
    }

    fn erase_rows(&mut self, limit: usize) -> Result<Looked, StorageError> {
        let began = Instant::now();
        let step = self.store().erase_rows(limit)?;
        let took = began.elapsed();
        Ok(Looked { step, took })
    }

    pub(super) fn forget_blanks(&mut self) {
        let waiting = self.store().erasures();
        self.blanks.forget(&waiting, Instant::now());
    }
}

impl Handler<Erase> for LogWriter {
    type Result = Result<Erased, StorageError>;

    fn handle(&mut self, erase: Erase, _: &mut Context<Self>) -> Self::Result {
        self.judged(|writer| writer.erase(erase))
    }
}

impl Handler<EraseRows> for LogWriter {
    type Result = Result<Looked, StorageError>;

    fn handle(&mut self, rows: EraseRows, _: &mut Context<Self>) -> Self::Result {
        self.judged(|writer| writer.erase_rows(rows.limit))
    }
}

/// Goes on with whatever erasures the book has, to their end, in steps of a few milliseconds. Answers how many
/// entries held a name, and whether the end was reached.
pub async fn finish(
    writer: &Writer,
    pace: &Pace,
    stopping: &Cell<bool>,
) -> Result<(u64, bool), Refusal> {
    let (mut blanked, mut wait) = (0, HELD_UP.0);
    loop {
        let Looked { step, took } = writer.erase_rows(pace.limit()).await?;
        blanked += step.blanked;
        if !step.more {
            return Ok((blanked, true));
        }
        if stopping.get() {
            return Ok((blanked, false));
        }
        if step.held_up {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(HELD_UP.1);
            continue;
        }
        pace.learn(took);
        if writer.queue().held().entries > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
