//! What the tests start as a process of its own from this very binary: parts of Daybook with a store that
//! misbehaves. Daybook itself has no hooks for tests.

use daybook::access::Scope;
use daybook::actors::supervisor::Start;
use daybook::actors::{Opened, Supervisor, system_clocks, wall_clock};
use daybook::config::{self, Inputs};
use daybook::domain::{Head, Receipt, Timestamp};
use daybook::http::App;
use daybook::http::server::{self, Listeners};
use daybook::storage::{Address, EntryWriter, PruneStep, Removed, Request, StorageError};
use daybook::telemetry::{self, Metrics};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

const ROLE: &str = "FAULTS_CHILD";

/// This test binary in another role.
pub fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::in_its_role", "--ignored", "--nocapture"]);
    command.env(ROLE, role);
    command
}

#[test]
#[ignore = "what other tests start as a process of its own"]
fn in_its_role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    telemetry::log::init("info", telemetry::Shape::Dated);
    telemetry::log::tell_panics();
    match role.as_str() {
        "premature" => serve(|store| Box::new(Premature::new(store))),
        "panics" => serve(|store| Box::new(Broken(store, || panic!("made up")))),
        "io" => serve(|store| Box::new(Broken(store, || StorageError::Io("made up".into())))),
        "corrupt" => {
            serve(|store| Box::new(Broken(store, || StorageError::Corrupt("made up".into()))))
        }
        "other" => serve(|store| Box::new(Broken(store, || StorageError::Other("made up".into())))),
        other => panic!("no role {other:?}"),
    }
}

/// The daemon's own server and LogWriter, over a store that is wrapped.
fn serve(wrap: impl FnOnce(Box<dyn EntryWriter>) -> Box<dyn EntryWriter>) {
    let inputs = Inputs {
        file: None,
        search: Vec::new(),
        environment: std::env::vars()
            .filter(|(name, _)| name.starts_with("DAYBOOK_"))
            .collect(),
        flags: Vec::new(),
    };
    let settings = config::load(&inputs)
        .unwrap_or_else(|error| panic!("{error}"))
        .settings;
    let address = Address::parse(settings.storage.url.as_str()).unwrap();
    let mut book = Opened::at(address, 2).unwrap();
    book.store = wrap(book.store);
    let reader = Arc::clone(&book.reader);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listeners = Listeners {
        tcp: vec![listener],
        control: None,
    };
    actix::System::new().block_on(async move {
        let metrics = Metrics::new("0", SystemTime::now());
        let clock = wall_clock();
        let actors = Supervisor::start(Start {
            book,
            base: settings.retention.base(&Default::default()),
            settings: &settings,
            clocks: system_clocks(Arc::clone(&clock)),
            metrics: metrics.clone(),
        });
        let actors = actors.await.unwrap();
        let app = App::new(settings, reader, &actors, clock, metrics);
        let running = server::build(app, listeners).unwrap();
        log::info!("this child is ready: http://{}", running.addresses[0]);
        running.server.await.unwrap();
    });
}

/// Answers at once and commits a while later: what a daemon with a write-behind queue would do.
struct Premature {
    head: Head,
    later: mpsc::Sender<(Instant, Timestamp, Vec<Request>)>,
}

impl Premature {
    fn new(mut store: Box<dyn EntryWriter>) -> Self {
        let head = store.head().clone();
        let (later, due) = mpsc::channel::<(Instant, Timestamp, Vec<Request>)>();
        std::thread::spawn(move || {
            for (told, now, group) in due {
                std::thread::sleep(Duration::from_millis(50).saturating_sub(told.elapsed()));
                store.commit(now, &group).unwrap();
            }
        });
        Self { head, later }
    }
}

impl EntryWriter for Premature {
    fn head(&self) -> &Head {
        &self.head
    }

    fn commit(
        &mut self,
        now: Timestamp,
        group: &[Request],
    ) -> Result<Vec<Vec<Receipt>>, StorageError> {
        self.later
            .send((Instant::now(), now, group.to_vec()))
            .unwrap();
        let answers = group.iter().map(|request| {
            let entries = request.entries.iter().map(|entry| {
                self.head.last_seq += 1;
                Receipt {
                    id: entry.id().cloned().unwrap(),
                    seq: self.head.last_seq,
                    ts: now,
                    duplicate: false,
                }
            });
            entries.collect()
        });
        Ok(answers.collect())
    }

    fn prune(
        &mut self,
        _: Timestamp,
        _: &PruneStep,
        _: Option<&Request>,
    ) -> Result<Removed, StorageError> {
        Ok(Removed::default())
    }

    fn clear(&mut self, _: Timestamp, _: &Scope, _: &Request) -> Result<u64, StorageError> {
        Ok(0)
    }

    fn sweep(&mut self, _: usize) -> Result<Removed, StorageError> {
        Ok(Removed::default())
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Fails every commit of an entry in one way; the rest is the store's own.
struct Broken(Box<dyn EntryWriter>, fn() -> StorageError);

impl EntryWriter for Broken {
    fn head(&self) -> &Head {
        self.0.head()
    }

    fn commit(&mut self, _: Timestamp, _: &[Request]) -> Result<Vec<Vec<Receipt>>, StorageError> {
        Err((self.1)())
    }

    fn prune(
        &mut self,
        now: Timestamp,
        step: &PruneStep,
        record: Option<&Request>,
    ) -> Result<Removed, StorageError> {
        self.0.prune(now, step, record)
    }

    fn clear(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        record: &Request,
    ) -> Result<u64, StorageError> {
        self.0.clear(now, scope, record)
    }

    fn sweep(&mut self, limit: usize) -> Result<Removed, StorageError> {
        self.0.sweep(limit)
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        self.0.probe()
    }

    fn close(&mut self) -> Result<(), StorageError> {
        self.0.close()
    }
}
