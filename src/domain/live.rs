//! What a session says and is told: the closed vocabulary of live events, and the one thing that a client
//! may ask for.

use super::device::Summary;
use super::{Epoch, FieldError, Seq, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// Every `type` that a server frame can have. The page's allow-list is held equal to it.
pub const EVENT_TYPES: [&str; 12] = [
    "hello",
    "activity_logged",
    "device_discovered",
    "device_lost",
    "device_changed",
    "device_health_changed",
    "settings_changed",
    "subscribed",
    "live",
    "lagged",
    "error",
    "server_shutting_down",
];

/// What is told to one session or to all, beside entries, whose frames are made once and shared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first frame of a session.
    Hello {
        version: &'static str,
        epoch: Epoch,
        server_time: Timestamp,
        newest_seq: Option<Seq>,
    },
    /// What became of a device: `change` is the last word of the action that was recorded.
    DeviceDiscovered {
        change: &'static str,
        device: Box<Summary>,
    },
    DeviceLost {
        change: &'static str,
        device: Box<Summary>,
    },
    DeviceChanged {
        change: &'static str,
        device: Box<Summary>,
    },
    DeviceHealthChanged {
        change: &'static str,
        device: Box<Summary>,
    },
    SettingsChanged,
    /// What came before it belongs to the former subscription.
    Subscribed,
    /// The replay is done; from here on entries come as they are recorded.
    Live {
        live_from_seq: Seq,
    },
    /// At most so many were left out; they are read as pages from `resume_after_seq` on.
    Lagged {
        missed: u64,
        resume_after_seq: Seq,
    },
    /// The session stays open.
    Error {
        reason: String,
        field: Option<String>,
    },
    ServerShuttingDown,
}

impl Event {
    pub fn frame(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn error(error: FieldError) -> Self {
        Self::Error {
            reason: error.reason.into_owned(),
            field: Some(error.field.into_owned()),
        }
    }
}

/// A subscription as it was asked for; the filters are named as query parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscribe {
    pub filters: Vec<(String, String)>,
    pub after_seq: Option<Seq>,
}

impl Subscribe {
    /// `{"type":"subscribe","filters":{…},"after_seq":n}`, each filter a text or an array of texts.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |field: &'static str, reason: &'static str| Err(FieldError::new(field, reason));
        let Ok(mut message) = serde_json::from_str::<Map<String, Value>>(text) else {
            return wrong("message", "is not a JSON object");
        };
        match message.remove("type") {
            Some(Value::String(kind)) if kind == "subscribe" => {}
            _ => return wrong("type", "must be subscribe"),
        }
        let after_seq = match message.remove("after_seq") {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_i64().filter(|seq| *seq >= 0) {
                None => return wrong("after_seq", "must be a whole number, 0 or more"),
                known => known,
            },
        };
        let filters = match message.remove("filters") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(filters)) => pairs(filters)?,
            Some(_) => return wrong("filters", "must be an object"),
        };
        match message.keys().next() {
            None => Ok(Self { filters, after_seq }),
            Some(unknown) => {
                let named: String = unknown.chars().take(64).collect();
                Err(FieldError::new(named, "is not a part of a subscription"))
            }
        }
    }
}

pub(super) fn pairs(filters: Map<String, Value>) -> Result<Vec<(String, String)>, FieldError> {
    let mut pairs = Vec::new();
    for (name, value) in filters {
        let values = match value {
            Value::Null => Vec::new(),
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let Value::String(text) = value else {
                let reason = "must be a text, or an array of texts";
                return Err(FieldError::new(name, reason));
            };
            pairs.push((name.clone(), text));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_type_of_the_vocabulary() {
        let events = [
            Event::Hello {
                version: "1",
                epoch: Epoch::new("e"),
                server_time: Timestamp::from_micros(0),
                newest_seq: None,
            },
            Event::SettingsChanged,
            Event::Subscribed,
            Event::Live { live_from_seq: 1 },
            Event::Lagged {
                missed: 1,
                resume_after_seq: 1,
            },
            Event::error(FieldError::new("a", "b")),
            Event::ServerShuttingDown,
        ];
        for event in events {
            let frame: Value = serde_json::from_str(&event.frame()).unwrap();
            let kind = frame["type"].as_str().unwrap();
            assert!(EVENT_TYPES.contains(&kind), "{kind}");
        }
    }

    #[test]
    fn a_subscription_is_read_as_a_query_is() {
        let text = r#"{"type":"subscribe","after_seq":7,"filters":{"category":["auth","device"],"q":"x"}}"#;
        let asked = Subscribe::parse(text).unwrap();
        assert_eq!(asked.after_seq, Some(7));
        let pairs: Vec<_> = asked
            .filters
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [("category", "auth"), ("category", "device"), ("q", "x")]
        );
        assert_eq!(
            Subscribe::parse(r#"{"type":"subscribe"}"#),
            Ok(Subscribe::default())
        );
    }

    #[test]
    fn what_is_no_subscription_names_what_is_wrong() {
        for (text, field) in [
            ("", "message"),
            ("[]", "message"),
            ("{}", "type"),
            (r#"{"type":"unsubscribe"}"#, "type"),
            (r#"{"type":"subscribe","after_seq":-1}"#, "after_seq"),
            (r#"{"type":"subscribe","after_seq":"1"}"#, "after_seq"),
            (r#"{"type":"subscribe","filters":[]}"#, "filters"),
            (r#"{"type":"subscribe","filters":{"q":1}}"#, "q"),
            (r#"{"type":"subscribe","colour":"red"}"#, "colour"),
        ] {
            assert_eq!(Subscribe::parse(text).unwrap_err().field, field, "{text}");
        }
    }
}
