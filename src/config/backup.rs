//! `[backup]`: copies of the whole book that the daemon makes by itself.

use super::Duration;
use super::checked;
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// Empty: `backups` beside the book.
    pub dir: PathBuf,
    /// Zero: none by itself.
    #[serde(deserialize_with = "every")]
    pub every: Duration,
    /// How many of its own the daemon keeps, and as many of those that are dated ahead of the clock.
    #[serde(deserialize_with = "keep")]
    pub keep: u32,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            dir: PathBuf::new(),
            every: Duration::ZERO,
            keep: 7,
        }
    }
}

fn every<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration_or_zero(d, Duration::minutes(1)..=Duration::days(366), "none")
}

fn keep<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    checked::number(d, 1..=10_000)
}
