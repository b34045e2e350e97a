//! `[limits]`: how much of anything the daemon takes before it refuses.

use super::checked;
use super::{ByteSize, Duration};
use crate::domain::limits as fixed;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// For each key and each workspace; 0 means no limit.
    #[serde(deserialize_with = "entries_per_minute")]
    pub entries_per_minute: u64,
    /// Decoded.
    #[serde(deserialize_with = "body")]
    pub body: ByteSize,
    /// Decoded, of a bulk or a foreign format.
    #[serde(deserialize_with = "body")]
    pub bulk_body: ByteSize,
    #[serde(deserialize_with = "bulk_entries")]
    pub bulk_entries: usize,
    /// Of all bodies that are being read at once, decoded.
    #[serde(deserialize_with = "body_memory")]
    pub body_memory: ByteSize,
    #[serde(deserialize_with = "timeout")]
    pub header_timeout: Duration,
    #[serde(deserialize_with = "timeout")]
    pub body_timeout: Duration,
    /// Between two requests of one connection.
    #[serde(deserialize_with = "keep_alive")]
    pub keep_alive: Duration,
    #[serde(deserialize_with = "queue_entries")]
    pub queue_entries: usize,
    #[serde(deserialize_with = "queue_bytes")]
    pub queue_bytes: ByteSize,
    #[serde(deserialize_with = "count")]
    pub connections: usize,
    #[serde(deserialize_with = "count")]
    pub sessions: usize,
    #[serde(deserialize_with = "count")]
    pub sessions_per_key: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_per_minute: 0,
            body: ByteSize::mib(1),
            bulk_body: ByteSize::mib(20),
            bulk_entries: fixed::BULK_ENTRIES,
            body_memory: ByteSize::mib(64),
            header_timeout: Duration::seconds(5),
            body_timeout: Duration::seconds(10),
            keep_alive: Duration::seconds(75),
            queue_entries: 20_000,
            queue_bytes: ByteSize::mib(64),
            connections: 12_000,
            sessions: 10_000,
            sessions_per_key: 2_000,
        }
    }
}

impl Limits {
    /// What the largest bulk may weigh in the queue: its body, and what each of its entries has beside that. Texts
    /// that grow when they are read (control characters, numbers in metadata, what is redacted) are not in it; a
    /// bulk that has no room because of them is told so.
    pub fn bulk_weight(&self) -> u64 {
        let most = self.bulk_body.bytes() / fixed::SHORTEST_ENTRY.len();
        let added = self.bulk_entries.min(most) * fixed::ENTRY_ADDED_BYTES;
        self.bulk_body.get() + added as u64
    }
}

fn entries_per_minute<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    checked::number_or_zero(d, 1..=1_000_000_000, "no limit")
}

/// One entry must fit into any body.
fn body<'de, D: Deserializer<'de>>(d: D) -> Result<ByteSize, D::Error> {
    let least = ByteSize::new(fixed::ENTRY_BYTES as u64);
    checked::size(d, least..=ByteSize::gib(1))
}

fn bulk_entries<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 1..=1_000_000)
}

fn timeout<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::millis(100)..=Duration::minutes(10))
}

fn keep_alive<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::millis(100)..=Duration::minutes(60))
}

fn body_memory<'de, D: Deserializer<'de>>(d: D) -> Result<ByteSize, D::Error> {
    checked::size(d, ByteSize::mib(4)..=ByteSize::gib(16))
}

fn queue_entries<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 1..=10_000_000)
}

fn queue_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<ByteSize, D::Error> {
    checked::size(d, ByteSize::mib(1)..=ByteSize::gib(16))
}

fn count<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 1..=1_000_000)
}
