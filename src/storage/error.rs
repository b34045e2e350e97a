//! What can go wrong with a book, in words that every backend maps its own errors to.

use crate::domain::WorkspaceId;
use crate::domain::workspace::MOST_WORKSPACES;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The disk is full. Nothing of the transaction is in the book; a later try may succeed.
    #[error("no space is left for the book")]
    Full,
    /// Another process holds the book, or every reader is in use.
    #[error("the book is busy: {0}")]
    Busy(String),
    /// Another process writes this book already.
    #[error("{} is in use by {holder}", book.display())]
    Held { book: PathBuf, holder: String },
    /// The file that kept others from writing this book is not there any more, or is another.
    #[error("{} was taken away, so that another process may write the book too", .0.display())]
    LockLost(PathBuf),
    /// The disk failed. The connection must not be used again.
    #[error("the disk failed under the book: {0}")]
    Io(String),
    /// What a book needs beside it cannot be made there.
    #[error("{} cannot be made: {cause}; check the path and its rights", path.display())]
    NotMade { path: PathBuf, cause: String },
    /// What the book says contradicts itself.
    #[error("the book is damaged: {0}")]
    Corrupt(String),
    /// The file is not a book of ours, or of a newer version. It was not touched.
    #[error("{path}: {found}. {advice}")]
    NotABook {
        path: PathBuf,
        found: String,
        advice: String,
    },
    /// An entry for a workspace that takes none. Nothing of its sender's is in the book.
    #[error("the workspace {0} is archived and takes no new entries")]
    Archived(WorkspaceId),
    /// An entry, or a key, would bring one more into being than there may be.
    #[error("there is no room for more workspaces than {MOST_WORKSPACES}")]
    TooManyWorkspaces,
    /// What was read goes on from another place than the book knows. Nothing of its sender's is in the book.
    #[error("the book knows another place up to where {0} was read")]
    Moved(String),
    /// The address of the book cannot be understood.
    #[error("storage.url: {0}")]
    Address(String),
    /// The backend refused a statement that we thought right.
    #[error("storage: {0}")]
    Other(String),
}

impl StorageError {
    /// What to do with a damaged book, behind what was found.
    pub const WHEN_DAMAGED: &str = ". `daybook check` says what is wrong with it. Keep a copy of it and of the files \
                                    beside it, and restore the last backup, or import what `daybook export` still \
                                    reads into a new book";

    /// Why a file or a folder of ours was not made: the owner's doing as a rule, and else the disk's.
    pub fn of_making(path: &Path, cause: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match cause.kind() {
            Kind::StorageFull => Self::Full,
            Kind::NotFound
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::AlreadyExists
            | Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::InvalidFilename => Self::NotMade {
                path: path.to_owned(),
                cause: cause.to_string(),
            },
            _ => Self::Io(format!("{}: {cause}", path.display())),
        }
    }

    /// After this the writer must not go on: what it would answer could not be believed.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Corrupt(_) | Self::LockLost(_))
    }

    /// One sender of a group is at fault, and the others need not pay for it.
    pub fn is_of_one(&self) -> bool {
        matches!(
            self,
            Self::Archived(_) | Self::TooManyWorkspaces | Self::Moved(_) | Self::Other(_)
        )
    }
}
