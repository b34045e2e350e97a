//! One health check: whether a device takes a connection, or answers over HTTP. What it sends back is looked at for
//! the length of a status line and no further.

use crate::domain::device::{Outcome, Probe};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};

/// `HTTP/1.1 200`
const STATUS_LINE: usize = 12;
/// Addresses of one device that are tried.
const MOST_TRIED: usize = 4;

/// Within `timeout`, whatever the device does.
pub async fn probe(probe: &Probe, timeout: Duration) -> Outcome {
    let began = Instant::now();
    let done = tokio::time::timeout(timeout, reached(probe)).await;
    let error = match done {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(why),
        Err(_) => Some(format!("no answer within {} s", timeout.as_secs_f64())),
    };
    Outcome {
        ok: error.is_none(),
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        error,
    }
}

async fn reached(probe: &Probe) -> Result<(), String> {
    let mut why = "it has no address".to_owned();
    for address in probe.addresses.iter().take(MOST_TRIED) {
        let found = lookup_host((address.as_str(), probe.port)).await;
        let first = found.map(|mut found| found.next());
        let Ok(Some(at)) = first else {
            why = "its name is not found".to_owned();
            continue;
        };
        let host = match at.ip().to_string() == *address {
            true => at.to_string(),
            false => format!("{address}:{}", probe.port),
        };
        match reached_at(at, &host, probe).await {
            Ok(()) => return Ok(()),
            Err(cause) => why = said(&cause),
        }
    }
    Err(why)
}

async fn reached_at(at: SocketAddr, host: &str, probe: &Probe) -> io::Result<()> {
    let stream = TcpStream::connect(at).await?;
    let Some(path) = &probe.path else {
        return Ok(());
    };
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: daybook/{version}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let mut unsent = request.as_bytes();
    while !unsent.is_empty() {
        stream.writable().await?;
        match stream.try_write(unsent) {
            Ok(sent) => unsent = &unsent[sent..],
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
            Err(cause) => return Err(cause),
        }
    }
    let mut line = [0; STATUS_LINE];
    let mut read = 0;
    while read < STATUS_LINE {
        stream.readable().await?;
        match stream.try_read(&mut line[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
            Err(cause) => return Err(cause),
        }
    }
    judged(&line[..read])
}

fn judged(line: &[u8]) -> io::Result<()> {
    let status = std::str::from_utf8(line)
        .ok()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.get(9..))
        .and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(100..500) => Ok(()),
        Some(status) => Err(io::Error::other(format!("it answered with {status}"))),
        None => Err(io::Error::other("what it answered is not HTTP")),
    }
}

fn said(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => "it refused the connection".into(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no way to it".into()
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            "it broke the connection off".into()
        }
        _ => cause.to_string().chars().take(128).collect(),
    }
}
