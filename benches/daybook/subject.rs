//! What is measured: the one file here that calls the product's own API, so that a change to it is followed
//! in one place.

use crate::process::{Server, free_address};
use daybook::access::{Principal, Scope};
use daybook::actors::supervisor::Start;
use daybook::actors::{Opened, Supervisor, system_clocks, wall_clock};
use daybook::config::Settings;
use daybook::domain::{Filter, NewEntry, Page, PageRequest, PageSize, Position};
use daybook::storage::sqlite::{self, SqliteReader, SqliteWriter};
use daybook::storage::{Address, EntryReader, EntryWriter, Request, StorageError, Stretch};
use daybook::telemetry::Metrics;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a book for writing, and makes it where there is none.
pub fn open_writer(path: &Path) -> Result<SqliteWriter, String> {
    let began = Instant::now();
    loop {
        match sqlite::open_writer(path) {
            // The writer before this one is closed, but its thread may not have let go of it yet.
            Err(StorageError::Held { .. }) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            opened => return opened.map_err(|e| e.to_string()),
        }
    }
}

/// What the LogWriter writes with, without the actor before it.
pub struct Store(SqliteWriter);

impl Store {
    pub fn open(path: &Path) -> Result<Self, String> {
        open_writer(path).map(Self)
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

    pub async fn close(&self) {
        self.0.stop().await;
    }
}

/// The released daemon on a book. Nothing of this machine's configuration reaches it, and nothing is pruned.
pub fn start_server(book: &Path, log: &Path) -> Result<Server, String> {
    let address = free_address()?;
    let config = log.with_file_name("daybook.toml");
    let text = format!(
        "[server]\nlisten = \"{address}\"\n\n[storage]\nurl = \"sqlite://{}\"\n\n\
         [retention]\nmax_days = 0\nmax_entries = 0\n",
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
