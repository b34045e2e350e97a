//! `[live]`: the sessions that follow the book as it grows.

use super::Duration;
use super::checked;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Live {
    /// A longer replay is answered with `lagged`.
    #[serde(deserialize_with = "replay_limit")]
    pub replay_limit: u64,
    #[serde(deserialize_with = "pause")]
    pub ping_interval: Duration,
    /// A session that answers no ping for this long is closed.
    #[serde(deserialize_with = "pause")]
    pub idle_timeout: Duration,
    /// A session that takes no bytes for this long is cut.
    #[serde(deserialize_with = "pause")]
    pub stall_timeout: Duration,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            replay_limit: 10_000,
            ping_interval: Duration::seconds(20),
            idle_timeout: Duration::seconds(60),
            stall_timeout: Duration::seconds(30),
        }
    }
}

fn replay_limit<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    checked::number(d, 1..=10_000_000)
}

fn pause<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::seconds(1)..=Duration::hours(1))
}
