//! The server: its listeners, its limits, its end. It is built from an `App` and knows nothing of files or
//! signals but the listeners that it is handed.

use super::app::App;
use super::connection::{self, Connection, SocketEnd, Times};
use super::docs::Described;
use super::extract::Peer;
use super::middleware::Numbers;
use super::stream::Stream;
use super::{auth, leave, middleware, routes};
use crate::config::Limits;
use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Extensions, Server, ServerHandle, ServiceResponse};
use actix_web::error::DispatchError;
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::{TcpStream, UnixStream};
use actix_web::{Error, web};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

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
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let served = Served {
        described: web::Data::new(Described::default()),
        app: web::Data::new(app),
        times: times(&limits),
    };
    let mut server = Server::build()
        // Each worker counts its own.
        .max_concurrent_connections(limits.connections.div_ceil(workers))
        .shutdown_timeout(for_requests(settings.shutdown_timeout.get()))
        .workers(workers)
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let stopping = move || {
        let signal = stopping.clone();
        async move { signal.notified().await }
    };
    let mut addresses = Vec::new();
    for listener in listeners.tcp {
        let address = listener.local_addr()?;
        addresses.push(address);
        let (served, stopping) = (served.clone(), stopping.clone());
        server = server.listen(format!("http-{address}"), listener, move || {
            served.clone().on(stopping.clone(), |stream: &TcpStream| {
                // A connection works without, only less well.
                let _ = connection::tuned(stream);
                (Peer::Tcp, stream.peer_addr().ok())
            })
        })?;
    }
    if let Some(control) = listeners.control {
        server = server.listen_uds("http-control", control, move || {
            served.clone().on(stopping.clone(), |stream: &UnixStream| {
                // A peer that cannot be told is nobody.
                let uid = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
                (Peer::Control { uid }, None)
            })
        })?;
    }
    let server = server.run();
    Ok(Running {
        handle: server.handle(),
        server,
        addresses,
    })
}

fn times(limits: &Limits) -> Times {
    Times {
        head: limits.header_timeout.get(),
        idle: limits.keep_alive.get(),
    }
}

/// How much of the time to stop in is for requests in flight, in seconds; the rest is the writer's.
fn for_requests(shutdown: Duration) -> u64 {
    shutdown.saturating_sub(FOR_THE_WRITER).as_secs().max(1)
}

/// What every worker serves, on every listener.
#[derive(Clone)]
struct Served {
    app: web::Data<App>,
    described: web::Data<Described>,
    times: Times,
}

impl Served {
    /// From an accepted connection to its end. `noted` says how it came in.
    fn on<T, Stopping, Signal>(
        self,
        stopping: Stopping,
        noted: impl Fn(&T) -> (Peer, Option<SocketAddr>) + Clone + 'static,
    ) -> impl ServiceFactory<T, Config = (), Response = (), Error = DispatchError, InitError = ()>
    where
        T: AsyncRead + AsyncWrite + AsFd + Unpin + 'static,
        Stopping: Fn() -> Signal + 'static,
        Signal: Future<Output = ()> + 'static,
    {
        let times = self.times;
        let routes = self.routes().map_err(|error| error.error_response());
        let service = HttpService::build()
            // The connection has its own times for both.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(connection::LINGER)
            .graceful_shutdown_signal(stopping)
            .expect(leave::asked)
            .on_connect_ext(|stream: &Stream<T>, data: &mut Extensions| note(stream, data))
            .finish(map_config(routes, |()| AppConfig::default()));
        fn_service(move |socket: T| {
            let (peer, address) = noted(&socket);
            // Without a second descriptor a connection works all the same, but for live events; they may be
            // short.
            let connection = Connection::watched(SocketEnd::of(&socket).ok(), times, peer);
            let stream = Stream::new(socket, connection);
            async move { Ok((stream, Protocol::Http1, address)) }
        })
        .and_then(service)
    }

    fn routes(
        &self,
    ) -> impl ServiceFactory<
        Request,
        Config = AppConfig,
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<> {
        actix_web::App::new()
            .app_data(self.app.clone())
            .app_data(self.described.clone())
            .app_data(Numbers::new(self.app.metrics.clone()))
            .wrap(routes::recorded(&self.app))
            .wrap(from_fn(auth::callers_are_known))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::no_coding_left_is_a_problem))
            .wrap(from_fn(middleware::foreign_origins_change_nothing))
            .wrap(from_fn(middleware::only_names_of_this_machine))
            .wrap(from_fn(middleware::panics_are_500))
            .wrap(from_fn(middleware::requests_are_counted))
            .wrap(from_fn(connection::requests_are_noted))
            .configure(routes::configure)
            .into_factory()
    }
}

/// Once for each connection: what its requests are told of it.
fn note<T: AsyncRead + AsyncWrite + Unpin + 'static>(stream: &Stream<T>, data: &mut Extensions) {
    let connection = stream.connection();
    data.insert(connection.peer());
    if let Some(end) = connection.socket() {
        data.insert(end.clone());
    }
    data.insert(std::rc::Rc::clone(connection));
}
