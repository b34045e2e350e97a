//! What holds a run back: a clock that jumped, or too much that would go. The book knows of a jump as soon as it is
//! noted, so that nothing but a confirmation or a day of agreement releases it.

use super::Keeper;
use super::ages::GoingBy;
use crate::actors::Refusal;
use crate::actors::halt::{Halt, Reason};
use crate::actors::pruning::Plan;
use crate::domain::clock::Moment;
use crate::domain::{Act, Emitted};
use crate::storage::Request;

impl Keeper {
    /// Whether the clock has jumped since this was asked last; if so the next run waits, which is kept in the book
    /// together with the entry of it.
    pub async fn note_clock(&self, now: Moment) {
        self.look_at_clock(now);
        self.keep_halt().await;
    }

    fn look_at_clock(&self, now: Moment) {
        let Some(jumped) = self.clock.borrow_mut().observe(now) else {
            return;
        };
        let seconds = jumped / 1_000_000;
        log::warn!("the wall clock jumped by {seconds} s against the time that passed");
        let message = format!("The clock jumped by {seconds} s against the time that passed");
        let own = Emitted::ServerClockJumped
            .says(message)
            .with("jumped_seconds", seconds);
        self.untold.replace(Some(own));
        self.halt.replace(Some(Halt::new(Reason::ClockJumped, now)));
        self.halted.send_replace(Some(Reason::ClockJumped));
    }

    /// Has the book remember a jump that it does not know of. What it cannot take now it is told the next time.
    pub async fn keep_halt(&self) {
        let untold = self.untold.take();
        let halt = self.halt.borrow().clone();
        let halt = halt.filter(|halt| halt.reason == Reason::ClockJumped && !halt.is_kept);
        if untold.is_none() && halt.is_none() {
            return;
        }
        // Before it is there: who releases it meanwhile takes it out of the book again, behind this.
        self.halt_is_kept
            .set(self.halt_is_kept.get() || halt.is_some());
        let entry = |own: &_| self.recorder.own_entry(Clone::clone(own), None);
        let request = Request {
            acts: halt.iter().map(Halt::remembered).collect(),
            entries: untold.iter().map(entry).collect(),
        };
        match self.writer.commit(request).await {
            Ok(_) => {
                if let Some(halt) = halt {
                    self.mark(&halt, |halt| halt.is_kept = true);
                }
            }
            Err(refusal) => {
                log::warn!("the book does not know yet that the clock jumped: {refusal}");
                let mut newer = self.untold.borrow_mut();
                *newer = newer.take().or(untold);
            }
        }
    }

    /// Why a run that is due must not go now. What goes from a workspace whose own age limit was changed is wanted,
    /// and releases nothing of the others.
    pub(super) fn held_back(&self, now: Moment, plan: &Plan, by: &GoingBy) -> Option<Reason> {
        let (changed, rest) = self.by_change(plan, by);
        let is_held_back = match self.halt.borrow().as_ref() {
            Some(halt) if halt.is_over(now) => false,
            Some(halt) if halt.reason == Reason::ClockJumped => return Some(halt.reason),
            Some(_) => changed.parts.is_empty() || rest.by_age() > 0,
            // Nor does a change hold back what would go without it.
            None => plan.goes_by_half() && rest.goes_by_half(),
        };
        is_held_back.then_some(Reason::MoreThanHalf)
    }

    /// Records it, once; answers how many entries went all the same.
    pub(super) async fn hold_back(
        &self,
        now: Moment,
        reason: Reason,
        plan: &Plan,
        by: GoingBy,
    ) -> Result<u64, Refusal> {
        let (wanted, rest) = match reason {
            Reason::ClockJumped => (Plan::default(), plan.clone()),
            Reason::MoreThanHalf => self.by_change(plan, &by),
        };
        self.record_halt(now, reason, rest.entries()).await?;
        if wanted.parts.is_empty() {
            return Ok(0);
        }
        let removed = self.carry_out(&wanted, None).await?;
        // Those of the rest are as they were.
        self.note_ages(by);
        let request = Request {
            acts: self.remember_ages().into_iter().collect(),
            entries: Vec::new(),
        };
        self.writer.commit(request).await?;
        self.tidy().await?;
        Ok(removed)
    }

    async fn record_halt(
        &self,
        now: Moment,
        reason: Reason,
        would_remove: u64,
    ) -> Result<(), Refusal> {
        let standing = self.halt.borrow().clone();
        let halt = standing.unwrap_or_else(|| Halt::new(reason, now));
        self.halt.replace(Some(halt.clone()));
        self.halted.send_replace(Some(reason));
        if halt.is_recorded {
            return Ok(());
        }
        log::warn!("pruning is held back: {reason}; `daybook prune --confirm` lets it go on");
        self.halt_is_kept.set(true);
        let mut request = halt.recorded(would_remove);
        // So that over a restart, too, it is known whose limit was changed since.
        request.acts.extend(self.remember_ages());
        self.writer.commit(request).await?;
        self.mark(&halt, |halt| {
            halt.is_recorded = true;
            halt.is_kept = true;
        });
        Ok(())
    }

    /// What stood when a run began is over with it; one that came since is not. The act that makes the book forget
    /// it, where it remembers one.
    pub(super) fn release(&self, standing: Option<&Halt>) -> Option<Act> {
        let is_newer = |halt: &Halt| !standing.is_some_and(|standing| standing.is(halt));
        if self.halt.borrow().as_ref().is_some_and(is_newer) {
            return None;
        }
        self.halt.take();
        self.halted.send_replace(None);
        self.halt_is_kept.take().then(Halt::forgotten)
    }

    /// Notes something of this halt, if it still is the one that stands.
    fn mark(&self, which: &Halt, note: impl FnOnce(&mut Halt)) {
        let mut halt = self.halt.borrow_mut();
        if let Some(halt) = halt.as_mut().filter(|halt| halt.is(which)) {
            note(halt);
        }
    }
}
