//! From diesel's errors to ours. diesel hands SQLite's full, busy and damaged on as one kind with a
//! text, so the fixed texts of SQLite are read here, and nowhere else.

use crate::storage::StorageError;
use diesel::result::{ConnectionError, Error};

pub fn storage(error: Error) -> StorageError {
    match error {
        Error::DatabaseError(_, info) => by_message(info.message()),
        Error::DeserializationError(cause) => StorageError::Corrupt(cause.to_string()),
        Error::NotFound => StorageError::Corrupt("a row that must be there is missing".into()),
        other => StorageError::Other(other.to_string()),
    }
}

pub fn connection(error: ConnectionError) -> StorageError {
    match error {
        ConnectionError::CouldntSetupConfiguration(error) => storage(error),
        ConnectionError::BadConnection(message) => by_message(&message),
        other => StorageError::Other(other.to_string()),
    }
}

pub fn by_message(message: &str) -> StorageError {
    let says = |text: &str| message.contains(text);
    if says("database or disk is full") {
        StorageError::Full
    } else if says("database is locked")
        || says("database table is locked")
        || says("locking protocol")
    {
        StorageError::Busy(message.to_owned())
    } else if says("disk I/O error")
        || says("unable to open database file")
        || says("attempt to write a readonly database")
        // A rollback failed: the connection is stuck in what it could not end.
        || says("within a transaction")
    {
        StorageError::Io(message.to_owned())
    } else if says("UNIQUE constraint failed") {
        // The writer gives every number itself, and looks for every name first.
        StorageError::Corrupt(format!(
            "it holds what its writer did not put there, so another program wrote into it ({message})"
        ))
    } else if says("malformed") || says("not a database") {
        StorageError::Corrupt(message.to_owned())
    } else {
        StorageError::Other(message.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_that_sqlite_names_is_one_of_ours() {
        for (message, expected) in [
            ("database or disk is full", StorageError::Full),
            (
                "database is locked",
                StorageError::Busy("database is locked".into()),
            ),
            (
                "locking protocol",
                StorageError::Busy("locking protocol".into()),
            ),
            ("disk I/O error", StorageError::Io("disk I/O error".into())),
            (
                "cannot start a transaction within a transaction",
                StorageError::Io("cannot start a transaction within a transaction".into()),
            ),
            (
                "database disk image is malformed",
                StorageError::Corrupt("database disk image is malformed".into()),
            ),
            (
                "file is not a database",
                StorageError::Corrupt("file is not a database".into()),
            ),
            (
                "UNIQUE constraint failed: activity_log.seq",
                StorageError::Corrupt(
                    "it holds what its writer did not put there, so another program wrote into it \
                     (UNIQUE constraint failed: activity_log.seq)"
                        .into(),
                ),
            ),
            (
                "no such table: x",
                StorageError::Other("no such table: x".into()),
            ),
        ] {
            assert_eq!(by_message(message), expected);
        }
    }
}
