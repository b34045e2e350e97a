//! A book inside another program: the same actors as the daemon has, without its server.

use super::supervisor::{Start, Supervisor};
use super::{Opened, Refusal, system_clocks, wall_clock};
use crate::config::Settings;
use crate::storage::Address;
use crate::telemetry::Metrics;
use std::time::SystemTime;

/// Opens the book that the settings name, creates it if there is none, and keeps it. It must be called within
/// an actix system; [`Supervisor::stop`] at the end commits what waits and closes it. Its `recorder`
/// records.
pub async fn open(settings: &Settings) -> Result<Supervisor, Refusal> {
    let address = Address::parse(settings.storage.url.as_str())?;
    let started = Start {
        book: Opened::at(address, settings.storage.readers)?,
        base: settings.retention.base(&Default::default()),
        settings,
        clocks: system_clocks(wall_clock()),
        metrics: Metrics::new(env!("CARGO_PKG_VERSION"), SystemTime::now()),
    };
    Supervisor::start(started).await
}
