//! Whom a request comes from by the network: its peer, or, where that is a proxy that the owner trusts, whom the
//! proxy says. What anybody else says of that is not looked at.

use crate::config::Server;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use std::net::{IpAddr, SocketAddr};

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
/// Proxies in a row; what is said beyond them is not believed.
const MOST_HOPS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// None by the control socket.
    pub address: Option<IpAddr>,
    /// What reached us came through a trusted proxy, whose headers count.
    pub by_proxy: bool,
    /// As far as is known, nobody on the way can read it.
    pub secure: bool,
}

impl Client {
    pub fn of(request: &HttpRequest, server: &Server) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        Self::behind(peer, request.headers(), server)
    }

    fn behind(peer: Option<IpAddr>, headers: &HeaderMap, server: &Server) -> Self {
        let direct = Self {
            address: peer,
            by_proxy: false,
            secure: server.tls().is_some(),
        };
        match peer {
            Some(proxy) if server.trusts_proxy(proxy) => Self {
                address: Some(first_untrusted(proxy, headers, server)),
                by_proxy: true,
                secure: says_https(headers).unwrap_or(direct.secure),
            },
            _ => direct,
        }
    }
}

/// Each proxy adds at the end whom it was reached by. So it is gone back from the end as long as it is known that
/// the one who wrote is to be believed.
fn first_untrusted(proxy: IpAddr, headers: &HeaderMap, server: &Server) -> IpAddr {
    let lines: Vec<_> = headers.get_all(FOR).collect();
    let texts = lines.iter().rev().map(|line| line.to_str().unwrap_or("?"));
    let hops = texts.flat_map(|text| text.rsplit(','));
    let mut known = proxy;
    for hop in hops.take(MOST_HOPS) {
        let Some(address) = address(hop.trim()) else {
            return known;
        };
        known = address;
        if !server.trusts_proxy(address) {
            return known;
        }
    }
    known
}

/// Some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// What the nearest proxy says, which is the last word.
fn says_https(headers: &HeaderMap) -> Option<bool> {
    let line = headers.get_all(PROTO).last()?.to_str().ok()?;
    let last = line.rsplit(',').next()?.trim();
    Some(last.eq_ignore_ascii_case("https") || last.eq_ignore_ascii_case("wss"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> (String, bool) {
        let server: Server =
            toml::from_str("trusted_proxies = ['10.0.0.0/8', 'fd00::/8']").unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let client = Client::behind(Some(peer.parse().unwrap()), &map, &server);
        (client.address.unwrap().to_string(), client.secure)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = [(FOR, "203.0.113.9"), (PROTO, "https")];
        assert_eq!(client("10.1.1.1", &said), ("203.0.113.9".into(), true));
        assert_eq!(client("192.0.2.1", &said), ("192.0.2.1".into(), false));
        assert_eq!(client("10.1.1.1", &[]), ("10.1.1.1".into(), false));
    }

    #[test]
    fn it_is_the_rightmost_that_no_trusted_proxy_is() {
        let of = |said: &'static str| client("10.1.1.1", &[(FOR, said)]).0;
        assert_eq!(of("198.51.100.1, 203.0.113.9, 10.2.2.2"), "203.0.113.9");
        assert_eq!(of("10.9.9.9,10.2.2.2"), "10.9.9.9");
        assert_eq!(of("203.0.113.9:4711"), "203.0.113.9");
        assert_eq!(of("[2001:db8::1]:80, fd00::1"), "2001:db8::1");
        assert_eq!(of("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
        let lines = [
            (FOR, "198.51.100.1"),
            (FOR, "203.0.113.9"),
            (FOR, "10.2.2.2"),
        ];
        assert_eq!(client("10.1.1.1", &lines).0, "203.0.113.9");
    }

    #[test]
    fn beyond_what_cannot_be_read_nothing_is_believed() {
        let of = |said: &'static str| client("10.1.1.1", &[(FOR, said)]).0;
        assert_eq!(of("203.0.113.9, unknown"), "10.1.1.1");
        assert_eq!(of("203.0.113.9, , 10.2.2.2"), "10.2.2.2");
        assert_eq!(of(""), "10.1.1.1");
    }

    #[test]
    fn of_the_scheme_the_nearest_proxy_has_the_last_word() {
        let secure = |said: &'static str| client("10.1.1.1", &[(PROTO, said)]).1;
        assert!(secure("https") && secure("http, HTTPS"));
        assert!(!secure("https, http") && !secure(""));
    }
}
