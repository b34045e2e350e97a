//! What the handlers hold: the two faces of the book, the owner's settings, the rules for what comes in.

use super::budget::Budget;
use crate::access::{Privacy, Slowdown};
use crate::actors::keeper::View;
use crate::actors::{
    Automations, Backups, Captures, Clock, Devices, EventHub, Keys, Pruner, Recorder, Supervisor,
    Workspaces, Writer,
};
use crate::config::Settings;
use crate::domain::{Rules, Timestamp};
use crate::storage::EntryReader;
use crate::telemetry::Metrics;
use actix::Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// One for all workers; everything in it is shared by reference and none of it is locked.
#[derive(Clone)]
pub struct App {
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub hub: Addr<EventHub>,
    pub pruner: Addr<Pruner>,
    pub recorder: Recorder,
    /// Which rules are in force, and whether they are held back.
    pub kept: View,
    pub automations: Automations,
    pub backups: Backups,
    pub keys: Keys,
    pub workspaces: Workspaces,
    pub devices: Devices,
    pub captures: Captures,
    pub sessions: Sessions,
    /// What request bodies hold in memory.
    pub bodies: Budget,
    /// Of those who fail to be let in.
    pub slowdown: Arc<Slowdown>,
    pub settings: Arc<Settings>,
    pub privacy: Arc<Privacy>,
    pub rules: Arc<Rules>,
    pub metrics: Metrics,
    pub clock: Clock,
    pub started: Started,
}

#[derive(Debug, Clone, Copy)]
pub struct Started {
    pub at: Timestamp,
    pub instant: Instant,
}

impl App {
    pub fn new(
        settings: Settings,
        reader: Arc<dyn EntryReader>,
        actors: &Supervisor,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        Self {
            writer: actors.writer.clone(),
            hub: actors.hub.clone(),
            pruner: actors.pruner.clone(),
            recorder: actors.recorder.clone(),
            kept: actors.kept.clone(),
            automations: actors.automations.clone(),
            backups: actors.backups.clone(),
            keys: actors.keys.clone(),
            workspaces: actors.workspaces.clone(),
            devices: actors.devices.clone(),
            captures: actors.captures.clone(),
            reader,
            sessions: Sessions::default(),
            bodies: Budget::new(settings.limits.body_memory.bytes()),
            slowdown: Arc::new(Slowdown::new(settings.auth.attempts_per_minute)),
            rules: Arc::clone(&actors.rules),
            privacy: Arc::clone(&actors.privacy),
            settings: Arc::new(settings),
            metrics,
            started: Started {
                at: clock(),
                instant: Instant::now(),
            },
            clock,
        }
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// How many sessions are open.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<AtomicUsize>);

/// One open session; it counts until it is dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Place {
    /// One more of those that `open` counts, unless there are `most` already.
    pub fn among(open: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(Arc::clone(open));
        let before = open.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(place)
    }
}

impl Sessions {
    /// A place for one more, unless there are `most` already.
    pub fn take(&self, most: usize) -> Option<Place> {
        Place::among(&self.0, most)
    }

    pub fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
