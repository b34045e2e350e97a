//! All devices and what becomes of them: each thing that is heard turns into changes, to be committed and told. It
//! does nothing by itself: what was heard, and when, is handed in.

use super::damping::Rule;
use super::hearing::Bucket;
use super::tracked::{Change, Tracked, What};
use super::{Device, DeviceId, Outcome, Plan, Source, State, Timing};
use crate::domain::clock::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the owner set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    pub timing: Timing,
    pub flapping: Rule,
    /// How long the first look at a network takes.
    pub sweep: Duration,
    /// What was found by itself and is lost for so long is removed.
    pub forget_after: Option<Duration>,
}
#[derive(Debug)]
pub struct Registry {
    pub(super) devices: BTreeMap<DeviceId, Tracked>,
    pub(super) tuning: Tuning,
    /// Until when the first look goes on, and what it found.
    pub(super) sweep: Option<(Duration, BTreeSet<DeviceId>)>,
    /// When those that are sought and do not answer are lost.
    pub(super) sought_until: Option<Duration>,
    pub(super) room: Bucket,
    pub(super) dropped: u64,
    pub(super) told_dropped: Option<Duration>,
    pub dropped_in_all: u64,
}

impl Registry {
    /// With what the book holds.
    pub fn new(devices: Vec<Device>, tuning: Tuning, now: Moment) -> Self {
        let spread = |index: usize| {
            let interval = tuning.timing.interval.unwrap_or_default();
            // Not all at once.
            now.passed + interval.mul_f64((index % 32) as f64 / 32.0)
        };
        let tracked = devices.into_iter().enumerate().map(|(index, device)| {
            let id = device.id.clone();
            (id, Tracked::new(device, spread(index)))
        });
        Self {
            devices: tracked.collect(),
            tuning,
            sweep: None,
            sought_until: None,
            room: Bucket::new(now.passed),
            dropped: 0,
            told_dropped: None,
            dropped_in_all: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.devices.len()
    }

    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    pub fn get(&self, id: &DeviceId) -> Option<&Tracked> {
        self.devices.get(id)
    }

    /// By id, those after `after`.
    pub fn after(&self, after: Option<&DeviceId>) -> impl Iterator<Item = &Tracked> {
        let begin = match after {
            None => std::ops::Bound::Unbounded,
            Some(id) => std::ops::Bound::Excluded(id),
        };
        let range = (begin, std::ops::Bound::Unbounded);
        self.devices.range::<DeviceId, _>(range).map(|(_, one)| one)
    }

    /// A check came to its end.
    pub fn checked(&mut self, id: &DeviceId, outcome: Outcome, now: Moment) -> Option<Change> {
        let (rule, timing) = (self.tuning.flapping, self.tuning.timing);
        let one = self.devices.get_mut(id)?;
        let plan = Plan::of(&one.device, timing);
        one.is_checking = false;
        one.due = now.passed + plan.as_ref().map_or(Duration::ZERO, |plan| plan.interval);
        let ok = outcome.ok;
        one.checked = Some((now.wall, outcome));
        one.fails = if ok { 0 } else { one.fails.saturating_add(1) };
        if ok {
            one.device.last_seen = Some(now.wall);
            one.is_dirty = true;
        }
        let in_sweep = self.sweep.as_ref();
        if in_sweep.is_some_and(|(_, found)| found.contains(id)) {
            return None;
        }
        let failures = plan.map_or(timing.failures, |plan| plan.failures);
        match one.device.state {
            // Whoever withdrew comes back by announcing itself.
            State::Lost if one.device.source == Source::Mdns => None,
            _ if ok => one.turn(State::Online, now.passed, rule),
            _ if one.fails >= failures => one.turn(State::Offline, now.passed, rule),
            _ => None,
        }
    }

    /// What is to be checked now, at most so many; until each is [`checked`](Self::checked) it is not due again.
    pub fn due(&mut self, now: Moment, most: usize) -> Vec<(DeviceId, Plan)> {
        let timing = self.tuning.timing;
        let mut due = Vec::new();
        for (id, one) in &mut self.devices {
            if due.len() >= most {
                break;
            }
            let wanted = !one.is_checking
                && one.due <= now.passed
                && !one.device.ignored
                && (one.device.state != State::Lost || one.device.source != Source::Mdns);
            if let Some(plan) = wanted.then(|| Plan::of(&one.device, timing)).flatten() {
                one.is_checking = true;
                due.push((id.clone(), plan));
            }
        }
        due
    }

    /// What time brings: the end of the first look, of a search, of flapping.
    pub fn tick(&mut self, now: Moment) -> Vec<Change> {
        let mut changes = Vec::new();
        changes.extend(self.end_of_sweep(now));
        let rule = self.tuning.flapping;
        changes.extend(self.end_of_search(now));
        for one in self.devices.values_mut() {
            let Some(settled) = one.damping.settle(one.device.state, now.passed, rule) else {
                continue;
            };
            let what = match (settled.state_differs, one.device.state) {
                _ if one.device.ignored => continue,
                (true, State::Online) => What::Online,
                (true, State::Offline) => What::Offline,
                (true, State::Lost) => What::Lost,
                _ if settled.moved => What::Changed(vec!["addresses"]),
                _ => continue,
            };
            changes.push(Change {
                held: settled.held,
                ..Change::of(what, &one.device)
            });
        }
        changes.extend(self.tell_dropped(now));
        changes
    }

    /// What was found by itself, is lost for long, and that nobody gave a name or rule.
    pub fn forget(&mut self, now: Moment) -> Vec<Change> {
        let Some(after) = self.tuning.forget_after else {
            return Vec::new();
        };
        let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        let before = now.wall.minus_micros(micros);
        let is_old = |one: &Tracked| {
            let seen = one.device.last_seen;
            one.is_forgettable() && seen.is_none_or(|seen| seen < before)
        };
        let old: Vec<DeviceId> = self
            .devices
            .iter()
            .filter(|(_, one)| is_old(one))
            .map(|(id, _)| id.clone())
            .collect();
        let removed = old.iter().filter_map(|id| self.devices.remove(id));
        removed
            .map(|one| Change::of(What::Removed, &one.device))
            .collect()
    }

    /// What differs from the book without having been told, some of it.
    pub fn unkept(&mut self, most: usize) -> Option<Change> {
        let in_sweep = |id: &DeviceId| {
            let sweep = self.sweep.as_ref();
            sweep.is_some_and(|(_, found)| found.contains(id))
        };
        let dirty =
            |(id, one): (&DeviceId, &Tracked)| (one.is_dirty && !in_sweep(id)).then(|| id.clone());
        let dirty: Vec<DeviceId> = self.devices.iter().filter_map(dirty).take(most).collect();
        let mut devices = Vec::new();
        for id in &dirty {
            if let Some(one) = self.devices.get_mut(id) {
                one.is_dirty = false;
                devices.push(one.device.clone());
            }
        }
        (!devices.is_empty()).then_some(Change {
            what: What::Kept,
            devices,
            held: 0,
        })
    }

    /// What was to be kept was not.
    pub fn was_not_kept(&mut self, id: &DeviceId) {
        if let Some(one) = self.devices.get_mut(id) {
            one.is_dirty = true;
        }
    }

    /// As it was before something that was not committed.
    pub fn put_back(&mut self, id: &DeviceId, before: Option<Tracked>) {
        match before {
            Some(one) => drop(self.devices.insert(id.clone(), one)),
            None => drop(self.devices.remove(id)),
        }
    }
}
