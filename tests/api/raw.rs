//! A connection without a client library: for what such a library would not send, and for seeing what stands
//! on the wire.

use super::client::Answer;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// Far beyond any limit of the daemon: reached only when it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// It may be refused while it is still being sent; the answer tells.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// No more comes from this side.
    pub fn finish(&mut self) {
        let _ = self.stream.get_mut().shutdown(std::net::Shutdown::Write);
    }

    pub fn exchange(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes);
        self.answer()
    }

    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer(true).expect("an answer")
    }

    /// The answer to a HEAD has no body, whatever its headers say.
    #[track_caller]
    pub fn head_answer(&mut self) -> Answer {
        self.try_answer(false).expect("an answer")
    }

    /// `None` when the connection ends instead.
    pub fn try_answer(&mut self, with_body: bool) -> Option<Answer> {
        let line = self.line()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value.trim()).unwrap(),
            );
        }
        let bodiless = !with_body || status < 200 || status == 204 || status == 304;
        let body = if bodiless {
            Vec::new()
        } else {
            self.body(&headers)?
        };
        Some(Answer {
            status,
            headers,
            body,
        })
    }

    fn body(&mut self, headers: &HeaderMap) -> Option<Vec<u8>> {
        if headers.contains_key("transfer-encoding") {
            return self.chunks();
        }
        let Some(length) = headers.get("content-length") else {
            let mut body = Vec::new();
            self.stream.read_to_end(&mut body).ok()?;
            return Some(body);
        };
        self.exactly(length.to_str().ok()?.parse().ok()?)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line()?, 16).ok()?;
            body.extend(self.exactly(size)?);
            self.line()?;
            if size == 0 {
                return Some(body);
            }
        }
    }

    fn exactly(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body).ok()?;
        Some(body)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "the daemon hangs");
                None
            }
        }
    }

    /// Waits for the other side to close; what still comes is passed over.
    #[track_caller]
    pub fn is_closed(&mut self) -> bool {
        let mut passed = Vec::new();
        match self.stream.read_to_end(&mut passed) {
            Ok(_) => true,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// A request with a body and its length.
pub fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}
