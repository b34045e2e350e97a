//! Devices: what the book knows of each thing on the network, and the rules by which that changes. No sockets and
//! no clock: what was seen and when comes in as values.

mod asked;
mod by_hand;
mod check;
mod damping;
mod hearing;
mod registry;
mod said;
mod sighting;
#[cfg(test)]
mod tests;
mod tracked;

pub use asked::{Alter, NewDevice, Report};
pub use check::{Check, CheckKind, Outcome, Plan, Probe, Timing};
pub use damping::Rule;
pub use registry::{Registry, Tuning};
pub use said::Summary;
pub use sighting::Sighting;
pub use tracked::{Change, NotDone, Tracked, What};

use super::{FieldError, Timestamp, secret};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// Devices in one book.
pub const MOST_DEVICES: usize = 2_000;
pub const ID_CHARS: usize = 64;
pub const NAME_CHARS: usize = 128;
pub const TYPE_CHARS: usize = 64;
pub const ADDRESS_CHARS: usize = 253;
pub const MOST_ADDRESSES: usize = 16;
/// What a device says of itself beside its address.
pub const MOST_TXT: usize = 32;
pub const TXT_CHARS: usize = 256;

/// How the ids begin that Daybook gives; others are those of software that reports devices.
const OURS: &str = "dev_";

/// Stable across restarts, and safe in an address: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let fits = (1..=ID_CHARS).contains(&text.len()) && text.bytes().all(allowed);
        // Two of these mean a place in a path.
        if fits && text != "." && text != ".." && !secret::holds_key(text) {
            return Ok(Self(text.to_owned()));
        }
        let reason = format!("must be 1 to {ID_CHARS} of A-Z a-z 0-9 . _ -, and no Daybook key");
        Err(FieldError::new("id", reason))
    }

    /// Of a service instance by its full name, whatever case that comes in.
    pub fn of_instance(full_name: &str) -> Self {
        let hash = Sha256::digest(full_name.to_ascii_lowercase().as_bytes());
        let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{OURS}{hex}"))
    }

    /// Of what somebody added by hand.
    pub fn fresh(unique: uuid::Uuid) -> Self {
        Self(format!("{OURS}{}", unique.simple()))
    }

    /// Out of the book, where only right ones are.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether Daybook gave it, so that nobody else brings it.
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(OURS)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Online,
    /// It is announced, or was added, and does not answer.
    Offline,
    /// It withdrew itself from the network, or its announcement ran out.
    Lost,
    /// Nothing was heard of it yet.
    Unknown,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Online, Self::Offline, Self::Lost, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Mdns,
    /// Somebody added it.
    Manual,
    /// Other software says how it is.
    Reported,
}

impl Source {
    pub const ALL: [Self; 3] = [Self::Mdns, Self::Manual, Self::Reported];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mdns => "mdns",
            Self::Manual => "manual",
            Self::Reported => "reported",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// As the book holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// As it calls itself.
    pub name: String,
    /// As somebody called it.
    pub given_name: Option<String>,
    /// Its service type, `_http._tcp`, or what whoever added it says.
    pub kind: Option<String>,
    pub host: Option<String>,
    pub addresses: Vec<String>,
    pub port: Option<u16>,
    pub txt: BTreeMap<String, String>,
    pub source: Source,
    pub state: State,
    pub first_seen: Timestamp,
    pub last_seen: Option<Timestamp>,
    /// Nothing is recorded of it, and it is not checked.
    pub ignored: bool,
    /// How it is checked, where that is not what its type says.
    pub check: Option<Check>,
}

impl Device {
    /// What people call it.
    pub fn called(&self) -> &str {
        self.given_name.as_deref().unwrap_or(&self.name)
    }

    /// What it weighs in a queue, about.
    pub fn weight(&self) -> usize {
        let txt: usize = self.txt.iter().map(|(k, v)| k.len() + v.len() + 8).sum();
        let addresses: usize = self.addresses.iter().map(|text| text.len() + 4).sum();
        512 + self.name.len() + txt + addresses
    }
}

/// A text of strangers as it may be kept: one line of at most so many characters, and no key.
fn line(text: &str, most: usize) -> String {
    if secret::holds_key(text) {
        return "[redacted]".to_owned();
    }
    let kept = text.chars().take(most);
    kept.map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A name that somebody gives, or none.
fn name(field: &'static str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let fits = (1..=NAME_CHARS).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        let reason =
            format!("must be 1 to {NAME_CHARS} characters, none of them a control character");
        return Err(FieldError::new(field, reason));
    }
    if secret::holds_key(text) {
        return Err(FieldError::new(field, "holds a Daybook key"));
    }
    Ok(text.to_owned())
}
