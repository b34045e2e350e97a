//! What the network says, and what becomes of devices by it: a first look, those that come later, those that go, and
//! those that are too many.

use super::registry::Registry;
use super::tracked::{Change, Tracked, What};
use super::{Device, DeviceId, MOST_DEVICES, Plan, Sighting, Source, State};
use crate::domain::clock::Moment;
use std::collections::BTreeSet;
use std::time::Duration;

/// So many unknown names may announce themselves at once, and then one in each of these.
const NEW_AT_ONCE: u32 = 50;
const NEW_EVERY: Duration = Duration::from_secs(2);
/// How often it is told that there were more.
const TELL_DROPPED: Duration = Duration::from_secs(3_600);
/// Of more devices that are lost at once there is one entry.
const EACH_TOLD: usize = 5;
/// What is there says so within this, from when it was asked.
const LOOK: Duration = Duration::from_secs(30);

impl Registry {
    /// The network is asked, from now on: by one that knows none of it, for the first time.
    pub fn begin_look(&mut self, now: Moment) {
        let found = |one: &Tracked| one.device.source == Source::Mdns;
        if !self.devices.values().any(found) && self.sweep.is_none() {
            self.sweep = Some((now.passed + self.tuning.sweep, BTreeSet::new()));
        }
        let lasting = |one: &&mut Tracked| found(one) && one.device.state != State::Lost;
        for one in self.devices.values_mut().filter(lasting) {
            one.is_sought = true;
        }
        self.sought_until = Some(now.passed + LOOK);
    }

    /// It is not asked any more, so that silence means nothing.
    pub fn end_look(&mut self) {
        self.sought_until = None;
    }

    /// A service said that it is there.
    pub fn saw(&mut self, seen: Sighting, now: Moment) -> Vec<Change> {
        let Some(seen) = seen.bounded() else {
            return Vec::new();
        };
        let id = seen.id();
        let Some(one) = self.devices.get_mut(&id) else {
            return self.met(seen, id, now);
        };
        let rule = self.tuning.flapping;
        one.is_sought = false;
        one.device.last_seen = Some(now.wall);
        let moved = one.take(&seen);
        let swept = self.sweep.as_ref();
        if swept.is_some_and(|(_, found)| found.contains(&id)) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let is_checked = Plan::of(&one.device, self.tuning.timing).is_some();
        match one.device.state {
            // That it answers is for its check to say, at once.
            State::Offline if is_checked => one.due = now.passed,
            _ => changes.extend(one.turn(State::Online, now.passed, rule)),
        }
        if !moved.is_empty() {
            one.due = now.passed;
            let verdict = one.damping.moved(now.passed, rule);
            changes.push(one.judged(What::Changed(moved), verdict));
        }
        changes
    }

    /// Somebody new.
    fn met(&mut self, seen: Sighting, id: DeviceId, now: Moment) -> Vec<Change> {
        let is_first_look = self.sweep.is_some();
        if !is_first_look && !self.room.take(now.passed) {
            return self.leave_out();
        }
        let mut changes = Vec::new();
        if self.devices.len() >= MOST_DEVICES {
            match self.make_room() {
                Some(removed) => changes.push(removed),
                None => return self.leave_out(),
            }
        }
        let device = Device {
            id: id.clone(),
            name: seen.name(),
            given_name: None,
            host: Some(seen.host).filter(|host| !host.is_empty()),
            kind: Some(seen.kind),
            addresses: seen.addresses,
            port: Some(seen.port),
            txt: seen.txt,
            source: Source::Mdns,
            state: State::Online,
            first_seen: now.wall,
            last_seen: Some(now.wall),
            ignored: false,
            check: None,
        };
        let change = Change::of(What::Discovered, &device);
        let interval = self.tuning.timing.interval.unwrap_or_default();
        self.devices
            .insert(id.clone(), Tracked::new(device, now.passed + interval));
        match &mut self.sweep {
            Some((_, found)) => drop(found.insert(id)),
            None => changes.push(change),
        }
        changes
    }

    fn leave_out(&mut self) -> Vec<Change> {
        self.dropped += 1;
        self.dropped_in_all += 1;
        Vec::new()
    }

    /// The one that is lost for longest, of those that nobody cares for, makes room.
    fn make_room(&mut self) -> Option<Change> {
        let lost = self.devices.values().filter(|one| one.is_forgettable());
        let oldest = lost.min_by_key(|one| one.device.last_seen)?;
        let id = oldest.device.id.clone();
        let one = self.devices.remove(&id)?;
        Some(Change::of(What::Removed, &one.device))
    }

    /// A service withdrew, or its announcement ran out.
    pub fn gone(&mut self, instance: &str, now: Moment) -> Option<Change> {
        let id = DeviceId::of_instance(instance);
        if let Some((_, found)) = &mut self.sweep
            && found.remove(&id)
        {
            self.devices.remove(&id);
            return None;
        }
        let rule = self.tuning.flapping;
        let one = self.devices.get_mut(&id)?;
        one.is_sought = false;
        one.turn(State::Lost, now.passed, rule)
    }

    /// Those that did not answer are lost; of many at once there is one entry.
    pub(super) fn end_of_search(&mut self, now: Moment) -> Vec<Change> {
        if self
            .sought_until
            .take_if(|until| *until <= now.passed)
            .is_none()
        {
            return Vec::new();
        }
        let rule = self.tuning.flapping;
        let mut changes = Vec::new();
        for one in self.devices.values_mut().filter(|one| one.is_sought) {
            one.is_sought = false;
            changes.extend(one.turn(State::Lost, now.passed, rule));
        }
        let (lost, mut others): (Vec<Change>, Vec<Change>) = changes
            .into_iter()
            .partition(|change| change.what == What::Lost);
        if lost.len() <= EACH_TOLD {
            others.extend(lost);
            return others;
        }
        others.push(Change {
            what: What::Lost,
            devices: lost.into_iter().flat_map(|change| change.devices).collect(),
            held: 0,
        });
        others
    }

    pub(super) fn end_of_sweep(&mut self, now: Moment) -> Option<Change> {
        let (_, found) = self.sweep.take_if(|(until, _)| *until <= now.passed)?;
        let of = |id: &DeviceId| self.devices.get(id).map(|one| one.device.clone());
        let devices: Vec<Device> = found.iter().filter_map(of).collect();
        (!devices.is_empty()).then_some(Change {
            what: What::Discovered,
            devices,
            held: 0,
        })
    }

    pub(super) fn tell_dropped(&mut self, now: Moment) -> Option<Change> {
        let told = self.told_dropped;
        let may = told.is_none_or(|at| now.passed.saturating_sub(at) >= TELL_DROPPED);
        if self.dropped == 0 || !may {
            return None;
        }
        self.told_dropped = Some(now.passed);
        Some(Change {
            what: What::Dropped(std::mem::take(&mut self.dropped)),
            devices: Vec::new(),
            held: 0,
        })
    }
}

/// How many unknown names are taken.
#[derive(Debug)]
pub struct Bucket {
    left: u32,
    since: Duration,
}

impl Bucket {
    pub fn new(now: Duration) -> Self {
        Self {
            left: NEW_AT_ONCE,
            since: now,
        }
    }

    fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.since).as_millis() / NEW_EVERY.as_millis();
        if passed > 0 {
            let more = u32::try_from(passed).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(more).min(NEW_AT_ONCE);
            self.since = now;
        }
        let has = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has
    }
}
