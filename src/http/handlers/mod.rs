//! One noun a file. A handler extracts, asks, encodes.

pub mod activity;
pub mod auth;
pub mod automations;
pub mod backups;
mod board;
pub mod captures;
pub mod count;
pub mod dashboard;
pub mod devices;
pub mod entry;
pub mod erase;
pub mod events;
pub mod export;
pub mod facets;
pub mod health;
pub mod histogram;
pub mod keys;
pub mod layouts;
pub mod prune;
pub mod record;
pub mod settings;
pub mod system;
pub mod views;
pub mod widgets;
pub mod workspaces;

use super::app::App;
use super::error::ApiError;
use super::extract::Caller;
use crate::access::Scope;
use crate::access::principal::Reach;
use crate::domain::WorkspaceId;
use crate::storage::{EntryReader, StorageError};
use actix_web::web;
use std::sync::Arc;

/// Runs a read on a thread for blocking work; the writer never waits for it.
async fn reading<T: Send + 'static>(
    app: &App,
    read: impl FnOnce(&dyn EntryReader) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, ApiError> {
    let reader = Arc::clone(&app.reader);
    let done = web::block(move || read(reader.as_ref())).await;
    done.map_err(|_| ApiError::Internal)?
        .map_err(ApiError::from)
}

/// Which workspace a question about retention is about: a named one, a key's own, or, for who may see all
/// and names none or `*`, none in particular.
fn workspace_of(caller: &Caller, named: Option<&str>) -> Result<Option<WorkspaceId>, ApiError> {
    if named.is_none() && *caller.principal.reach() == Reach::All {
        return Ok(None);
    }
    let scope = Scope::of(&caller.principal, named)?;
    Ok(scope.workspace().cloned())
}

/// What the Pruner answered.
fn kept<T, E: Into<ApiError>>(
    answer: Result<Result<T, E>, actix::MailboxError>,
) -> Result<T, ApiError> {
    match answer {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(ApiError::Stopping),
    }
}
