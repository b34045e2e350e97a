//! A live session over a socket of its own.

use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

const WAIT: Duration = Duration::from_secs(60);

pub struct Follower(WebSocket<TcpStream>);

/// What the server says, and how it ends.
#[derive(Debug)]
pub enum Heard {
    Frame(Value),
    Closed(Option<CloseCode>),
    /// Without a goodbye.
    Cut,
}

impl Follower {
    /// Greeted; the greeting was read.
    pub fn to(address: SocketAddr) -> (Self, Value) {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let url = format!("ws://{address}/api/v1/events/ws");
        let mut follower = Self(tungstenite::client(url, stream).unwrap().0);
        let Heard::Frame(hello) = follower.next() else {
            panic!("it was not greeted");
        };
        assert_eq!(hello["type"], "hello", "{hello}");
        (follower, hello)
    }

    pub fn next(&mut self) -> Heard {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    return Heard::Frame(serde_json::from_str(&text).unwrap());
                }
                Ok(Message::Close(why)) => return Heard::Closed(why.map(|why| why.code)),
                Ok(_) => {}
                Err(tungstenite::Error::Io(cause))
                    if cause.kind() == std::io::ErrorKind::WouldBlock =>
                {
                    panic!("it says nothing any more");
                }
                Err(_) => return Heard::Cut,
            }
        }
    }
}
