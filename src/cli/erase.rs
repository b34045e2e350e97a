//! `daybook erase`: forgets somebody. The daemon that keeps the book does it, or this process when there is
//! none: two never both write.

use super::args::Erase;
use super::{Exit, output};
use crate::access::{Principal, Scope};
use crate::actors::backups::Shelf;
use crate::actors::keeper::{Forget, Forgotten, Keeper};
use crate::actors::{Refusal, offline, system_clocks, wall_clock};
use crate::client::control::{self, Answer, ControlError};
use crate::config::Loaded;
use crate::domain::FieldError;
use crate::domain::erasure::checked_name;
use crate::storage::{Address, StorageError};
use serde_json::Value;
use std::time::Duration;

/// All of a large book is read for it, in small steps.
const WAIT: Duration = Duration::from_secs(3600);

#[derive(Debug, thiserror::Error)]
enum EraseError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Control(#[from] ControlError),
    #[error("{0}")]
    Answered(String),
    #[error("{0}")]
    Wrong(String),
    #[error("the backups could not be listed: {0}")]
    Shelf(std::io::Error),
}

impl EraseError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) | Self::Refused(Refusal::Storage(error)) => Exit::from(error),
            Self::Refused(_) => Exit::Temporary,
            Self::Control(_) | Self::Shelf(_) => Exit::Io,
            Self::Answered(_) => Exit::Software,
            Self::Wrong(_) => Exit::Usage,
        }
    }
}

impl From<FieldError> for EraseError {
    fn from(error: FieldError) -> Self {
        Self::Wrong(format!("{} {}", error.field, error.reason))
    }
}

/// What came of it, whoever did it.
struct Outcome {
    entries: u64,
    blanked: u64,
    finished: bool,
    backups: Vec<String>,
}

pub fn run(loaded: &Loaded, asked: &Erase) -> Exit {
    if !asked.dry_run && !asked.confirm {
        output::complain(
            "nothing was erased: say --dry-run or --confirm, since it cannot be taken back",
        );
        return Exit::Usage;
    }
    match erase(loaded, asked) {
        Ok(outcome) => tell(&outcome, asked),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn erase(loaded: &Loaded, asked: &Erase) -> Result<Outcome, EraseError> {
    let actor = checked_name(asked.actor.clone())?;
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    match by_the_daemon(&address, asked) {
        Err(EraseError::Control(ControlError::NotRunning)) => {
            // Only in a book that is there somebody can be erased.
            drop(address.open_reader(1)?);
            actix::System::new().block_on(by_ourselves(&address, loaded, asked, actor))
        }
        done => done,
    }
}

fn by_the_daemon(address: &Address, asked: &Erase) -> Result<Outcome, EraseError> {
    let mut target = format!(
        "/api/v1/activity/by-actor/{}?dry_run={}",
        control::escaped(&asked.actor),
        asked.dry_run
    );
    if let Some(workspace) = &asked.workspace {
        target += &format!("&workspace_id={}", control::escaped(workspace));
    }
    understood(&control::delete(&address.control_socket(), &target, WAIT)?)
}

fn understood(answer: &Answer) -> Result<Outcome, EraseError> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let numbers = body["entries"].as_u64().zip(body["blanked"].as_u64());
    let (Some((entries, blanked)), 200) = (numbers, answer.status) else {
        return Err(EraseError::Answered(answer.problem()));
    };
    let names = body["backups"].as_array().into_iter().flatten();
    Ok(Outcome {
        entries,
        blanked,
        finished: body["finished"] == true,
        backups: names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
    })
}

async fn by_ourselves(
    address: &Address,
    loaded: &Loaded,
    asked: &Erase,
    actor: String,
) -> Result<Outcome, EraseError> {
    let scope = Scope::of(&Principal::anonymous(), asked.workspace.as_deref())
        .map_err(|refused| EraseError::Wrong(refused.to_string()))?;
    let shelf = Shelf::new(&loaded.settings.backup.dir, address.file());
    let backups: Vec<String> = shelf
        .list()
        .map_err(EraseError::Shelf)?
        .into_iter()
        .map(|backup| backup.name.to_string())
        .collect();
    let (keeper, writer) = offline::open(address, loaded, system_clocks(wall_clock())).await?;
    let done = erase_here(&keeper, asked, scope, actor, backups.clone()).await;
    writer.close().await;
    let done = done?;
    Ok(Outcome {
        entries: done.entries,
        blanked: done.blanked,
        finished: done.finished,
        backups,
    })
}

async fn erase_here(
    keeper: &Keeper,
    asked: &Erase,
    scope: Scope,
    actor: String,
    backups: Vec<String>,
) -> Result<Forgotten, Refusal> {
    if asked.dry_run {
        return keeper.would_forget(scope, actor).await;
    }
    let forget = Forget {
        scope,
        actor,
        backups,
        by: None,
    };
    keeper.forget(forget).await
}

/// Without the name, which may end in somebody's terminal log.
fn tell(outcome: &Outcome, asked: &Erase) -> Exit {
    let Outcome {
        entries,
        blanked,
        finished,
        backups,
    } = outcome;
    let verb = if asked.dry_run {
        "would be blanked"
    } else {
        "blanked"
    };
    let mut text = format!("{blanked} entries {verb}, of {entries} of them that was the actor\n");
    if !asked.dry_run && !finished {
        text += "the files hold the name still; that goes on when the daemon starts\n";
    }
    if !backups.is_empty() {
        text += "backups that hold it still:\n";
        backups
            .iter()
            .for_each(|name| text += &format!("  {name}\n"));
    }
    output::print(text)
}
