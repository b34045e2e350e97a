//! A book written and read through the C API: the same rows, the same indexes, the same pragmas as the
//! product's own writer, a prepared statement in a loop, and the head moved on in each transaction.

use crate::raw::{Connection, Result, Statement, Value};
use crate::rows::{IP_ADDRESS, Row, USER_AGENT};
use crate::subject;
use daybook::domain::Timestamp;
use std::fmt::Write as _;
use std::path::Path;

const PRAGMAS: &str = "PRAGMA busy_timeout = 5000;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8192;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;";

const INSERT: &str = "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor,
    entity_type, entity_id, entity_name, message, metadata, workspace_id, ip_address, user_agent)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

const COLUMNS: &str = "seq, id, ts, category, action, severity, actor, entity_type, entity_id,
    entity_name, message, metadata, workspace_id, ip_address, user_agent";

pub struct RawBook {
    connection: Connection,
    begin: Statement,
    insert: Statement,
    head: Statement,
    commit: Statement,
    last_seq: i64,
    id: String,
    /// What makes this run's ids differ from every other's, with room for a counter below it.
    id_base: u128,
}

impl RawBook {
    /// Opens a book that the product made.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute(PRAGMAS)?;
        let last_seq = connection.number("SELECT coalesce(max(seq), 0) FROM activity_log")?;
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            insert: connection.prepare(INSERT)?,
            head: connection.prepare("UPDATE book SET last_seq = ?1, last_ts = ?2 WHERE id = 1")?,
            commit: connection.prepare("COMMIT")?,
            connection,
            last_seq,
            id: String::with_capacity(35),
            id_base: (uuid::Uuid::now_v7().as_u128() >> 32) << 32,
        })
    }

    /// One transaction.
    pub fn commit<'a>(&mut self, rows: impl Iterator<Item = &'a Row>) -> Result<i64> {
        let ts = now().text();
        let ts = text_of(&ts);
        self.begin.go(&[])?;
        for row in rows {
            self.insert(row, ts)?;
        }
        self.head
            .go(&[Value::Integer(self.last_seq), Value::Text(ts)])?;
        self.commit.go(&[])?;
        Ok(self.last_seq)
    }

    fn insert(&mut self, row: &Row, ts: &str) -> Result<()> {
        self.last_seq += 1;
        self.id_base += 1;
        self.id.clear();
        write!(self.id, "al_{:032x}", self.id_base).map_err(|e| e.to_string())?;
        self.insert.go(&[
            Value::Integer(self.last_seq),
            Value::Text(&self.id),
            Value::Text(ts),
            Value::Text(&row.category),
            Value::Text(&row.action),
            Value::Text(&row.severity),
            Value::Text(&row.actor),
            row.entity_type.as_deref().into(),
            row.entity_id.as_deref().into(),
            row.entity_name.as_deref().into(),
            Value::Text(&row.message),
            Value::Text(&row.metadata),
            Value::Text("default"),
            Value::Text(IP_ADDRESS),
            Value::Text(USER_AGENT),
        ])
    }
}

/// How many entries the book says it holds; every number is given, so the newest one is the count.
pub fn newest_seq(path: &Path) -> Result<i64> {
    let connection = Connection::open(path)?;
    connection.execute("PRAGMA busy_timeout = 5000")?;
    connection.number("SELECT coalesce(max(seq), 0) FROM activity_log")
}

/// Makes a book of so many rows, spread over the last month, as fast as it goes: nobody waits for the disk
/// until it is whole.
pub fn fill(path: &Path, rows: impl Iterator<Item = Row>, count: u64) -> Result<()> {
    const A_MONTH: i64 = 30 * 86_400_000_000;
    const TOGETHER: usize = 20_000;
    drop(subject::open_writer(path)?);
    let mut book = RawBook::open(path)?;
    book.connection
        .execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let step = A_MONTH / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let mut moment = now().minus_micros(A_MONTH);
    let mut rows = rows.take(usize::try_from(count).unwrap_or(usize::MAX));
    book.connection.execute(
        "INSERT OR IGNORE INTO workspace (workspace_id, floor_seq, swept_seq) VALUES ('default', 0, 0)",
    )?;
    loop {
        let before = book.last_seq;
        book.begin.go(&[])?;
        for row in rows.by_ref().take(TOGETHER) {
            moment = moment.minus_micros(-step.max(1));
            book.insert(&row, text_of(&moment.text()))?;
        }
        let ts = moment.text();
        book.head
            .go(&[Value::Integer(book.last_seq), Value::Text(text_of(&ts))])?;
        book.commit.go(&[])?;
        if book.last_seq == before {
            break;
        }
    }
    book.connection
        .execute("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE);")
}

/// Pages through the C API, for comparison with the product's reader.
pub struct RawPages {
    newest: Statement,
    scan: Statement,
}

impl RawPages {
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute("PRAGMA query_only = ON; PRAGMA cache_size = -4096;")?;
        Ok(Self {
            newest: connection.prepare(&format!(
                "SELECT {COLUMNS} FROM activity_log
                 WHERE +workspace_id = 'default' AND seq < ?1 ORDER BY seq DESC LIMIT ?2"
            ))?,
            scan: connection.prepare(
                "SELECT seq FROM activity_log NOT INDEXED
                 WHERE workspace_id = 'default' AND message LIKE ?1 ORDER BY seq DESC",
            )?,
        })
    }

    pub fn page(&mut self, before: i64, size: i64) -> Result<usize> {
        let mut items: Vec<(i64, Vec<Option<String>>)> = Vec::new();
        self.newest
            .run(&[Value::Integer(before), Value::Integer(size)], |row| {
                items.push((
                    row.integer(0),
                    (1..15).map(|index| row.text(index)).collect(),
                ));
            })?;
        Ok(items.len())
    }

    /// Looks through the whole book at once.
    pub fn scan(&mut self, text: &str) -> Result<u64> {
        self.scan.run(&[Value::Text(&format!("%{text}%"))], |_| ())
    }
}

pub fn now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since_1970.map_or(0, |elapsed| elapsed.as_micros());
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

pub fn text_of(ts: &[u8]) -> &str {
    std::str::from_utf8(ts).expect("a time is ASCII")
}
