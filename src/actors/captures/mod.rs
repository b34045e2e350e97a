//! The captures: intakes that the daemon runs itself. One owner starts and stops them, each is a task of its own
//! that is tried again when it breaks, and none of them can harm another. They sit on a thread of their own.

mod attend;
mod file;
mod intake;
mod journal;
mod place;
mod socket;
mod status;
mod stream;
mod syslog;

pub use status::{Counters, Listed, State};

use super::context::Context as Caller;
use super::messages::BookReplaced;
use super::{Clock, Recorder, Writer};
use crate::config::Capture;
use crate::config::captures::Kind;
use crate::domain::{Emitted, entity_event};
use crate::storage::EntryReader;
use crate::telemetry::Metrics;
use actix::prelude::*;
use attend::Run;
use futures_util::future::join_all;
use intake::{Job, Tools};
use status::Told;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long whoever starts one waits to be told what came of it; it goes on by itself after that.
const PATIENCE: Duration = Duration::from_secs(2);

// Messages

/// Start these, or all.
pub struct Start {
    pub names: Option<Vec<String>>,
    pub by: Caller,
}

/// Stop these, or all.
pub struct Stop {
    pub names: Option<Vec<String>>,
    pub by: Caller,
}

/// By their names, in the order in which they were asked for; none where there is no such capture.
type Answer = Vec<(String, Option<Listed>)>;

impl Message for Start {
    type Result = Answer;
}

impl Message for Stop {
    type Result = Answer;
}

/// The configuration says these now.
pub struct Reload(pub Vec<Capture>);

impl Message for Reload {
    type Result = ();
}

/// Stop all for good.
pub struct Close;

impl Message for Close {
    type Result = ();
}

// The way to it

/// The way to the owner, and how each capture stands, which anybody reads without it.
#[derive(Clone)]
pub struct Captures {
    addr: Addr<Intakes>,
    listed: watch::Receiver<Arc<Vec<Listed>>>,
}

/// What captures need of the daemon.
pub struct Parts {
    pub writer: Writer,
    pub recorder: Recorder,
    pub reader: Arc<dyn EntryReader>,
    pub clock: Clock,
    pub metrics: Metrics,
}

impl Captures {
    /// Those that start by themselves are starting when this comes back.
    pub fn start(parts: Parts, captures: Vec<Capture>) -> Self {
        let (list, listed) = watch::channel(Arc::default());
        let arbiter = Arbiter::new();
        let addr = Intakes::start_in_arbiter(&arbiter.handle(), move |_| Intakes {
            tools: Arc::new(Tools {
                writer: parts.writer,
                recorder: parts.recorder,
                reader: parts.reader,
            }),
            clock: parts.clock,
            metrics: parts.metrics,
            slots: BTreeMap::new(),
            list,
            first: captures,
        });
        Self { addr, listed }
    }

    /// By name.
    pub fn list(&self) -> Vec<Listed> {
        self.listed.borrow().iter().cloned().collect()
    }

    pub fn addr(&self) -> &Addr<Intakes> {
        &self.addr
    }
}

// State

struct Slot {
    config: Arc<Capture>,
    told: Told,
    run: Option<Run>,
}

pub struct Intakes {
    tools: Arc<Tools>,
    clock: Clock,
    metrics: Metrics,
    slots: BTreeMap<String, Slot>,
    list: watch::Sender<Arc<Vec<Listed>>>,
    /// What is there at the start, until it starts.
    first: Vec<Capture>,
}

impl Intakes {
    fn add(&mut self, capture: Capture) {
        let name = capture.name.clone();
        let told = Told::new(self.metrics.capture(&name), Arc::clone(&self.clock));
        let slot = Slot {
            config: Arc::new(capture),
            told,
            run: None,
        };
        self.slots.insert(name, slot);
    }

    fn tell(&self) {
        let listed = |slot: &Slot| Listed::of(Arc::clone(&slot.config), &slot.told);
        self.list
            .send_replace(Arc::new(self.slots.values().map(listed).collect()));
    }

    /// Begins to run; nothing where it runs already.
    fn begin(&mut self, name: &str, by: Option<Caller>) {
        let Some(slot) = self.slots.get_mut(name) else {
            return;
        };
        if slot.run.is_some() {
            return;
        }
        slot.told.begins();
        let (config, told) = (Arc::clone(&slot.config), slot.told.clone());
        let job = |stop| Job::new(config, Arc::clone(&self.tools), told, stop);
        slot.run = Some(Run::begin(job, by));
    }

    /// Tells these to stop; what comes back is done when they have.
    fn end<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a String>,
        by: Option<&Caller>,
    ) -> impl Future<Output = ()> + 'static {
        let mut ends = Vec::new();
        for name in names {
            let Some(slot) = self.slots.get_mut(name) else {
                continue;
            };
            let Some(run) = slot.run.take() else { continue };
            let (told, by) = (slot.told.clone(), by.cloned());
            let recorder = self.tools.recorder.clone();
            let own = entity_event("capture", Emitted::CaptureStopped, name, None)
                .with("kind", slot.config.kind.as_str());
            ends.push(async move {
                run.end().await;
                told.stopped();
                recorder.record_event(own, by.as_ref());
            });
        }
        async move { drop(join_all(ends).await) }
    }

    fn asked(&self, names: Option<Vec<String>>) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let all = || self.slots.keys().cloned().collect();
        let names: Vec<String> = names.unwrap_or_else(all);
        let once = |name: &String| seen.insert(name.clone());
        names.into_iter().filter(once).collect()
    }

    fn answer(&self, names: &[String]) -> Answer {
        let listed = |name: &String| {
            let slot = self.slots.get(name)?;
            Some(Listed::of(Arc::clone(&slot.config), &slot.told))
        };
        names
            .iter()
            .map(|name| (name.clone(), listed(name)))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        self.slots.keys().cloned().collect()
    }

    fn running(&self) -> Vec<String> {
        let running = self.slots.iter().filter(|(_, slot)| slot.run.is_some());
        running.map(|(name, _)| name.clone()).collect()
    }
}

// Handlers

impl Actor for Intakes {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        for capture in std::mem::take(&mut self.first) {
            let (name, autostart) = (capture.name.clone(), capture.autostart);
            self.add(capture);
            if autostart {
                self.begin(&name, None);
            }
        }
        self.tell();
    }
}

impl Handler<Start> for Intakes {
    type Result = AtomicResponse<Self, Answer>;

    fn handle(&mut self, Start { names, by }: Start, _: &mut Context<Self>) -> Self::Result {
        let names = self.asked(names);
        for name in &names {
            self.begin(name, Some(by.clone()));
        }
        let answer = self.answer(&names);
        let settled = async move {
            let known = answer.iter().filter_map(|(_, listed)| listed.as_ref());
            let settled = join_all(known.map(Listed::settled));
            // One that takes longer goes on by itself.
            let _ = timeout(PATIENCE, settled).await;
            answer
        };
        AtomicResponse::new(Box::pin(settled.into_actor(self)))
    }
}

impl Handler<Stop> for Intakes {
    type Result = AtomicResponse<Self, Answer>;

    fn handle(&mut self, Stop { names, by }: Stop, _: &mut Context<Self>) -> Self::Result {
        let names = self.asked(names);
        let ended = self.end(&names, Some(&by));
        let answer = self.answer(&names);
        let stopped = async move {
            ended.await;
            answer
        };
        AtomicResponse::new(Box::pin(stopped.into_actor(self)))
    }
}

impl Handler<Reload> for Intakes {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Reload(captures): Reload, _: &mut Context<Self>) -> Self::Result {
        let same = |capture: &Capture| {
            let slot = self.slots.get(&capture.name);
            slot.is_some_and(|slot| *slot.config == *capture)
        };
        let changed: Vec<Capture> = captures.iter().filter(|c| !same(c)).cloned().collect();
        let kept: BTreeSet<&String> = captures
            .iter()
            .filter(|c| same(c))
            .map(|c| &c.name)
            .collect();
        let names = self.names();
        let gone: Vec<String> = names
            .into_iter()
            .filter(|name| !kept.contains(name))
            .collect();
        let ran: BTreeSet<String> = self.running().into_iter().collect();
        let was: BTreeSet<String> = gone.iter().cloned().collect();
        let ended = self.end(&gone, None);
        let begun = ended.into_actor(self).map(move |(), intakes, _| {
            for name in &gone {
                intakes.slots.remove(name);
            }
            for capture in changed {
                let name = capture.name.clone();
                let goes_on = match was.contains(&name) {
                    true => ran.contains(&name),
                    false => capture.autostart,
                };
                intakes.add(capture);
                if goes_on {
                    intakes.begin(&name, None);
                }
            }
            intakes.tell();
        });
        AtomicResponse::new(Box::pin(begun))
    }
}

impl Handler<Close> for Intakes {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Close, _: &mut Context<Self>) -> Self::Result {
        let ended = self.end(&self.running(), None);
        AtomicResponse::new(Box::pin(ended.into_actor(self)))
    }
}

/// Another book knows another place up to where was read.
impl Handler<BookReplaced> for Intakes {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) -> Self::Result {
        let of_a_place = |name: &String| {
            let kind = self.slots.get(name).map(|slot| slot.config.kind);
            matches!(kind, Some(Kind::File | Kind::Journal))
        };
        let names: Vec<String> = self.running().into_iter().filter(of_a_place).collect();
        let ended = self.end(&names, None);
        let begun = ended.into_actor(self).map(move |(), intakes, _| {
            names.iter().for_each(|name| intakes.begin(name, None));
        });
        AtomicResponse::new(Box::pin(begun))
    }
}
