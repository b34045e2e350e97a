//! The keeper of a book that no daemon has open: for a command that changes it by itself.

use super::email_key;
use super::keeper::{Keeper, Parts, remembered};
use super::queue::Size;
use super::{Clocks, Recorder, Refusal, Writer};
use crate::config::Loaded;
use crate::storage::Address;
use crate::telemetry::Metrics;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::watch;

/// Opens the book for this process alone. Close the writer at the end.
pub async fn open(
    address: &Address,
    loaded: &Loaded,
    clocks: Clocks,
) -> Result<(Keeper, Writer), Refusal> {
    let settings = &loaded.settings;
    let store = address.open_writer()?;
    let reader = address.open_reader(1)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), SystemTime::now());
    let size = Size {
        entries: settings.limits.queue_entries,
        bytes: settings.limits.queue_bytes.bytes(),
    };
    let wall = Arc::clone(&clocks);
    let wall = Arc::new(move || wall().wall);
    let writer = Writer::start(store, wall, size, metrics.clone(), None).await?;
    let base = settings.retention.base(&loaded.origins);
    let retention = watch::Sender::new(Arc::new(remembered(reader.as_ref(), base)?));
    let key = email_key::of_book(&settings.privacy, reader.as_ref(), &writer).await?;
    let policy = settings.privacy.policy_with(key);
    let recorder = Recorder::new(
        writer.clone(),
        retention.subscribe(),
        Arc::new(settings.activity.rules(policy.clone())),
        Arc::new(policy),
        metrics,
    );
    let keeper = Keeper::open(Parts {
        writer: writer.clone(),
        reader,
        recorder,
        retention,
        clocks,
    })?;
    Ok((keeper, writer))
}
