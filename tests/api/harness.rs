//! A daemon for one test: the real server on a port of its own, and a book in a directory of its own. When it
//! goes, it stops in order, and the whole book is checked.

use daybook::actors::supervisor::Start;
use daybook::actors::{Clock, Clocks, Opened, Supervisor, system_clocks, wall_clock};
use daybook::config::Settings;
use daybook::domain::Timestamp;
use daybook::domain::clock::Moment;
use daybook::http::App;
use daybook::http::app::Sessions;
use daybook::http::server::{self, Listeners};
use daybook::storage::{Address, EntryReader};
use daybook::telemetry::Metrics;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;

pub struct TestDaybook {
    pub address: SocketAddr,
    pub agent: ureq::Agent,
    /// Shown with whatever is asked without one.
    pub key: OnceLock<String>,
    open_sessions: Sessions,
    /// How far the daemon's clock is ahead, in microseconds.
    ahead: Arc<AtomicI64>,
    /// How far somebody set its wall clock, besides.
    set: Arc<AtomicI64>,
    directory: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl TestDaybook {
    pub fn start() -> Self {
        Self::with("")
    }

    /// With these settings, as the owner would write them.
    pub fn with(toml: &str) -> Self {
        Self::listening(toml, "127.0.0.1:0".parse().unwrap())
    }

    /// At an address that somebody left.
    pub fn at(address: SocketAddr) -> Self {
        Self::listening("", address)
    }

    fn listening(toml: &str, at: SocketAddr) -> Self {
        let mut settings: Settings = toml::from_str(toml).expect("the test's settings are right");
        settings.server.workers = 2;
        let directory = tempfile::tempdir().unwrap();
        let book = book_in(&directory);
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let ahead = Arc::new(AtomicI64::new(0));
        let set = Arc::new(AtomicI64::new(0));
        let clocks = clocks_ahead(Arc::clone(&ahead), Arc::clone(&set));
        let serving = std::thread::spawn(move || {
            actix::System::new().block_on(serve((settings, clocks), book, at, ready, stopped));
        });
        let (address, open_sessions) = started.recv().expect("the server starts");
        Self {
            address,
            agent: super::client::agent(),
            key: OnceLock::new(),
            open_sessions,
            ahead,
            set,
            directory,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// So much time passes for the daemon.
    pub fn later(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap();
        self.ahead.fetch_add(by, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock, and no time passes.
    pub fn set_clock_ahead(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap();
        self.set.fetch_add(by, Ordering::SeqCst);
    }

    /// How many follow live now.
    pub fn sessions(&self) -> usize {
        self.open_sessions.open()
    }

    pub fn book(&self) -> PathBuf {
        book_in(&self.directory)
    }

    /// The book, read beside the daemon.
    pub fn reader(&self) -> Arc<dyn EntryReader> {
        reader(self.book())
    }

    fn stop(&mut self) {
        // It is gone already when the serving thread panicked; joining tells.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.serving.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("stopped once").expect("the server ends well");
        }
    }
}

impl Drop for TestDaybook {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            return;
        }
        let report = reader(self.book()).check(&mut |_| {}).unwrap();
        assert_eq!(report.problems, [""; 0], "the book is whole");
    }
}

fn clocks_ahead(ahead: Arc<AtomicI64>, set: Arc<AtomicI64>) -> Clocks {
    let clocks = system_clocks(wall_clock());
    Arc::new(move || {
        let (by, now) = (ahead.load(Ordering::SeqCst), clocks());
        let set = set.load(Ordering::SeqCst);
        Moment {
            wall: Timestamp::from_micros(now.wall.micros() + by + set),
            passed: now.passed + Duration::from_micros(by.unsigned_abs()),
        }
    })
}

fn book_in(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("daybook.db")
}

fn address_of(book: &std::path::Path) -> Address {
    Address::parse(&format!("sqlite://{}", book.display())).unwrap()
}

fn reader(book: PathBuf) -> Arc<dyn EntryReader> {
    address_of(&book).open_reader(1).unwrap()
}

async fn serve(
    (settings, clocks): (Settings, Clocks),
    book: PathBuf,
    at: SocketAddr,
    ready: mpsc::Sender<(SocketAddr, Sessions)>,
    stopped: oneshot::Receiver<()>,
) {
    let (app, actors) = app(settings, clocks, &book).await;
    let listener = TcpListener::bind(at).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listeners = Listeners {
        tcp: vec![listener],
        control: None,
    };
    let sessions = app.sessions.clone();
    let running = server::build(app, listeners).unwrap();
    let server = actix_web::rt::spawn(running.server);
    ready.send((running.addresses[0], sessions)).unwrap();
    // Dropped unsent means the same.
    let _ = stopped.await;
    // The test has its answers; connections that it left open are not waited for.
    actors.stop_sessions().await;
    running.handle.stop(false).await;
    server.await.unwrap().unwrap();
    actors.stop().await;
}

async fn app(settings: Settings, clocks: Clocks, book: &std::path::Path) -> (App, Supervisor) {
    let book = Opened::at(address_of(book), settings.storage.readers).unwrap();
    let reader = Arc::clone(&book.reader);
    let metrics = Metrics::new("0.0.0", SystemTime::now());
    let actors = Supervisor::start(Start {
        book,
        base: settings.retention.base(&Default::default()),
        settings: &settings,
        clocks: Arc::clone(&clocks),
        metrics: metrics.clone(),
    });
    let actors = actors.await.unwrap();
    let clock: Clock = Arc::new(move || clocks().wall);
    (App::new(settings, reader, &actors, clock, metrics), actors)
}
