//! Commands that only a daemon can carry out: what they are answered, and what a script learns when they are not.

use super::{Exit, output};
use crate::client::control::{Answer, ControlError};
use crate::config::Loaded;
use crate::storage::{Address, StorageError};
use serde_json::Value;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Control(#[from] ControlError),
    #[error("{said}")]
    Answered { status: u16, said: String },
}

impl Failed {
    /// Says it, and how the command ends.
    pub fn told(&self) -> Exit {
        output::complain(self);
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Control(ControlError::NotRunning) => Exit::Temporary,
            Self::Control(_) => Exit::Io,
            Self::Answered { status, .. } => Exit::of_status(*status),
        }
    }
}

/// Where the daemon that keeps the book can be asked.
pub fn socket(loaded: &Loaded) -> Result<PathBuf, Failed> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    Ok(address.control_socket())
}

pub fn understood(answer: &Answer) -> Result<Value, Failed> {
    match serde_json::from_slice(&answer.body) {
        Ok(value) if answer.status < 300 => Ok(value),
        _ => Err(Failed::Answered {
            status: answer.status,
            said: answer.problem(),
        }),
    }
}
