//! `daybook serve`: opens the book, starts the actors, listens, and ends all of it in order.

use super::exit::Exit;
use crate::access::Privacy;
use crate::actors::queue::Size;
use crate::actors::{Refusal, Writer, wall_clock};
use crate::config::{Loaded, Settings};
use crate::http::app::{App, Started};
use crate::http::server::{self, Listeners, Running};
use crate::storage::{Address, EntryReader, EntryWriter, StorageError};
use crate::telemetry::Metrics;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "server.listen: {0} can be reached from other machines, and this book has no keys yet, so that \
         anybody there could read and write it; listen on 127.0.0.1"
    )]
    Open(std::net::SocketAddr),
    #[error("server.listen: {address}: {cause}")]
    Listen {
        address: std::net::SocketAddr,
        cause: io::Error,
    },
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the writer did not start: {0}")]
    Writer(#[from] Refusal),
}

impl ServeError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) => Exit::from(error),
            Self::Open(_) => Exit::Config,
            Self::Listen { .. } | Self::Io(_) => Exit::Io,
            Self::Writer(_) => Exit::Software,
        }
    }
}

pub fn run(loaded: &Loaded) -> Exit {
    match serve(loaded.settings.clone()) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::error!("{error}");
            error.exit()
        }
    }
}

fn serve(settings: Settings) -> Result<(), ServeError> {
    // What Daybook writes is for its own user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Some(open) = settings
        .server
        .listen
        .addresses()
        .iter()
        .find(|a| !a.ip().is_loopback())
    {
        return Err(ServeError::Open(*open));
    }
    let address = Address::parse(settings.storage.url.as_str())?;
    let store = address.open_writer()?;
    let reader = address.open_reader(settings.storage.readers)?;
    let listeners = Listeners {
        tcp: listen(&settings)?,
        control: control_socket(&address.control_socket()),
    };
    log::info!("the book is {}", address.file().display());
    actix::System::new().block_on(operate(settings, store, reader, listeners))
}

/// From the first request to the last.
async fn operate(
    settings: Settings,
    store: Box<dyn EntryWriter>,
    reader: Arc<dyn EntryReader>,
    listeners: Listeners,
) -> Result<(), ServeError> {
    let patience = settings.server.shutdown_timeout.get();
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), SystemTime::now());
    let clock = wall_clock();
    let size = Size {
        entries: settings.limits.queue_entries,
        bytes: settings.limits.queue_bytes.bytes(),
    };
    let writer = Writer::start(store, Arc::clone(&clock), size, metrics.clone()).await?;
    let app = App {
        writer: writer.clone(),
        reader,
        privacy: Arc::new(settings.privacy.policy()),
        rules: Arc::new(rules(&settings, settings.privacy.policy())),
        settings: Arc::new(settings),
        metrics,
        started: Started {
            at: clock(),
            instant: Instant::now(),
        },
        clock,
    };
    let running = server::build(app, listeners)?;
    for address in &running.addresses {
        log::info!(
            "Daybook {} is ready: http://{address}",
            env!("CARGO_PKG_VERSION")
        );
    }
    until_told_to_stop(running).await?;
    // The listeners are closed and the last request is answered; now nothing new comes to the writer.
    if tokio::time::timeout(patience, writer.close())
        .await
        .is_err()
    {
        log::error!("the writer did not come to its end within {patience:?}");
    }
    log::info!("stopped in order");
    Ok(())
}

fn rules(settings: &Settings, privacy: Privacy) -> crate::domain::Rules {
    settings.activity.rules(privacy)
}

/// Serves until SIGTERM or SIGINT, then lets the requests in flight finish.
async fn until_told_to_stop(running: Running) -> Result<(), ServeError> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let mut server = actix_web::rt::spawn(running.server);
    tokio::select! {
        ended = &mut server => return ended.map_err(io::Error::other)?.map_err(ServeError::from),
        _ = terminate.recv() => log::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => log::info!("SIGINT: stopping"),
    }
    running.handle.stop(true).await;
    server
        .await
        .map_err(io::Error::other)?
        .map_err(ServeError::from)
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
