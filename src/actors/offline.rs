//! The keeper, the locksmith or the registrar of a book that no daemon has open: for a command that changes it by itself.

use super::email_key;
use super::keeper::{Keeper, Parts, remembered};
use super::keys::Locksmith;
use super::queue::Size;
use super::workspaces::{self, Registrar, Standing};
use super::{Clocks, Recorder, Refusal, Writer};
use crate::config::Loaded;
use crate::domain::retention::Retention;
use crate::storage::{Address, EntryReader};
use crate::telemetry::Metrics;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::watch;

struct Alone {
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    recorder: Recorder,
    retention: watch::Sender<Arc<Retention>>,
    archived: watch::Sender<Standing>,
}

/// Opens the book for this process alone.
async fn alone(address: &Address, loaded: &Loaded, clocks: Clocks) -> Result<Alone, Refusal> {
    let settings = &loaded.settings;
    let store = address.open_writer()?;
    let reader = address.open_reader(1)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), SystemTime::now());
    let size = Size {
        entries: settings.limits.queue_entries,
        bytes: settings.limits.queue_bytes.bytes(),
    };
    let wall = Arc::new(move || clocks().wall);
    let writer = Writer::start(store, wall, size, metrics.clone(), None).await?;
    let base = settings.retention.base(&loaded.origins);
    let retention = watch::Sender::new(Arc::new(remembered(reader.as_ref(), base)?));
    let key = email_key::of_book(&settings.privacy, reader.as_ref(), &writer).await?;
    let policy = settings.privacy.policy_with(key);
    let archived = watch::Sender::new(workspaces::remembered(reader.as_ref())?);
    let recorder = Recorder::new(
        writer.clone(),
        retention.subscribe(),
        Arc::new(settings.activity.rules(policy.clone())),
        Arc::new(policy),
        archived.subscribe(),
        metrics,
    );
    Ok(Alone {
        writer,
        reader,
        recorder,
        retention,
        archived,
    })
}

/// Opens the book for this process alone. Close the writer at the end.
pub async fn open(
    address: &Address,
    loaded: &Loaded,
    clocks: Clocks,
) -> Result<(Keeper, Writer), Refusal> {
    let alone = alone(address, loaded, Arc::clone(&clocks)).await?;
    let keeper = Keeper::open(Parts {
        writer: alone.writer.clone(),
        reader: alone.reader,
        recorder: alone.recorder,
        retention: alone.retention,
        clocks,
    })?;
    Ok((keeper, alone.writer))
}

/// The same for its keys; a book that is not there is made.
pub async fn keys(
    address: &Address,
    loaded: &Loaded,
    clocks: Clocks,
) -> Result<(Locksmith, Writer), Refusal> {
    let alone = alone(address, loaded, clocks).await?;
    let auth = &loaded.settings.auth;
    let opened = Locksmith::open(
        alone.writer.clone(),
        alone.reader,
        alone.recorder,
        &auth.no_keys(),
        auth.declared(),
    )?;
    Ok((opened, alone.writer))
}

/// Its workspaces, and what is shown of each.
pub struct Kept {
    pub registrar: Registrar,
    pub reader: Arc<dyn EntryReader>,
    pub retention: Arc<Retention>,
    pub writer: Writer,
}

/// The same for its workspaces; a book that is not there is made.
pub async fn workspaces(
    address: &Address,
    loaded: &Loaded,
    clocks: Clocks,
) -> Result<Kept, Refusal> {
    let alone = alone(address, loaded, clocks).await?;
    let retention = Arc::clone(&alone.retention.borrow());
    Ok(Kept {
        registrar: Registrar::new(
            alone.writer.clone(),
            Arc::clone(&alone.reader),
            alone.recorder,
            alone.archived,
        ),
        reader: alone.reader,
        retention,
        writer: alone.writer,
    })
}
