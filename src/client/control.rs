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
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(cause) if is_absent(&cause) => return Err(ControlError::NotRunning),
        Err(cause) => return Err(cause.into()),
    };
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    // HTTP/1.0: the answer ends where the connection does.
    write!(
        stream,
        "GET {target} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
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
    fn a_socket_that_is_not_there_means_that_nothing_runs() {
        let nowhere = tempfile::tempdir().unwrap().path().join("none.sock");
        let asked = get(&nowhere, "/healthz", Duration::from_secs(1));
        assert!(matches!(asked, Err(ControlError::NotRunning)));
    }
}
