//! The syslog capture: lines that come in at a rate, over TCP without losing any and over UDP without losing any
//! uncounted, and as many as it takes.

use super::several;
use crate::Bench;
use crate::books::{Kind, Working};
use crate::process::{Server, free_address};
use crate::raw::Connection;
use crate::report::Quantity::{CpuMicros, EntriesPerSecond, Lost, Mebibytes, Uncounted};
use crate::report::{Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::subject;
use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

/// Lines a second.
const RATE: u64 = 20_000;
/// Of what a contestant usually gets.
const LONGER: u32 = 5;
const AT_ONCE: u64 = 20;
const CONNECTIONS: usize = 4;
/// Longer than any writer needs for what may be on its way.
const PATIENCE: Duration = Duration::from_secs(60);

const PACED: &str = "TCP, 20000 lines/s, octets counted";
const DATAGRAMS: &str = "UDP, 20000 lines/s";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, 0)?;
    let lasts = plan.measure * LONGER;
    let as_fast = |connections: usize| {
        let name = format!(
            "TCP, as fast as it takes, {}",
            several(connections, "connection")
        );
        let run = move || taken(plan, book, lasts, connections);
        (name.clone(), Contestant::new(name, run))
    };
    let (one, by_one) = as_fast(1);
    let (four, by_four) = as_fast(CONNECTIONS);
    let contestants = vec![
        Contestant::new(PACED, move || paced(plan, book, lasts)),
        Contestant::new(DATAGRAMS, move || datagrams(plan, book, lasts)),
        by_one,
        by_four,
    ];
    let promises = vec![
        Promise::never_over(PACED, Lost, 0.0),
        Promise::figure(PACED, EntriesPerSecond, Target::AtLeast(0.98 * RATE as f64)),
        Promise::figure(PACED, CpuMicros, Target::None),
        Promise::figure(PACED, Mebibytes, Target::None),
        Promise::never_over(DATAGRAMS, Uncounted, 0.0),
        Promise::never_over(&one, Lost, 0.0),
        Promise::figure(&one, EntriesPerSecond, Target::None),
        Promise::never_over(&four, Lost, 0.0),
        Promise::figure(&four, EntriesPerSecond, Target::None),
    ];
    let title = format!("syslog captures, {} s", lasts.as_secs_f64());
    contest_with(&title, plan, || book.renew(), contestants, promises).map(|report| vec![report])
}

fn start(plan: &Plan, book: &Path) -> Result<(Server, SocketAddr), String> {
    let listen = free_address()?;
    let table =
        format!("[[captures]]\nname = \"bench\"\nkind = \"syslog\"\nlisten = \"{listen}\"\n");
    let server = subject::start_server_with(&table, book, &plan.scratch.join("server.log"))?;
    Ok((server, listen))
}

fn line(number: u64) -> String {
    format!(
        "<134>1 2026-11-21T08:00:00.{:06}Z web{} shop {} bench.line [shop@32473 order=\"{number}\" total=\"12.50\"] \
         the order {number} was paid by card and is on its way",
        number % 1_000_000,
        number % 7,
        number % 30_000
    )
}

/// Calls `send` with the next numbers at the rate, for so long; how many that were.
fn at_the_rate(
    lasts: Duration,
    mut send: impl FnMut(std::ops::Range<u64>) -> std::io::Result<()>,
) -> Result<u64, String> {
    let (began, mut sent) = (Instant::now(), 0);
    loop {
        let elapsed = began.elapsed().min(lasts);
        let due = (elapsed.as_secs_f64() * RATE as f64) as u64;
        while sent + AT_ONCE <= due {
            send(sent..sent + AT_ONCE).map_err(|e| format!("sending: {e}"))?;
            sent += AT_ONCE;
        }
        if elapsed == lasts {
            return Ok(sent);
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn paced(plan: &Plan, book: &Working, lasts: Duration) -> Outcome {
    let path = book.ready()?;
    let (server, listen) = start(plan, path)?;
    let cpu = server.cpu();
    let mut stream = TcpStream::connect(listen).map_err(|e| e.to_string())?;
    let began = Instant::now();
    let sent = at_the_rate(lasts, |numbers| {
        let frames = numbers
            .map(line)
            .map(|line| format!("{} {line}", line.len()));
        stream.write_all(frames.collect::<String>().as_bytes())
    })?;
    drop(stream);
    all_recorded(path, sent)?;
    let took = began.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu).as_secs_f64() * 1e6 / sent as f64;
    let resident = server.resident()?;
    server.stop()?;
    let held = recorded(path)?;
    Ok(vec![
        (EntriesPerSecond, held as f64 / took),
        (CpuMicros, cpu),
        (Mebibytes, resident),
        (Lost, sent.saturating_sub(held) as f64),
    ])
}

fn datagrams(plan: &Plan, book: &Working, lasts: Duration) -> Outcome {
    let path = book.ready()?;
    let (server, listen) = start(plan, path)?;
    let cpu = server.cpu();
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    socket.connect(listen).map_err(|e| e.to_string())?;
    let began = Instant::now();
    let sent = at_the_rate(lasts, |mut numbers| {
        numbers.try_for_each(|number| socket.send(line(number).as_bytes()).map(drop))
    })?;
    let dropped = all_accounted_for(&server, sent)?;
    let took = began.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu).as_secs_f64() * 1e6 / sent as f64;
    server.stop()?;
    let held = recorded(path)?;
    Ok(vec![
        (EntriesPerSecond, held as f64 / took),
        (CpuMicros, cpu),
        (Lost, dropped as f64),
        (Uncounted, sent.saturating_sub(held + dropped) as f64),
    ])
}

/// Every connection sends as much as it may.
fn taken(plan: &Plan, book: &Working, lasts: Duration, connections: usize) -> Outcome {
    let path = book.ready()?;
    let (server, listen) = start(plan, path)?;
    let cpu = server.cpu();
    let chunk: String = (0..500).map(|number| line(number) + "\n").collect();
    let began = Instant::now();
    let send = || -> Result<u64, String> {
        let mut stream = TcpStream::connect(listen).map_err(|e| e.to_string())?;
        let mut sent = 0;
        while began.elapsed() < lasts {
            stream
                .write_all(chunk.as_bytes())
                .map_err(|e| e.to_string())?;
            sent += 500;
        }
        Ok(sent)
    };
    let sent = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections).map(|_| scope.spawn(send)).collect();
        let ended = senders
            .into_iter()
            .map(|sender| sender.join().map_err(|_| "a sender")?);
        ended.sum::<Result<u64, String>>()
    })?;
    all_recorded(path, sent)?;
    let took = began.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu).as_secs_f64() * 1e6 / sent as f64;
    server.stop()?;
    let held = recorded(path)?;
    Ok(vec![
        (EntriesPerSecond, held as f64 / took),
        (CpuMicros, cpu),
        (Lost, sent.saturating_sub(held) as f64),
    ])
}

/// Waits until the book has so many lines, or no more come.
fn all_recorded(book: &Path, lines: u64) -> Result<(), String> {
    let began = Instant::now();
    let connection = Connection::open(book)?;
    // What the daemon says of itself comes before.
    let first = "SELECT coalesce(min(seq), 1) - 1 FROM activity_log WHERE action = 'bench.line'";
    loop {
        let last = connection.number("SELECT last_seq FROM book")?;
        let before = connection.number(first)?;
        if last - before >= i64::try_from(lines).unwrap_or(i64::MAX) || began.elapsed() > PATIENCE {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until each datagram is in the book or among those that are lost; how many those are.
fn all_accounted_for(server: &Server, sent: u64) -> Result<u64, String> {
    let url = format!("http://{}/api/v1/captures/bench", server.address);
    let began = Instant::now();
    loop {
        let asked = ureq::get(&url).call().map_err(|e| e.to_string())?;
        let text = asked
            .into_body()
            .read_to_string()
            .map_err(|e| e.to_string())?;
        let capture: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let count = |key: &str| capture["counters"][key].as_u64().unwrap_or(0);
        if count("recorded") + count("dropped") >= sent || began.elapsed() > PATIENCE {
            return Ok(count("dropped"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn recorded(book: &Path) -> Result<u64, String> {
    let connection = Connection::open(book)?;
    let sql = "SELECT count(*) FROM activity_log WHERE action = 'bench.line'";
    connection.number(sql).map(i64::unsigned_abs)
}
