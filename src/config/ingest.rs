//! `[ingest]`: what the intake of foreign formats needs beyond their routes.

use super::NamedTable;
use super::named;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Forges that sign their webhooks instead of sending a key.
    #[serde(deserialize_with = "named::several")]
    pub github: Vec<NamedTable>,
}
