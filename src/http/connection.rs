//! One connection: what it is allowed to do with its time. actix-http limits how long the first request's
//! headers take and no others, and waits for ever for the rest of a body that nobody reads; here the headers of
//! every request have their time, and a connection without a request ends after a while, whatever its client is
//! about. What goes over it is `stream`'s.

use super::extract::Peer;
use super::leave::Leave;
use crate::actors::event_hub::Cut;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::http::{ConnectionType, Version};
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
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a client may take none of what it is sent.
const UNREAD: Duration = Duration::from_secs(30);
/// How long a client that was told to go may take to read that.
pub const LINGER: Duration = Duration::from_secs(1);

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

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From a request's first byte to the end of its headers; of the first request, from when it connected.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
}

/// Answers are small and whole, and waiting to fill a packet would only delay them; and who reads none of them
/// is let go.
pub fn tuned(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_tcp_user_timeout(stream, UNREAD.as_millis() as u32)?;
    Ok(())
}

pub struct Connection {
    /// Cut when the time is up; none where there was no descriptor left for it.
    socket: Option<SocketEnd>,
    times: Times,
    requests: Cell<usize>,
    /// What was answered last said that the connection ends with it.
    is_last: Cell<bool>,
    /// The headers of a request are awaited: its first byte came, or it is the connection's first.
    head: Cell<Head>,
    until: Cell<Instant>,
    /// When the watch looks again by itself.
    looks: Cell<Instant>,
    /// The watch is to look at the times anew.
    changed: Rc<Notify>,
    watch: OnceCell<JoinHandle<()>>,
    /// Who reads, to be told that the time for the headers is over.
    reader: Cell<Option<Waker>>,
    peer: Peer,
    pub(super) leave: Leave,
}

/// How far the headers of the next request are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// Nothing of them is there, and nothing need come.
    Idle,
    /// The same, and what comes may be the rest of a body that nobody reads: it is no head before the next
    /// request.
    BehindABody,
    /// They are on their way, or must come.
    Awaited,
    /// They did not come in their time.
    TooLate,
}

impl Connection {
    /// Watched from now on, until it is dropped with its last request.
    pub fn watched(socket: Option<SocketEnd>, times: Times, peer: Peer) -> Rc<Self> {
        let connection = Rc::new(Self {
            socket,
            times,
            requests: Cell::new(0),
            is_last: Cell::new(false),
            head: Cell::new(Head::Awaited),
            until: Cell::new(Instant::now() + times.head),
            looks: Cell::new(Instant::now() + times.head),
            changed: Rc::default(),
            watch: OnceCell::new(),
            reader: Cell::new(None),
            peer,
            leave: Leave::default(),
        });
        let watch = rt::spawn(watch(Rc::downgrade(&connection)));
        // It is set here and nowhere else.
        let _ = connection.watch.set(watch);
        connection
    }

    pub fn peer(&self) -> Peer {
        self.peer
    }

    pub fn socket(&self) -> Option<&SocketEnd> {
        self.socket.as_ref()
    }

    /// Whether no request is being answered.
    pub fn is_between_requests(&self) -> bool {
        self.requests.get() == 0
    }

    /// Nothing of the next request is there.
    pub fn is_idle(&self) -> bool {
        self.is_between_requests() && self.head.get() == Head::Idle
    }

    /// The first bytes of a request came.
    pub fn hears(&self) {
        self.head.set(Head::Awaited);
        self.until.set(Instant::now() + self.times.head);
    }

    /// What came has been looked at, and all that was to be said is written.
    pub fn rests(self: &Rc<Self>) {
        if !self.is_between_requests() {
            return;
        }
        if self.is_last.take() {
            let connection = Rc::downgrade(self);
            rt::spawn(async move {
                rt::time::sleep(LINGER).await;
                connection.upgrade().inspect(|held| held.end());
            });
        }
        if self.until.get() < self.looks.get() {
            self.changed.notify_one();
        }
    }

    pub fn is_too_late(&self) -> bool {
        self.head.get() == Head::TooLate
    }

    pub fn wakes(&self, reader: &Waker) {
        let held = self.reader.take().filter(|held| held.will_wake(reader));
        self.reader
            .set(Some(held.unwrap_or_else(|| reader.clone())));
    }

    /// The body is wanted: a client that waits for leave to send it is given that.
    pub fn body_is_awaited(&self) {
        self.leave.give();
    }

    /// Nothing of it is still to come.
    pub fn body_is_whole(&self) {
        self.head.set(Head::Idle);
    }

    fn begin(self: &Rc<Self>, request: &ServiceRequest) -> Request {
        self.requests.set(self.requests.get() + 1);
        // Of a body that says how long it is actix-http reads the rest, or ends the connection.
        let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
        self.head.set(match is_chunked {
            true => Head::BehindABody,
            false => Head::Idle,
        });
        Request {
            connection: Rc::clone(self),
            is_last: false,
        }
    }

    fn end(&self) {
        if let Some(socket) = &self.socket {
            socket.cut();
        }
    }

    /// Until when there is nothing to be done, unless something changes; none when it is over.
    fn looked_at(&self) -> Option<(Rc<Notify>, Instant)> {
        if self.until.get() <= Instant::now() {
            if !self.is_between_requests() {
                self.until.set(Instant::now() + self.times.idle);
            } else if self.head.get() == Head::Awaited {
                self.head.set(Head::TooLate);
                self.until.set(Instant::now() + LINGER);
                if let Some(reader) = self.reader.take() {
                    reader.wake();
                }
            } else {
                self.end();
                return None;
            }
        }
        self.looks.set(self.until.get());
        Some((Rc::clone(&self.changed), self.until.get()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}

/// It holds its connection for no longer than a look at it.
async fn watch(connection: Weak<Connection>) {
    while let Some((changed, until)) = connection.upgrade().and_then(|held| held.looked_at()) {
        // Either is a reason to look again.
        let _ = tokio::time::timeout_at(until.into(), changed.notified()).await;
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
        connection.until.set(Instant::now() + connection.times.idle);
        // Its end may still have to be written.
        connection.is_last.set(self.is_last);
    }
}

/// Notes on its connection when a request begins and when its answer has been sent.
pub async fn requests_are_noted<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let connection = request.conn_data::<Rc<Connection>>();
    let noted = connection.map(|connection| connection.begin(&request));
    let version = request.version();
    let mut answer = next.call(request).await?.map_into_boxed_body();
    let Some(mut noted) = noted else {
        return Ok(answer);
    };
    let is_stream = answer.response().body().size() == BodySize::Stream;
    let head = answer.response_mut().head_mut();
    // Answers are made of former ones, which may have been of another version; whether this one is the last of
    // its connection goes by its own.
    head.version = version;
    if version < Version::HTTP_11 && is_stream {
        // It knows no chunks; what does not say how long it is ends with its connection.
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    if noted.connection.leave.was_never_given() {
        // Nobody can tell whether the body comes all the same.
        head.set_connection_type(ConnectionType::Close);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_connection_ends_with_its_last_answer_when_that_is_written() {
        rt::System::new().block_on(ended_when_it_is_written());
    }

    async fn ended_when_it_is_written() {
        tokio::time::pause();
        let (served, mut client) = UnixStream::pair().unwrap();
        client.set_nonblocking(true).unwrap();
        let times = Times {
            head: Duration::from_secs(3_600),
            idle: Duration::from_secs(3_600),
        };
        let end = SocketEnd::of(&served).ok();
        let connection = Connection::watched(end, times, Peer::Tcp);
        connection.requests.set(1);
        drop(Request {
            connection: Rc::clone(&connection),
            is_last: true,
        });
        rt::time::sleep(LINGER * 10).await;
        let read = client.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(
            read,
            Err(ErrorKind::WouldBlock),
            "who reads slowly is not cut off"
        );
        connection.rests();
        rt::time::sleep(LINGER * 2).await;
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
