//! The head of the book: where it stands. Kept in the book itself, so that a restart goes on from it.

use super::{EntryId, Seq, Timestamp};
use serde::Serialize;
use std::fmt;

/// Names one history of the book. A restore or an import makes a new one, and clients start over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Epoch(String);

impl Epoch {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The highest number ever given; 0 in a new book. Never used twice, whatever is removed.
    pub last_seq: Seq,
    /// The newest `ts` ever given. No later entry has an earlier one.
    pub last_ts: Timestamp,
    pub epoch: Epoch,
}

impl Head {
    /// Whether anything was recorded here that `other` does not know of.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.last_seq > other.last_seq || self.last_ts > other.last_ts
    }
}

/// What the writer answers for one entry, after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub id: EntryId,
    pub seq: Seq,
    pub ts: Timestamp,
    /// The id was in the book already; nothing new was recorded, and `seq` and `ts` are the first one's.
    pub duplicate: bool,
}
