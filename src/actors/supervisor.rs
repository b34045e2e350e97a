//! The supervisor: it alone knows which actors there are and who is told what. It starts them in order and
//! stops them in reverse.

use super::automations::{self, Automations, News};
use super::backups::{Backups, Schedule, Shelf, Work};
use super::captures::{self, Captures};
use super::discovery::{self, Devices};
use super::email_key;
use super::event_hub::StopSessions;
use super::feed;
use super::interest::Interest;
use super::keeper::{self, Keeper, Parts, View};
use super::keys::{Keys, Locksmith, NotOpened, Register};
use super::pruner::Stop;
use super::queue::Size;
use super::teller::Listener;
use super::workspaces::{self, Registrar, Workspaces};
use super::{Clock, Clocks, EventHub, Pruner, Recorder, Refusal, Writer};
use crate::access::Privacy;
use crate::config::Settings;
use crate::domain::Rules;
use crate::domain::retention::Base;
use crate::storage::{Address, EntryReader, EntryWriter, StorageError};
use crate::telemetry::Metrics;
use actix::Addr;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Clone)]
pub struct Supervisor {
    pub writer: Writer,
    pub hub: Addr<EventHub>,
    pub pruner: Addr<Pruner>,
    pub recorder: Recorder,
    pub automations: Automations,
    pub backups: Backups,
    pub keys: Keys,
    pub workspaces: Workspaces,
    pub devices: Devices,
    pub captures: Captures,
    pub kept: View,
    pub rules: Arc<Rules>,
    pub privacy: Arc<Privacy>,
}

/// The book, opened.
pub struct Opened {
    pub address: Address,
    pub store: Box<dyn EntryWriter>,
    pub reader: Arc<dyn EntryReader>,
}

impl Opened {
    /// With the one writer, and at most so many readers at once.
    pub fn at(address: Address, readers: u32) -> Result<Self, StorageError> {
        Ok(Self {
            store: address.open_writer()?,
            reader: address.open_reader(readers)?,
            address,
        })
    }
}

/// What everything beside the server is started from.
pub struct Start<'a> {
    pub book: Opened,
    pub settings: &'a Settings,
    /// What the file, the environment and the flags say of retention.
    pub base: Base,
    pub clocks: Clocks,
    pub metrics: Metrics,
}

impl Supervisor {
    /// Everything that runs beside the server. It must be called within an actix system.
    pub async fn start(start: Start<'_>) -> Result<Self, Refusal> {
        let Start {
            book,
            settings,
            base,
            clocks,
            metrics,
        } = start;
        let Opened {
            address,
            store,
            reader,
        } = book;
        let stall = settings.live.stall_timeout.get();
        let interest = Arc::new(Interest::default());
        let (feeder, feed) = feed::feed(Arc::clone(&interest));
        let hub = EventHub::new(store.head(), stall, Arc::clone(&interest)).feeding(feeder);
        let newest = hub.newest();
        let hub = hub.start_alone();
        let size = Size {
            entries: settings.limits.queue_entries,
            bytes: settings.limits.queue_bytes.bytes(),
        };
        let listener = Listener {
            recorded: hub.clone().recipient(),
            replaced: hub.clone().recipient(),
            interest,
        };
        let wall = wall_of(Arc::clone(&clocks));
        let writer = Writer::start(
            store,
            Arc::clone(&wall),
            size,
            metrics.clone(),
            Some(listener),
        )
        .await?;
        let retention = keeper::remembered(reader.as_ref(), base)?;
        let retention = watch::Sender::new(Arc::new(retention));
        let key = email_key::of_book(&settings.privacy, reader.as_ref(), &writer).await?;
        let policy = settings.privacy.policy_with(key);
        let rules = Arc::new(settings.activity.rules(policy.clone()));
        let privacy = Arc::new(policy);
        let archived = watch::Sender::new(workspaces::remembered(reader.as_ref())?);
        let recorder = Recorder::new(
            writer.clone(),
            retention.subscribe(),
            Arc::clone(&rules),
            Arc::clone(&privacy),
            archived.subscribe(),
            metrics.clone(),
        );
        let automations = Automations::start(
            automations::Parts {
                writer: writer.clone(),
                reader: Arc::clone(&reader),
                recorder: recorder.clone(),
                rules: Arc::clone(&rules),
                clock: Arc::clone(&wall),
                metrics: metrics.clone(),
            },
            settings.automations.clone(),
            News { newest, feed },
        )?;
        let work = Work {
            shelf: Shelf::new(&settings.backup.dir, address.file()),
            address,
            writer: writer.clone(),
            reader: Arc::clone(&reader),
            recorder: recorder.clone(),
            schedule: schedule(settings),
            clock: Arc::clone(&wall),
            metrics: metrics.clone(),
        };
        let for_captures = captures::Parts {
            writer: writer.clone(),
            recorder: recorder.clone(),
            reader: Arc::clone(&reader),
            clock: Arc::clone(&wall),
            metrics,
        };
        let registrar = Registrar::new(
            writer.clone(),
            Arc::clone(&reader),
            recorder.clone(),
            archived,
        );
        let workspaces = Workspaces::start(registrar, wall);
        let devices = Devices::start(discovery::Parts {
            writer: writer.clone(),
            reader: Arc::clone(&reader),
            recorder: recorder.clone(),
            hub: hub.clone(),
            clocks: Arc::clone(&clocks),
            settings: settings.discovery.clone(),
            listening: Vec::new(),
        })?;
        let keys_reader = Arc::clone(&reader);
        let keeper = Keeper::open(Parts {
            writer: writer.clone(),
            reader,
            recorder: recorder.clone(),
            retention,
            clocks: Arc::clone(&clocks),
        })?;
        let locksmith = Locksmith::open(
            writer.clone(),
            Arc::clone(&keys_reader),
            recorder.clone(),
            &settings.auth.no_keys(),
            settings.auth.declared(),
        )?;
        let spans = settings.auth.spans();
        let register = Register::open(writer.clone(), keys_reader, recorder.clone(), spans)?;
        let for_keys = Arc::clone(&clocks);
        let keys = Keys::start(
            locksmith,
            register,
            recorder.clone(),
            Arc::clone(&privacy),
            for_keys,
        );
        let pruner = Pruner::new(
            keeper,
            hub.clone().recipient(),
            clocks,
            settings.retention.interval.get(),
        );
        let kept = pruner.view();
        let pruner = pruner.start();
        let captures = Captures::start(for_captures, settings.captures.clone());
        let told = vec![
            automations.addr().clone().recipient(),
            workspaces.addr().clone().recipient(),
            keys.addr().clone().recipient(),
            pruner.clone().recipient(),
            devices.told(),
            captures.addr().clone().recipient(),
        ];
        let backups = Backups::start(work, told);
        Ok(Self {
            kept,
            pruner,
            writer,
            hub,
            recorder,
            automations,
            backups,
            keys,
            workspaces,
            devices,
            captures,
            rules,
            privacy,
        })
    }

    /// Says goodbye to whoever follows live. What was recorded before reaches them first.
    pub async fn stop_sessions(&self) {
        // What was answered has been told to the hub once the writer serves the next message. Either of them
        // is gone already when the process is ending anyway.
        let _ = self.writer.heartbeat().await;
        let _ = self.hub.send(StopSessions).await;
    }

    /// Everything that was sent is committed and answered, and the book is closed, when this comes back.
    pub async fn stop(&self) {
        self.automations.stop().await;
        // Gone already, as above.
        let _ = self.devices.ask(discovery::Stop).await;
        let _ = self.captures.addr().send(captures::Close).await;
        let _ = self.pruner.send(Stop).await;
        self.writer.close().await;
    }
}

impl From<NotOpened> for Refusal {
    fn from(cause: NotOpened) -> Self {
        match cause {
            NotOpened::Storage(error) => error.into(),
            NotOpened::Clash(clash) => StorageError::Other(clash.to_string()).into(),
        }
    }
}

fn wall_of(clocks: Clocks) -> Clock {
    Arc::new(move || clocks().wall)
}

fn schedule(settings: &Settings) -> Schedule {
    let backup = &settings.backup;
    Schedule {
        every: (!backup.every.is_zero()).then(|| backup.every.get()),
        keep: usize::try_from(backup.keep).unwrap_or(usize::MAX),
    }
}
