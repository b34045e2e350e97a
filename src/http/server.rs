//! The server: its listeners, its limits, its end. It is built from an `App` and knows nothing of files or
//! signals but the listeners that it is handed.

use super::app::App;
use super::extract::Peer;
use super::middleware::Numbers;
use super::{middleware, routes};
use actix_web::dev::{Extensions, Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::{TcpStream, UnixStream};
use actix_web::{HttpServer, web};
use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// How long an idle connection is kept for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// What the server listens on.
pub struct Listeners {
    pub tcp: Vec<TcpListener>,
    /// The control socket beside the book.
    pub control: Option<UnixListener>,
}

/// A server that runs once it is awaited.
pub struct Running {
    pub server: Server,
    pub handle: ServerHandle,
    pub addresses: Vec<SocketAddr>,
}

pub fn build(app: App, listeners: Listeners) -> io::Result<Running> {
    let settings = app.settings.server.clone();
    let limits = app.settings.limits.clone();
    let metrics = app.metrics.clone();
    let data = web::Data::new(app);
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(Numbers::new(metrics.clone()))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::foreign_origins_change_nothing))
            .wrap(from_fn(middleware::panics_are_500))
            .wrap(from_fn(middleware::requests_are_counted))
            .configure(routes::configure)
    })
    .on_connect(note_peer)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(limits.header_timeout.get())
    .max_connections(limits.connections)
    .shutdown_timeout(settings.shutdown_timeout.get().as_secs())
    .disable_signals();
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let mut addresses = Vec::new();
    for listener in listeners.tcp {
        addresses.push(listener.local_addr()?);
        server = server.listen(listener)?;
    }
    if let Some(control) = listeners.control {
        server = server.listen_uds(control)?;
    }
    let server = server.run();
    Ok(Running {
        handle: server.handle(),
        server,
        addresses,
    })
}

/// Once for each connection: how it came in.
fn note_peer(io: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = io.downcast_ref::<TcpStream>() {
        // Answers are small and whole; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        data.insert(Peer::Tcp);
    } else if let Some(stream) = io.downcast_ref::<UnixStream>() {
        // A peer that cannot be told is nobody.
        let uid = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
        data.insert(Peer::Control { uid });
    }
}
