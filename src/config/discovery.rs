//! `[discovery]`: what is said to, and heard from, the local network by mDNS, and how devices are checked.

use super::checked;
use super::{ByteSize, Duration};
use crate::domain::device::{Rule, Timing, Tuning};
use serde::{Deserialize, Deserializer, Serialize, de};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Discovery {
    pub enabled: bool,
    /// The daemon makes itself known.
    pub announce: bool,
    /// The service types that are looked for.
    #[serde(deserialize_with = "service_types")]
    pub browse: Vec<String>,
    /// Zero: nothing is checked unless a device has a check of its own.
    #[serde(deserialize_with = "interval")]
    pub check_interval: Duration,
    #[serde(deserialize_with = "timeout")]
    pub check_timeout: Duration,
    /// So many failures in a row make a device offline.
    #[serde(deserialize_with = "failures")]
    pub check_failures: u32,
    /// With more transitions than these within the window a device flaps.
    #[serde(deserialize_with = "flapping_limit")]
    pub flapping_limit: usize,
    #[serde(deserialize_with = "flapping_window")]
    pub flapping_window: Duration,
    /// Zero: what was found by itself and is lost stays for good.
    #[serde(deserialize_with = "forget_after")]
    pub forget_after: Duration,
    /// What the process that speaks mDNS may take.
    #[serde(deserialize_with = "helper_memory")]
    pub helper_memory: ByteSize,
}

/// How long the first look at a network takes.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(5);
/// Types that may be looked for.
const MOST_TYPES: usize = 64;

const HOME_AND_LAB: [&str; 10] = [
    "_wled._tcp",
    "_esphomelib._tcp",
    "_shelly._tcp",
    "_hap._tcp",
    "_home-assistant._tcp",
    "_ipp._tcp",
    "_printer._tcp",
    "_googlecast._tcp",
    "_ssh._tcp",
    "_http._tcp",
];

impl Default for Discovery {
    fn default() -> Self {
        Self {
            enabled: false,
            announce: true,
            browse: HOME_AND_LAB.map(str::to_owned).to_vec(),
            check_interval: Duration::minutes(1),
            check_timeout: Duration::seconds(5),
            check_failures: 3,
            flapping_limit: 6,
            flapping_window: Duration::minutes(10),
            forget_after: Duration::days(30),
            helper_memory: ByteSize::mib(64),
        }
    }
}

impl Discovery {
    /// For the registry of devices.
    pub fn tuning(&self) -> Tuning {
        let some = |duration: Duration| (!duration.is_zero()).then(|| duration.get());
        Tuning {
            timing: Timing {
                interval: some(self.check_interval),
                timeout: self.check_timeout.get(),
                failures: self.check_failures,
            },
            flapping: Rule {
                most: self.flapping_limit,
                window: self.flapping_window.get(),
            },
            sweep: SWEEP,
            forget_after: some(self.forget_after),
        }
    }
}

fn interval<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration_or_zero(d, Duration::seconds(1)..=Duration::days(1), "none")
}

fn timeout<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::millis(100)..=Duration::minutes(1))
}

fn failures<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    checked::number(d, 1..=100)
}

fn flapping_limit<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 2..=1_000)
}

fn flapping_window<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::seconds(10)..=Duration::days(1))
}

fn forget_after<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration_or_zero(d, Duration::hours(1)..=Duration::days(3_650), "never")
}

fn helper_memory<'de, D: Deserializer<'de>>(d: D) -> Result<ByteSize, D::Error> {
    checked::size(d, ByteSize::mib(16)..=ByteSize::mib(1_024))
}

fn service_types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let types = Vec::<String>::deserialize(deserializer)?;
    if types.len() > MOST_TYPES {
        return Err(de::Error::custom(format!(
            "must be at most {MOST_TYPES} service types"
        )));
    }
    match types.iter().find(|text| !is_service_type(text)) {
        Some(wrong) => Err(de::Error::custom(format!(
            "{wrong:?} is not a service type such as \"_http._tcp\""
        ))),
        None => Ok(types),
    }
}

/// RFC 6763: `_name._tcp` or `_name._udp`, the name 1 to 15 letters, digits and hyphens.
fn is_service_type(text: &str) -> bool {
    let Some((name, "_tcp" | "_udp")) = text.split_once('.') else {
        return false;
    };
    let Some(name) = name.strip_prefix('_') else {
        return false;
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=15).contains(&name.len()) && name.bytes().all(allowed)
}
