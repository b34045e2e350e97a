//! What a part of the book comes to in numbers: how many entries of each value, and how many when.

use super::buckets::BucketCount;
use super::{Seq, Timestamp};

/// What entries are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    Severity,
    Category,
    Action,
    Actor,
    EntityType,
}

impl Dimension {
    pub const ALL: [Self; 5] = [
        Self::Severity,
        Self::Category,
        Self::Action,
        Self::Actor,
        Self::EntityType,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Category => "category",
            Self::Action => "action",
            Self::Actor => "actor",
            Self::EntityType => "entity_type",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    pub value: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// Of each dimension, in the order of `Dimension::ALL`, the values that most entries have.
    pub values: [Vec<ValueCount>; 5],
    /// Not everything that matches was looked at, or not every value.
    pub capped: bool,
    /// What is from this on is covered.
    pub from_seq: Seq,
}

impl Facets {
    pub fn of(&self, dimension: Dimension) -> &[ValueCount] {
        &self.values[dimension as usize]
    }
}

/// How a histogram is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramRequest {
    /// At most so many buckets.
    pub buckets: BucketCount,
    /// Where it ends when the filter does not say, unless the book goes on beyond.
    pub now: Timestamp,
}

/// What began within a bucket's time, by severity in the order of `Severity::ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub start: Timestamp,
    pub counts: [u64; 3],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first bucket begins.
    pub since: Timestamp,
    /// Where the last bucket ends; it is not in it.
    pub until: Timestamp,
    pub bucket_seconds: u64,
    /// Without a gap; what has no entries is there with noughts.
    pub buckets: Vec<Bucket>,
    pub capped: bool,
    /// What is from this on is covered.
    pub from_seq: Seq,
}
