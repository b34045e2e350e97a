//! Following live over the control socket beside the book.

use super::control::{ControlError, connect};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use tungstenite::{Error, Message, WebSocket};

/// The daemon pings more often than this; silence for longer is its end.
const SILENCE: Duration = Duration::from_secs(120);

/// A session with the daemon that keeps the book.
pub struct Events {
    session: WebSocket<UnixStream>,
    /// What came before that is not of this subscription: until then a session gets everything.
    subscribed: bool,
    /// Of the book that is followed; with another one, whoever follows starts over.
    pub epoch: String,
}

/// What the daemon tells that a follower acts on.
#[derive(Debug)]
pub enum Told {
    Entry {
        seq: i64,
        entry: Box<RawValue>,
    },
    /// Some were left out: they are read as pages from there on, while what is recorded meanwhile comes.
    Lagged {
        resume_after_seq: i64,
    },
    /// The subscription was refused.
    Refused {
        field: Option<String>,
        reason: String,
    },
    /// It stops, or the connection broke.
    End,
}

#[derive(Deserialize)]
struct Frame {
    r#type: String,
    seq: Option<i64>,
    entry: Option<Box<RawValue>>,
    resume_after_seq: Option<i64>,
    epoch: Option<String>,
    field: Option<String>,
    reason: Option<String>,
}

impl Events {
    /// A session that has been greeted.
    pub fn open(socket: &Path) -> Result<Self, ControlError> {
        let stream = connect(socket)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let (mut session, _) = tungstenite::client("ws://localhost/api/v1/events/ws", stream)
            .map_err(|cause| io::Error::other(cause.to_string()))?;
        let epoch = greeting(&mut session)?;
        Ok(Self {
            session,
            subscribed: false,
            epoch,
        })
    }

    /// With filters as query parameters, from after `after_seq` on.
    pub fn subscribe(
        &mut self,
        filters: &[(String, String)],
        after_seq: Option<i64>,
    ) -> Result<(), ControlError> {
        let subscribe = json!({
            "type": "subscribe",
            "filters": grouped(filters),
            "after_seq": after_seq,
        });
        self.subscribed = false;
        self.session
            .send(Message::text(subscribe.to_string()))
            .map_err(|cause| io::Error::other(cause.to_string()))?;
        Ok(())
    }

    /// The next thing that a follower acts on.
    pub fn wait(&mut self) -> Told {
        loop {
            match read(&mut self.session) {
                Ok(Message::Text(text)) => {
                    if let Some(told) = self.heard(&text) {
                        return told;
                    }
                }
                Ok(Message::Close(_)) | Err(_) => return Told::End,
                Ok(_) => {}
            }
        }
    }
}

impl Events {
    fn heard(&mut self, text: &str) -> Option<Told> {
        let frame: Frame = serde_json::from_str(text).ok()?;
        if frame.r#type == "subscribed" {
            self.subscribed = true;
        }
        match told(frame)? {
            Told::Entry { .. } | Told::Lagged { .. } if !self.subscribed => None,
            told => Some(told),
        }
    }
}

/// Also when it was stopped and goes on meanwhile.
fn read(session: &mut WebSocket<UnixStream>) -> tungstenite::Result<Message> {
    loop {
        match session.read() {
            Err(Error::Io(cause)) if cause.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The epoch that the first frame names.
fn greeting(session: &mut WebSocket<UnixStream>) -> Result<String, ControlError> {
    loop {
        let message = read(session).map_err(|cause| io::Error::other(cause.to_string()))?;
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(io::Error::other("it closed the session").into()),
            _ => continue,
        };
        let frame: Frame = serde_json::from_str(&text).map_err(io::Error::from)?;
        if let Some(epoch) = frame.epoch.filter(|_| frame.r#type == "hello") {
            return Ok(epoch);
        }
    }
}

/// Each filter with all its values.
fn grouped(filters: &[(String, String)]) -> Map<String, Value> {
    let mut grouped = Map::new();
    for (name, value) in filters {
        let values = grouped.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(value.as_str().into());
        }
    }
    grouped
}

fn told(frame: Frame) -> Option<Told> {
    match frame.r#type.as_str() {
        "activity_logged" => Some(Told::Entry {
            seq: frame.seq?,
            entry: frame.entry?,
        }),
        "lagged" => Some(Told::Lagged {
            resume_after_seq: frame.resume_after_seq?,
        }),
        "error" => Some(Told::Refused {
            field: frame.field,
            reason: frame.reason.unwrap_or_default(),
        }),
        "server_shutting_down" => Some(Told::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Events {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        Events {
            session: WebSocket::from_raw_socket(ours, tungstenite::protocol::Role::Client, None),
            subscribed: false,
            epoch: String::new(),
        }
    }

    #[test]
    fn what_a_follower_need_not_act_on_is_passed_over() {
        let mut events = events();
        let entry = r#"{"type":"activity_logged","seq":7,"entry":{"a": 1}}"#;
        assert!(events.heard(r#"{"type":"hello"}"#).is_none());
        assert!(events.heard(entry).is_none(), "not of its subscription");
        assert!(events.heard(r#"{"type":"subscribed"}"#).is_none());
        assert!(events.heard("nonsense").is_none());
        assert!(matches!(
            events.heard(entry),
            Some(Told::Entry { seq: 7, entry }) if entry.get() == r#"{"a": 1}"#
        ));
        assert!(matches!(
            events.heard(r#"{"type":"lagged","missed":3,"resume_after_seq":9}"#),
            Some(Told::Lagged {
                resume_after_seq: 9
            })
        ));
    }

    #[test]
    fn a_repeated_filter_keeps_all_its_values() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let filters = [
            pair("category", "auth"),
            pair("q", "x"),
            pair("category", "device"),
        ];
        let grouped = Value::from(grouped(&filters));
        assert_eq!(grouped, json!({"category": ["auth", "device"], "q": ["x"]}));
    }
}
