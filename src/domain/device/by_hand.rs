//! What somebody does to a device: adds, renames, ignores, removes it, says how it is checked, or reports how it is.

use super::registry::Registry;
use super::tracked::{Change, NotDone, Tracked, What};
use super::{Alter, Device, DeviceId, MOST_DEVICES, NewDevice, Plan, Probe, Report, Source, State};
use crate::domain::clock::Moment;
use std::collections::BTreeMap;
use std::time::Duration;

impl Registry {
    pub fn add(&mut self, asked: NewDevice, id: DeviceId, now: Moment) -> Result<Change, NotDone> {
        if self.devices.len() >= MOST_DEVICES {
            return Err(NotDone::Full);
        }
        let device = Device {
            id: id.clone(),
            name: asked.name.unwrap_or_else(|| asked.address.clone()),
            given_name: None,
            kind: asked.kind,
            host: None,
            addresses: vec![asked.address],
            port: asked.port,
            txt: BTreeMap::new(),
            source: Source::Manual,
            state: State::Unknown,
            first_seen: now.wall,
            last_seen: None,
            ignored: false,
            check: asked.check,
        };
        let change = Change::of(What::Added, &device);
        self.devices.insert(id, Tracked::new(device, now.passed));
        Ok(change)
    }

    /// Each thing that is another now is a change of its own.
    pub fn alter(
        &mut self,
        id: &DeviceId,
        asked: Alter,
        now: Moment,
    ) -> Result<Vec<Change>, NotDone> {
        let one = self.devices.get_mut(id).ok_or(NotDone::NoSuchDevice)?;
        let mut done = Vec::new();
        let device = &mut one.device;
        if let Some(given) = asked.given_name
            && device.given_name != given
        {
            device.given_name = given;
            done.push(What::Renamed);
        }
        if let Some(ignored) = asked.ignored
            && device.ignored != ignored
        {
            device.ignored = ignored;
            done.push(if ignored {
                What::Ignored
            } else {
                What::Unignored
            });
            one.damping.was_told(device.state);
        }
        if let Some(check) = asked.check
            && device.check != check
        {
            device.check = check;
            (one.due, one.fails) = (now.passed, 0);
            done.push(What::CheckChanged);
        }
        let device = &one.device;
        Ok(done
            .into_iter()
            .map(|what| Change::of(what, device))
            .collect())
    }

    pub fn remove(&mut self, id: &DeviceId) -> Result<Change, NotDone> {
        let one = self.devices.remove(id).ok_or(NotDone::NoSuchDevice)?;
        Ok(Change::of(What::Removed, &one.device))
    }

    /// Other software says that a device is there, or is not. One that is not known comes into being by it, unless
    /// its id is one of ours. `None` when it was so already.
    pub fn report(
        &mut self,
        id: &DeviceId,
        is_connected: bool,
        said: Report,
        now: Moment,
    ) -> Result<Option<Change>, NotDone> {
        if !self.devices.contains_key(id) {
            if id.is_ours() {
                return Err(NotDone::NoSuchDevice);
            }
            if self.devices.len() >= MOST_DEVICES {
                return Err(NotDone::Full);
            }
            let one = Tracked::new(reported(id, &said, now), now.passed);
            self.devices.insert(id.clone(), one);
        }
        let one = self.devices.get_mut(id).ok_or(NotDone::NoSuchDevice)?;
        let device = &mut one.device;
        if device.source == Source::Reported {
            device.name = said.name.unwrap_or_else(|| device.name.clone());
            device.kind = said.kind.or_else(|| device.kind.take());
            device.port = said.port.or(device.port);
            if let Some(address) = said.address {
                device.addresses = vec![address];
            }
        }
        let (state, what) = match is_connected {
            true => (State::Online, What::Connected),
            false => (State::Offline, What::Disconnected),
        };
        if is_connected {
            device.last_seen = Some(now.wall);
            one.fails = 0;
        }
        if device.state == state {
            return Ok(None);
        }
        device.state = state;
        one.damping.was_told(state);
        let what = if device.ignored { What::Kept } else { what };
        Ok(Some(Change::of(what, device)))
    }

    /// The check of one, and how long it may take.
    pub fn probe(&self, id: &DeviceId) -> Result<(Probe, Duration), NotDone> {
        let one = self.devices.get(id).ok_or(NotDone::NoSuchDevice)?;
        let probe = Probe::of(&one.device).ok_or(NotDone::NothingToCheck)?;
        let plan = Plan::of(&one.device, self.tuning.timing);
        let timeout = plan.map_or(self.tuning.timing.timeout, |plan| plan.timeout);
        Ok((probe, timeout))
    }
}

fn reported(id: &DeviceId, said: &Report, now: Moment) -> Device {
    Device {
        id: id.clone(),
        name: said.name.clone().unwrap_or_else(|| id.to_string()),
        given_name: None,
        kind: said.kind.clone(),
        host: None,
        addresses: said.address.clone().into_iter().collect(),
        port: said.port,
        txt: BTreeMap::new(),
        source: Source::Reported,
        state: State::Unknown,
        first_seen: now.wall,
        last_seen: None,
        ignored: false,
        check: None,
    }
}
