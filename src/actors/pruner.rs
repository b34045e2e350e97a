//! The Pruner: when retention runs, and who may change its rules. What a run does is the keeper's.

use super::context::Context as Caller;
use super::event_hub::Publish;
use super::keeper::{Change, Forget, Forgotten, How, Keeper, NotChanged, Status, View};
use super::messages::BookReplaced;
use super::{Clocks, Refusal, vital};
use crate::access::Scope;
use crate::domain::WorkspaceId;
use crate::domain::live::Event;
use crate::domain::retention::{Base, InForce};
use actix::prelude::*;
use futures_util::future::join;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How often the clocks are compared, and whether a run is due is looked at.
const TICK: Duration = Duration::from_secs(60);
/// By how much less than that may lie between two looks, as a busy machine has it.
const GRAIN: Duration = Duration::from_secs(5);
/// How long a stop waits for the step that runs.
const PATIENCE: Duration = Duration::from_millis(500);

// Messages

/// Say what a run would do now, of one workspace or of all.
pub struct DryRun {
    pub only: Option<WorkspaceId>,
}

/// Run now, whatever held it back: somebody has looked.
pub struct RunNow {
    pub only: Option<WorkspaceId>,
    pub by: Option<Caller>,
}

/// Change what is in force, for the book or for one workspace.
pub struct Retain {
    pub workspace: Option<WorkspaceId>,
    pub change: Change,
    pub by: Option<Caller>,
}

/// Go by what a file says that was read again.
pub struct Reload {
    pub base: Base,
    pub interval: Duration,
}

/// Forget somebody; answered when the file does not hold the name any more.
pub struct Erase(pub Forget);

/// Say how many entries hold the name.
pub struct DryErase {
    pub scope: Scope,
    pub actor: String,
}

impl Message for Erase {
    type Result = Result<Forgotten, Refusal>;
}

impl Message for DryErase {
    type Result = Result<Forgotten, Refusal>;
}

/// A clear left rows behind.
pub struct Tidy;

/// End what runs.
pub struct Stop;

impl Message for DryRun {
    type Result = Result<Status, Refusal>;
}

impl Message for RunNow {
    type Result = Result<Status, Refusal>;
}

impl Message for Retain {
    type Result = Result<InForce, NotChanged>;
}

impl Message for Reload {
    type Result = Result<(), Refusal>;
}

impl Message for Tidy {
    type Result = ();
}

impl Message for Stop {
    type Result = ();
}

// State

pub struct Pruner {
    keeper: Rc<Keeper>,
    /// Told of each change of what is in force.
    hub: Recipient<Publish>,
    clocks: Clocks,
    interval: Duration,
    /// By the time that passes.
    last_run: Duration,
}

impl Pruner {
    pub fn new(
        keeper: Keeper,
        hub: Recipient<Publish>,
        clocks: Clocks,
        interval: Duration,
    ) -> Self {
        let last_run = clocks().passed;
        Self {
            keeper: Rc::new(keeper),
            hub,
            clocks,
            interval,
            last_run,
        }
    }

    /// In this way alone, since nobody keeps the book within its rules when it is gone.
    pub fn start(self) -> Addr<Self> {
        vital::start("Pruner", self)
    }

    pub fn view(&self) -> View {
        self.keeper.view()
    }

    /// Whatever changed it: somebody, a file that was read again, or another book.
    fn tell_what_changes(&self, ctx: &mut Context<Self>) {
        let hub = self.hub.clone();
        let mut retention = self.view().retention;
        let mut told = Arc::clone(&retention.borrow_and_update());
        let telling = async move {
            while retention.changed().await.is_ok() {
                let held = Arc::clone(&retention.borrow_and_update());
                for workspace in held.whose_differ(&told) {
                    let event = Event::SettingsChanged;
                    // It is gone only with the process.
                    let _ = hub.send(Publish { event, workspace }).await;
                }
                told = held;
            }
        };
        ctx.spawn(telling.into_actor(self));
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        let now = (self.clocks)();
        let noted = self.ask(|keeper| async move { keeper.note_clock(now).await });
        ctx.spawn(noted);
        if is_due(now.passed.saturating_sub(self.last_run), self.interval) {
            self.run_soon(ctx);
        }
    }

    fn run_soon(&mut self, ctx: &mut Context<Self>) {
        let now = (self.clocks)();
        self.last_run = now.passed;
        let keeper = Rc::clone(&self.keeper);
        let run = async move {
            match keeper.run_once(now, How::Due).await {
                Ok(status) if status.removed > 0 => {
                    log::info!("retention removed {} entries", status.removed);
                }
                Ok(_) => {}
                Err(refusal) => log::warn!("retention did not run: {refusal}"),
            }
        };
        ctx.spawn(run.into_actor(self));
    }

    /// Within the context, as everything here: what panics there ends the process.
    fn ask<T: 'static, F>(&self, ask: impl FnOnce(Rc<Keeper>) -> F) -> ResponseActFuture<Self, T>
    where
        F: Future<Output = T> + 'static,
    {
        Box::pin(ask(Rc::clone(&self.keeper)).into_actor(self))
    }
}

// Handlers

impl Actor for Pruner {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.tell_what_changes(ctx);
        // What a stop left half done goes on, and what became due meanwhile goes.
        ctx.notify(Tidy);
        self.run_soon(ctx);
        ctx.run_interval(TICK, Self::tick);
    }
}

impl Handler<DryRun> for Pruner {
    type Result = ResponseActFuture<Self, Result<Status, Refusal>>;

    fn handle(&mut self, DryRun { only }: DryRun, _: &mut Context<Self>) -> Self::Result {
        let now = (self.clocks)();
        self.ask(|keeper| async move { keeper.dry_run(now, only).await })
    }
}

impl Handler<RunNow> for Pruner {
    type Result = ResponseActFuture<Self, Result<Status, Refusal>>;

    fn handle(&mut self, RunNow { only, by }: RunNow, _: &mut Context<Self>) -> Self::Result {
        let now = (self.clocks)();
        let how = How::Confirmed(only, by);
        self.ask(|keeper| async move { keeper.run_once(now, how).await })
    }
}

impl Handler<Retain> for Pruner {
    type Result = ResponseActFuture<Self, Result<InForce, NotChanged>>;

    fn handle(&mut self, retain: Retain, _: &mut Context<Self>) -> Self::Result {
        let Retain {
            workspace,
            change,
            by,
        } = retain;
        let changed = self.ask(|keeper| async move { keeper.change(workspace, change, by).await });
        let then = |changed: Result<InForce, NotChanged>, pruner: &mut Self, ctx: &mut _| {
            if changed.is_ok() {
                pruner.run_soon(ctx);
            }
            changed
        };
        Box::pin(changed.map(then))
    }
}

impl Handler<Reload> for Pruner {
    type Result = ResponseActFuture<Self, Result<(), Refusal>>;

    fn handle(&mut self, Reload { base, interval }: Reload, _: &mut Context<Self>) -> Self::Result {
        let reloaded = self.ask(|keeper| async move { keeper.reload(base).await });
        let then = move |reloaded: Result<(), Refusal>, pruner: &mut Self, ctx: &mut _| {
            if reloaded.is_ok() {
                pruner.interval = interval;
                pruner.run_soon(ctx);
            }
            reloaded
        };
        Box::pin(reloaded.map(then))
    }
}

impl Handler<BookReplaced> for Pruner {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) -> Self::Result {
        let now = (self.clocks)();
        self.ask(|keeper| async move {
            if let Err(error) = keeper.read_again(now) {
                log::error!("the settings of the restored book could not be read: {error}");
            }
            keeper.keep_halt().await;
        })
    }
}

impl Handler<Tidy> for Pruner {
    type Result = ();

    fn handle(&mut self, _: Tidy, ctx: &mut Context<Self>) {
        let tidy = self.ask(|keeper| async move {
            if let Err(refusal) = keeper.tidy().await {
                log::warn!("what a clear left behind stays for the next run: {refusal}");
            }
        });
        ctx.spawn(tidy);
    }
}

impl Handler<Erase> for Pruner {
    type Result = ResponseActFuture<Self, Result<Forgotten, Refusal>>;

    fn handle(&mut self, Erase(asked): Erase, _: &mut Context<Self>) -> Self::Result {
        self.ask(|keeper| async move { keeper.forget(asked).await })
    }
}

impl Handler<DryErase> for Pruner {
    type Result = ResponseActFuture<Self, Result<Forgotten, Refusal>>;

    fn handle(&mut self, asked: DryErase, _: &mut Context<Self>) -> Self::Result {
        let DryErase { scope, actor } = asked;
        self.ask(|keeper| async move { keeper.would_forget(scope, actor).await })
    }
}

impl Handler<Stop> for Pruner {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Stop, _: &mut Context<Self>) -> Self::Result {
        let now = (self.clocks)();
        self.ask(|keeper| async move {
            // The next start knows nothing of a jump since the last look but what the book says.
            let stop = join(keeper.stop(), keeper.note_clock(now));
            if tokio::time::timeout(PATIENCE, stop).await.is_err() {
                log::warn!("retention did not come to its end within {PATIENCE:?}");
            }
        })
    }
}

/// A look that comes a little early runs, and does not leave it to the next, which is a whole tick later.
fn is_due(since_last: Duration, interval: Duration) -> bool {
    since_last + GRAIN >= interval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_due_each_minute_goes_each_minute_whenever_the_looks_come() {
        let runs_in_an_hour = |minutes: u32, early: fn(u32) -> u64| {
            let (mut last, mut runs) = (Duration::ZERO, 0);
            for look in 1..=60 {
                let now = TICK * look - Duration::from_millis(early(look));
                if is_due(now - last, TICK * minutes) {
                    (last, runs) = (now, runs + 1);
                }
            }
            runs
        };
        for early in [
            |_| 0,
            |look| u64::from(look % 2),
            |look| u64::from(look * 7 % 11) * 200,
        ] {
            assert_eq!(runs_in_an_hour(1, early), 60);
            assert_eq!(runs_in_an_hour(2, early), 30);
            assert_eq!(runs_in_an_hour(20, early), 3);
        }
    }
}
