//! What is measured: the one file here that calls the product's own API, so that a change to it is followed
//! in one place.

use crate::process::{Server, free_address};
use daybook::access::key::FullKey;
use daybook::access::{Principal, Scope};
use daybook::actors::keeper::Change;
use daybook::actors::pruner::{Retain, RunNow};
use daybook::actors::queue::Size;
use daybook::actors::supervisor::Start;
use daybook::actors::writer::Outcome;
use daybook::actors::{Opened, Refusal, Supervisor, Writer, system_clocks, wall_clock};
use daybook::config::Settings;
use daybook::domain::{Filter, NewEntry, Page, PageRequest, PageSize, Position, WorkspaceId};
use daybook::storage::sqlite::{self, SqliteReader, SqliteWriter};
use daybook::storage::{Address, EntryReader, EntryWriter, Request, StorageError, Stretch};
use daybook::telemetry::Metrics;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Entries that wait at most to be rolled up.
pub use daybook::storage::sqlite::ROLL_AT;

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a book for writing, and makes it where there is none.
pub fn open_writer(path: &Path) -> Result<SqliteWriter, String> {
    patiently(|| sqlite::open_writer(path))
}

fn patiently(
    open: impl Fn() -> Result<SqliteWriter, StorageError>,
) -> Result<SqliteWriter, String> {
    let began = Instant::now();
    loop {
        match open() {
            // The writer before this one is closed, but its thread may not have let go of it yet.
            Err(StorageError::Held { .. }) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            opened => return opened.map_err(|e| e.to_string()),
        }
    }
}

/// Whether what is recorded is rolled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rolls {
    Kept,
    /// Not even counted; whoever opens the book next does it.
    Never,
}

impl Rolls {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "with roll-ups",
            Self::Never => "without",
        }
    }

    fn open(self, path: &Path) -> Result<SqliteWriter, String> {
        match self {
            Self::Kept => open_writer(path),
            Self::Never => patiently(|| sqlite::open_uncounted(path)),
        }
    }
}

/// What the LogWriter writes with, without the actor before it.
pub struct Store(SqliteWriter);

impl Store {
    pub fn open(path: &Path) -> Result<Self, String> {
        Self::open_with(path, Rolls::Kept)
    }

    pub fn open_with(path: &Path, rolls: Rolls) -> Result<Self, String> {
        rolls.open(path).map(Self)
    }

    /// One transaction.
    pub fn commit(&mut self, group: &[Request]) -> Result<(), String> {
        let committed = self.0.commit(crate::raw_book::now(), group);
        let settled = committed.and_then(|_| self.0.settle());
        settled.map_err(|e| e.to_string())
    }
}

/// What the daemon reads with.
pub struct Reader(SqliteReader);

impl Reader {
    pub fn open(path: &Path) -> Result<Self, String> {
        let reader = sqlite::open_reader(path, 4).map_err(|e| e.to_string())?;
        Ok(Self(reader))
    }

    /// A page of the default workspace, as most requests ask for it.
    pub fn page(&self, filter: &Filter, position: Position) -> Result<Page, String> {
        let operator = Principal::anonymous();
        let scope = Scope::of(&operator, None).map_err(|e| e.to_string())?;
        let request = PageRequest {
            position,
            size: PageSize::default(),
        };
        self.0
            .page(&scope, filter, request, Stretch::default())
            .map_err(|e| e.to_string())
    }

    /// Everything that is wrong with a book; nothing, one hopes.
    pub fn problems(&self) -> Result<Vec<String>, String> {
        let report = self.0.check(&mut |_| ()).map_err(|e| e.to_string())?;
        Ok(report.problems)
    }
}

/// The LogWriter and what runs beside it, as the daemon starts them; nobody follows live.
#[derive(Clone)]
pub struct LogWriter(Supervisor);

impl LogWriter {
    pub async fn start(book: &Path) -> Result<Self, String> {
        let address = Address::Sqlite(book.to_owned());
        let mut settings = Settings::default();
        // What is measured stays.
        settings.retention.max_entries = 0;
        settings.retention.max_days = 0;
        let start = Start {
            book: Opened::at(address, 1).map_err(|e| e.to_string())?,
            base: settings.retention.base(&Default::default()),
            settings: &settings,
            clocks: system_clocks(wall_clock()),
            metrics: Metrics::new("bench", std::time::SystemTime::now()),
        };
        let started = Supervisor::start(start).await;
        started.map(Self).map_err(|e| e.to_string())
    }

    /// Comes back when the entry is durable.
    pub async fn record(&self, entry: NewEntry) -> Result<(), String> {
        let outcome = self.0.writer.record_one(entry).await;
        outcome.map(drop).map_err(|e| e.to_string())
    }

    /// Asks the LogWriter for a sign of life from a thread of its own, until it is told to stop; answers how
    /// long it was busy with anything else at most.
    pub fn watched(&self, stop: Arc<AtomicBool>) -> JoinHandle<Result<Duration, String>> {
        const PAUSE: Duration = Duration::from_millis(1);
        let writer = self.0.writer.clone();
        std::thread::spawn(move || {
            crate::parts::in_runtime(async {
                let mut worst = Duration::ZERO;
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    writer.heartbeat().await.map_err(|e| e.to_string())?;
                    worst = worst.max(began.elapsed());
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(worst)
            })
        })
    }

    /// Comes back when the Pruner has done what it was about.
    pub async fn settled(&self) -> Result<(), String> {
        // Of a workspace that is not there: it only waits for its turn.
        let nobody = WorkspaceId::trusted("nobody");
        let run = RunNow {
            only: Some(nobody),
            by: None,
        };
        let ran = self.0.pruner.send(run).await.map_err(|e| e.to_string())?;
        ran.map(drop).map_err(|e| e.to_string())
    }

    /// Puts a rule and comes back when what it did not keep at that moment is gone, and its room with it.
    pub async fn keep_newest(&self, entries: u64) -> Result<(), String> {
        let mut rule = serde_json::Map::new();
        rule.insert("max_entries".into(), entries.into());
        let retain = Retain {
            workspace: None,
            change: Change::Put(rule),
            by: None,
        };
        let put = self.0.pruner.send(retain).await;
        put.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        self.settled().await
    }

    pub async fn close(&self) {
        self.0.stop().await;
    }
}

/// The LogWriter with nobody beside it, on a book that is rolled up or not.
pub struct WriterAlone(Writer);

impl WriterAlone {
    pub async fn start(book: &Path, rolls: Rolls) -> Result<Self, String> {
        let limits = Settings::default().limits;
        let size = Size {
            entries: limits.queue_entries,
            bytes: limits.queue_bytes.bytes(),
        };
        let metrics = Metrics::new("bench", std::time::SystemTime::now());
        let store = Box::new(rolls.open(book)?);
        let started = Writer::start(store, wall_clock(), size, metrics, None).await;
        started.map(Self).map_err(|e| e.to_string())
    }

    /// Comes back when the entry is durable.
    pub async fn record(&self, entry: NewEntry) -> Result<(), String> {
        recorded(self.0.record(vec![entry]).await)
    }

    pub async fn close(&self) {
        self.0.close().await;
    }
}

fn recorded(outcomes: Result<Vec<Outcome>, Refusal>) -> Result<(), String> {
    let outcomes = outcomes.map_err(|e| e.to_string())?;
    outcomes
        .into_iter()
        .try_for_each(|outcome| outcome.map(drop).map_err(|e| e.to_string()))
}

/// The released daemon on a book. Nothing of this machine's configuration reaches it, and nothing is pruned.
pub fn start_server(book: &Path, log: &Path) -> Result<Server, String> {
    start_server_with("", book, log)
}

/// The same, with more in its configuration.
pub fn start_server_with(more: &str, book: &Path, log: &Path) -> Result<Server, String> {
    let address = free_address()?;
    let config = log.with_file_name("daybook.toml");
    let text = format!(
        "[server]\nlisten = \"{address}\"\n\n[storage]\nurl = \"sqlite://{}\"\n\n\
         [retention]\nmax_days = 0\nmax_entries = 0\n\n{more}",
        book.display()
    );
    std::fs::write(&config, text).map_err(|e| e.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    command.arg("serve").arg("--config").arg(&config);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DAYBOOK_") {
            command.env_remove(&name);
        }
    }
    Server::start(&mut command, address, "/readyz", log)
}

/// A new key that may write as anybody: the table that declares it, and what is presented.
pub fn declared_key() -> Result<(String, String), String> {
    let key = FullKey::fresh().map_err(|e| e.to_string())?;
    let table = format!(
        "[[auth.keys]]\nlabel = \"bench\"\nid = \"{}\"\nsha256 = \"{}\"\nscopes = [\"write\"]\n\
         workspace = \"*\"\nspeak_for_others = true\n",
        key.id(),
        key.hash()
    );
    Ok((table, key.reveal()))
}
