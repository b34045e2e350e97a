//! The bytes of one connection, on their way between the socket and actix-http: when the first of a request
//! come, and what is written in place of the bare refusals that actix-http writes for what is no request. What
//! the time is for is `connection`'s; what a refusal says is `error`'s.

use super::connection::{Connection, LINGER};
use super::error::ApiError;
use actix_web::http::StatusCode;
use actix_web::rt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much of an address actix-web takes.
const ADDRESS: usize = 65_534;

/// A bare refusal is no longer than this.
const BARE: usize = 160;

/// So much of what a refused client still sends is passed over, so that it reads why it was refused.
const PASSED_OVER: usize = 1 << 20;

pub struct Stream<T: AsyncRead + AsyncWrite + Unpin + 'static> {
    /// Taken only when this is dropped.
    socket: Option<T>,
    connection: Rc<Connection>,
    line: Line,
    /// The socket took less than it was given.
    is_full: bool,
    /// Written in place of what actix-http wrote.
    refusal: Option<Refusal>,
}

/// The first line of a request: how long it is as yet.
#[derive(Default)]
struct Line {
    bytes: usize,
    has_ended: bool,
}

struct Refusal {
    bytes: Vec<u8>,
    written: usize,
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Stream<T> {
    pub fn new(socket: T, connection: Rc<Connection>) -> Self {
        Self {
            socket: Some(socket),
            connection,
            line: Line::default(),
            is_full: false,
            refusal: None,
        }
    }

    pub fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    fn pinned(socket: &mut Option<T>) -> io::Result<Pin<&mut T>> {
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        socket.as_mut().map(Pin::new).ok_or_else(gone)
    }

    fn heard(&mut self, mut bytes: &[u8]) {
        if self.connection.is_idle() {
            // Empty lines behind a request are not yet another.
            let empty = |byte: &u8| matches!(byte, b'\r' | b'\n');
            let Some(first) = bytes.iter().position(|byte| !empty(byte)) else {
                return;
            };
            bytes = &bytes[first..];
            self.connection.hears();
            self.line = Line::default();
        }
        if !self.line.has_ended {
            let end = memchr::memchr(b'\n', bytes);
            self.line.has_ended = end.is_some();
            self.line.bytes += end.unwrap_or(bytes.len());
        }
    }

    /// The headers did not come in time. Nothing is in the way of saying so, unless the client does not read.
    fn poll_too_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refusal.is_none() && !self.is_full {
            let mut refusal = Refusal::of(&ApiError::HeadTooSlow);
            // What does not fit into an empty socket goes nowhere.
            let _ = Self::pinned(&mut self.socket)?.poll_write(cx, &refusal.bytes)?;
            refusal.written = refusal.bytes.len();
            self.refusal = Some(refusal);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let leave = &self.connection.leave;
        while !leave.owed().is_empty() {
            let socket = Self::pinned(&mut self.socket)?;
            leave.wrote(ready!(socket.poll_write(cx, leave.owed()))?);
        }
        Poll::Ready(Ok(()))
    }

    /// Instead of `bytes`, which are taken for written with the last of it.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<io::Result<usize>> {
        if let Some(refusal) = &mut self.refusal {
            while refusal.written < refusal.bytes.len() {
                let socket = Self::pinned(&mut self.socket)?;
                let written = socket.poll_write(cx, &refusal.bytes[refusal.written..]);
                refusal.written += ready!(written)?;
            }
        }
        Poll::Ready(Ok(bytes))
    }

    /// Where in these bytes a bare refusal begins, and what is said instead.
    fn bare(&self, bytes: &[u8]) -> Option<(usize, ApiError)> {
        if !self.connection.is_between_requests() {
            return None;
        }
        let (at, status) = bare_refusal(bytes)?;
        let instead = match status {
            _ if self.line.bytes > ADDRESS => ApiError::AddressTooLong,
            StatusCode::BAD_REQUEST => ApiError::NotHttp,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ApiError::HeadTooLarge,
            _ => return None,
        };
        Some((at, instead))
    }
}

/// Where a refusal begins that actix-http wrote by itself, with which these bytes end: a status line, no body,
/// and nothing but what it always writes. All of ours have a type.
fn bare_refusal(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    let bytes = bytes.strip_suffix(b"\r\n\r\n")?;
    let from = bytes.len().saturating_sub(BARE);
    let at = from + memchr::memmem::rfind(&bytes[from..], b"HTTP/1.")?;
    let head = std::str::from_utf8(&bytes[at..]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut is_empty = false;
    for line in lines {
        match line {
            "content-length: 0" => is_empty = true,
            "connection: close" => {}
            _ if line.starts_with("date: ") => {}
            _ => return None,
        }
    }
    is_empty.then_some((at, status))
}

impl Refusal {
    fn of(error: &ApiError) -> Self {
        Self {
            bytes: error.on_the_wire(),
            written: 0,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> AsyncRead for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.connection.is_too_late() {
            return this.poll_too_late(cx);
        }
        let before = into.filled().len();
        let read = Self::pinned(&mut this.socket)?.poll_read(cx, into);
        if read.is_pending() {
            this.connection.wakes(cx.waker());
        }
        if into.filled().len() > before {
            this.heard(&into.filled()[before..]);
        }
        read
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> AsyncWrite for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.refusal.is_some() {
            return this.poll_refusal(cx, bytes.len());
        }
        let passed = this.connection.leave.passes_over(bytes.len());
        if passed > 0 {
            return Poll::Ready(Ok(passed));
        }
        if this.connection.leave.is_begun() {
            ready!(this.poll_leave(cx))?;
        }
        let bytes = match this.bare(bytes) {
            None => bytes,
            Some((0, instead)) => {
                this.refusal = Some(Refusal::of(&instead));
                return this.poll_refusal(cx, bytes.len());
            }
            Some((at, _)) => &bytes[..at],
        };
        let written = Self::pinned(&mut this.socket)?.poll_write(cx, bytes);
        this.is_full = written.is_pending();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_leave(cx))?;
        ready!(Self::pinned(&mut this.socket)?.poll_flush(cx))?;
        this.connection.leave.all_is_written();
        this.connection.rests();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::pinned(&mut self.socket)?.poll_shutdown(cx)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Drop for Stream<T> {
    fn drop(&mut self) {
        // What is closed with bytes unread is torn down, and the refusal with it.
        if self.refusal.is_some()
            && let Some(socket) = self.socket.take()
        {
            rt::spawn(async move {
                let _ = rt::time::timeout(LINGER, passed_over(socket)).await;
            });
        }
    }
}

/// Reads what still comes, until the other side has read all and closes.
async fn passed_over<T: AsyncRead + AsyncWrite + Unpin>(mut socket: T) -> io::Result<()> {
    let mut piece = [0; 4096];
    let mut left = PASSED_OVER;
    std::future::poll_fn(|cx| Pin::new(&mut socket).poll_shutdown(cx)).await?;
    while left > 0 {
        let mut into = ReadBuf::new(&mut piece);
        std::future::poll_fn(|cx| Pin::new(&mut socket).poll_read(cx, &mut into)).await?;
        match into.filled().len() {
            0 => return Ok(()),
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_is_told_from_every_other_answer() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Sat, 21 Nov 2026 15:00:00 GMT\r\n\r\n";
        let found =
            |text: &str| bare_refusal(text.as_bytes()).map(|(at, status)| (at, status.as_u16()));
        assert_eq!(found(bare), Some((0, 400)));
        let behind = format!("the end of an answer{bare}");
        assert_eq!(found(&behind), Some((20, 400)));
        for other in [
            "",
            "\r\n\r\n",
            "0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "HTTP/1.1 400 Bad Request\r\ndate: x\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nallow: GET\r\ndate: x\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ncontent-type: application/problem+json\r\n\r\n",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
