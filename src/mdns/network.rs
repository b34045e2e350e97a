//! Through which interfaces the network can be reached, and whether there is a way for multicast.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
pub const PORT: u16 = 5353;

/// What of the interfaces matters: names, their IPv4 addresses, and whether they have IPv6 at all. Temporary IPv6
/// addresses come and go all day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    ways: BTreeSet<(String, Option<Ipv4Addr>)>,
}

impl Network {
    pub fn survey() -> std::io::Result<Self> {
        let found = if_addrs::get_if_addrs()?;
        let reachable = found
            .into_iter()
            .filter(|one| !one.is_loopback() && one.is_oper_up());
        let way = |one: if_addrs::Interface| match one.ip() {
            IpAddr::V4(address) => (one.name, Some(address)),
            IpAddr::V6(_) => (one.name, None),
        };
        Ok(Self {
            ways: reachable.map(way).collect(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    pub fn interfaces(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.ways.iter().map(|(name, _)| name).collect();
        names.into_iter().take(32).cloned().collect()
    }
}

/// Whether a datagram to everybody has a way to go; nothing is sent.
pub fn reaches_everybody() -> bool {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((GROUP, PORT)))
        .is_ok()
}
