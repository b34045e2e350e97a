//! What keeps the book within its rules: which rule is in force, when a run is held back, and the run
//! itself. It has no timer and no clock of its own; the Pruner calls it, and tests do.

mod ages;
mod change;
mod clock;
mod erase;

pub use change::{Change, NotChanged};
pub use erase::{Forget, Forgotten};

use self::ages::{Ages, GoingBy};
use super::Clocks;
use super::context::Context;
use super::halt::{Halt, Reason};
use super::pruning::{Pace, Plan, Run};
use super::recorder::Recorder;
use super::{Refusal, Writer};
use crate::domain::clock::{ClockWatch, Moment};
use crate::domain::retention::{Base, Retention};
use crate::domain::{Emitted, Own, Timestamp, WorkspaceId};
use crate::storage::{EntryReader, Request, StorageError};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What everybody may see of it.
#[derive(Clone)]
pub struct View {
    pub retention: watch::Receiver<Arc<Retention>>,
    pub halted: watch::Receiver<Option<Reason>>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// That went; of a dry run, that would go.
    pub removed: u64,
    pub oldest_kept: Option<Timestamp>,
    pub halted: Option<Reason>,
}

/// Who wants a run.
#[derive(Debug, Clone)]
pub enum How {
    /// The time has come, or a rule has changed.
    Due,
    /// Somebody who knows what would go, and who may have one workspace alone; on whose behalf, if it was
    /// a call.
    Confirmed(Option<WorkspaceId>, Option<Context>),
}

pub struct Keeper {
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    recorder: Recorder,
    retention: watch::Sender<Arc<Retention>>,
    halted: watch::Sender<Option<Reason>>,
    halt: RefCell<Option<Halt>>,
    /// The book remembers a halt, this one or one that is over.
    halt_is_kept: Cell<bool>,
    clock: RefCell<ClockWatch>,
    /// The entry of a jump that is not in the book yet.
    untold: RefCell<Option<Own>>,
    /// What the last run went by. The next is not held back for what goes from a workspace whose limit is another.
    seen: RefCell<Ages>,
    seen_in_book: RefCell<Option<Ages>>,
    /// How many books there were: a run that began in a former one says nothing of this.
    book: Cell<u32>,
    pace: Pace,
    erase_pace: Pace,
    stopping: Cell<bool>,
    /// One run at a time, and one change.
    turn: Semaphore,
    changing: Semaphore,
}

/// What a keeper is made of.
pub struct Parts {
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub recorder: Recorder,
    pub retention: watch::Sender<Arc<Retention>>,
    pub clocks: Clocks,
}

/// What the book says is in force over `base`.
pub fn remembered(reader: &dyn EntryReader, base: Base) -> Result<Retention, StorageError> {
    let mut retention = Retention::new(base);
    let kept = reader.settings(crate::domain::retention::SETTING)?;
    for key in retention.remember(&kept) {
        log::warn!("the setting {key} in the book cannot be read, and does not count");
    }
    Ok(retention)
}

impl Keeper {
    pub fn open(parts: Parts) -> Result<Self, StorageError> {
        let now = (parts.clocks)();
        let halt = Halt::kept(parts.reader.as_ref(), now)?;
        let seen = Ages::kept(parts.reader.as_ref())?;
        let current = Ages::of(&parts.retention.borrow());
        Ok(Self {
            // In a book that no run has seen there is nothing that changed.
            seen: RefCell::new(seen.clone().unwrap_or(current)),
            seen_in_book: RefCell::new(seen),
            book: Cell::new(0),
            halted: watch::Sender::new(halt.as_ref().map(|halt| halt.reason)),
            halt_is_kept: Cell::new(halt.is_some()),
            halt: RefCell::new(halt),
            clock: RefCell::new(ClockWatch::new(now)),
            untold: RefCell::default(),
            writer: parts.writer,
            reader: parts.reader,
            recorder: parts.recorder,
            retention: parts.retention,
            pace: Pace::default(),
            erase_pace: Pace::default(),
            stopping: Cell::new(false),
            turn: Semaphore::new(1),
            changing: Semaphore::new(1),
        })
    }

    /// The book is another one, with settings and halts of its own. Nothing of them is a rule that changed. The
    /// clock is the same: what it holds back stays held back, and this book is told by [`Self::keep_halt`].
    pub fn read_again(&self, now: Moment) -> Result<(), StorageError> {
        let base = self.current().base;
        let retention = remembered(self.reader.as_ref(), base)?;
        self.book.set(self.book.get() + 1);
        self.seen.replace(Ages::of(&retention));
        self.retention.send_replace(Arc::new(retention));
        let kept = Halt::kept(self.reader.as_ref(), now)?;
        self.seen_in_book.replace(Ages::kept(self.reader.as_ref())?);
        self.halt_is_kept.set(kept.is_some());
        let standing = self.halt.take();
        let standing = standing.filter(|halt| halt.reason == Reason::ClockJumped);
        let halt = match standing {
            Some(standing) => Some(standing.over(kept.as_ref())),
            None => kept,
        };
        self.halted
            .send_replace(halt.as_ref().map(|halt| halt.reason));
        self.halt.replace(halt);
        Ok(())
    }

    pub fn view(&self) -> View {
        View {
            retention: self.retention.subscribe(),
            halted: self.halted.subscribe(),
        }
    }

    /// One run, unless it is held back.
    pub async fn run_once(&self, now: Moment, how: How) -> Result<Status, Refusal> {
        let _turn = self.turn.acquire().await;
        self.note_clock(now).await;
        // What comes while this one goes is not released by it.
        let standing = self.halt.borrow().clone();
        let (only, by, is_due) = match how {
            How::Due => (None, None, true),
            How::Confirmed(only, by) => (only, by, false),
        };
        let (going_by, plan) = self.plan(now.wall, only.clone()).await?;
        if is_due && let Some(reason) = self.held_back(now, &plan, &going_by) {
            let removed = self.hold_back(now, reason, &plan, going_by).await?;
            return Ok(Status {
                removed,
                oldest_kept: plan.oldest_kept(),
                halted: Some(reason),
            });
        }
        let removed = self.carry_out(&plan, by.as_ref()).await?;
        if only.is_none() {
            let has_entries = plan.held() > 0;
            self.go_on(standing.as_ref(), has_entries, going_by).await?;
        }
        self.tidy().await?;
        Ok(Status {
            removed,
            oldest_kept: plan.oldest_kept(),
            halted: None,
        })
    }

    /// What a run would do now.
    pub async fn dry_run(&self, now: Moment, only: Option<WorkspaceId>) -> Result<Status, Refusal> {
        self.note_clock(now).await;
        let of_one = only.is_some();
        let (going_by, plan) = self.plan(now.wall, only).await?;
        let halted = self.held_back(now, &plan, &going_by);
        let (_, rest) = self.by_change(&plan, &going_by);
        Ok(Status {
            removed: plan.entries(),
            oldest_kept: plan.oldest_kept(),
            // How much goes of the others is not told to who asks for one.
            halted: halted
                .filter(|reason| !of_one || *reason != Reason::MoreThanHalf || rest.goes_by_half()),
        })
    }

    /// What clears left behind goes, and freed pages with it; what erasures left, before.
    pub async fn tidy(&self) -> Result<u64, Refusal> {
        self.finish_erasures().await?;
        self.run().sweep().await
    }

    /// Ends what runs after its step; comes back when it has ended.
    pub async fn stop(&self) {
        self.stopping.set(true);
        let _turn = self.turn.acquire().await;
    }

    async fn plan(
        &self,
        now: Timestamp,
        only: Option<WorkspaceId>,
    ) -> Result<(GoingBy, Plan), Refusal> {
        let going_by = self.going_by();
        let (reader, retention) = (Arc::clone(&self.reader), self.current());
        let planned = tokio::task::spawn_blocking(move || {
            Plan::read(reader.as_ref(), &retention, only.as_ref(), now)
        });
        match planned.await {
            Ok(plan) => Ok((going_by, plan?)),
            Err(_) => Err(Refusal::Stopping),
        }
    }

    async fn carry_out(&self, plan: &Plan, by: Option<&Context>) -> Result<u64, Refusal> {
        let total = plan.entries();
        if total == 0 {
            return Ok(0);
        }
        let mut own = Emitted::ActivityLogPruned.says(format!("Retention removed {total} entries"));
        if let Some(kept) = plan.oldest_kept() {
            own = own.with("oldest_kept_ts", kept.to_string());
        }
        let entry = |own: Own| self.recorder.own_entry(own, by);
        self.run().prune(plan, own, &entry).await
    }

    /// After a run, what held it back holds back no other, and the rules that it went by are known.
    async fn go_on(
        &self,
        standing: Option<&Halt>,
        has_entries: bool,
        went_by: GoingBy,
    ) -> Result<(), Refusal> {
        let mut acts = Vec::new();
        acts.extend(self.release(standing));
        self.note_ages(went_by);
        // An empty book has nothing that a rule could have been applied to.
        if has_entries {
            acts.extend(self.remember_ages());
        }
        if acts.is_empty() {
            return Ok(());
        }
        let request = Request {
            acts,
            entries: Vec::new(),
        };
        self.writer.commit(request).await.map(drop)
    }

    fn run(&self) -> Run<'_> {
        Run {
            writer: &self.writer,
            pace: &self.pace,
            stopping: &self.stopping,
        }
    }

    fn current(&self) -> Arc<Retention> {
        Arc::clone(&self.retention.borrow())
    }
}
