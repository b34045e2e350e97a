//! The server: its listeners, its limits, its end. It is built from an `App` and knows nothing of files or
//! signals but the listeners that it is handed.

use super::app::App;
use super::connection::{self, Connection, SocketEnd};
use super::docs::Described;
use super::extract::Peer;
use super::middleware::Numbers;
use super::{auth, middleware, openapi, routes};
use actix_web::dev::{Extensions, Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::{TcpStream, UnixStream};
use actix_web::{HttpServer, web};
use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// An idle connection is kept for its next request so many times as long as headers may take: 75 seconds.
const KEEP_ALIVE: u32 = 15;

/// What the writer needs at the end to commit and to tidy up.
const FOR_THE_WRITER: Duration = Duration::from_secs(2);

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
    let described = web::Data::new(Described::new(&openapi::document()));
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let header_timeout = limits.header_timeout.get();
    let keep_alive = header_timeout * KEEP_ALIVE;
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(described.clone())
            .app_data(Numbers::new(metrics.clone()))
            .wrap(routes::recorded(&data))
            .wrap(from_fn(auth::callers_are_known))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::foreign_origins_change_nothing))
            .wrap(from_fn(middleware::only_names_of_this_machine))
            .wrap(from_fn(middleware::panics_are_500))
            .wrap(from_fn(middleware::requests_are_counted))
            .wrap(from_fn(connection::requests_are_noted))
            .configure(routes::configure)
    })
    .on_connect(move |io, data| note_peer(io, data, keep_alive + header_timeout))
    .keep_alive(keep_alive)
    .client_request_timeout(header_timeout)
    // Each worker counts its own.
    .max_connections(limits.connections.div_ceil(workers))
    .shutdown_timeout(for_requests(settings.shutdown_timeout.get()))
    .workers(workers)
    .disable_signals();
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

/// How much of the time to stop in is for requests in flight, in seconds; the rest is the writer's.
fn for_requests(shutdown: Duration) -> u64 {
    shutdown.saturating_sub(FOR_THE_WRITER).as_secs().max(1)
}

/// Once for each connection: how it came in.
fn note_peer(io: &dyn Any, data: &mut Extensions, idle: Duration) {
    // Without a second descriptor a connection works all the same, but for live events; they may be short.
    if let Some(stream) = io.downcast_ref::<TcpStream>() {
        data.insert(Peer::Tcp);
        if let Ok(end) = SocketEnd::of(stream) {
            data.insert(end.clone());
            if let Ok(connection) = Connection::watched(stream, end, idle) {
                data.insert(connection);
            }
        }
    } else if let Some(stream) = io.downcast_ref::<UnixStream>() {
        // A peer that cannot be told is nobody.
        let uid = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
        data.insert(Peer::Control { uid });
        if let Ok(end) = SocketEnd::of(stream) {
            data.insert(end);
        }
    }
}
