//! How a device is checked: what its type says, and what somebody says instead.

use super::{Device, Source};
use crate::domain::{FieldError, FieldErrors, secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

pub const PATH_CHARS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// A connection is taken.
    Tcp,
    /// A request is answered, with anything below 500.
    Http,
    /// None at all.
    None,
}

/// What somebody says of one device; what is not said stays as its type and `[discovery]` have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Check {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<CheckKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
}

impl Check {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let kind = match object.remove("kind") {
            None | Some(Value::Null) => None,
            Some(Value::String(kind)) if kind == "tcp" => Some(CheckKind::Tcp),
            Some(Value::String(kind)) if kind == "http" => Some(CheckKind::Http),
            Some(Value::String(kind)) if kind == "none" => Some(CheckKind::None),
            Some(_) => return Err(FieldErrors::one("check.kind", "must be tcp, http or none")),
        };
        let port = number(&mut object, "port", "check.port", 1, 65_535)?;
        let check = Self {
            kind,
            port: port.and_then(|port| u16::try_from(port).ok()),
            path: path(object.remove("path"))?,
            interval_seconds: number(
                &mut object,
                "interval_seconds",
                "check.interval_seconds",
                1,
                86_400,
            )?,
            timeout_seconds: number(
                &mut object,
                "timeout_seconds",
                "check.timeout_seconds",
                1,
                60,
            )?,
            failures: number(&mut object, "failures", "check.failures", 1, 100)?,
        };
        match object.keys().next() {
            None => Ok(check),
            Some(unknown) => {
                let named: String = unknown.chars().take(64).collect();
                Err(FieldErrors::one(
                    format!("check.{named}"),
                    "is not known here",
                ))
            }
        }
    }
}

fn number(
    object: &mut Map<String, Value>,
    name: &str,
    field: &'static str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, FieldError> {
    let wrong = || FieldError::new(field, format!("must be a whole number, {least} to {most}"));
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let read = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let fits = read.filter(|number| (least..=most).contains(number));
            fits.map(Some).ok_or_else(wrong)
        }
    }
}

fn path(value: Option<Value>) -> Result<Option<String>, FieldError> {
    let wrong = || {
        let reason =
            format!("must begin with / and be at most {PATH_CHARS} visible ASCII characters");
        FieldError::new("check.path", reason)
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(path)) => {
            let fits = path.starts_with('/')
                && path.len() <= PATH_CHARS
                && path.bytes().all(|b| b.is_ascii_graphic())
                && !secret::holds_key(&path);
            fits.then_some(Some(path)).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

/// What `[discovery]` says of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `None`: nothing is checked unless somebody says so.
    pub interval: Option<Duration>,
    pub timeout: Duration,
    /// So many in a row, and a device is offline.
    pub failures: u32,
}

/// How a device is checked, all told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub probe: Probe,
    pub interval: Duration,
    pub timeout: Duration,
    pub failures: u32,
}

/// One check, as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The path of an HTTP check; `None` for TCP.
    pub path: Option<String>,
    /// Tried one after another.
    pub addresses: Vec<String>,
    pub port: u16,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub ok: bool,
    pub millis: u64,
    /// Why not, in a few words.
    pub error: Option<String>,
}

impl Plan {
    /// `None` when there is nothing to check, or nowhere.
    pub fn of(device: &Device, timing: Timing) -> Option<Self> {
        let said = device.check.clone().unwrap_or_default();
        let probe = Probe::of(device)?;
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let minute = Duration::from_secs(60);
        let by_type = match said.kind {
            // Somebody wants it checked, even where nothing else is.
            Some(_) => Some(timing.interval.unwrap_or(minute)),
            None => timing.interval,
        };
        Some(Self {
            probe,
            interval: said.interval_seconds.map(seconds).or(by_type)?,
            timeout: said.timeout_seconds.map_or(timing.timeout, seconds),
            failures: said.failures.unwrap_or(timing.failures).max(1),
        })
    }
}

impl Probe {
    pub fn of(device: &Device) -> Option<Self> {
        // Whoever may report a device does not say with that where we knock.
        if device.source == Source::Reported && device.check.is_none() {
            return None;
        }
        let said = device.check.clone().unwrap_or_default();
        let port = said.port.or(device.port)?;
        let kind = said.kind.unwrap_or_else(|| by_type(device.kind.as_deref()));
        let path = match kind {
            CheckKind::None => return None,
            CheckKind::Tcp => None,
            CheckKind::Http => Some(said.path.unwrap_or_else(|| "/".to_owned())),
        };
        let addresses: Vec<String> = device
            .addresses
            .iter()
            .filter(|address| !needs_an_interface(address))
            .cloned()
            .collect();
        (!addresses.is_empty()).then_some(Self {
            path,
            addresses,
            port,
        })
    }
}

/// A link-local address of IPv6 means another machine on each interface.
fn needs_an_interface(address: &str) -> bool {
    let read = address.parse::<std::net::Ipv6Addr>();
    read.is_ok_and(|address| address.is_unicast_link_local())
}

/// What speaks HTTP is asked over HTTP; of the rest it is enough that it takes a connection.
fn by_type(kind: Option<&str>) -> CheckKind {
    let Some(kind) = kind else {
        return CheckKind::Tcp;
    };
    let (name, transport) = kind.split_once('.').unwrap_or((kind, "_tcp"));
    match (name.trim_start_matches('_'), transport) {
        (_, "_udp") => CheckKind::None,
        ("http" | "wled" | "shelly" | "home-assistant" | "octoprint" | "daybook", _) => {
            CheckKind::Http
        }
        _ => CheckKind::Tcp,
    }
}
