//! `daybook workspace`: workspaces listed, created, given a title, archived and taken back by who commands this
//! machine. The daemon that keeps the book does it, or this process when there is none: two never both write.

use super::args::{Workspace as Asked, WorkspaceCommand};
use super::table::table;
use super::{Exit, output};
use crate::access::{Keyring, Origin, Principal, Scope};
use crate::actors::context::Context;
use crate::actors::offline::{self, Kept};
use crate::actors::workspaces::{Change, NewWorkspace, NotDone, asked};
use crate::actors::{Refusal, system_clocks, wall_clock};
use crate::client::control::{self, Answer, ControlError, escaped};
use crate::config::Loaded;
use crate::domain::workspace::MOST_WORKSPACES;
use crate::domain::{FieldErrors, Holding, Timestamp, WorkspaceId};
use crate::http::WorkspaceItem;
use crate::storage::{Address, StorageError};
use serde_json::{Map, Value, json};
use std::time::Duration;

const ROUTE: &str = "/api/v1/workspaces";
/// A daemon that takes longer is not well.
const WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum Failed {
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

impl Failed {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error)
            | Self::Refused(Refusal::Storage(error))
            | Self::NotDone(NotDone::Refused(Refusal::Storage(error))) => Exit::from(error),
            Self::Refused(_) | Self::NotDone(NotDone::Refused(_)) => Exit::Temporary,
            Self::NotDone(NotDone::Wrong(_)) => Exit::Usage,
            Self::NotDone(NotDone::Conflict(_)) => Exit::Exists,
            Self::NotDone(NotDone::NoSuchWorkspace) => Exit::Found,
            Self::Control(_) => Exit::Io,
            Self::Answered { status, .. } => Exit::of_status(*status),
        }
    }
}

impl From<FieldErrors> for Failed {
    fn from(errors: FieldErrors) -> Self {
        Self::NotDone(errors.into())
    }
}

/// The same question, however it is answered.
enum Wanted {
    List,
    Create(Map<String, Value>),
    Rename(WorkspaceId, Map<String, Value>),
    Archive(WorkspaceId),
    Unarchive(WorkspaceId),
}

pub fn run(loaded: &Loaded, asked: &Asked) -> Exit {
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

fn wanted(command: &WorkspaceCommand) -> Result<Wanted, Failed> {
    let named = |text: &str| asked::named(text).map_err(FieldErrors::from);
    let object = |pairs: &[(&str, Option<&str>)]| -> Map<String, Value> {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect()
    };
    Ok(match command {
        WorkspaceCommand::List(_) => Wanted::List,
        WorkspaceCommand::Create(create) => Wanted::Create(object(&[
            ("name", Some(&create.name)),
            ("title", create.title.as_deref()),
        ])),
        WorkspaceCommand::Rename(rename) => {
            let title = Some(rename.title.as_str()).filter(|title| !title.is_empty());
            Wanted::Rename(named(&rename.name)?, object(&[("title", title)]))
        }
        WorkspaceCommand::Archive(one) => Wanted::Archive(named(&one.name)?),
        WorkspaceCommand::Unarchive(one) => Wanted::Unarchive(named(&one.name)?),
    })
}

fn answered(loaded: &Loaded, wanted: &Wanted) -> Result<Value, Failed> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    match by_the_daemon(&address, wanted) {
        Err(Failed::Control(ControlError::NotRunning)) => {
            if !matches!(wanted, Wanted::Create(_)) {
                // Only a book that is there has workspaces; creating one makes a book.
                drop(address.open_reader(1)?);
            }
            actix::System::new().block_on(by_ourselves(&address, loaded, wanted))
        }
        done => done,
    }
}

fn by_the_daemon(address: &Address, wanted: &Wanted) -> Result<Value, Failed> {
    let socket = address.control_socket();
    let of = |name: &WorkspaceId, what: &str| format!("{ROUTE}/{}{what}", escaped(name.as_str()));
    let nothing = json!({});
    let answer = match wanted {
        Wanted::List => return listed(&socket),
        Wanted::Create(object) => control::post(&socket, ROUTE, &json!(object), WAIT),
        Wanted::Rename(name, object) => {
            control::patch(&socket, &of(name, ""), &json!(object), WAIT)
        }
        Wanted::Archive(name) => control::post(&socket, &of(name, "/archive"), &nothing, WAIT),
        Wanted::Unarchive(name) => control::post(&socket, &of(name, "/unarchive"), &nothing, WAIT),
    };
    understood(&answer?)
}

/// Page after page.
fn listed(socket: &std::path::Path) -> Result<Value, Failed> {
    let mut items = Vec::new();
    let mut route = ROUTE.to_owned();
    loop {
        let mut page = understood(&control::get(socket, &route, WAIT)?)?;
        if let Value::Array(more) = page["items"].take() {
            items.extend(more);
        }
        match page["next_after"].as_str() {
            Some(after) if items.len() < MOST_WORKSPACES => {
                route = format!("{ROUTE}?after={}", escaped(after));
            }
            _ => return Ok(json!({ "items": items })),
        }
    }
}

fn understood(answer: &Answer) -> Result<Value, Failed> {
    match serde_json::from_slice(&answer.body) {
        Ok(value) if answer.status < 300 => Ok(value),
        _ => Err(Failed::Answered {
            status: answer.status,
            said: answer.problem(),
        }),
    }
}

async fn by_ourselves(
    address: &Address,
    loaded: &Loaded,
    wanted: &Wanted,
) -> Result<Value, Failed> {
    let wall = wall_clock();
    let now = wall();
    let kept = offline::workspaces(address, loaded, system_clocks(wall)).await?;
    let done = here(&kept, loaded, now, wanted).await;
    kept.writer.close().await;
    done
}

async fn here(
    kept: &Kept,
    loaded: &Loaded,
    now: Timestamp,
    wanted: &Wanted,
) -> Result<Value, Failed> {
    let by = Context::of(Principal::operator(), Origin::default());
    let registrar = &kept.registrar;
    let held = match wanted {
        Wanted::List => {
            let scope = Scope::for_the_daemon();
            let held = kept.reader.holdings(&scope, None, MOST_WORKSPACES)?;
            return Ok(json!({"items": items(kept, loaded, now, &held)?}));
        }
        Wanted::Create(object) => {
            let asked = NewWorkspace::read(object.clone())?;
            registrar.create(asked, &by).await?
        }
        Wanted::Rename(name, object) => {
            let change = Change::Rename(asked::title(object.clone())?);
            registrar.change(name, change, now, &by).await?
        }
        Wanted::Archive(name) => registrar.change(name, Change::Archive, now, &by).await?,
        Wanted::Unarchive(name) => registrar.change(name, Change::Unarchive, now, &by).await?,
    };
    Ok(json!(items(kept, loaded, now, &[held])?.pop()))
}

fn items(
    kept: &Kept,
    loaded: &Loaded,
    now: Timestamp,
    held: &[Holding],
) -> Result<Vec<WorkspaceItem>, Failed> {
    let declared = loaded.settings.auth.declared();
    let ring = Keyring::after(&Keyring::default(), kept.reader.keys()?, &declared);
    let ring = ring.map_err(|clash| StorageError::Other(clash.to_string()))?;
    Ok(WorkspaceItem::each(held, &kept.retention, &ring, now))
}

const COLUMNS: [(&str, &str); 8] = [
    ("NAME", "name"),
    ("STATE", "state"),
    ("ENTRIES", "entries"),
    ("OLDEST", "oldest_ts"),
    ("NEWEST", "newest_ts"),
    ("DAYS", "retention.max_days"),
    ("KEYS", "keys"),
    ("TITLE", "title"),
];

fn tell(command: &WorkspaceCommand, answer: &Value) -> Exit {
    let name = answer["name"].as_str().unwrap_or_default();
    let done = match command {
        WorkspaceCommand::List(list) if list.json => {
            return output::print(format_args!("{:#}\n", answer["items"]));
        }
        WorkspaceCommand::List(_) => return output::print(table(&COLUMNS, &answer["items"])),
        WorkspaceCommand::Create(_) => "is there",
        WorkspaceCommand::Rename(_) => match answer["title"].as_str() {
            Some(title) => {
                output::complain(format_args!("the workspace {name} is called “{title}”"));
                return Exit::Ok;
            }
            None => "has no title",
        },
        WorkspaceCommand::Archive(_) => "is archived",
        WorkspaceCommand::Unarchive(_) => "takes entries",
    };
    output::complain(format_args!("the workspace {name} {done}"));
    Exit::Ok
}
