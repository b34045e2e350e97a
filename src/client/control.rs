//! Requests over the control socket beside the book, one a connection.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The longest answer that is read; what our own commands ask for is far smaller.
const LONGEST: u64 = 16 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No daemon listens there.
    #[error("no daemon serves this book")]
    NotRunning,
    #[error("the daemon did not answer: {0}")]
    Broken(#[from] io::Error),
}

/// Asks for `target` and reads the whole answer.
pub fn get(socket: &Path, target: &str, wait: Duration) -> Result<Answer, ControlError> {
    asked(socket, wait, &format!("GET {target}"), None)
}

/// Asks for `target` to be deleted and reads the whole answer.
pub fn delete(socket: &Path, target: &str, wait: Duration) -> Result<Answer, ControlError> {
    asked(socket, wait, &format!("DELETE {target}"), None)
}

/// Sends one JSON value to `target` and reads the whole answer.
pub fn post(
    socket: &Path,
    target: &str,
    body: &serde_json::Value,
    wait: Duration,
) -> Result<Answer, ControlError> {
    asked(
        socket,
        wait,
        &format!("POST {target}"),
        Some(&body.to_string()),
    )
}

/// Sends what of `target` is to change and reads the whole answer.
pub fn patch(
    socket: &Path,
    target: &str,
    body: &serde_json::Value,
    wait: Duration,
) -> Result<Answer, ControlError> {
    let what = format!("PATCH {target}");
    asked(socket, wait, &what, Some(&body.to_string()))
}

fn asked(
    socket: &Path,
    wait: Duration,
    what: &str,
    body: Option<&str>,
) -> Result<Answer, ControlError> {
    let mut stream = connect(socket)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    // HTTP/1.0: the answer ends where the connection does.
    let mut request = format!("{what} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n");
    if let Some(body) = body {
        let length = body.len();
        request += &format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
    }
    write!(stream, "{request}\r\n{}", body.unwrap_or_default())?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
}

pub fn connect(socket: &Path) -> Result<UnixStream, ControlError> {
    UnixStream::connect(socket).map_err(|cause| match is_absent(&cause) {
        true => ControlError::NotRunning,
        false => cause.into(),
    })
}

/// A value as it stands in a query.
pub fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(byte.into());
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    escaped
}

impl Answer {
    /// What a refusal says.
    pub fn problem(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match body["detail"].as_str() {
            Some(detail) => detail.to_owned(),
            None => format!("the daemon answered with status {}", self.status),
        }
    }
}

fn is_absent(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: bytes[head_end + 4..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let answer = parse(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 200,
                body: b"{}".to_vec()
            }
        );
        assert_eq!(parse(b"HTTP/1.0 200 OK\r\n"), None);
        assert_eq!(parse(b"nonsense\r\n\r\n"), None);
    }

    #[test]
    fn a_value_in_a_query_means_itself() {
        assert_eq!(escaped("a b&c=%ü*"), "a%20b%26c%3D%25%C3%BC%2A");
    }

    #[test]
    fn a_socket_that_is_not_there_means_that_nothing_runs() {
        let nowhere = tempfile::tempdir().unwrap().path().join("none.sock");
        let asked = get(&nowhere, "/healthz", Duration::from_secs(1));
        assert!(matches!(asked, Err(ControlError::NotRunning)));
    }
}
