//! One noun a file. A handler extracts, asks, encodes.

pub mod activity;
pub mod count;
pub mod entry;
pub mod export;
pub mod health;
pub mod record;
pub mod system;

use super::app::App;
use super::error::ApiError;
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
