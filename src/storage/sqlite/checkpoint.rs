//! When the WAL is moved into the book's file. SQLite would do it by itself after a commit, and would keep to
//! itself that the disk failed meanwhile; so the writer does it, at the same moments.

use super::error::storage;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

/// Pages in the WAL at which a commit moves them into the book's file: 16 MiB.
pub const CHECKPOINT_PAGES: i32 = 4_000;

/// The same for a step of what goes on beside recording: 6 MiB. Such a step changes pages all over the book, and
/// whoever records waits while they are moved.
const CHECKPOINT_PAGES_OF_A_STEP: i32 = 1_500;

/// Pages that the WAL may have grown by before it is looked at again. Looking is a statement of its own, which
/// a commit of one entry would feel.
const LOOK_AFTER_PAGES: usize = 500;

/// What an entry writes at most, when the transaction is small: its row, and a page of each index.
const PAGES_OF_AN_ENTRY: usize = 9;
/// The head, and what the numbers are taken from.
const PAGES_OF_A_COMMIT: usize = 2;

/// How much may have come to the WAL since it was looked at.
#[derive(Debug, Default)]
pub struct Wal {
    unseen: usize,
}

impl Wal {
    pub fn grew_by(&mut self, entries: usize) {
        self.unseen += entries * PAGES_OF_AN_ENTRY + PAGES_OF_A_COMMIT;
    }

    pub fn look_when_grown(&mut self, conn: &mut SqliteConnection) -> Result<(), StorageError> {
        if self.unseen < LOOK_AFTER_PAGES {
            return Ok(());
        }
        self.look_at(conn)
    }

    pub fn look_at(&mut self, conn: &mut SqliteConnection) -> Result<(), StorageError> {
        self.move_from(CHECKPOINT_PAGES, conn)
    }

    pub fn look_at_after_a_step(
        &mut self,
        conn: &mut SqliteConnection,
    ) -> Result<(), StorageError> {
        self.move_from(CHECKPOINT_PAGES_OF_A_STEP, conn)
    }

    /// After a commit. Of what goes wrong only what the writer must not survive is an error: what was committed
    /// is durable in the WAL, and what finds no room, or finds the book busy, is tried again after a later one.
    fn move_from(&mut self, pages: i32, conn: &mut SqliteConnection) -> Result<(), StorageError> {
        self.unseen = 0;
        let done = checkpoint(conn, "NOOP").and_then(|held| {
            if held.is_due_at(pages) {
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
}

/// Nothing of what was written before is in the WAL when this is true; false when a reader or a copy holds
/// it up, which is not waited for.
pub fn empty_wal(conn: &mut SqliteConnection) -> Result<bool, StorageError> {
    conn.batch_execute("PRAGMA busy_timeout = 5")
        .map_err(storage)?;
    let held = checkpoint(conn, "TRUNCATE");
    conn.batch_execute("PRAGMA busy_timeout = 5000")
        .map_err(storage)?;
    match held {
        Ok(held) => Ok(held.busy == 0 && held.log == 0),
        Err(StorageError::Busy(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(QueryableByName)]
struct Held {
    /// It could not be done to the end.
    #[diesel(sql_type = Integer)]
    busy: i32,
    /// Pages in it.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Of these, how many are in the book's file as well.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl Held {
    /// Readers may keep a part of it from being moved.
    fn is_due_at(&self, pages: i32) -> bool {
        self.log >= pages && self.checkpointed < self.log
    }
}

fn checkpoint(conn: &mut SqliteConnection, mode: &str) -> Result<Held, StorageError> {
    diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})"))
        .get_result(conn)
        .map_err(storage)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        Wal::default().look_at(&mut conn).unwrap();
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert!(CHECKPOINT_PAGES / 2 < wal.log && wal.log < CHECKPOINT_PAGES);
        assert_eq!(wal.checkpointed, 0);
        write(&mut conn, CHECKPOINT_PAGES / 2);
        // Not by SQLite itself.
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert!(wal.is_due_at(CHECKPOINT_PAGES) && wal.checkpointed == 0);
        Wal::default().look_at(&mut conn).unwrap();
        let wal = checkpoint(&mut conn, "NOOP").unwrap();
        assert_eq!(wal.log, wal.checkpointed);
        // The WAL begins anew.
        write(&mut conn, 1);
        assert!(checkpoint(&mut conn, "NOOP").unwrap().log < 100);
    }

    #[test]
    fn after_a_step_less_is_moved_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("book");
        let mut conn = super::super::connection::open_writer(&path).unwrap();
        conn.batch_execute("CREATE TABLE t (x)").unwrap();
        write(&mut conn, CHECKPOINT_PAGES_OF_A_STEP);
        Wal::default().look_at(&mut conn).unwrap();
        assert!(!is_moved(&mut conn));
        Wal::default().look_at_after_a_step(&mut conn).unwrap();
        assert!(is_moved(&mut conn));
    }

    #[test]
    fn it_is_looked_at_when_much_may_have_come_and_not_for_each_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("book");
        let mut conn = super::super::connection::open_writer(&path).unwrap();
        conn.batch_execute("CREATE TABLE t (x)").unwrap();
        write(&mut conn, 2 * CHECKPOINT_PAGES);
        let mut wal = Wal::default();
        let mut commits = 0;
        while !is_moved(&mut conn) {
            wal.grew_by(1);
            wal.look_when_grown(&mut conn).unwrap();
            commits += 1;
            assert!(commits <= LOOK_AFTER_PAGES);
        }
        assert!(commits > 10, "{commits}");
    }

    fn is_moved(conn: &mut SqliteConnection) -> bool {
        let held = checkpoint(conn, "NOOP").unwrap();
        held.checkpointed == held.log
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
        Wal::default().look_at(&mut conn).unwrap();
        assert!(
            checkpoint(&mut conn, "NOOP")
                .unwrap()
                .is_due_at(CHECKPOINT_PAGES)
        );
        reader.batch_execute("COMMIT").unwrap();
        Wal::default().look_at(&mut conn).unwrap();
        assert!(
            !checkpoint(&mut conn, "NOOP")
                .unwrap()
                .is_due_at(CHECKPOINT_PAGES)
        );
    }
}
