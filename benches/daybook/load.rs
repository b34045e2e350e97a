//! The load generator: one thread, some keep-alive connections over loopback, one request after the other on
//! each. It reads of an answer what it must: the status, the length, and whether it says what it should.

use crate::stats::{Tally, Window};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// An answer that takes longer than this will not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer that we ask for is longer.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Whole requests, sent in turn.
pub type Requests = Rc<Vec<Vec<u8>>>;

pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    pub requests: Requests,
    pub expect: Expect,
    pub warm_up: Duration,
    pub measure: Duration,
}

/// What makes an answer a good one.
#[derive(Clone, Copy)]
pub struct Expect {
    pub status: u16,
    pub holds: &'static str,
}

pub struct Loaded {
    pub tally: Tally,
    /// By how much `meter` went up within the measured time.
    pub metered: Duration,
}

/// A request with a JSON body, as an HTTP client on this machine would send it.
pub fn post(path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        crate::rows::USER_AGENT,
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// Runs the load; `meter` is read when the measured time begins and when it ends.
pub fn run(load: &Load, meter: impl Fn() -> Duration) -> Result<Loaded, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, drive(load, meter))
}

async fn drive(load: &Load, meter: impl Fn() -> Duration) -> Result<Loaded, String> {
    let senders = connect(load.address, load.connections, &load.requests, load.expect).await?;
    let window = Window::after(load.warm_up, load.measure);
    let tasks: Vec<_> = senders
        .into_iter()
        .map(|sender| tokio::task::spawn_local(sender.run(window)))
        .collect();
    tokio::time::sleep_until(window.begin.into()).await;
    let before = meter();
    tokio::time::sleep_until(window.end.into()).await;
    let metered = meter().saturating_sub(before);
    let mut tally = Tally::default();
    for task in tasks {
        let one = tokio::time::timeout(PATIENCE, task).await;
        let one = one.map_err(|_| "an answer did not come")?;
        tally.add(one.map_err(|e| e.to_string())??);
    }
    Ok(Loaded { tally, metered })
}

/// So many connections. Each begins with another request, so that they do not send the same at once.
pub async fn connect(
    address: SocketAddr,
    connections: usize,
    requests: &Requests,
    expect: Expect,
) -> Result<Vec<Sender>, String> {
    let mut senders = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut sender = Sender::connect(address, Rc::clone(requests), expect).await?;
        sender.next = number * requests.len() / connections;
        senders.push(sender);
    }
    Ok(senders)
}

/// One connection.
pub struct Sender {
    stream: TcpStream,
    answer: Vec<u8>,
    requests: Requests,
    next: usize,
    expect: Expect,
}

impl Sender {
    pub async fn connect(
        address: SocketAddr,
        requests: Requests,
        expect: Expect,
    ) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|e| format!("cannot connect: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4096),
            requests,
            next: 0,
            expect,
        })
    }

    /// One request and its answer.
    pub async fn once(&mut self) -> io::Result<()> {
        self.send().await?;
        self.receive().await
    }

    /// Until the server goes or says no; `acknowledged` counts meanwhile.
    pub async fn until_refused(mut self, acknowledged: Rc<Cell<u64>>) {
        while self.once().await.is_ok() {
            acknowledged.set(acknowledged.get() + 1);
        }
    }

    async fn run(mut self, window: Window) -> Result<Tally, String> {
        let mut tally = Tally::default();
        loop {
            let began = Instant::now();
            if began >= window.end {
                return Ok(tally);
            }
            self.send().await.map_err(|e| format!("sending: {e}"))?;
            self.receive()
                .await
                .map_err(|e| format!("receiving: {e}"))?;
            tally.note(window, began, Instant::now());
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        let requests = Rc::clone(&self.requests);
        let mut rest = requests[self.next % requests.len()].as_slice();
        self.next += 1;
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Reads one whole answer and judges it.
    async fn receive(&mut self) -> io::Result<()> {
        self.answer.clear();
        let mut whole = None;
        while whole.is_none_or(|length| self.answer.len() < length) {
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.answer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                Err(e) => return Err(e),
            }
            if whole.is_none() {
                whole = whole_length(&self.answer)?;
            }
        }
        self.judge()
    }

    fn judge(&self) -> io::Result<()> {
        let status = self
            .answer
            .get(9..12)
            .and_then(|s| std::str::from_utf8(s).ok());
        let right = status.and_then(|s| s.parse().ok()) == Some(self.expect.status)
            && contains(&self.answer, self.expect.holds.as_bytes());
        if right {
            return Ok(());
        }
        let start = &self.answer[..self.answer.len().min(600)];
        let text = String::from_utf8_lossy(start).replace("\r\n", " | ");
        Err(io::Error::other(format!("not the answer expected: {text}")))
    }
}

/// How long the answer is with its head, once its head is there.
fn whole_length(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &answer[..end];
    let mut lines = head.split(|byte| *byte == b'\n');
    let length = lines.find_map(|line| {
        let name = line.get(..15)?;
        if !name.eq_ignore_ascii_case(b"content-length:") {
            return None;
        }
        std::str::from_utf8(&line[15..])
            .ok()?
            .trim()
            .parse::<usize>()
            .ok()
    });
    match length {
        Some(length) if length <= LONGEST_ANSWER => Ok(Some(end + 4 + length)),
        _ => Err(io::Error::other("an answer without a length of its own")),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}
