//! What the tests start as a process of its own from this very binary: parts of Daybook with a store that
//! misbehaves. Daybook itself has no hooks for tests.

use actix::{Actor, Handler};
use daybook::access::Scope;
use daybook::actors::event_hub::{Cut, Deliver, Subscribe};
use daybook::actors::supervisor::Start;
use daybook::actors::{Clocks, Opened, Supervisor, system_clocks, wall_clock};
use daybook::config::{self, Inputs};
use daybook::domain::{Head, Receipt, Timestamp};
use daybook::http::App;
use daybook::http::server::{self, Listeners};
use daybook::storage::{Address, EntryWriter, PruneStep, Removed, Request, StorageError};
use daybook::telemetry::{self, Metrics};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};

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
        "premature" => serve(Wrong::store(|store| Box::new(Premature::new(store)))),
        "panics" => serve(Wrong::commits(|| panic!("made up"))),
        "io" => serve(Wrong::commits(|| StorageError::Io("made up".into()))),
        "corrupt" => serve(Wrong::commits(|| StorageError::Corrupt("made up".into()))),
        "other" => serve(Wrong::commits(|| StorageError::Other("made up".into()))),
        "hub" => serve(Wrong {
            has_a_session_that_cannot_be_cut: true,
            ..Wrong::default()
        }),
        "pruner" => serve(Wrong {
            clocks: breaking_clocks,
            ..Wrong::default()
        }),
        other => panic!("no role {other:?}"),
    }
}

/// What is put between the LogWriter and its store.
type Wrap = Box<dyn FnOnce(Box<dyn EntryWriter>) -> Box<dyn EntryWriter>>;

/// What is not as it should be.
struct Wrong {
    wrap: Wrap,
    clocks: fn(PathBuf) -> Clocks,
    has_a_session_that_cannot_be_cut: bool,
}

impl Default for Wrong {
    fn default() -> Self {
        Self {
            wrap: Box::new(|store| store),
            clocks: |_| system_clocks(wall_clock()),
            has_a_session_that_cannot_be_cut: false,
        }
    }
}

impl Wrong {
    fn store(wrap: impl FnOnce(Box<dyn EntryWriter>) -> Box<dyn EntryWriter> + 'static) -> Self {
        Self {
            wrap: Box::new(wrap),
            ..Self::default()
        }
    }

    fn commits(fail: fn() -> StorageError) -> Self {
        Self::store(move |store| Box::new(Broken(store, fail)))
    }
}

/// While it is there, the clock of that book's Pruner is broken.
pub fn broken_clock(book: &Path) -> PathBuf {
    book.with_extension("broken-clock")
}

/// The Pruner is on the thread that starts it; the LogWriter and the server's workers are on others.
fn breaking_clocks(book: PathBuf) -> Clocks {
    let (sign, clocks) = (broken_clock(&book), system_clocks(wall_clock()));
    let here = std::thread::current().id();
    Arc::new(move || {
        assert!(
            std::thread::current().id() != here || !sign.exists(),
            "made up"
        );
        clocks()
    })
}

/// The daemon's own server and LogWriter, with what is wrong. SIGTERM ends it in order.
fn serve(wrong: Wrong) {
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
    book.store = (wrong.wrap)(book.store);
    let clocks = (wrong.clocks)(book.address.file().to_owned());
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
            clocks,
            metrics: metrics.clone(),
        });
        let actors = actors.await.unwrap();
        if wrong.has_a_session_that_cannot_be_cut {
            let subscribe = Subscribe {
                deliver: Follows.start().recipient(),
                socket: Arc::new(Uncut),
            };
            actors.hub.send(subscribe).await.unwrap();
        }
        let app = App::new(settings, reader, &actors, clock, metrics);
        let running = server::build(app, listeners).unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        log::info!("this child is ready: http://{}", running.addresses[0]);
        let server = actix::spawn(running.server);
        terminate.recv().await;
        actors.stop_sessions().await;
        running.handle.stop(true).await;
        server.await.unwrap().unwrap();
        actors.stop().await;
        log::info!("this child ended in order");
    });
}

/// Takes whatever it is sent.
struct Follows;

impl Actor for Follows {
    type Context = actix::Context<Self>;
}

impl Handler<Deliver> for Follows {
    type Result = ();

    fn handle(&mut self, _: Deliver, _: &mut Self::Context) {}
}

struct Uncut;

impl Cut for Uncut {
    fn cut(&self) {
        panic!("made up");
    }
}

/// Longer than a stop in order takes.
const WRITTEN_BEHIND: Duration = Duration::from_secs(2);

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
                std::thread::sleep(WRITTEN_BEHIND.saturating_sub(told.elapsed()));
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
