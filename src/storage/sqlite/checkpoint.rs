//! When the WAL is moved into the book's file. SQLite would do it by itself after a commit, and would keep to
//! itself that the disk failed meanwhile; so the writer does it, at the same moments.

use super::error::storage;
use crate::storage::StorageError;
use diesel::prelude::*;
use diesel::sql_types::Integer;

/// Pages in the WAL at which a commit moves them into the book's file: 16 MiB.
pub const CHECKPOINT_PAGES: i32 = 4_000;

#[derive(QueryableByName)]
struct Wal {
    /// Pages in it.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Of these, how many are in the book's file as well.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl Wal {
    /// Asked after each commit, since readers may keep a part of it from being moved.
    fn is_due(&self) -> bool {
        self.log >= CHECKPOINT_PAGES && self.checkpointed < self.log
    }
}

/// After a commit. Of what goes wrong only what the writer must not survive is an error: what was committed
/// is durable in the WAL, and what finds no room, or finds the book busy, is tried again after the next commit.
pub fn when_due(conn: &mut SqliteConnection) -> Result<(), StorageError> {
    let done = checkpoint(conn, "NOOP").and_then(|wal| {
        if wal.is_due() {
            checkpoint(conn, "PASSIVE")?;
        }
        Ok(())
    });
    match done {
        Err(error) if error.is_fatal() => Err(error),
        Err(StorageError::Full | StorageError::Busy(_)) | Ok(()) => Ok(()),
        Err(error) => {
            log::warn!("the WAL was not moved into the book's file: {error}");
            Ok(())
        }
    }
}

fn checkpoint(conn: &mut SqliteConnection, mode: &str) -> Result<Wal, StorageError> {
    diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})"))
        .get_result(conn)
        .map_err(storage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection;

    fn write(conn: &mut SqliteConnection, pages: i32) {
        let rows = format!("INSERT INTO t VALUES (zeroblob({pages} * 4096))");
        conn.batch_execute(&rows).unwrap();
    }

    #[test]
    fn the_wal_is_moved_when_it_is_due_and_not_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("book");
        let mut conn = super::super::connection::open_writer(&path).unwrap();
        conn.batch_execute("CREATE TABLE t (x)").unwrap();
        write(&mut conn, CHECKPOINT_PAGES / 2);
        when_due(&mut conn).unwrap();
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert!(CHECKPOINT_PAGES / 2 < wal.log && wal.log < CHECKPOINT_PAGES);
        assert_eq!(wal.checkpointed, 0);
        write(&mut conn, CHECKPOINT_PAGES / 2);
        // Not by SQLite itself.
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert!(wal.is_due() && wal.checkpointed == 0);
        when_due(&mut conn).unwrap();
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert_eq!(wal.log, wal.checkpointed);
        // The WAL begins anew.
        write(&mut conn, 1);
        assert!(checkpoint(&mut conn, "NOOP").unwrap().log < 100);
    }

    #[test]
    fn a_reader_that_stays_holds_up_the_checkpoint_and_not_the_writer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("book");
        let mut conn = super::super::connection::open_writer(&path).unwrap();
        conn.batch_execute("CREATE TABLE t (x)").unwrap();
        let mut reader = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        reader.batch_execute("BEGIN; SELECT * FROM t").unwrap();
        write(&mut conn, 2 * CHECKPOINT_PAGES);
        when_due(&mut conn).unwrap();
        assert!(checkpoint(&mut conn, "NOOP").unwrap().is_due());
        reader.batch_execute("COMMIT").unwrap();
        when_due(&mut conn).unwrap();
        assert!(!checkpoint(&mut conn, "NOOP").unwrap().is_due());
    }
}
