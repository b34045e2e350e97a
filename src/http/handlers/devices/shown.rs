//! Devices as they stand on the wire.

use crate::actors::discovery::{Shown, Status};
use crate::domain::Timestamp;
use crate::domain::device::{Check, Outcome, Plan, State};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A thing on the network.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceItem {
    /// The same for as long as the device is known; `/api/v1/activity/audit/device/{id}` is its trail
    pub id: String,
    /// As it calls itself
    pub name: String,
    /// As somebody called it
    #[schema(required)]
    pub given_name: Option<String>,
    /// Its service type, or what whoever added it says
    #[schema(required)]
    pub r#type: Option<String>,
    #[schema(required)]
    pub host: Option<String>,
    pub addresses: Vec<String>,
    #[schema(required)]
    pub port: Option<u16>,
    /// What it says of itself beside
    #[schema(value_type = Object)]
    pub txt: BTreeMap<String, String>,
    /// `mdns`, `manual` or `reported`
    pub source: &'static str,
    /// `online`, `offline`, `lost` or `unknown`
    pub state: &'static str,
    /// It changes so often that nothing is recorded of it until it is quiet
    pub flapping: bool,
    pub first_seen: String,
    #[schema(required)]
    pub last_seen: Option<String>,
    /// Nothing is recorded of it, and it is not checked
    pub ignored: bool,
    /// How it is checked; `null`: not at all
    #[schema(required)]
    pub check: Option<PlanItem>,
    /// What somebody said of that, instead of what its type says
    #[schema(required, value_type = Option<CheckRequest>)]
    pub check_override: Option<Value>,
    #[schema(required)]
    pub last_check: Option<OutcomeItem>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCheck)]
pub struct PlanItem {
    /// `http` or `tcp`
    pub kind: &'static str,
    pub port: u16,
    #[schema(required)]
    pub path: Option<String>,
    pub interval_seconds: f64,
    pub timeout_seconds: f64,
    /// So many in a row make it offline
    pub failures: u32,
}

/// What came of a check.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCheckOutcome)]
pub struct OutcomeItem {
    #[schema(required)]
    pub at: Option<String>,
    pub ok: bool,
    pub millis: u64,
    #[schema(required)]
    pub error: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DeviceList {
    /// By id
    pub items: Vec<DeviceItem>,
    /// Go on with this as `after`; `null` at the end
    #[schema(required)]
    pub next_after: Option<String>,
    pub discovery: DiscoveryItem,
}

/// The truth about discovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Discovery)]
pub struct DiscoveryItem {
    pub enabled: bool,
    /// `off`, `starting`, `running`, `no_network`, or `waiting` to start its process again
    pub state: &'static str,
    pub browsing: bool,
    pub announcing: bool,
    pub interfaces: Vec<String>,
    /// Why it does not do all that it should
    #[schema(required)]
    pub trouble: Option<String>,
    /// How often its process died
    pub deaths: u64,
    /// What was heard and not taken, because it was too much
    pub dropped: u64,
    #[schema(required)]
    pub helper_pid: Option<u32>,
}

/// What became of a device.
#[derive(Serialize, ToSchema)]
pub struct DeviceDone {
    /// False when it was so before
    pub changed: bool,
    pub device: DeviceItem,
}

#[derive(Serialize, ToSchema)]
pub struct DeviceChecked {
    pub check: OutcomeItem,
    pub device: DeviceItem,
}

/// How a device is to be checked; what is not said stays as its type and `[discovery]` have it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Check::read`")]
pub struct CheckRequest {
    /// `tcp`, `http` or `none`
    pub kind: Option<String>,
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
    /// Of an HTTP check
    pub path: Option<String>,
    #[schema(minimum = 1, maximum = 86400)]
    pub interval_seconds: Option<u32>,
    #[schema(minimum = 1, maximum = 60)]
    pub timeout_seconds: Option<u32>,
    #[schema(minimum = 1, maximum = 100)]
    pub failures: Option<u32>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `NewDevice::read`")]
pub struct DeviceRequest {
    /// An IP address or the name of a host
    pub address: String,
    pub name: Option<String>,
    pub r#type: Option<String>,
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
    pub check: Option<CheckRequest>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Alter::read`")]
pub struct DeviceChange {
    /// `null`: as it calls itself
    pub given_name: Option<String>,
    pub ignored: Option<bool>,
    /// `null`: as its type says
    pub check: Option<CheckRequest>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Report::read`")]
pub struct DeviceReport {
    pub name: Option<String>,
    pub r#type: Option<String>,
    pub address: Option<String>,
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
}

impl From<Shown> for DeviceItem {
    fn from(shown: Shown) -> Self {
        let device = shown.device;
        Self {
            id: device.id.to_string(),
            name: device.name,
            given_name: device.given_name,
            r#type: device.kind,
            host: device.host,
            addresses: device.addresses,
            port: device.port,
            txt: device.txt,
            source: device.source.as_str(),
            state: State::as_str(device.state),
            flapping: shown.is_flapping,
            first_seen: device.first_seen.to_string(),
            last_seen: device.last_seen.map(|at| at.to_string()),
            ignored: device.ignored,
            check: shown.plan.map(PlanItem::from),
            check_override: device.check.map(|check: Check| json!(check)),
            last_check: shown
                .checked
                .map(|(at, outcome)| OutcomeItem::of(outcome, Some(at))),
        }
    }
}

impl From<Plan> for PlanItem {
    fn from(plan: Plan) -> Self {
        Self {
            kind: match plan.probe.path {
                Some(_) => "http",
                None => "tcp",
            },
            port: plan.probe.port,
            path: plan.probe.path,
            interval_seconds: plan.interval.as_secs_f64(),
            timeout_seconds: plan.timeout.as_secs_f64(),
            failures: plan.failures,
        }
    }
}

impl OutcomeItem {
    pub fn of(outcome: Outcome, at: Option<Timestamp>) -> Self {
        Self {
            at: at.map(|at| at.to_string()),
            ok: outcome.ok,
            millis: outcome.millis,
            error: outcome.error,
        }
    }
}

impl From<Status> for DiscoveryItem {
    fn from(status: Status) -> Self {
        Self {
            enabled: status.enabled,
            state: status.state,
            browsing: status.browsing,
            announcing: status.announcing,
            interfaces: status.interfaces,
            trouble: status.trouble,
            deaths: status.deaths,
            dropped: status.dropped,
            helper_pid: status.helper_pid,
        }
    }
}
