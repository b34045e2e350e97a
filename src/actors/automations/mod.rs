//! The Dispatcher: it alone reads the book for automations and tells what they have to tell. What it does is the
//! desk's, one thing at a time; each receiver is told on a thread of its own, so that none holds up another.

mod attempt;
mod body;
mod desk;
mod held;
mod look;
mod recall;
mod rules;
mod sending;
mod telling;

pub use attempt::Tried;
pub use desk::{News, Parts};
pub use held::Shown;
pub use rules::{Change, NotDone};

use super::Refusal;
use super::context::Context as Caller;
use super::messages::BookReplaced;
use crate::config::DeclaredRule;
use crate::domain::Seq;
use crate::storage::StorageError;
use actix::prelude::*;
use desk::Desk;
use futures_util::FutureExt;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::watch;

/// What is recorded within it is looked at together.
const GATHER: Duration = Duration::from_millis(50);
/// After what could not be read or committed.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Deliveries that somebody tries by hand at once.
const MOST_TESTS: usize = 4;

// Messages

/// Create, change, switch or remove a rule.
pub struct Alter {
    pub change: Change,
    pub by: Caller,
}

impl Message for Alter {
    type Result = Result<Option<Shown>, NotDone>;
}

/// All of them, or the one of this name.
pub struct List(pub Option<String>);

impl Message for List {
    type Result = Result<Vec<Shown>, Refusal>;
}

/// Tell the receiver of this one something now.
pub struct Test(pub String);

impl Message for Test {
    type Result = Result<Tried, NotDone>;
}

/// The rules that the configuration declares now.
pub struct Declare(pub Vec<DeclaredRule>);

impl Message for Declare {
    type Result = ();
}

/// End it.
pub struct Stop;

impl Message for Stop {
    type Result = ();
}

/// To itself: the book went on.
struct Look;

impl Message for Look {
    /// Whether there is more to look at.
    type Result = Result<bool, Refusal>;
}

/// To itself: something may be due. It is notified, see `tell_itself`.
struct Pump;

impl Message for Pump {
    type Result = ();
}

/// To itself: what was decided is not in the book yet.
struct Save;

impl Message for Save {
    type Result = ();
}

/// To itself: what came of an attempt.
struct Answered {
    rule: String,
    delivery: String,
    tried: Tried,
}

impl Message for Answered {
    type Result = ();
}

// The way to it

#[derive(Clone)]
pub struct Automations {
    addr: Addr<Dispatcher>,
}

impl Automations {
    /// On a thread of its own.
    pub fn start(parts: Parts, declared: Vec<DeclaredRule>, news: News) -> Result<Self, Refusal> {
        let newest = news.newest.clone();
        let desk = Desk::open(parts, declared, news)?;
        let arbiter = Arbiter::new();
        let addr = Dispatcher::start_in_arbiter(&arbiter.handle(), move |_| Dispatcher {
            desk: Some(desk),
            newest,
            timer: None,
            tests: Rc::default(),
            is_stopping: false,
        });
        Ok(Self { addr })
    }

    pub fn addr(&self) -> &Addr<Dispatcher> {
        &self.addr
    }

    pub async fn list(&self, name: Option<String>) -> Result<Vec<Shown>, Refusal> {
        self.addr
            .send(List(name))
            .await
            .map_err(|_| Refusal::Stopping)?
    }

    pub async fn alter(&self, change: Change, by: Caller) -> Result<Option<Shown>, NotDone> {
        let asked = self.addr.send(Alter { change, by }).await;
        asked.map_err(|_| Refusal::Stopping)?
    }

    pub async fn test(&self, name: String) -> Result<Tried, NotDone> {
        let asked = self.addr.send(Test(name)).await;
        asked.map_err(|_| Refusal::Stopping)?
    }

    pub async fn declare(&self, declared: Vec<DeclaredRule>) {
        // Gone already when the process is ending.
        let _ = self.addr.send(Declare(declared)).await;
    }

    /// What is under way is left for the next start.
    pub async fn stop(&self) {
        // Gone already, as above.
        let _ = self.addr.send(Stop).await;
    }
}

// State

pub struct Dispatcher {
    /// Away while something is done with it, and nothing else is then.
    desk: Option<Desk>,
    newest: watch::Receiver<Seq>,
    timer: Option<SpawnHandle>,
    tests: Rc<Cell<usize>>,
    is_stopping: bool,
}

impl Dispatcher {
    /// Does one thing with the desk, then looks what is due and does `then`. A panic costs that one thing: the
    /// desk is made anew from the book.
    fn work<T: Otherwise>(
        &mut self,
        work: impl AsyncFnOnce(&mut Desk) -> T + 'static,
        then: impl FnOnce(&T, &mut Self, &mut Context<Self>) + 'static,
    ) -> AtomicResponse<Self, T> {
        let mut desk = self.desk.take().expect("one thing is done at a time");
        let done = async move {
            let done = AssertUnwindSafe(work(&mut desk)).catch_unwind().await;
            let done = match done {
                Ok(done) => done,
                Err(_) => {
                    log::error!("automations failed at something, and go on from the book");
                    desk.after_a_panic().await;
                    T::otherwise()
                }
            };
            (desk, done)
        };
        let done = done.into_actor(self).map(|(desk, done), act, ctx| {
            act.desk = Some(desk);
            ctx.notify(Pump);
            then(&done, act, ctx);
            done
        });
        AtomicResponse::new(Box::pin(done))
    }

    /// Once it is known that the book went on: first what came meanwhile is let gather.
    fn wait_for_more(&mut self, ctx: &mut Context<Self>) {
        let mut newest = self.newest.clone();
        let more = async move {
            let has_come = newest.changed().await.is_ok();
            tokio::time::sleep(GATHER).await;
            (newest, has_come)
        };
        let then = more.into_actor(self).map(|(newest, has_come), act, ctx| {
            act.newest = newest;
            if has_come {
                act.tell_itself(Look, ctx);
            }
        });
        ctx.spawn(then);
    }

    /// In its turn among what others send. What is notified is not: it is handled while something is done with
    /// the desk, and may only look at it.
    fn tell_itself<M>(&self, message: M, ctx: &mut Context<Self>)
    where
        M: Message<Result: Send> + Send + 'static,
        Self: Handler<M>,
    {
        let to = ctx.address();
        let told = async move {
            // It is gone only with this.
            let _ = to.send(message).await;
        };
        ctx.spawn(told.into_actor(self));
    }

    fn look_later(ctx: &mut Context<Self>) {
        ctx.run_later(TRY_AGAIN, |act, ctx| act.tell_itself(Look, ctx));
    }
}

/// What is answered when something failed here.
trait Otherwise: 'static {
    fn otherwise() -> Self;
}

impl Otherwise for () {
    fn otherwise() -> Self {}
}

impl Otherwise for Result<bool, Refusal> {
    fn otherwise() -> Self {
        let why = "something failed here; the telemetry says what";
        Err(StorageError::Other(why.into()).into())
    }
}

impl Otherwise for Result<Option<Shown>, NotDone> {
    fn otherwise() -> Self {
        let why = "something failed here; the telemetry says what";
        Err(Refusal::from(StorageError::Other(why.into())).into())
    }
}

// Handlers

impl Actor for Dispatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.tell_itself(Look, ctx);
    }
}

impl Handler<Look> for Dispatcher {
    type Result = AtomicResponse<Self, Result<bool, Refusal>>;

    fn handle(&mut self, _: Look, _: &mut Context<Self>) -> Self::Result {
        let is_stopping = self.is_stopping;
        let look = async move |desk: &mut Desk| match is_stopping {
            true => Ok(false),
            false => desk.look().await,
        };
        self.work(look, |more, act, ctx| match more {
            Ok(true) => act.tell_itself(Look, ctx),
            Ok(false) if act.is_stopping => {}
            Ok(false) => act.wait_for_more(ctx),
            Err(refusal) => {
                log::warn!("automations wait, and lose nothing: {refusal}");
                Self::look_later(ctx);
            }
        })
    }
}

impl Handler<Pump> for Dispatcher {
    type Result = ();

    fn handle(&mut self, _: Pump, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        let Some(desk) = self.desk.as_mut().filter(|_| !self.is_stopping) else {
            return;
        };
        for attempt in desk.due() {
            let (rule, delivery) = (attempt.rule.name.clone(), attempt.id.clone());
            let tried = attempt.on_its_own_thread();
            let tried = actix::fut::wrap_future::<_, Self>(tried);
            let then = tried.map(move |tried, act, ctx: &mut Context<Self>| {
                let answered = Answered {
                    rule,
                    delivery,
                    tried,
                };
                act.tell_itself(answered, ctx);
            });
            ctx.spawn(then);
        }
        self.timer = match desk.is_behind() {
            true => Some(ctx.run_later(TRY_AGAIN, |act, ctx| act.tell_itself(Save, ctx))),
            false => desk.next_in().map(|wait| ctx.notify_later(Pump, wait)),
        };
    }
}

impl Handler<Save> for Dispatcher {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Save, _: &mut Context<Self>) -> Self::Result {
        self.work(
            async move |desk: &mut Desk| {
                if let Err(refusal) = desk.save().await {
                    log::warn!("automations wait, and lose nothing: {refusal}");
                }
            },
            |_, _, _| {},
        )
    }
}

impl Handler<Answered> for Dispatcher {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, answered: Answered, _: &mut Context<Self>) -> Self::Result {
        let Answered {
            rule,
            delivery,
            tried,
        } = answered;
        self.work(
            async move |desk: &mut Desk| {
                desk.answered(&rule, &delivery, tried).await;
            },
            |_, _, _| {},
        )
    }
}

impl Handler<Alter> for Dispatcher {
    type Result = AtomicResponse<Self, Result<Option<Shown>, NotDone>>;

    fn handle(&mut self, Alter { change, by }: Alter, _: &mut Context<Self>) -> Self::Result {
        let alter = async move |desk: &mut Desk| desk.alter(change, &by).await;
        self.work(alter, |_, _, _| {})
    }
}

impl Handler<List> for Dispatcher {
    type Result = Result<Vec<Shown>, Refusal>;

    fn handle(&mut self, List(name): List, _: &mut Context<Self>) -> Self::Result {
        match &self.desk {
            Some(desk) => Ok(desk.shown(name.as_deref())),
            None => Err(Refusal::Stopping),
        }
    }
}

impl Handler<Test> for Dispatcher {
    type Result = ResponseFuture<Result<Tried, NotDone>>;

    fn handle(&mut self, Test(name): Test, _: &mut Context<Self>) -> Self::Result {
        let attempt = self.desk.as_ref().and_then(|desk| desk.test_of(&name));
        let (tests, open) = (Rc::clone(&self.tests), self.tests.get());
        if attempt.is_some() && open < MOST_TESTS {
            tests.set(open + 1);
        }
        Box::pin(async move {
            let attempt = attempt.ok_or(NotDone::NoSuchAutomation)?;
            if open >= MOST_TESTS {
                return Err(NotDone::Busy);
            }
            let tried = attempt.on_its_own_thread().await;
            tests.set(tests.get() - 1);
            Ok(tried)
        })
    }
}

impl Handler<Declare> for Dispatcher {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Declare(declared): Declare, _: &mut Context<Self>) -> Self::Result {
        self.work(
            async move |desk: &mut Desk| {
                if let Err(refusal) = desk.declare(declared).await {
                    log::warn!("the automations of the configuration begin later: {refusal}");
                }
            },
            |_, _, _| {},
        )
    }
}

impl Handler<BookReplaced> for Dispatcher {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) -> Self::Result {
        self.work(
            async move |desk: &mut Desk| {
                if let Err(refusal) = desk.read_again().await {
                    log::error!(
                        "the automations of the restored book could not be read: {refusal}"
                    );
                }
            },
            |_, _, _| {},
        )
    }
}

impl Handler<Stop> for Dispatcher {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Stop, _: &mut Context<Self>) -> Self::Result {
        self.is_stopping = true;
        self.work(
            async move |desk: &mut Desk| {
                desk.note_position().await;
            },
            |_, _, _| {},
        )
    }
}
