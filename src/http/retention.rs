//! The bodies of what is asked and answered about retention.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The retention in force.
#[derive(Serialize, ToSchema)]
pub struct RetentionSettings {
    /// Whether anything is recorded; pruning goes on in any case.
    pub enabled: bool,
    /// 0: no limit.
    pub max_days: u32,
    /// 0: no limit.
    pub max_entries: u64,
    /// The strongest that had a say: `file`, `override`, `environment` or `flag`.
    pub source: &'static str,
    /// At least one of the keys cannot be put.
    pub locked: bool,
    #[schema(value_type = Object)]
    pub keys: BTreeMap<&'static str, KeySettings>,
    pub bounds: Bounds,
    /// Whose; `null` for what holds where nothing of its own does.
    pub workspace_id: Option<String>,
    /// Pruning is held back until it is confirmed, or the clock has agreed for a day.
    pub halted: bool,
    /// `clock_jumped` or `more_than_half`.
    pub reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct KeySettings {
    pub source: &'static str,
    pub locked: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Bounds {
    pub max_days: Bound,
    pub max_entries: Bound,
}

#[derive(Serialize, ToSchema)]
pub struct Bound {
    pub min: u64,
    pub max: u64,
    /// What 0 means.
    pub zero: &'static str,
}

/// What to put; `null` takes a key back.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct SettingsChange {
    pub enabled: Option<bool>,
    /// 0 or 1 to 36500
    pub max_days: Option<u32>,
    /// 0 or 100 to 1000000000
    pub max_entries: Option<u64>,
}

/// One of the two must be true.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct PruneRequest {
    pub dry_run: Option<bool>,
    pub confirm: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub struct WouldPrune {
    pub would_remove: u64,
    pub oldest_kept_ts: Option<String>,
    /// A run would be held back.
    pub halted: bool,
    /// `clock_jumped` or `more_than_half`.
    pub reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct Pruned {
    pub removed: u64,
    pub oldest_kept_ts: Option<String>,
    pub halted: bool,
    pub reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct ErasedAnswer {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Of how many entries that was the actor.
    pub entries: u64,
    /// How many entries held the name at all.
    pub blanked: u64,
    /// What is recorded after this is another matter.
    pub upto_seq: i64,
    /// No file of the book holds the name any more.
    pub finished: bool,
    /// The backups that hold it still.
    pub backups: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Cleared {
    pub removed: u64,
}
