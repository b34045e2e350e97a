//! WebSocket sessions by the hundred: opened, and their messages counted without looking at them.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

const PATIENCE: Duration = Duration::from_secs(30);
/// What a session that never reads takes before its server finds its socket full.
const LITTLE: u32 = 4 * 1024;

/// A session after its handshake, with what came along behind that.
pub struct Session {
    stream: TcpStream,
    frames: Frames,
}

/// Opens sessions, one after the other.
pub async fn open(address: SocketAddr, count: usize) -> Result<Vec<Session>, String> {
    open_with(address, count, None).await
}

/// Sessions that take very little before somebody reads.
pub async fn open_narrow(address: SocketAddr, count: usize) -> Result<Vec<Session>, String> {
    open_with(address, count, Some(LITTLE)).await
}

async fn open_with(
    address: SocketAddr,
    count: usize,
    receive: Option<u32>,
) -> Result<Vec<Session>, String> {
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        let opened = tokio::time::timeout(PATIENCE, shake_hands(address, receive)).await;
        let opened = opened.map_err(|_| "a handshake was not answered")?;
        sessions.push(opened.map_err(|e| format!("handshake: {e}"))?);
    }
    Ok(sessions)
}

async fn shake_hands(address: SocketAddr, receive: Option<u32>) -> io::Result<Session> {
    let socket = TcpSocket::new_v4()?;
    if let Some(bytes) = receive {
        socket.set_recv_buffer_size(bytes)?;
    }
    let mut stream = socket.connect(address).await?;
    let request = format!(
        "GET /api/v1/events/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(1024);
    let end = loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    if !answer.starts_with(b"HTTP/1.1 101") {
        let text = String::from_utf8_lossy(&answer).into_owned();
        return Err(io::Error::other(text));
    }
    let mut frames = Frames::default();
    frames.feed(&answer[end..]);
    Ok(Session { stream, frames })
}

/// How many messages came to all sessions together, and whom to tell.
#[derive(Default)]
pub struct Delivered {
    count: Cell<u64>,
    goal: Cell<u64>,
    reached: Notify,
}

impl Delivered {
    /// Comes back when so many messages have come.
    pub async fn reach(&self, goal: u64) -> Result<(), String> {
        self.goal.set(goal);
        while self.count.get() < goal {
            let told = tokio::time::timeout(PATIENCE, self.reached.notified()).await;
            told.map_err(|_| format!("{} messages came of {goal}", self.count.get()))?;
        }
        Ok(())
    }

    fn add(&self, more: u64) {
        self.count.set(self.count.get() + more);
        if self.count.get() >= self.goal.get() {
            self.reached.notify_one();
        }
    }
}

/// Reads every session on the current thread until it ends.
pub fn read_all(sessions: Vec<Session>, delivered: &Rc<Delivered>) {
    for session in sessions {
        let delivered = Rc::clone(delivered);
        delivered.add(session.frames.messages);
        tokio::task::spawn_local(session.read(delivered));
    }
}

impl Session {
    /// Out of its runtime: open, and read by nobody.
    pub fn park(self) -> io::Result<std::net::TcpStream> {
        self.stream.into_std()
    }

    async fn read(mut self, delivered: Rc<Delivered>) {
        let mut buffer = [0; 16 * 1024];
        loop {
            if self.stream.readable().await.is_err() {
                return;
            }
            match self.stream.try_read(&mut buffer) {
                Ok(read @ 1..) => {
                    let before = self.frames.messages;
                    self.frames.feed(&buffer[..read]);
                    delivered.add(self.frames.messages - before);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // The server stops, or has cut it; whoever counts will miss its messages.
                Ok(_) | Err(_) => return,
            }
        }
    }
}

/// Frames of a server, which masks none: text frames are counted, what is in them is passed over.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    /// Of the payload.
    left: u64,
    messages: u64,
}

impl Frames {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(first) = bytes.first() {
            if self.left > 0 {
                let part =
                    usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.left -= part as u64;
                bytes = &bytes[part..];
                continue;
            }
            self.head.push(*first);
            bytes = &bytes[1..];
            if let Some(length) = payload(&self.head) {
                self.messages += u64::from(self.head[0] & 0x0f == 1);
                self.left = length;
                self.head.clear();
            }
        }
    }
}

/// The length that a head tells, once it is whole.
fn payload(head: &[u8]) -> Option<u64> {
    match *head.get(1)? & 0x7f {
        126 => Some(u64::from(u16::from_be_bytes(
            head.get(2..4)?.try_into().ok()?,
        ))),
        127 => Some(u64::from_be_bytes(head.get(2..10)?.try_into().ok()?)),
        short => Some(u64::from(short)),
    }
}
