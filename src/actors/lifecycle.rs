//! What the daemon records of its own life: its start, its stop, a stop that was none, and a configuration
//! that was read again.

use super::reloading::NotTaken;
use super::{Refusal, Writer};
use crate::config::Changes;
use crate::domain::{Act, Emitted, Own, Severity};
use crate::storage::{EntryReader, Request, StorageError};
use serde_json::{Map, Value};

/// Under which name the book keeps that somebody runs with it.
const RUNNING: &str = "server.running";

/// Whether the last daemon of this book went without saying so.
pub fn was_left_running(reader: &dyn EntryReader) -> Result<bool, StorageError> {
    Ok(!reader.settings(RUNNING)?.is_empty())
}

/// Whether somebody runs with the book, as the book keeps it.
pub fn is_running(running: bool) -> Act {
    let key = RUNNING.to_owned();
    match running {
        true => Act::PutSetting {
            key,
            value: "true".to_owned(),
        },
        false => Act::DeleteSetting { key },
    }
}

/// Records the start, and before it that the stop before was unclean, if it was.
pub async fn started(
    writer: &Writer,
    was_left_running: bool,
    recording: bool,
) -> Result<(), Refusal> {
    let mut own = Vec::new();
    if was_left_running {
        let message =
            "The stop before this start was unclean; what was acknowledged is in the book";
        own.push(Emitted::ServerUncleanShutdown.says(message));
    }
    let version = env!("CARGO_PKG_VERSION");
    let started = Emitted::ServerStarted.says(format!("Daybook {version} started"));
    own.push(
        started
            .with("version", version)
            .with("recording", recording),
    );
    commit(writer, is_running(true), own).await
}

/// The first thing of a stop.
pub async fn shutting_down(writer: &Writer) -> Result<(), Refusal> {
    let own = Emitted::ServerShuttingDown.says("Daybook was told to stop");
    commit(writer, is_running(false), vec![own]).await
}

async fn commit(writer: &Writer, act: Act, own: Vec<Own>) -> Result<(), Refusal> {
    let request = Request {
        acts: vec![act],
        entries: own.into_iter().map(Own::by_system).collect(),
    };
    writer.commit(request).await.map(drop)
}

/// What is recorded of a configuration that was read again: what changed, what of it waits for a restart, and
/// what could not be put in force.
pub fn reloaded(changes: &Changes) -> Own {
    let counts = [
        (changes.applied.len(), "changed"),
        (changes.needs_restart.len(), "need a restart"),
        (changes.not_applied.len(), "could not be applied"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let told = match told.is_empty() {
        true => "nothing changed".to_owned(),
        false => told.join(", "),
    };
    let own = Emitted::ServerReloaded
        .says(format!("The configuration was read again: {told}"))
        .with("changed", changes.applied.clone())
        .with("needs_restart", changes.needs_restart.clone());
    if changes.not_applied.is_empty() {
        return own;
    }
    let why = changes.not_applied.iter();
    let why: Map<String, Value> = why.map(|(k, v)| (k.clone(), v.as_str().into())).collect();
    own.severity(Severity::Warning).with("not_applied", why)
}

/// Nothing of it was taken.
pub fn reload_refused(why: &NotTaken) -> Own {
    Emitted::ServerReloaded
        .says("The configuration was refused; the one before stays in force")
        .severity(Severity::Error)
        .with("refused", why.in_one_line())
}
