//! What becomes of the helper process: when it is started, what it is told, when it is given up, and what is known of
//! the network through it.

use super::Discovery;
use super::child::{Heard, Helper, Word};
use crate::config;
use crate::domain::Emitted;
use crate::domain::clock::Moment;
use crate::domain::device::Sighting;
use crate::mdns::protocol::Standing;
use crate::mdns::{Announcement, Order, Said};
use actix::prelude::*;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// A helper that says nothing for so long is given up.
const SILENT: Duration = Duration::from_secs(20);
/// How long it is waited after a first death, and after many.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One that lived for so long was well.
const WELL: Duration = Duration::from_secs(60);

/// What was too much to be taken is asked for again after so long without more of it, and how often at most.
const CALM: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(300);

/// What is known of discovery.
#[derive(Debug, Clone)]
pub struct Status {
    pub enabled: bool,
    /// `off`, `starting`, `running`, `no_network` or `waiting` to start the helper again.
    pub state: &'static str,
    pub browsing: bool,
    pub announcing: bool,
    pub interfaces: Vec<String>,
    pub trouble: Option<String>,
    /// How often the helper died.
    pub deaths: u64,
    /// What was heard and not taken, because it was too much.
    pub dropped: u64,
    pub helper_pid: Option<u32>,
}

pub struct Helping {
    enabled: bool,
    memory: u64,
    helper: Option<Helper>,
    started: Duration,
    heard: Duration,
    /// When it is started again.
    next: Duration,
    /// In a row.
    failures: u32,
    deaths: u64,
    last_death: Option<String>,
    listening: Vec<SocketAddr>,
    wants_announce: bool,
    order: Order,
    standing: Option<Standing>,
    /// Of helpers that are gone.
    dropped: u64,
    counter: u64,
    overflow: Overflow,
}

/// What was not taken, and when it was asked for again.
#[derive(Default)]
struct Overflow {
    known: u64,
    since: Duration,
    is_owed: bool,
    asked: Option<Duration>,
}

impl Helping {
    pub fn new(settings: &config::Discovery, listening: Vec<SocketAddr>, now: Duration) -> Self {
        let mut own = Self {
            enabled: settings.enabled,
            memory: settings.helper_memory.get(),
            helper: None,
            started: now,
            heard: now,
            next: now,
            failures: 0,
            deaths: 0,
            last_death: None,
            listening,
            wants_announce: settings.announce,
            order: Order {
                browse: Vec::new(),
                announce: None,
            },
            standing: None,
            dropped: 0,
            counter: 0,
            overflow: Overflow::default(),
        };
        own.set_wanted(settings);
        own
    }

    pub fn set_listening(&mut self, at: Vec<SocketAddr>, settings: &config::Discovery) {
        self.listening = at;
        self.set_wanted(settings);
    }

    pub fn set_wanted(&mut self, settings: &config::Discovery) {
        let reachable = |at: &&SocketAddr| !at.ip().to_canonical().is_loopback();
        let port = self.listening.iter().find(reachable).map(SocketAddr::port);
        let announcement = |port: u16| Announcement {
            port,
            txt: vec![
                format!("version={}", env!("CARGO_PKG_VERSION")),
                "path=/".to_owned(),
            ],
        };
        self.wants_announce = settings.announce;
        self.order = Order {
            browse: settings.browse.clone(),
            announce: port.filter(|_| settings.announce).map(announcement),
        };
        self.tell();
    }

    /// The same again, so that the network is asked for all that it has.
    pub fn ask_anew(&mut self) {
        let browse = std::mem::take(&mut self.order.browse);
        self.tell();
        self.order.browse = browse;
        self.tell();
    }

    /// Whoever was not taken does not say again that he is there, unless he is asked.
    fn ask_for_what_was_too_much(&mut self, taken_not: u64, now: Duration) {
        let of_helper = self
            .standing
            .as_ref()
            .map_or(0, |standing| standing.dropped);
        let dropped = taken_not + self.dropped + of_helper;
        let overflow = &mut self.overflow;
        if dropped != overflow.known {
            (overflow.known, overflow.since, overflow.is_owed) = (dropped, now, true);
        }
        let lately = overflow
            .asked
            .is_some_and(|at| now.saturating_sub(at) < ASK_EVERY);
        if overflow.is_owed && !lately && now.saturating_sub(overflow.since) >= CALM {
            (overflow.is_owed, overflow.asked) = (false, Some(now));
            self.ask_anew();
        }
    }

    fn tell(&mut self) {
        let order = self.order.clone();
        if let Some(helper) = &mut self.helper
            && let Err(cause) = helper.order(&order)
        {
            // Its end is told by its reader.
            log::debug!("the mDNS helper was not told: {cause}");
        }
    }

    pub fn stop(&mut self) -> Option<impl Future<Output = ()> + use<>> {
        self.enabled = false;
        self.helper.as_mut().map(Helper::stop)
    }

    pub fn status(&self, dropped: u64) -> Status {
        let standing = self.standing.clone().unwrap_or_default();
        let state = match (&self.helper, &self.standing) {
            _ if !self.enabled => "off",
            (None, _) => "waiting",
            (Some(_), None) => "starting",
            (Some(_), Some(standing)) if standing.interfaces.is_empty() => "no_network",
            (Some(_), Some(_)) => "running",
        };
        let is_silent =
            self.wants_announce && self.order.announce.is_none() && !self.listening.is_empty();
        let silent = (self.enabled && is_silent)
            .then_some("nothing is announced: the daemon listens on loopback alone");
        let died = self.last_death.clone().filter(|_| self.helper.is_none());
        Status {
            enabled: self.enabled,
            state,
            browsing: standing.browsing,
            announcing: standing.announcing,
            interfaces: standing.interfaces,
            trouble: died.or(standing.trouble).or(silent.map(str::to_owned)),
            deaths: self.deaths,
            dropped: dropped + self.dropped + standing.dropped,
            helper_pid: self.helper.as_ref().map(|helper| helper.pid),
        }
    }
}

impl Discovery {
    /// Starts it when it is time, and gives up one that says nothing.
    pub(super) fn look_after_the_helper(&mut self, now: Moment, ctx: &mut Context<Self>) {
        let helping = &mut self.helping;
        if !helping.enabled {
            return;
        }
        helping.ask_for_what_was_too_much(self.registry.dropped_in_all, now.passed);
        if let Some(helper) = &helping.helper {
            if now.passed.saturating_sub(helping.heard) > SILENT {
                log::warn!("the mDNS helper says nothing any more and is given up");
                helper.kill();
                helping.heard = now.passed;
            }
            return;
        }
        if helping.next > now.passed {
            return;
        }
        helping.counter += 1;
        let told = ctx.address().recipient();
        match Helper::start(helping.counter, helping.memory, told) {
            Ok(helper) => {
                log::debug!("the mDNS helper is process {}", helper.pid);
                (helping.started, helping.heard) = (now.passed, now.passed);
                helping.helper = Some(helper);
                helping.tell();
            }
            Err(cause) => {
                log::warn!("the mDNS helper cannot be started: {cause}");
                helping.last_death = Some(format!("the helper cannot be started: {cause}"));
                helping.next = now.passed + helping.pause();
            }
        }
    }

    pub(super) fn heard_that(&mut self, said: Said, now: Moment, ctx: &mut Context<Self>) {
        self.helping.heard = now.passed;
        match said {
            Said::Standing(standing) => {
                if !standing.browsing {
                    self.registry.end_look();
                }
                self.helping.note(standing);
            }
            Said::Looking => self.registry.begin_look(now),
            Said::Found(mut seen) => {
                self.spare_secrets_of(&mut seen);
                let changes = self.registry.saw(seen, now);
                self.put(changes, ctx);
            }
            Said::Gone { instance } => {
                let change = self.registry.gone(&instance, now);
                self.put(change.into_iter().collect(), ctx);
            }
        }
    }

    /// What a device says of itself is kept as metadata is.
    fn spare_secrets_of(&self, seen: &mut Sighting) {
        let txt = std::mem::take(&mut seen.txt).into_iter();
        let mut object = txt.map(|(key, value)| (key, value.into())).collect();
        self.parts.recorder.redact(&mut object);
        let text = |(key, value): (String, Value)| match value {
            Value::String(text) => Some((key, text)),
            _ => None,
        };
        seen.txt = object.into_iter().filter_map(text).collect();
    }

    fn helper_died(&mut self, why: String, now: Moment) {
        let helping = &mut self.helping;
        helping.helper = None;
        if let Some(standing) = helping.standing.take() {
            helping.dropped += standing.dropped;
        }
        self.registry.end_look();
        if !helping.enabled {
            return;
        }
        if now.passed.saturating_sub(helping.started) >= WELL {
            helping.failures = 0;
        }
        let pause = helping.pause();
        helping.next = now.passed + pause;
        helping.deaths += 1;
        log::warn!(
            "the mDNS helper died: {why}; another is started in {} s",
            pause.as_secs()
        );
        let own = Emitted::ServerHelperDied
            .says("The process that speaks mDNS died; another is started")
            .with("reason", why.clone())
            .with("restart_in_seconds", pause.as_secs());
        helping.last_death = Some(format!("the helper died: {why}"));
        self.parts.recorder.record_own(own);
    }
}

impl Helping {
    /// Twice as long each time.
    fn pause(&mut self) -> Duration {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        pause.min(LONGEST_PAUSE)
    }

    fn note(&mut self, standing: Standing) {
        let former = self.standing.as_ref();
        let trouble = |standing: Option<&Standing>| standing.and_then(|s| s.trouble.clone());
        if trouble(former) != standing.trouble {
            match &standing.trouble {
                Some(trouble) => log::warn!("discovery: {trouble}"),
                None => log::info!("discovery: all is well"),
            }
        }
        self.standing = Some(standing);
    }
}

impl Handler<Heard> for Discovery {
    type Result = ();

    fn handle(&mut self, Heard { helper, what }: Heard, ctx: &mut Context<Self>) {
        let current = self.helping.helper.as_ref();
        if current.is_none_or(|current| current.number != helper) {
            return;
        }
        let now = self.now();
        match what {
            Word::Said(said) => self.heard_that(said, now, ctx),
            Word::Ended(why) => self.helper_died(why, now),
        }
    }
}
