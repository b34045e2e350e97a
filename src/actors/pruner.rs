//! The Pruner: when retention runs, and who may change its rules. What a run does is the keeper's.

use super::context::Context as Caller;
use super::keeper::{Change, Forget, Forgotten, How, Keeper, NotChanged, Status, View};
use super::messages::BookReplaced;
use super::{Clocks, Refusal, vital};
use crate::access::Scope;
use crate::domain::WorkspaceId;
use crate::domain::retention::{Base, InForce};
use actix::prelude::*;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

/// How often the clocks are compared, and whether a run is due is looked at.
const TICK: Duration = Duration::from_secs(60);
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
    clocks: Clocks,
    interval: Duration,
    /// By the time that passes.
    last_run: Duration,
}

impl Pruner {
    pub fn new(keeper: Keeper, clocks: Clocks, interval: Duration) -> Self {
        let last_run = clocks().passed;
        Self {
            keeper: Rc::new(keeper),
            clocks,
            interval,
            last_run,
        }
    }

    pub fn view(&self) -> View {
        self.keeper.view()
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        let now = (self.clocks)();
        let noted = self.ask(|keeper| async move { keeper.note_clock(now).await });
        ctx.spawn(noted.into_actor(self));
        if now.passed.saturating_sub(self.last_run) >= self.interval {
            self.run_soon(ctx);
        }
    }

    fn run_soon(&mut self, ctx: &mut Context<Self>) {
        let now = (self.clocks)();
        self.last_run = now.passed;
        let keeper = Rc::clone(&self.keeper);
        let run = vital_future(async move {
            match keeper.run_once(now, How::Due).await {
                Ok(status) if status.removed > 0 => {
                    log::info!("retention removed {} entries", status.removed);
                }
                Ok(_) => {}
                Err(refusal) => log::warn!("retention did not run: {refusal}"),
            }
        });
        ctx.spawn(run.into_actor(self));
    }

    fn ask<T: 'static, F>(&self, ask: impl FnOnce(Rc<Keeper>) -> F) -> LocalBoxFuture<'static, T>
    where
        F: Future<Output = T> + 'static,
    {
        vital_future(ask(Rc::clone(&self.keeper)))
    }
}

/// A panic in what keeps the book within its rules ends the process.
fn vital_future<T: 'static>(work: impl Future<Output = T> + 'static) -> LocalBoxFuture<'static, T> {
    async move {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(done) => done,
            Err(panic) => vital::guard("Pruner", || std::panic::resume_unwind(panic)),
        }
    }
    .boxed_local()
}

// Handlers

impl Actor for Pruner {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // What a stop left half done goes on, and what became due meanwhile goes.
        ctx.notify(Tidy);
        self.run_soon(ctx);
        ctx.run_interval(TICK, Self::tick);
    }
}

impl Handler<DryRun> for Pruner {
    type Result = ResponseFuture<Result<Status, Refusal>>;

    fn handle(&mut self, DryRun { only }: DryRun, _: &mut Context<Self>) -> Self::Result {
        let now = (self.clocks)();
        self.ask(|keeper| async move { keeper.dry_run(now, only).await })
    }
}

impl Handler<RunNow> for Pruner {
    type Result = ResponseFuture<Result<Status, Refusal>>;

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
        Box::pin(changed.into_actor(self).map(then))
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
        Box::pin(reloaded.into_actor(self).map(then))
    }
}

impl Handler<BookReplaced> for Pruner {
    type Result = ResponseFuture<()>;

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
        ctx.spawn(tidy.into_actor(self));
    }
}

impl Handler<Erase> for Pruner {
    type Result = ResponseFuture<Result<Forgotten, Refusal>>;

    fn handle(&mut self, Erase(asked): Erase, _: &mut Context<Self>) -> Self::Result {
        self.ask(|keeper| async move { keeper.forget(asked).await })
    }
}

impl Handler<DryErase> for Pruner {
    type Result = ResponseFuture<Result<Forgotten, Refusal>>;

    fn handle(&mut self, asked: DryErase, _: &mut Context<Self>) -> Self::Result {
        let DryErase { scope, actor } = asked;
        self.ask(|keeper| async move { keeper.would_forget(scope, actor).await })
    }
}

impl Handler<Stop> for Pruner {
    type Result = ResponseFuture<()>;

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
