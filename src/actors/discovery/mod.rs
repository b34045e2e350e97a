//! Discovery: it alone owns the devices, their health, and the helper process that speaks mDNS. What it hears it
//! hands to the registry, and what that makes of it to the LogWriter.

mod child;
mod helping;
mod keeping;
mod messages;
mod probing;
mod way;

pub use helping::Status;
pub use messages::{
    Check, Do, Doing, Done, List, Listed, Listening, NotDone, One, Reload, Shown, Stop, Wanted,
};
pub use way::Devices;

use super::messages::BookReplaced;
use super::{Clocks, EventHub, Recorder, Refusal, Writer};
use crate::config;
use crate::domain::DeviceId;
use crate::domain::clock::Moment;
use crate::domain::device::{self, Outcome, Plan, Registry, Tracked};
use crate::storage::{EntryReader, StorageError};
use actix::prelude::*;
use helping::Helping;
use keeping::{Asked, Outbox, Outgoing};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(250);
/// How often it is kept when devices were seen last, and what is old is forgotten.
const KEEP_EVERY: Duration = Duration::from_secs(600);
/// Devices that one such commit holds.
const KEPT_TOGETHER: usize = 500;
/// Checks that run at once.
const CHECKS_AT_ONCE: usize = 32;
/// Messages that may wait.
const MAILBOX: usize = 1_024;

/// What it works with.
#[derive(Clone)]
pub struct Parts {
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub recorder: Recorder,
    pub hub: Addr<EventHub>,
    pub clocks: Clocks,
    pub settings: config::Discovery,
    /// Where the daemon listens, as far as that is known.
    pub listening: Vec<SocketAddr>,
}

// Messages

/// Are you there?
struct Alive;

impl Message for Alive {
    type Result = ();
}

/// For the test of what becomes of one that panicked.
#[cfg(test)]
pub struct Break;

#[cfg(test)]
impl Message for Break {
    type Result = ();
}

#[cfg(test)]
impl Handler<Break> for Discovery {
    type Result = ();

    fn handle(&mut self, Break: Break, _: &mut Context<Self>) {
        panic!("as the test wants it");
    }
}

/// As if its helper said so: what a network says of its devices.
#[cfg(test)]
pub struct Says(pub crate::mdns::protocol::Said);

#[cfg(test)]
impl Message for Says {
    type Result = ();
}

#[cfg(test)]
impl Handler<Says> for Discovery {
    type Result = ();

    fn handle(&mut self, Says(said): Says, ctx: &mut Context<Self>) {
        self.heard_that(said, self.now(), ctx);
    }
}

// State

pub struct Discovery {
    parts: Parts,
    registry: Registry,
    outbox: Outbox,
    helping: Helping,
    running_checks: usize,
    kept_at: Duration,
}

impl Discovery {
    fn open(parts: Parts) -> Result<Addr<Self>, StorageError> {
        let now = (parts.clocks)();
        let tuning = parts.settings.tuning();
        let registry = Registry::new(parts.reader.devices()?, tuning, now);
        let helping = Helping::new(&parts.settings, parts.listening.clone(), now.passed);
        let own = Self {
            registry,
            outbox: Outbox::default(),
            helping,
            running_checks: 0,
            kept_at: now.passed,
            parts,
        };
        let arbiter = Arbiter::new();
        Ok(Self::start_in_arbiter(&arbiter.handle(), move |_| own))
    }

    fn now(&self) -> Moment {
        (self.parts.clocks)()
    }

    fn shown(&self, one: &Tracked) -> Shown {
        Shown {
            device: one.device.clone(),
            plan: Plan::of(&one.device, self.parts.settings.tuning().timing),
            checked: one.checked.clone(),
            is_flapping: one.is_flapping(),
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        let now = self.now();
        self.look_after_the_helper(now, ctx);
        let mut changes = self.registry.tick(now);
        if now.passed.saturating_sub(self.kept_at) >= KEEP_EVERY {
            self.kept_at = now.passed;
            changes.extend(self.registry.forget(now));
            changes.extend(self.registry.unkept(KEPT_TOGETHER));
        }
        self.put(changes, ctx);
        let room = CHECKS_AT_ONCE.saturating_sub(self.running_checks);
        for (id, plan) in self.registry.due(now, room) {
            self.running_checks += 1;
            let check = async move { probing::probe(&plan.probe, plan.timeout).await };
            ctx.spawn(check.into_actor(self).map(move |outcome, own, ctx| {
                own.running_checks -= 1;
                own.note(&id, outcome, ctx);
            }));
        }
    }

    fn note(&mut self, id: &DeviceId, outcome: Outcome, ctx: &mut Context<Self>) {
        let now = self.now();
        let change = self.registry.checked(id, outcome, now);
        self.put(change.into_iter().collect(), ctx);
    }

    /// Does it where devices are kept; what is to be committed of it.
    fn do_it(&mut self, what: Doing) -> Result<(DeviceId, Vec<device::Change>), NotDone> {
        let now = self.now();
        Ok(match what {
            Doing::Add(asked) => {
                let id = DeviceId::fresh(uuid::Uuid::now_v7());
                (id.clone(), vec![self.registry.add(asked, id, now)?])
            }
            Doing::Alter(id, asked) => {
                let changes = self.registry.alter(&id, asked, now)?;
                (id, changes)
            }
            Doing::Remove(id) => {
                let change = self.registry.remove(&id)?;
                (id, vec![change])
            }
            Doing::Report(id, is_connected, said) => {
                let change = self.registry.report(&id, is_connected, said, now)?;
                (id, change.into_iter().collect())
            }
        })
    }
}

impl Doing {
    fn id(&self) -> Option<&DeviceId> {
        match self {
            Self::Add(_) => None,
            Self::Alter(id, _) | Self::Remove(id) | Self::Report(id, ..) => Some(id),
        }
    }
}

// Handlers

impl Actor for Discovery {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(TICK, |own, ctx| own.tick(ctx));
    }
}

impl Handler<List> for Discovery {
    type Result = MessageResult<List>;

    fn handle(&mut self, List(wanted): List, _: &mut Context<Self>) -> Self::Result {
        let fits = |one: &&Tracked| {
            let device = &one.device;
            wanted.state.is_none_or(|state| device.state == state)
                && wanted.source.is_none_or(|source| device.source == source)
                && wanted
                    .ignored
                    .is_none_or(|ignored| device.ignored == ignored)
        };
        let after = self.registry.after(wanted.after.as_ref()).filter(fits);
        let mut devices: Vec<Shown> = after
            .take(wanted.limit + 1)
            .map(|one| self.shown(one))
            .collect();
        let more = devices.len() > wanted.limit;
        devices.truncate(wanted.limit);
        MessageResult(Listed {
            devices,
            more,
            status: self.helping.status(self.registry.dropped_in_all),
        })
    }
}

impl Handler<One> for Discovery {
    type Result = MessageResult<One>;

    fn handle(&mut self, One(id): One, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.registry.get(&id).map(|one| self.shown(one)))
    }
}

impl Handler<Do> for Discovery {
    type Result = ResponseActFuture<Self, Result<Done, NotDone>>;

    fn handle(&mut self, Do { what, by }: Do, ctx: &mut Context<Self>) -> Self::Result {
        let known = what.id().and_then(|id| self.registry.get(id)).cloned();
        let (id, changes) = match self.do_it(what) {
            Ok(done) => done,
            Err(refused) => return Box::pin(fut::ready(Err(refused))),
        };
        let changed = !changes.is_empty();
        if !changed {
            let shown = self.registry.get(&id).map(|one| self.shown(one));
            return Box::pin(fut::ready(Ok(Done { shown, changed })));
        }
        let (answer, answered) = oneshot::channel();
        let before = (id.clone(), known);
        self.put_asked(changes, Asked { by, answer, before }, ctx);
        let stopping = |_| Err(Refusal::Stopping.into());
        let done = async move { answered.await.unwrap_or_else(stopping) };
        Box::pin(done.into_actor(self).map(move |done, own, _| {
            let shown = own.registry.get(&id).map(|one| own.shown(one));
            done.map(|()| Done { shown, changed })
        }))
    }
}

impl Handler<Check> for Discovery {
    type Result = ResponseActFuture<Self, Result<(Outcome, Shown), NotDone>>;

    fn handle(&mut self, Check(id): Check, _: &mut Context<Self>) -> Self::Result {
        let (probe, timeout) = match self.registry.probe(&id) {
            Ok(probe) => probe,
            Err(refused) => return Box::pin(fut::ready(Err(refused.into()))),
        };
        if self.running_checks >= CHECKS_AT_ONCE {
            return Box::pin(fut::ready(Err(NotDone::Busy)));
        }
        self.running_checks += 1;
        let check = async move { probing::probe(&probe, timeout).await };
        Box::pin(check.into_actor(self).map(move |outcome, own, ctx| {
            own.running_checks -= 1;
            own.note(&id, outcome.clone(), ctx);
            let one = own.registry.get(&id);
            let one = one.ok_or(device::NotDone::NoSuchDevice)?;
            Ok((outcome, own.shown(one)))
        }))
    }
}

impl Handler<Reload> for Discovery {
    type Result = ();

    fn handle(&mut self, Reload { announce, browse }: Reload, _: &mut Context<Self>) {
        self.parts.settings.announce = announce;
        self.parts.settings.browse = browse;
        self.helping.set_wanted(&self.parts.settings);
    }
}

impl Handler<Listening> for Discovery {
    type Result = ();

    fn handle(&mut self, Listening(at): Listening, _: &mut Context<Self>) {
        self.helping.set_listening(at, &self.parts.settings);
    }
}

impl Handler<Alive> for Discovery {
    type Result = ();

    fn handle(&mut self, Alive: Alive, _: &mut Context<Self>) {}
}

impl Handler<BookReplaced> for Discovery {
    type Result = ();

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) {
        match self.parts.reader.devices() {
            Ok(devices) => {
                let tuning = self.parts.settings.tuning();
                self.registry = Registry::new(devices, tuning, self.now());
                self.helping.ask_anew();
            }
            Err(error) => {
                log::error!("the devices of the restored book could not be read: {error}");
            }
        }
    }
}

impl Handler<Stop> for Discovery {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Stop: Stop, _: &mut Context<Self>) -> Self::Result {
        let gone = self.helping.stop();
        let mut left: Vec<Outgoing> = self.outbox.drain();
        left.push(Outgoing {
            changes: self.registry.unkept(usize::MAX).into_iter().collect(),
            asked: None,
        });
        let (request, writer) = (self.request(&left), self.parts.writer.clone());
        let stopped = async move {
            if !(request.acts.is_empty() && request.entries.is_empty())
                && let Err(refusal) = writer.commit(request).await
            {
                log::warn!("when devices were seen last was not kept: {refusal}");
            }
            if let Some(gone) = gone {
                gone.await;
            }
            drop(left);
        };
        AtomicResponse::new(Box::pin(stopped.into_actor(self)))
    }
}
