//! The whole book as CSV: over HTTP from the daemon, whose memory is watched, and from the `sqlite3` command
//! line through a pipe.

use super::called;
use crate::Bench;
use crate::books::Kind;
use crate::report::Quantity::{EntriesPerSecond, Mebibytes, MegabytesPerSecond};
use crate::report::{Failure, Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, Plan, contest};
use crate::subject;
use daybook::domain::entry::KEYS;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DAYBOOK: &str = "daybook, CSV over HTTP";
const SQLITE3: &str = "sqlite3 -csv, through a pipe";
const TARGET: &str = "/api/v1/activity/export?format=csv&workspace_id=*";
const BUFFER: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, bench.entries)?;
    let path = book.ready()?;
    let entries = bench.entries;
    let contestants = vec![
        Contestant::new(DAYBOOK, move || over_http(plan, path, entries)),
        Contestant::new(SQLITE3, move || command_line(path, entries)),
    ];
    let promises = vec![
        Promise::ratio(DAYBOOK, SQLITE3, EntriesPerSecond, Target::AtLeast(1.0)),
        Promise::never_over(DAYBOOK, Mebibytes, 32.0),
    ];
    let title = format!("export of {}", called(entries));
    contest(&title, plan, contestants, promises).map(|report| vec![report])
}

/// Lines and bytes that went by.
#[derive(Default)]
struct Seen {
    lines: u64,
    bytes: u64,
}

impl Seen {
    fn note(&mut self, part: &[u8]) {
        self.bytes += part.len() as u64;
        self.lines += part.iter().filter(|byte| **byte == b'\n').count() as u64;
    }

    /// The header is a line too. The daemon may have recorded of itself meanwhile, so there may be more.
    fn rates(&self, took: Duration, entries: u64) -> Result<(f64, f64), String> {
        let rows = self.lines.saturating_sub(1);
        if rows < entries {
            return Err(format!("{rows} rows came of {entries}"));
        }
        let seconds = took.as_secs_f64();
        Ok((rows as f64 / seconds, self.bytes as f64 / 1e6 / seconds))
    }
}

fn over_http(plan: &Plan, path: &Path, entries: u64) -> Outcome {
    let server = subject::start_server(path, &plan.scratch.join("server.log"))?;
    let before = server.resident()?;
    server.forget_peak()?;
    let began = Instant::now();
    let mut seen = Seen::default();
    let read = fetch(server.address, &mut seen);
    let took = began.elapsed();
    let grown = server.peak()? - before;
    server.stop()?;
    read.map_err(|e| format!("the export was cut: {e}"))?;
    let (rows, megabytes) = seen.rates(took, entries)?;
    Ok(vec![
        (EntriesPerSecond, rows),
        (MegabytesPerSecond, megabytes),
        (Mebibytes, grown),
    ])
}

fn fetch(address: std::net::SocketAddr, seen: &mut Seen) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {TARGET} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut reader = BufReader::with_capacity(BUFFER, stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(std::io::Error::other(line));
    }
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    chunks(&mut reader, seen)
}

/// Reads to the last chunk, which says that nothing is missing.
fn chunks(reader: &mut BufReader<TcpStream>, seen: &mut Seen) -> std::io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16)
            .map_err(|_| std::io::Error::new(ErrorKind::UnexpectedEof, "no chunk"))?;
        let mut left = length;
        while left > 0 {
            let held = reader.fill_buf()?;
            if held.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let part = held.len().min(left);
            seen.note(&held[..part]);
            reader.consume(part);
            left -= part;
        }
        line.clear();
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn command_line(path: &Path, entries: u64) -> Outcome {
    let sql = format!("SELECT {} FROM activity_log ORDER BY seq", KEYS.join(", "));
    let mut command = Command::new("sqlite3");
    command
        .args(["-readonly", "-csv", "-header"])
        .arg(path)
        .arg(sql);
    let began = Instant::now();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = match spawned {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let reason = "there is no sqlite3 command (Debian's package sqlite3)";
            return Err(Failure::Skipped(reason.into()));
        }
        other => other.map_err(|e| e.to_string())?,
    };
    let mut seen = Seen::default();
    let mut buffer = vec![0; BUFFER];
    if let Some(mut output) = child.stdout.take() {
        loop {
            match output.read(&mut buffer).map_err(|e| e.to_string())? {
                0 => break,
                read => seen.note(&buffer[..read]),
            }
        }
    }
    let took = began.elapsed();
    let status = child.wait().map_err(|e| e.to_string())?;
    if !status.success() {
        return Err(format!("it ended with {status}").into());
    }
    let (rows, megabytes) = seen.rates(took, entries)?;
    Ok(vec![
        (EntriesPerSecond, rows),
        (MegabytesPerSecond, megabytes),
    ])
}
