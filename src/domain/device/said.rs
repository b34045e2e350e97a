//! What a change says: its acts, its entry, its live events.

use super::Device;
use super::tracked::{Change, What};
use crate::domain::live::Event;
use crate::domain::{Act, Emitted, Own, WorkspaceId, entity_event};
use serde::Serialize;

/// Devices that one entry names.
const NAMED: usize = 50;

/// A device as live events have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub state: &'static str,
    pub addresses: Vec<String>,
    pub port: Option<u16>,
}

impl From<&Device> for Summary {
    fn from(device: &Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.called().to_owned(),
            kind: device.kind.clone(),
            state: device.state.as_str(),
            addresses: device.addresses.clone(),
            port: device.port,
        }
    }
}

impl What {
    fn emitted(&self) -> Option<Emitted> {
        Some(match self {
            Self::Discovered => Emitted::DeviceDiscovered,
            Self::Changed(_) => Emitted::DeviceChanged,
            Self::Online => Emitted::DeviceOnline,
            Self::Offline => Emitted::DeviceOffline,
            Self::Lost => Emitted::DeviceLost,
            Self::Flapping => Emitted::DeviceFlapping,
            Self::Connected => Emitted::DeviceConnected,
            Self::Disconnected => Emitted::DeviceDisconnected,
            Self::Added => Emitted::DeviceAdded,
            Self::Renamed => Emitted::DeviceRenamed,
            Self::Ignored => Emitted::DeviceIgnored,
            Self::Unignored => Emitted::DeviceUnignored,
            Self::CheckChanged => Emitted::DeviceCheckChanged,
            Self::Removed => Emitted::DeviceRemoved,
            Self::Dropped(_) => Emitted::DeviceDropped,
            Self::Kept => return None,
        })
    }

    /// What follows the name of the device.
    fn verb(&self) -> Option<&'static str> {
        Some(match self {
            Self::Online => "is online",
            Self::Offline => "is offline: it does not answer",
            Self::Lost => "is lost: it is not announced any more",
            Self::Flapping => "comes and goes; what it does is not recorded until it is quiet",
            Self::Connected => "is connected",
            Self::Disconnected => "is disconnected",
            Self::Changed(_) => "is to be found elsewhere",
            Self::Unignored => "is not ignored any more",
            Self::CheckChanged => "is checked in another way",
            _ => return None,
        })
    }
}

impl Change {
    pub fn acts(&self) -> impl Iterator<Item = Act> {
        let removed = self.what == What::Removed;
        self.devices.iter().map(move |device| match removed {
            true => Act::RemoveDevice {
                id: device.id.clone(),
            },
            false => Act::PutDevice(Box::new(device.clone())),
        })
    }

    /// The entry that goes with it, if one does.
    pub fn own(&self) -> Option<Own> {
        let emitted = self.what.emitted()?;
        let own = match (&self.what, &self.devices[..]) {
            (What::Dropped(count), _) => emitted
                .says(format!(
                    "{count} devices announced themselves that there was no room for, or too many at once"
                ))
                .with("dropped", *count),
            (_, [device]) => self.of_one(emitted, device),
            (what, several) => {
                let called = several.iter().take(NAMED).map(Device::called);
                let ids = several.iter().take(NAMED).map(|device| device.id.as_str());
                let count = several.len();
                let said = match what {
                    What::Lost => format!("{count} devices are lost: they do not answer a search"),
                    _ => format!("The first look at the network found {count} devices"),
                };
                emitted
                    .says(said)
                    .with("count", count)
                    .with("devices", called.collect::<Vec<_>>())
                    .with("ids", ids.collect::<Vec<_>>())
            }
        };
        Some(own.within(WorkspaceId::default_workspace()))
    }

    fn of_one(&self, emitted: Emitted, device: &Device) -> Own {
        let called = device.called();
        let own = entity_event("device", emitted, device.id.as_str(), Some(called));
        let own = match self.what.verb() {
            None => own,
            Some(verb) => own.saying(format!("The device {called} {verb}")),
        };
        let own = match &device.kind {
            None => own,
            Some(kind) => own.with("type", kind.as_str()),
        };
        let own = match &self.what {
            What::Changed(fields) => own.with("changed", fields.clone()),
            What::Discovered => own.with("source", device.source.as_str()),
            _ => own,
        };
        match self.held {
            0 => own,
            held => own.with("not_recorded", held),
        }
    }

    pub fn events(&self) -> Vec<Event> {
        let change = match self.what.emitted() {
            None | Some(Emitted::DeviceDropped) => return Vec::new(),
            Some(emitted) => emitted.action().trim_start_matches("device."),
        };
        let event = |device: &Device| {
            let device = Box::new(Summary::from(device));
            match self.what {
                What::Discovered | What::Added => Event::DeviceDiscovered { change, device },
                What::Lost | What::Removed => Event::DeviceLost { change, device },
                What::Online
                | What::Offline
                | What::Flapping
                | What::Connected
                | What::Disconnected => Event::DeviceHealthChanged { change, device },
                _ => Event::DeviceChanged { change, device },
            }
        };
        self.devices.iter().map(event).collect()
    }
}
