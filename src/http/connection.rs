//! One TCP connection: what it is allowed to do with its time. actix-web limits how long the first request's
//! headers take and no others, and waits for ever for the rest of a body that nobody reads; here a connection
//! without a request ends after a while, whatever its client is about.

use crate::actors::event_hub::Cut;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use actix_web::rt::task::JoinHandle;
use actix_web::web::Bytes;
use actix_web::{Error, rt};
use rustix::net::{Shutdown, shutdown, sockopt};
use std::cell::{Cell, OnceCell};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long a client may take none of what it is sent.
const UNREAD: Duration = Duration::from_secs(30);
/// How long a client that was told to go may take to read that.
const LINGER: Duration = Duration::from_secs(1);

/// A second descriptor of a connection's socket, for when the one who serves it cannot end it: because
/// nobody reads, or because nothing is asked.
#[derive(Clone)]
pub struct SocketEnd(Arc<OwnedFd>);

impl SocketEnd {
    pub fn of(stream: &impl AsFd) -> std::io::Result<Self> {
        Ok(Self(Arc::new(stream.as_fd().try_clone_to_owned()?)))
    }
}

impl Cut for SocketEnd {
    fn cut(&self) {
        // It is gone already when the client went first.
        let _ = shutdown(&*self.0, Shutdown::Both);
    }
}

pub struct Connection {
    /// Cut when the time is up.
    socket: SocketEnd,
    /// How long it is kept without a request.
    idle: Duration,
    requests: Cell<usize>,
    until: Cell<Instant>,
    watch: OnceCell<JoinHandle<()>>,
}

impl Connection {
    /// Watched from now on, until it is dropped with its last request.
    pub fn watched(
        stream: &TcpStream,
        end: SocketEnd,
        idle: Duration,
    ) -> std::io::Result<Rc<Self>> {
        // Answers are small and whole; waiting to fill a packet would only delay them.
        stream.set_nodelay(true)?;
        sockopt::set_tcp_user_timeout(stream, UNREAD.as_millis() as u32)?;
        let connection = Rc::new(Self {
            socket: end,
            idle,
            requests: Cell::new(0),
            until: Cell::new(Instant::now() + idle),
            watch: OnceCell::new(),
        });
        let watch = rt::spawn(watch(Rc::downgrade(&connection)));
        // It is set here and nowhere else.
        let _ = connection.watch.set(watch);
        Ok(connection)
    }

    fn begin(self: &Rc<Self>) -> Request {
        self.requests.set(self.requests.get() + 1);
        Request {
            connection: Rc::clone(self),
            is_last: false,
        }
    }

    fn end(&self) {
        self.socket.cut();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}

async fn watch(connection: Weak<Connection>) {
    while let Some(until) = connection.upgrade().map(|held| held.until.get()) {
        rt::time::sleep_until(until.into()).await;
        let Some(held) = connection.upgrade() else {
            return;
        };
        if held.requests.get() > 0 {
            held.until.set(Instant::now() + held.idle);
        } else if held.until.get() <= Instant::now() {
            return held.end();
        }
    }
}

/// From a request's headers to the last byte of its answer.
struct Request {
    connection: Rc<Connection>,
    /// The answer says that the connection ends with it.
    is_last: bool,
}

impl Drop for Request {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.requests.set(connection.requests.get() - 1);
        connection.until.set(Instant::now() + connection.idle);
        if self.is_last {
            let connection = Rc::downgrade(connection);
            rt::spawn(async move {
                rt::time::sleep(LINGER).await;
                connection.upgrade().inspect(|held| held.end());
            });
        }
    }
}

/// Notes on its connection when a request begins and when its answer has been sent.
pub async fn requests_are_noted<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let noted = request.conn_data::<Rc<Connection>>().map(Connection::begin);
    let answer = next.call(request).await?.map_into_boxed_body();
    let Some(mut noted) = noted else {
        return Ok(answer);
    };
    noted.is_last = answer.response().head().connection_type() == ConnectionType::Close;
    Ok(answer.map_body(|_, body| {
        BoxBody::new(Noted {
            body,
            _noted: noted,
        })
    }))
}

/// A body that holds its request until it was sent.
struct Noted {
    body: BoxBody,
    _noted: Request,
}

impl MessageBody for Noted {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
