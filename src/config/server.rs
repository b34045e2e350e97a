//! `[server]`: where and how the daemon answers.

use super::checked;
use super::{Duration, Listen, Network};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub listen: Listen,
    /// 0: one for each processor.
    #[serde(deserialize_with = "workers")]
    pub workers: usize,
    #[serde(deserialize_with = "shutdown_timeout")]
    pub shutdown_timeout: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    pub tls_cert: PathBuf,
    pub tls_key: PathBuf,
    pub open_metrics: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            workers: 0,
            shutdown_timeout: Duration::seconds(10),
            trusted_proxies: Vec::new(),
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            open_metrics: false,
        }
    }
}

/// The two files of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tls<'a> {
    pub cert: &'a Path,
    pub key: &'a Path,
}

impl Server {
    /// Both files or none: loading refuses one without the other.
    pub fn tls(&self) -> Option<Tls<'_>> {
        let given = !self.tls_cert.as_os_str().is_empty();
        given.then(|| Tls {
            cert: &self.tls_cert,
            key: &self.tls_key,
        })
    }

    pub fn trusts_proxy(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|n| n.contains(peer))
    }
}

fn workers<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number_or_zero(d, 1..=1024, "one for each processor")
}

fn shutdown_timeout<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::seconds(1)..=Duration::minutes(5))
}
