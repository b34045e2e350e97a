//! What somebody asks of a device, read from JSON: the same over HTTP, the control socket and the command line.

use super::{ADDRESS_CHARS, Check, TYPE_CHARS, name};
use crate::domain::{FieldError, FieldErrors, secret};
use serde_json::{Map, Value};

/// A device that somebody adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    pub address: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub port: Option<u16>,
    pub check: Option<Check>,
}

/// What is to be changed of one; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alter {
    pub given_name: Option<Option<String>>,
    pub ignored: Option<bool>,
    pub check: Option<Option<Check>>,
}

/// What other software says of a device beside how it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub address: Option<String>,
    pub port: Option<u16>,
}

impl NewDevice {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let address = address(object.remove("address"))?;
        let missing = || FieldErrors::one("address", "is required");
        let read = Self {
            address: address.ok_or_else(missing)?,
            name: some_name(object.remove("name"))?,
            kind: kind(object.remove("type"))?,
            port: port(object.remove("port"))?,
            check: check(object.remove("check"))?,
        };
        nothing_else(&object)?;
        Ok(read)
    }
}

impl Alter {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        if object.is_empty() {
            let reason = "is missing; one of given_name, ignored and check is needed";
            return Err(FieldErrors::one("given_name", reason));
        }
        let given_name = object.remove("given_name");
        let ignored = match object.remove("ignored") {
            None => None,
            Some(Value::Bool(ignored)) => Some(ignored),
            Some(_) => return Err(FieldErrors::one("ignored", "must be true or false")),
        };
        let said = object.remove("check");
        nothing_else(&object)?;
        Ok(Self {
            given_name: match given_name {
                None => None,
                Some(Value::String(text)) => Some(Some(name("given_name", &text)?)),
                Some(Value::Null) => Some(None),
                Some(_) => {
                    return Err(FieldErrors::one("given_name", "must be a string or null"));
                }
            },
            ignored,
            check: said.map(|said| check(Some(said))).transpose()?,
        })
    }
}

impl Report {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let read = Self {
            name: some_name(object.remove("name"))?,
            kind: kind(object.remove("type"))?,
            address: address(object.remove("address"))?,
            port: port(object.remove("port"))?,
        };
        nothing_else(&object)?;
        Ok(read)
    }
}

fn some_name(said: Option<Value>) -> Result<Option<String>, FieldError> {
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => name("name", &text).map(Some),
        Some(_) => Err(FieldError::new("name", "must be a string")),
    }
}

/// An IP address or the name of a host.
fn address(said: Option<Value>) -> Result<Option<String>, FieldError> {
    let wrong = || {
        Err(FieldError::new(
            "address",
            "must be an IP address or the name of a host",
        ))
    };
    let text = match said {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return wrong(),
    };
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(Some(address.to_string()));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
    let host = text.strip_suffix('.').unwrap_or(&text);
    let fits = host.len() <= ADDRESS_CHARS && host.split('.').all(label);
    match fits && !secret::holds_key(host) {
        true => Ok(Some(host.to_owned())),
        false => wrong(),
    }
}

fn kind(said: Option<Value>) -> Result<Option<String>, FieldError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text))
            if (1..=TYPE_CHARS).contains(&text.len())
                && text.bytes().all(allowed)
                && !secret::holds_key(&text) =>
        {
            Ok(Some(text))
        }
        Some(_) => {
            let reason = format!("must be 1 to {TYPE_CHARS} of A-Z a-z 0-9 . _ -");
            Err(FieldError::new("type", reason))
        }
    }
}

fn port(said: Option<Value>) -> Result<Option<u16>, FieldError> {
    let wrong = || FieldError::new("port", "must be a whole number, 1 to 65535");
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let read = value.as_u64().and_then(|number| u16::try_from(number).ok());
            read.filter(|port| *port > 0).map(Some).ok_or_else(wrong)
        }
    }
}

fn check(said: Option<Value>) -> Result<Option<Check>, FieldErrors> {
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Check::read(object).map(Some),
        Some(_) => Err(FieldErrors::one("check", "must be an object or null")),
    }
}

fn nothing_else(object: &Map<String, Value>) -> Result<(), FieldErrors> {
    let unknown = |name: &String| {
        let name: String = name.chars().take(64).collect();
        FieldError::new(name, "is not known here")
    };
    FieldErrors::none_in(object.keys().map(unknown).collect())
}
