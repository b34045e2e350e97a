//! HTTP by hand, one connection that is kept: what was answered, and when nothing was, is seen exactly.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);

pub struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The status line and the headers, in lower case.
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(held, _)| *held == name);
        found.next().map(|(_, value)| value.trim())
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, WAIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    pub fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"))?;
        self.answer()
    }

    pub fn post(&mut self, kind: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        self.send(&format!(
            "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))?;
        self.answer()
    }

    /// Bytes as they are, for half a request.
    pub fn send(&mut self, bytes: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_bytes())
    }

    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let mut answer = Answer {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            head: head.to_ascii_lowercase(),
            body: String::new(),
        };
        let length = answer.header("content-length").map(str::parse::<usize>);
        let mut body = vec![0; length.and_then(Result::ok).unwrap_or(0)];
        self.stream.read_exact(&mut body)?;
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Ok(answer)
    }
}
