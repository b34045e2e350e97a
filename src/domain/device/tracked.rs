//! One device with what is known of it beside, what may become of it, and how it turns from one state to another.

use super::damping::{Damping, Rule, Verdict};
use super::{Device, MOST_DEVICES, Outcome, Sighting, Source, State};
use crate::domain::Timestamp;
use std::time::Duration;

/// What became of devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One, or those of the first look at a network.
    Discovered,
    /// Which of its host, its port and its addresses are others.
    Changed(Vec<&'static str>),
    Online,
    Offline,
    /// One, or all that did not answer a search.
    Lost,
    /// It comes and goes; what it does is held back until it is quiet.
    Flapping,
    Connected,
    Disconnected,
    Added,
    Renamed,
    Ignored,
    Unignored,
    CheckChanged,
    Removed,
    /// So many announced themselves and were not taken.
    Dropped(u64),
    /// Nothing that is told: only what is kept.
    Kept,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub what: What,
    /// As they are now; of those that are removed, as they were.
    pub devices: Vec<Device>,
    /// How many transitions before it were not told.
    pub held: u32,
}

/// Why a device is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("there is no device of this id")]
    NoSuchDevice,
    #[error("there are {MOST_DEVICES} devices, and there is no room for more; remove some")]
    Full,
    #[error("there is nothing to check: it has no address or no port, or its check is none")]
    NothingToCheck,
}

/// A device, and what is known of it beside.
#[derive(Debug, Clone)]
pub struct Tracked {
    pub device: Device,
    /// When it was checked last, and what came of it.
    pub checked: Option<(Timestamp, Outcome)>,
    pub(super) damping: Damping,
    pub(super) fails: u32,
    pub(super) due: Duration,
    pub(super) is_checking: bool,
    /// It differs from what the book holds.
    pub(super) is_dirty: bool,
    /// The network was asked, and it has not said that it is there.
    pub(super) is_sought: bool,
}

impl Change {
    pub fn of(what: What, device: &Device) -> Self {
        Self {
            what,
            devices: vec![device.clone()],
            held: 0,
        }
    }
}

impl Tracked {
    pub(super) fn new(device: Device, due: Duration) -> Self {
        Self {
            damping: Damping::new(device.state),
            device,
            checked: None,
            fails: 0,
            due,
            is_checking: false,
            is_dirty: false,
            is_sought: false,
        }
    }

    pub fn is_flapping(&self) -> bool {
        self.damping.is_flapping
    }

    /// It was found by itself, is lost, and nobody gave it a name or a rule.
    pub(super) fn is_forgettable(&self) -> bool {
        let device = &self.device;
        device.source == Source::Mdns
            && device.state == State::Lost
            && device.given_name.is_none()
            && device.check.is_none()
            && !device.ignored
    }

    /// Another state, and how that is told.
    pub(super) fn turn(&mut self, to: State, now: Duration, rule: Rule) -> Option<Change> {
        if self.device.state == to {
            return None;
        }
        self.device.state = to;
        let what = match to {
            State::Online => What::Online,
            State::Offline => What::Offline,
            State::Lost => What::Lost,
            State::Unknown => What::Kept,
        };
        let verdict = match self.device.ignored {
            true => Verdict::Hold,
            false => self.damping.turned(to, now, rule),
        };
        Some(self.judged(what, verdict))
    }

    pub(super) fn judged(&self, what: What, verdict: Verdict) -> Change {
        let what = match verdict {
            _ if self.device.ignored => What::Kept,
            Verdict::Tell => what,
            Verdict::TellFlapping => What::Flapping,
            Verdict::Hold => What::Kept,
        };
        Change::of(what, &self.device)
    }

    /// Takes what was seen; answers what of it is worth telling.
    pub(super) fn take(&mut self, seen: &Sighting) -> Vec<&'static str> {
        let device = &mut self.device;
        let mut moved = Vec::new();
        let host = Some(&seen.host).filter(|host| !host.is_empty()).cloned();
        if device.host.is_some() && host.is_some() && device.host != host {
            moved.push("host");
        }
        if device.port.is_some_and(|port| port != seen.port) {
            moved.push("port");
        }
        // One more or one less is no news; none of the former is.
        let overlaps = device.addresses.iter().any(|a| seen.addresses.contains(a));
        if !device.addresses.is_empty() && !seen.addresses.is_empty() && !overlaps {
            moved.push("addresses");
        }
        let before = device.clone();
        device.host = host.or_else(|| device.host.take());
        device.port = Some(seen.port);
        if !seen.addresses.is_empty() {
            device.addresses.clone_from(&seen.addresses);
        }
        device.txt.clone_from(&seen.txt);
        self.is_dirty |= *device != before;
        moved
    }
}
