//! What a script learns from the exit code, in the numbers of `sysexits.h`.

use crate::storage::StorageError;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    /// The command did its work and found something wrong, as `check` may.
    Found = 1,
    /// The command line is wrong.
    Usage = 64,
    /// The book is damaged, or is no book.
    Data = 65,
    /// A fault of ours.
    Software = 70,
    /// It would overwrite something.
    Exists = 73,
    /// Reading or writing failed.
    Io = 74,
    /// It may work later: another process holds the book, say.
    Temporary = 75,
    /// The configuration is wrong.
    Config = 78,
}

impl Exit {
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What a daemon that was asked did not do, by the status of its answer.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 => Self::Usage,
            403 | 404 => Self::Found,
            409 => Self::Exists,
            503 | 507 => Self::Temporary,
            _ => Self::Software,
        }
    }
}

impl From<&StorageError> for Exit {
    fn from(error: &StorageError) -> Self {
        match error {
            StorageError::Held { .. } | StorageError::Busy(_) | StorageError::LockLost(_) => {
                Self::Temporary
            }
            StorageError::Address(_) | StorageError::NotMade { .. } => Self::Config,
            StorageError::NotABook { .. } | StorageError::Corrupt(_) => Self::Data,
            StorageError::Full | StorageError::Io(_) => Self::Io,
            StorageError::Archived(_) | StorageError::TooManyWorkspaces => Self::Exists,
            StorageError::Moved(_) | StorageError::Other(_) => Self::Software,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
