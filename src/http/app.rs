//! What the handlers hold: the two faces of the book, the owner's settings, the rules for what comes in.

use crate::access::Privacy;
use crate::actors::{Clock, Writer};
use crate::config::Settings;
use crate::domain::{Rules, Timestamp};
use crate::storage::EntryReader;
use crate::telemetry::Metrics;
use std::sync::Arc;
use std::time::Instant;

/// One for all workers; everything in it is shared by reference and none of it is locked.
#[derive(Clone)]
pub struct App {
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub settings: Arc<Settings>,
    pub privacy: Arc<Privacy>,
    pub rules: Arc<Rules>,
    pub metrics: Metrics,
    pub clock: Clock,
    pub started: Started,
}

#[derive(Debug, Clone, Copy)]
pub struct Started {
    pub at: Timestamp,
    pub instant: Instant,
}

impl App {
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
