//! What each refusal of the parts below is to a client. The statuses stand in the table above this.

use super::ApiError;
use crate::access::principal::NotAllowed;
use crate::access::scope::Refused;
use crate::actors::Refusal;
use crate::actors::automations;
use crate::actors::backups::NotDone;
use crate::actors::discovery;
use crate::actors::keeper::NotChanged;
use crate::actors::keys;
use crate::actors::workspaces;
use crate::domain::device;
use crate::domain::{FieldError, FieldErrors};
use crate::storage::StorageError;

impl From<FieldErrors> for ApiError {
    fn from(errors: FieldErrors) -> Self {
        Self::Wrong(errors)
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::Wrong(error.into())
    }
}

impl From<NotAllowed> for ApiError {
    fn from(refused: NotAllowed) -> Self {
        Self::Forbidden(refused.0)
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong(errors) => Self::Wrong(errors),
            foreign @ Refused::Foreign => {
                Self::Forbidden(FieldErrors::one("workspace_id", foreign.to_string()))
            }
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::QueueFull => Self::Busy(refusal.to_string()),
            Refusal::NeverFits { .. } => Self::TooHeavy(refusal.to_string()),
            Refusal::Stopping => Self::Stopping,
            Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<NotChanged> for ApiError {
    fn from(not_changed: NotChanged) -> Self {
        match not_changed {
            NotChanged::Wrong(errors) => Self::Wrong(errors),
            NotChanged::Locked(errors) => Self::Conflict(errors),
            NotChanged::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<keys::NotDone> for ApiError {
    fn from(not_done: keys::NotDone) -> Self {
        use keys::NotDone as N;
        match not_done {
            N::Wrong(errors) => Self::Wrong(errors),
            N::Forbidden(errors) => Self::Forbidden(errors),
            N::Conflict(errors) => Self::Conflict(errors),
            N::NoSuchKey => Self::NoSuchKey,
            N::Refused(refusal) => refusal.into(),
            N::Random(cause) => {
                log::error!("no key can be made: {cause}");
                Self::Internal
            }
        }
    }
}

impl From<workspaces::NotDone> for ApiError {
    fn from(not_done: workspaces::NotDone) -> Self {
        use workspaces::NotDone as N;
        match not_done {
            N::Wrong(errors) => Self::Wrong(errors),
            N::Conflict(errors) => Self::Conflict(errors),
            N::NoSuchWorkspace => Self::NoSuchWorkspace,
            N::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<discovery::NotDone> for ApiError {
    fn from(not_done: discovery::NotDone) -> Self {
        use discovery::NotDone as N;
        match not_done {
            N::Device(device::NotDone::NoSuchDevice) => Self::NoSuchDevice,
            N::Device(full @ device::NotDone::Full) => {
                Self::Conflict(FieldErrors::one("id", full.to_string()))
            }
            N::Device(nothing @ device::NotDone::NothingToCheck) => {
                Self::Conflict(FieldErrors::one("check", nothing.to_string()))
            }
            N::Busy => Self::Busy(not_done.to_string()),
            N::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<automations::NotDone> for ApiError {
    fn from(not_done: automations::NotDone) -> Self {
        use automations::NotDone as N;
        match not_done {
            N::Wrong(errors) => Self::Wrong(errors),
            N::Conflict(errors) => Self::Conflict(errors),
            N::NoSuchAutomation => Self::NoSuchAutomation,
            busy @ N::Busy => Self::Busy(busy.to_string()),
            N::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full => Self::DiskFull,
            StorageError::Busy(what) => Self::Busy(what),
            refused @ (StorageError::Archived(_) | StorageError::TooManyWorkspaces) => {
                Self::Conflict(FieldErrors::one("workspace_id", refused.to_string()))
            }
            other => {
                log::error!("a request failed: {other}");
                Self::Internal
            }
        }
    }
}

impl From<NotDone> for ApiError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::NoSuchBackup => Self::NoSuchBackup,
            NotDone::Busy => Self::Busy(not_done.to_string()),
            NotDone::Refused(Refusal::Storage(error)) | NotDone::Storage(error) => match error {
                StorageError::NotABook { .. } => Self::NotRestorable(error.to_string()),
                other => other.into(),
            },
            NotDone::Refused(refusal) => refusal.into(),
            NotDone::Directory(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
                Self::DiskFull
            }
            NotDone::NotCopied { cause, .. }
                if matches!(cause, StorageError::Full | StorageError::Busy(_)) =>
            {
                cause.into()
            }
            failed @ (NotDone::Directory(_) | NotDone::NotCopied { .. }) => {
                log::error!("a backup failed: {failed}");
                Self::BackupFailed(failed.to_string())
            }
        }
    }
}
