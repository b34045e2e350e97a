//! A receiver of webhooks on loopback: it notes what it is told, and answers well, ill or not at all.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);
const HANG: u32 = 0;

pub struct Receiver {
    pub address: SocketAddr,
    got: Inbox<Got>,
    answer: Arc<Answers>,
    serving: Option<JoinHandle<()>>,
}

/// What it answers from now on.
#[derive(Default)]
struct Answers {
    status: AtomicU32,
    retry_after: AtomicU32,
    is_over: AtomicBool,
}

/// A request, as it came.
#[derive(Debug)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        let held = self.headers.iter().find(|(held, _)| held == name);
        held.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Receiver {
    pub fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    /// Where one was before.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Answers::default());
        answer.status.store(200, Ordering::SeqCst);
        let (told, got) = channel();
        let answers = Arc::clone(&answer);
        let serving = std::thread::spawn(move || serve(&listener, &answers, &told));
        Self {
            address,
            got,
            answer,
            serving: Some(serving),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn answers(&self, status: u32) {
        self.answer.status.store(status, Ordering::SeqCst);
    }

    pub fn asks_for(&self, seconds: u32) {
        self.answer.retry_after.store(seconds, Ordering::SeqCst);
    }

    /// It takes what is sent, and says nothing.
    pub fn hangs(&self) {
        self.answers(HANG);
    }

    pub fn next(&self) -> Got {
        self.got.recv_timeout(PATIENCE).expect("something is told")
    }

    /// Everything that was told up to now.
    pub fn so_far(&self) -> Vec<Got> {
        self.got.try_iter().collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.answer.is_over.store(true, Ordering::SeqCst);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
        let _ = self.serving.take().map(JoinHandle::join);
    }
}

fn serve(listener: &TcpListener, answers: &Arc<Answers>, told: &Sender<Got>) {
    for stream in listener.incoming() {
        if answers.is_over.load(Ordering::SeqCst) {
            return;
        }
        let (answers, told) = (Arc::clone(answers), told.clone());
        let Ok(stream) = stream else { continue };
        // A test that ends leaves it behind.
        std::thread::spawn(move || one(stream, &answers, &told));
    }
}

fn one(mut stream: TcpStream, answers: &Answers, told: &Sender<Got>) -> Option<()> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next()?;
    let split = |line: String| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(split).collect();
    let mut got = Got {
        line,
        headers,
        body: Vec::new(),
        at: Instant::now(),
    };
    let length = got.header("content-length").parse().ok()?;
    got.body.resize(length, 0);
    reader.read_exact(&mut got.body).ok()?;
    // As it was when the test did not know of it yet.
    let status = answers.status.load(Ordering::SeqCst);
    let retry_after = answers.retry_after.load(Ordering::SeqCst);
    told.send(got).ok()?;
    if status == HANG {
        // Until the other side goes.
        let _ = stream.read(&mut [0]);
        return None;
    }
    let retry_after = match retry_after {
        0 => String::new(),
        seconds => format!("Retry-After: {seconds}\r\n"),
    };
    let location = if status / 100 == 3 {
        "Location: /elsewhere\r\n"
    } else {
        ""
    };
    let answer = format!(
        "HTTP/1.1 {status} Said\r\n{retry_after}{location}Content-Length: 4\r\nConnection: close\r\n\r\nnote"
    );
    stream.write_all(answer.as_bytes()).ok()
}
