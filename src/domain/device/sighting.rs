//! What the network says of one service, cut to what is kept: it comes from strangers.

use super::{
    ADDRESS_CHARS, DeviceId, MOST_ADDRESSES, MOST_TXT, NAME_CHARS, TXT_CHARS, TYPE_CHARS, line,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Longer than any name that DNS can carry, written out.
const INSTANCE_CHARS: usize = 1_024;

/// A service instance with all that was learned of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Its full name: `Kitchen._wled._tcp.local.`
    pub instance: String,
    /// Its type: `_wled._tcp`
    pub kind: String,
    pub host: String,
    pub addresses: Vec<String>,
    pub port: u16,
    pub txt: BTreeMap<String, String>,
}

impl Sighting {
    /// Within the limits of what is kept; `None` when nothing can be made of it.
    pub fn bounded(mut self) -> Option<Self> {
        if self.instance.is_empty() || self.instance.chars().count() > INSTANCE_CHARS {
            return None;
        }
        self.kind = line(&self.kind, TYPE_CHARS);
        self.host = line(self.host.trim_end_matches('.'), ADDRESS_CHARS);
        self.addresses = in_order(self.addresses);
        let txt = self.txt.into_iter().take(MOST_TXT);
        self.txt = txt
            .map(|(key, value)| (line(&key, TXT_CHARS), line(&value, TXT_CHARS)))
            .collect();
        Some(self)
    }

    pub fn id(&self) -> DeviceId {
        DeviceId::of_instance(&self.instance)
    }

    /// What comes before the type in the full name.
    pub fn name(&self) -> String {
        let whole = self.instance.as_str();
        let at = whole.find(&format!(".{}", self.kind));
        let name = line(&whole[..at.unwrap_or(whole.len())], NAME_CHARS);
        let name = name.trim();
        match name.is_empty() {
            true => "(no name)".to_owned(),
            false => name.to_owned(),
        }
    }
}

/// Nobody on the network has us look at ourselves.
fn is_elsewhere(address: &IpAddr) -> bool {
    let address = address.to_canonical();
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

/// Each once, the ones that are easiest to reach first: IPv4, then IPv6, then what needs an interface.
fn in_order(addresses: Vec<String>) -> Vec<String> {
    let mut read: Vec<IpAddr> = addresses
        .iter()
        .filter_map(|text| text.parse().ok())
        .filter(is_elsewhere)
        .collect();
    let reach = |address: &IpAddr| match address {
        IpAddr::V4(v4) => (u8::from(v4.is_link_local()) * 2, *address),
        IpAddr::V6(v6) => (
            1 + u8::from(v6.segments()[0] & 0xffc0 == 0xfe80) * 2,
            *address,
        ),
    };
    read.sort_by_key(reach);
    read.dedup();
    let kept = read.into_iter().take(MOST_ADDRESSES);
    kept.map(|address| address.to_string()).collect()
}
