//! `daybook serve`: opens the book, starts the actors, listens, and ends all of it in order.

use super::exit::Exit;
use super::service;
use crate::access::Keyring;
use crate::access::keyring::Clash;
use crate::actors::supervisor::Start;
use crate::actors::{Opened, Refusal, Supervisor, lifecycle, system_clocks, wall_clock};
use crate::config::{ConfigError, Loaded, Settings};
use crate::http::App;
use crate::http::server::{self, Listeners, Running};
use crate::storage::{Address, Reserve, StorageError};
use crate::telemetry::Metrics;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "server.listen: {address} can be reached from other machines, and this book has no keys yet, so that \
         anybody there could read and write it; make one first: {command}"
    )]
    Open {
        address: SocketAddr,
        command: String,
    },
    #[error(transparent)]
    Keys(#[from] Clash),
    #[error("server.listen: {address}: {cause}")]
    Listen {
        address: std::net::SocketAddr,
        cause: io::Error,
    },
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the writer did not start: {0}")]
    Writer(#[from] Refusal),
    #[error("the writer did not come to its end within {0:?}; what was acknowledged is on disk")]
    Stuck(Duration),
}

impl ServeError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) | Self::Writer(Refusal::Storage(error)) => Exit::from(error),
            Self::Open { .. } | Self::Keys(_) => Exit::Config,
            Self::Listen { .. } | Self::Io(_) => Exit::Io,
            Self::Writer(_) | Self::Stuck(_) => Exit::Software,
        }
    }

    /// What to do, where the error does not say it itself.
    fn advice(&self) -> &'static str {
        match self {
            Self::Storage(StorageError::Corrupt(_))
            | Self::Writer(Refusal::Storage(StorageError::Corrupt(_))) => {
                StorageError::WHEN_DAMAGED
            }
            _ => "",
        }
    }
}

/// Reads the configuration again, from where it was read at the start.
pub type Reload<'a> = &'a mut dyn FnMut() -> Result<Loaded, ConfigError>;

pub fn run(loaded: &Loaded, reload: Reload<'_>) -> Exit {
    match serve(loaded, reload) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::error!("{error}{}", error.advice());
            error.exit()
        }
    }
}

fn serve(loaded: &Loaded, reload: Reload<'_>) -> Result<(), ServeError> {
    let settings = &loaded.settings;
    // What Daybook writes is for its own user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    allow_many_descriptors();
    let address = Address::parse(settings.storage.url.as_str())?;
    let socket = address.control_socket();
    let file = address.file().to_owned();
    let reserve = address.reserve();
    let declared = settings.auth.declared();
    let configured = settings.server.listen.addresses();
    let none = settings.auth.no_keys();
    if none.is_open() && declared.is_empty() && !file.exists() {
        // Nothing is made before it is allowed.
        only_from_here(settings, configured.iter().copied())?;
    }
    let book = Opened::at(address, settings.storage.readers)?;
    let ring = Keyring::after(&none, book.reader.keys()?, &declared)?;
    if ring.is_open() {
        only_from_here(settings, configured.iter().copied())?;
    }
    let tcp = match service::activated()? {
        none if none.is_empty() => listen(settings)?,
        handed => handed,
    };
    if ring.is_open() {
        only_from_here(settings, addresses_of(&tcp)?)?;
    }
    let listeners = Listeners {
        tcp,
        control: control_socket(&socket),
    };
    log::info!("the book is {}", file.display());
    let operation = operate(loaded, reload, book, reserve, listeners);
    let system = actix::System::new();
    let (inside, ended) = system.block_on(async { (Handle::current(), operation.await) });
    // An actor that was never served before the start failed begins when it ends, and wants a timer then.
    let entered = inside.enter();
    drop(system);
    drop(entered);
    // Whoever finds a socket thinks that a daemon is behind it.
    let _ = remove_dead(&socket);
    ended
}

/// Without a key everybody is let in, and that only from this machine.
fn only_from_here(
    settings: &Settings,
    listened_on: impl IntoIterator<Item = SocketAddr>,
) -> Result<(), ServeError> {
    let mut listened_on = listened_on.into_iter();
    let Some(address) = listened_on.find(|a| !a.ip().to_canonical().is_loopback()) else {
        return Ok(());
    };
    let url = settings.storage.url.as_str();
    Err(ServeError::Open {
        address,
        command: format!(
            "daybook key add --label admin --scope write,read,admin --workspace '*' --storage-url '{url}'"
        ),
    })
}

fn addresses_of(listeners: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}

/// A connection takes two descriptors, and the book must not run short of them because of strangers. What is
/// given at first is often 1,024.
fn allow_many_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const ENOUGH: u64 = 65_536;
    let given = getrlimit(Resource::Nofile);
    let wanted = given.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if given.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: given.maximum,
    };
    if let Err(cause) = setrlimit(Resource::Nofile, raised) {
        log::warn!("the limit of open files stays as it is: {cause}");
    }
}

/// From the first request to the last.
async fn operate(
    loaded: &Loaded,
    reload: Reload<'_>,
    book: Opened,
    reserve: Reserve,
    listeners: Listeners,
) -> Result<(), ServeError> {
    let settings = &loaded.settings;
    let patience = settings.server.shutdown_timeout.get();
    // Before anything says that the daemon is there.
    let mut signals = Signals::new()?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), SystemTime::now());
    let clock = wall_clock();
    let reader = Arc::clone(&book.reader);
    let was_left_running = lifecycle::was_left_running(reader.as_ref())?;
    let actors = Supervisor::start(Start {
        book,
        settings,
        base: settings.retention.base(&loaded.origins),
        clocks: system_clocks(Arc::clone(&clock)),
        metrics: metrics.clone(),
    })
    .await?;
    actors.writer.keep_reserve(reserve).await?;
    note_start(&actors, was_left_running).await?;
    let app = App::new(settings.clone(), reader, &actors, clock, metrics);
    let running = server::build(app, listeners)?;
    let listening = running.addresses.clone();
    if actors.devices.listening(listening).await.is_err() {
        log::warn!("nothing is announced: discovery is starting anew");
    }
    for address in &running.addresses {
        log::info!(
            "Daybook {} is ready: http://{address}",
            env!("CARGO_PKG_VERSION")
        );
    }
    service::ready("recording");
    service::feed_watchdog(actors.writer.clone());
    let again = Again {
        actors: &actors,
        reload,
        running: settings.clone(),
    };
    let told = until_told_to_stop(running, &mut signals, again, patience).await?;
    // Nothing new comes to the writer now, or it is refused there.
    let left = patience
        .saturating_sub(told.elapsed())
        .max(for_the_writer(patience));
    timeout(left, actors.stop())
        .await
        .map_err(|_| ServeError::Stuck(patience))?;
    log::info!("stopped in order");
    Ok(())
}

/// On a full disk the daemon starts all the same, and serves those who read.
async fn note_start(actors: &Supervisor, was_left_running: bool) -> Result<(), Refusal> {
    let recording = actors.kept.retention.borrow().in_force(None).enabled;
    match lifecycle::started(&actors.writer, was_left_running, recording).await {
        Err(refusal @ Refusal::Storage(StorageError::Full)) => {
            log::warn!("the start was not recorded: {refusal}");
            Ok(())
        }
        done => done,
    }
}

/// What of the time to stop is kept for the writer, however long requests linger.
fn for_the_writer(patience: Duration) -> Duration {
    (patience / 4).min(Duration::from_secs(1))
}

/// SIGTERM and SIGINT, which end it, and SIGHUP.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What SIGHUP does: the configuration is read again, and what can be taken of it is.
struct Again<'a> {
    actors: &'a Supervisor,
    reload: Reload<'a>,
    /// What the daemon runs with: what it started with, and what it took since.
    running: Settings,
}

impl Again<'_> {
    async fn read(&mut self) {
        let read = (self.reload)();
        // What came of it was said in the telemetry and recorded.
        let _ = self.actors.reload(&mut self.running, read).await;
    }
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one that ends it; what SIGHUP asks for is done meanwhile.
    async fn next(&mut self, again: &mut Again<'_>) -> &'static str {
        loop {
            let name = tokio::select! {
                name = ended(&mut self.terminate, &mut self.interrupt) => Some(name),
                _ = self.hangup.recv() => None,
            };
            if let Some(name) = name {
                return name;
            }
            // Whoever ends it does not wait for that.
            tokio::select! {
                () = again.read() => {}
                name = ended(&mut self.terminate, &mut self.interrupt) => return name,
            }
        }
    }
}

async fn ended(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Serves until a signal, then says goodbye and lets the requests in flight finish: for a while, or until the next
/// signal. Answers when the first one came: all the time that a stop may take counts from there.
async fn until_told_to_stop(
    running: Running,
    signals: &mut Signals,
    mut again: Again<'_>,
    patience: Duration,
) -> Result<Instant, ServeError> {
    let mut server = actix_web::rt::spawn(running.server);
    tokio::select! {
        ended = &mut server => {
            ended.map_err(io::Error::other)??;
            return Ok(Instant::now());
        }
        name = signals.next(&mut again) => log::info!("{name}: stopping"),
    }
    let told = Instant::now();
    let actors = again.actors;
    service::stopping();
    let goodbye = async {
        if let Err(refusal) = lifecycle::shutting_down(&actors.writer).await {
            log::warn!("that the daemon stops was not recorded: {refusal}");
        }
        // A server waits for its sessions to end, so they are ended first.
        actors.stop_sessions().await;
        running.handle.stop(true).await;
    };
    tokio::select! {
        () = goodbye => return Ok(told),
        () = sleep(patience - for_the_writer(patience)) => {
            log::warn!("some requests did not end in time and are cut off");
        }
        name = ended(&mut signals.terminate, &mut signals.interrupt) => {
            log::info!("{name} again: requests in flight are cut off");
        }
    }
    // It may not have been told yet, and it is not waited for any more.
    drop(running.handle.stop(false));
    Ok(told)
}

fn listen(settings: &Settings) -> Result<Vec<TcpListener>, ServeError> {
    let bound = settings.server.listen.addresses().iter().map(|address| {
        bind(*address).map_err(|cause| ServeError::Listen {
            address: *address,
            cause,
        })
    });
    bound.collect()
}

fn bind(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Beside the book, for its own user. Whoever holds the book's lock owns the name, so an old socket there
/// is a dead one. Without it the daemon serves all the same.
fn control_socket(path: &Path) -> Option<UnixListener> {
    let bound = remove_dead(path).and_then(|()| {
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound
        .inspect_err(|cause| {
            log::warn!("no control socket at {}: {cause}", path.display());
        })
        .ok()
}

fn remove_dead(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
