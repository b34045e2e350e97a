//! `daybook key`: keys made, listed, rotated and revoked by who commands this machine. The daemon that keeps
//! the book does it, or this process when there is none: two never both write. A key is the only thing that
//! ever goes to standard output here, so that it can be caught.

use super::args::{Key as Asked, KeyAdd, KeyCommand, KeyRotate};
use super::table::table;
use super::{Exit, output};
use crate::access::{Origin, Principal};
use crate::actors::context::Context;
use crate::actors::keys::{Locksmith, NewKey, NotDone, asked};
use crate::actors::{Refusal, offline, system_clocks, wall_clock};
use crate::client::control::{self, Answer, ControlError, escaped};
use crate::config::Loaded;
use crate::domain::{FieldErrors, Key, KeyLabel, Timestamp};
use crate::storage::{Address, StorageError};
use serde_json::{Map, Value, json};
use std::time::Duration;

const ROUTE: &str = "/api/v1/keys";
/// A daemon that takes longer is not well.
const WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    NotDone(#[from] NotDone),
    #[error("{0}")]
    Control(#[from] ControlError),
    #[error("{said}")]
    Answered { status: u16, said: String },
}

impl KeyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error)
            | Self::Refused(Refusal::Storage(error))
            | Self::NotDone(NotDone::Refused(Refusal::Storage(error))) => Exit::from(error),
            Self::Refused(_) | Self::NotDone(NotDone::Refused(_)) => Exit::Temporary,
            Self::NotDone(NotDone::Wrong(_)) => Exit::Usage,
            Self::NotDone(NotDone::Conflict(_)) => Exit::Exists,
            Self::NotDone(NotDone::NoSuchKey | NotDone::Forbidden(_)) => Exit::Found,
            Self::NotDone(NotDone::Random(_)) | Self::Control(_) => Exit::Io,
            Self::Answered { status, .. } => Exit::of_status(*status),
        }
    }
}

impl From<FieldErrors> for KeyError {
    fn from(errors: FieldErrors) -> Self {
        Self::NotDone(errors.into())
    }
}

/// The same question, however it is answered.
enum Wanted {
    Add(Map<String, Value>),
    List,
    Rotate(KeyLabel, Map<String, Value>),
    Revoke(KeyLabel),
}

pub fn run(loaded: &Loaded, asked: &Asked) -> Exit {
    // What holds keys is for its own user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let done = wanted(&asked.command).and_then(|wanted| answered(loaded, &wanted));
    match done {
        Ok(answer) => tell(&asked.command, &answer),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn wanted(command: &KeyCommand) -> Result<Wanted, KeyError> {
    let label = |text: &str| KeyLabel::parse(text).map_err(FieldErrors::from);
    Ok(match command {
        KeyCommand::Add(add) => Wanted::Add(object_of(add)),
        KeyCommand::List(_) => Wanted::List,
        KeyCommand::Rotate(KeyRotate {
            label: text,
            overlap,
        }) => {
            let mut object = Map::new();
            object.extend(
                overlap
                    .clone()
                    .map(|overlap| ("overlap".to_owned(), overlap.into())),
            );
            Wanted::Rotate(label(text)?, object)
        }
        KeyCommand::Revoke(revoke) => Wanted::Revoke(label(&revoke.label)?),
    })
}

fn object_of(add: &KeyAdd) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("label".into(), add.label.clone().into());
    object.insert("scopes".into(), add.scope.clone().into());
    object.insert("workspace_id".into(), add.workspace.clone().into());
    object.insert("speaks_for_others".into(), add.speak_for_others.into());
    object.extend(
        add.expires
            .clone()
            .map(|time| ("expires_in".to_owned(), time.into())),
    );
    object
}

fn answered(loaded: &Loaded, wanted: &Wanted) -> Result<Value, KeyError> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    match by_the_daemon(&address, wanted) {
        Err(KeyError::Control(ControlError::NotRunning)) => {
            if !matches!(wanted, Wanted::Add(_)) {
                // Only a book that is there has keys; adding one makes a book.
                drop(address.open_reader(1)?);
            }
            actix::System::new().block_on(by_ourselves(&address, loaded, wanted))
        }
        done => done,
    }
}

fn by_the_daemon(address: &Address, wanted: &Wanted) -> Result<Value, KeyError> {
    let socket = address.control_socket();
    let of = |label: &KeyLabel| format!("{ROUTE}/{}", escaped(label.as_str()));
    let answer = match wanted {
        Wanted::Add(object) => control::post(&socket, ROUTE, &json!(object), WAIT),
        Wanted::List => control::get(&socket, ROUTE, WAIT),
        Wanted::Rotate(label, object) => {
            let route = format!("{}/rotate", of(label));
            control::post(&socket, &route, &json!(object), WAIT)
        }
        Wanted::Revoke(label) => control::delete(&socket, &of(label), WAIT),
    };
    understood(&answer?)
}

fn understood(answer: &Answer) -> Result<Value, KeyError> {
    match serde_json::from_slice(&answer.body) {
        Ok(value) if answer.status < 300 => Ok(value),
        _ => Err(KeyError::Answered {
            status: answer.status,
            said: answer.problem(),
        }),
    }
}

async fn by_ourselves(
    address: &Address,
    loaded: &Loaded,
    wanted: &Wanted,
) -> Result<Value, KeyError> {
    let wall = wall_clock();
    let now = wall();
    let clocks = system_clocks(wall);
    let (locksmith, writer) = offline::keys(address, loaded, clocks).await?;
    let done = here(&locksmith, now, wanted).await;
    writer.close().await;
    done
}

async fn here(locksmith: &Locksmith, now: Timestamp, wanted: &Wanted) -> Result<Value, KeyError> {
    let by = Context::of(Principal::operator(), Origin::default());
    let item = |key: &Key, declared| json!(crate::http::KeyItem::of(key, declared, now));
    Ok(match wanted {
        Wanted::Add(object) => {
            let asked = NewKey::read(object.clone())?;
            let made = locksmith.create(asked, now, &by).await?;
            json!({"key": made.full.reveal(), "label": made.key.label.as_str()})
        }
        Wanted::List => {
            let ring = locksmith.ring();
            let ring = ring.borrow();
            let mut held: Vec<_> = ring.held().collect();
            held.sort_by(|a, b| a.key.label.cmp(&b.key.label));
            let items = held.into_iter().map(|held| item(&held.key, held.declared));
            json!({"items": items.collect::<Vec<_>>()})
        }
        Wanted::Rotate(label, object) => {
            let overlap = asked::overlap(object.clone())?;
            let made = locksmith.rotate(label, overlap, now, &by).await?;
            json!({"key": made.full.reveal(), "label": label.as_str()})
        }
        Wanted::Revoke(label) => item(&locksmith.revoke(label, now, &by).await?, false),
    })
}

fn tell(command: &KeyCommand, answer: &Value) -> Exit {
    let label = answer["label"].as_str().unwrap_or_default();
    match (command, answer["key"].as_str()) {
        (KeyCommand::List(list), _) if list.json => {
            output::print(format_args!("{:#}\n", answer["items"]))
        }
        (KeyCommand::List(_), _) => output::print(table(&COLUMNS, &answer["items"])),
        (KeyCommand::Revoke(_), _) => {
            output::complain(format_args!("the key {label} is revoked"));
            Exit::Ok
        }
        (KeyCommand::Add(_) | KeyCommand::Rotate(_), Some(key)) => {
            output::complain(format_args!("the key {label}; it is shown this once:"));
            output::print(format_args!("{key}\n"))
        }
        (KeyCommand::Add(_) | KeyCommand::Rotate(_), None) => {
            output::complain("the daemon answered without a key");
            Exit::Software
        }
    }
}

const COLUMNS: [(&str, &str); 7] = [
    ("LABEL", "label"),
    ("STATE", "state"),
    ("SCOPES", "scopes"),
    ("WORKSPACE", "workspace_id"),
    ("EXPIRES", "expires_at"),
    ("LAST USED", "last_used_at"),
    ("FROM", "last_used_from"),
];
