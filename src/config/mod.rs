//! What the owner set: one struct of sections, one file a section, every value checked while it is read.
//!
//! Sections whose feature is still to come are known here already, because unknown keys are refused and a file
//! written for a later version should fail for its reason and not for its spelling. Nothing in this folder
//! reads the process's environment: [`Inputs`] carries everything.

mod activity;
mod auth;
mod automations;
mod backup;
pub mod captures;
mod changes;
mod checked;
mod contradictions;
mod discovery;
mod document;
mod duration;
mod error;
mod ingest;
mod limits;
mod listen;
mod live;
mod load;
mod name;
mod named;
mod network;
mod origins;
mod overrides;
mod privacy;
mod retention;
mod server;
mod size;
mod storage;
mod unbuilt;
mod vocabulary;

pub use activity::{Activity, RecordRequests};
pub use auth::{Auth, DeclaredKey};
pub use automations::DeclaredRule;
pub use backup::Backup;
pub use captures::Capture;
pub use changes::Changes;
pub use discovery::Discovery;
pub use duration::Duration;
pub use error::{ConfigError, Place};
pub use ingest::Ingest;
pub use limits::Limits;
pub use listen::{DEFAULT_PORT, Listen};
pub use live::Live;
pub use load::{Again, Inputs, Loaded, SEARCH_PATH, load};
pub use named::NamedTable;
pub use network::Network;
pub use origins::{Origins, Source};
pub use overrides::Override;
pub use privacy::{Emails, IpAddresses, Privacy, UserAgents};
pub use retention::Retention;
pub use server::{Server, Tls};
pub use size::ByteSize;
pub use storage::{Storage, StorageUrl};

use serde::{Deserialize, Serialize};

/// The file that the program ships and prints: every key with its default.
pub const SHIPPED: &str = include_str!("../../config/daybook.toml");

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub server: Server,
    pub storage: Storage,
    pub live: Live,
    pub limits: Limits,
    pub retention: Retention,
    pub activity: Activity,
    pub privacy: Privacy,
    pub auth: Auth,
    pub backup: Backup,
    pub ingest: Ingest,
    pub discovery: Discovery,
    #[serde(deserialize_with = "captures::several")]
    pub captures: Vec<Capture>,
    #[serde(deserialize_with = "automations::declared")]
    pub automations: Vec<DeclaredRule>,
}
