//! `[auth]`: how long a signed-in person stays signed in.

use super::Duration;
use super::checked;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Signed out after so long without a request.
    #[serde(deserialize_with = "session")]
    pub session_idle: Duration,
    /// Signed out after so long, whatever was done.
    #[serde(deserialize_with = "session")]
    pub session_absolute: Duration,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            session_idle: Duration::hours(12),
            session_absolute: Duration::days(30),
        }
    }
}

fn session<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::minutes(1)..=Duration::days(366))
}
