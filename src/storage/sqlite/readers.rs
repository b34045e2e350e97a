//! The connections that read: a pool that can be taken away while the file under it is replaced, and that is
//! another one afterwards.

use super::connection::uri;
use super::error;
use super::inspect::for_reader;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{
    ConnectionManager, CustomizeConnection, Error, ManageConnection, Pool, PooledConnection,
};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a reader waits for a free connection before the caller is told that the book is busy.
const READER_WAIT: Duration = Duration::from_secs(5);
/// How long those that read may take to come to their end when the book is to be replaced.
const SUSPEND_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(2);

pub type Reader = PooledConnection<Manager>;

pub struct Readers {
    path: PathBuf,
    size: u32,
    /// None while the book is being replaced. A `watch`, since it hands a value to many threads without a
    /// lock of ours.
    pool: watch::Sender<Option<Generation>>,
}

/// The pool over one file. Everything that has this file open holds the token.
#[derive(Clone)]
struct Generation {
    pool: Pool<Manager>,
    token: Token,
}

/// Held by whatever has the file open.
pub type Token = Arc<()>;

impl Readers {
    /// None is opened before it is needed, but for one.
    pub fn open(path: &Path, size: u32) -> Result<Self, StorageError> {
        let first = Generation::open(path, size)?;
        Ok(Self {
            path: path.to_owned(),
            size,
            pool: watch::Sender::new(Some(first)),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn get(&self) -> Result<Reader, StorageError> {
        let generation = self.generation()?;
        let got = generation.pool.get();
        got.map_err(|_| StorageError::Busy("every reader is in use".into()))
    }

    /// For a connection beside the pool, which `suspend` waits for as well.
    pub fn token(&self) -> Result<Token, StorageError> {
        Ok(self.generation()?.token)
    }

    fn generation(&self) -> Result<Generation, StorageError> {
        let held = self.pool.borrow().clone();
        held.ok_or_else(|| StorageError::Busy("the book is being replaced; try again".into()))
    }

    /// When this comes back with `Ok`, nothing here has the file open, and nothing opens it before `resume`.
    pub fn suspend(&self) -> Result<(), StorageError> {
        let Some(last) = self.pool.send_replace(None) else {
            return Ok(());
        };
        let open = Arc::downgrade(&last.token);
        drop(last);
        if wait_for_none(&open) {
            return Ok(());
        }
        self.resume()?;
        Err(StorageError::Busy(
            "what reads the book did not come to its end; try again".into(),
        ))
    }

    pub fn resume(&self) -> Result<(), StorageError> {
        let next = Generation::open(&self.path, self.size)?;
        self.pool.send_replace(Some(next));
        Ok(())
    }
}

fn wait_for_none(open: &Weak<()>) -> bool {
    let until = Instant::now() + SUSPEND_WAIT;
    while open.strong_count() > 0 {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}

impl Generation {
    fn open(path: &Path, size: u32) -> Result<Self, StorageError> {
        let token = Token::new(());
        let manager = Manager {
            inner: ConnectionManager::new(uri(path, for_reader(path))),
            token: Arc::clone(&token),
        };
        // Said at once, and once: a pool tries again for as long as a reader waits, and tells of each time.
        let first = manager.connect();
        first
            .and_then(|mut first| ReadOnly.on_acquire(&mut first))
            .map_err(not_opened)?;
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(READER_WAIT)
            .connection_customizer(Box::new(ReadOnly))
            .build(manager)
            .map_err(|cause| error::by_message(&cause.to_string()))?;
        Ok(Self { pool, token })
    }
}

fn not_opened(cause: Error) -> StorageError {
    match cause {
        Error::ConnectionError(cause) => error::connection(cause),
        Error::QueryError(cause) => error::storage(cause),
    }
}

pub struct Manager {
    inner: ConnectionManager<SqliteConnection>,
    token: Token,
}

/// The connection is closed before the token is let go: fields end in their order.
pub struct Counted {
    conn: SqliteConnection,
    _token: Token,
}

impl ManageConnection for Manager {
    type Connection = Counted;
    type Error = Error;

    fn connect(&self) -> Result<Counted, Error> {
        Ok(Counted {
            conn: self.inner.connect()?,
            _token: Arc::clone(&self.token),
        })
    }

    fn is_valid(&self, counted: &mut Counted) -> Result<(), Error> {
        self.inner.is_valid(&mut counted.conn)
    }

    fn has_broken(&self, counted: &mut Counted) -> bool {
        self.inner.has_broken(&mut counted.conn)
    }
}

impl Deref for Counted {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.conn
    }
}

impl DerefMut for Counted {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }
}

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<Counted, Error> for ReadOnly {
    fn on_acquire(&self, counted: &mut Counted) -> Result<(), Error> {
        counted
            .conn
            .batch_execute(
                "PRAGMA busy_timeout = 5000;
                 PRAGMA query_only = ON;
                 PRAGMA cache_size = -4096;",
            )
            .map_err(Error::QueryError)
    }
}
