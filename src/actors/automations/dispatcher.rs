//! The Dispatcher: it alone reads the book for automations and tells what they have to tell. What it does is the
//! desk's, one thing at a time; each receiver is told on a thread of its own, so that none holds up another.

use super::attempt::Tried;
use super::desk::Desk;
use super::held::Shown;
use super::rules::NotDone;
use super::{Alter, Declare, List, Stop, Test};
use crate::actors::Refusal;
use crate::actors::messages::BookReplaced;
use crate::domain::Seq;
use crate::storage::StorageError;
use actix::prelude::*;
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
    pub fn new(desk: Desk, newest: watch::Receiver<Seq>) -> Self {
        Self {
            desk: Some(desk),
            newest,
            timer: None,
            tests: Rc::default(),
            is_stopping: false,
        }
    }

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

impl<T: 'static> Otherwise for Result<T, Refusal> {
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
    type Result = AtomicResponse<Self, Result<(), Refusal>>;

    fn handle(&mut self, Declare(declared): Declare, _: &mut Context<Self>) -> Self::Result {
        let declare = async move |desk: &mut Desk| desk.declare(declared).await;
        self.work(declare, |_, _, _| {})
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
