//! Where the daemon listens: one address or several, numeric or `localhost`. Names are not looked up, so that
//! what is listened on does not depend on a resolver.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// Never empty, and no address twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(Vec<SocketAddr>);

pub const DEFAULT_PORT: u16 = 7480;

impl Default for Listen {
    fn default() -> Self {
        Self(vec![(Ipv4Addr::LOCALHOST, DEFAULT_PORT).into()])
    }
}

impl Listen {
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }

    pub fn is_loopback_only(&self) -> bool {
        self.0.iter().all(|a| a.ip().to_canonical().is_loopback())
    }

    fn with(mut self, text: &str) -> Result<Self, String> {
        let address = address(text)?;
        // Port 0 asks for any free port, and one may ask twice.
        if address.port() != 0 && self.0.contains(&address) {
            return Err(format!("{address} stands here twice"));
        }
        self.0.push(address);
        Ok(self)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || {
        format!(
            "{text:?} is not an address such as \"127.0.0.1:7480\", \"[::1]:7480\" or \"localhost:7480\""
        )
    };
    if let Some(port) = text.strip_prefix("localhost:") {
        let port: u16 = port.parse().map_err(|_| wrong())?;
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| wrong())
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, address) in self.0.iter().enumerate() {
            let gap = if i == 0 { "" } else { ", " };
            write!(f, "{gap}{address}")?;
        }
        Ok(())
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.collect_str(one),
            several => serializer.collect_seq(several.iter().map(ToString::to_string)),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Listen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as \"127.0.0.1:7480\", or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Listen, E> {
        Listen(Vec::new()).with(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Listen, A::Error> {
        let mut listen = Listen(Vec::new());
        while let Some(text) = seq.next_element::<String>()? {
            listen = listen.with(&text).map_err(de::Error::custom)?;
        }
        if listen.0.is_empty() {
            return Err(de::Error::custom("must name at least one address"));
        }
        Ok(listen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(toml: &str) -> Result<Listen, String> {
        let value = toml.parse::<toml::Value>().unwrap();
        value
            .try_into()
            .map_err(|e: toml::de::Error| e.message().to_owned())
    }

    #[test]
    fn one_address_or_several_are_read() {
        assert_eq!(listen("'localhost:7480'").unwrap(), Listen::default());
        let both = listen("['127.0.0.1:80', '[::1]:80']").unwrap();
        assert_eq!(both.to_string(), "127.0.0.1:80, [::1]:80");
        assert!(both.is_loopback_only());
        assert!(!listen("'0.0.0.0:80'").unwrap().is_loopback_only());
        assert!(listen("['127.0.0.1:0', '127.0.0.1:0']").is_ok());
    }

    #[test]
    fn what_cannot_be_listened_on_is_refused() {
        for wrong in [
            "[]",
            "''",
            "'7480'",
            "'localhost'",
            "'example.com:80'",
            "'127.0.0.1:99999'",
            "7480",
            "['127.0.0.1:80', '127.0.0.1:80']",
        ] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }
}
