//! `daybook prune`: a run of retention by hand. The daemon that keeps the book does it, or this process
//! when there is none: two never both write.

use super::args::Prune;
use super::{Exit, output};
use crate::actors::halt::Reason;
use crate::actors::keeper::{How, Keeper, Status};
use crate::actors::{Refusal, offline, system_clocks, wall_clock};
use crate::client::control::{self, Answer, ControlError};
use crate::config::Loaded;
use crate::storage::{Address, StorageError};
use serde_json::{Value, json};
use std::time::Duration;

const ROUTE: &str = "/api/v1/activity/prune";
/// A large run takes its time, in small steps.
const WAIT: Duration = Duration::from_secs(3600);

#[derive(Debug, thiserror::Error)]
enum PruneError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Control(#[from] ControlError),
    #[error("{0}")]
    Answered(String),
}

impl PruneError {
    fn exit(&self) -> Exit {
        match self {
            Self::Storage(error) | Self::Refused(Refusal::Storage(error)) => Exit::from(error),
            Self::Refused(_) => Exit::Temporary,
            Self::Control(_) => Exit::Io,
            Self::Answered(_) => Exit::Software,
        }
    }
}

/// What came of it, whoever did it.
struct Outcome {
    removed: u64,
    oldest_kept: Option<String>,
    /// Why it was held back.
    halted: Option<String>,
}

pub fn run(loaded: &Loaded, asked: &Prune) -> Exit {
    match prune(loaded, asked) {
        Ok(outcome) => tell(&outcome, asked),
        Err(error) => {
            output::complain(&error);
            error.exit()
        }
    }
}

fn prune(loaded: &Loaded, asked: &Prune) -> Result<Outcome, PruneError> {
    let address = Address::parse(loaded.settings.storage.url.as_str())?;
    match by_the_daemon(&address, asked) {
        Err(PruneError::Control(ControlError::NotRunning)) => {
            // Only a book that is there is pruned.
            drop(address.open_reader(1)?);
            actix::System::new().block_on(by_ourselves(&address, loaded, asked))
        }
        done => done,
    }
}

fn by_the_daemon(address: &Address, asked: &Prune) -> Result<Outcome, PruneError> {
    let socket = address.control_socket();
    let ask = |body: Value| {
        let answer = control::post(&socket, ROUTE, &body, WAIT)?;
        understood(&answer)
    };
    if asked.confirm {
        return ask(json!({"confirm": true}));
    }
    let dry = ask(json!({"dry_run": true}))?;
    if asked.dry_run || dry.halted.is_some() {
        return Ok(dry);
    }
    ask(json!({"confirm": true}))
}

fn understood(answer: &Answer) -> Result<Outcome, PruneError> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let removed = body["removed"]
        .as_u64()
        .or_else(|| body["would_remove"].as_u64());
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    match removed {
        Some(removed) if answer.status == 200 => Ok(Outcome {
            removed,
            oldest_kept: text("oldest_kept_ts"),
            halted: text("reason"),
        }),
        _ => Err(PruneError::Answered(answer.problem())),
    }
}

async fn by_ourselves(
    address: &Address,
    loaded: &Loaded,
    asked: &Prune,
) -> Result<Outcome, PruneError> {
    let clocks = system_clocks(wall_clock());
    let now = clocks();
    let (keeper, writer) = offline::open(address, loaded, clocks).await?;
    let done = run_here(&keeper, now, asked).await;
    writer.close().await;
    let status = done?;
    Ok(Outcome {
        removed: status.removed,
        oldest_kept: status.oldest_kept.map(|ts| ts.to_string()),
        halted: status.halted.map(Reason::as_str).map(str::to_owned),
    })
}

async fn run_here(
    keeper: &Keeper,
    now: crate::domain::clock::Moment,
    asked: &Prune,
) -> Result<Status, Refusal> {
    let dry = keeper.dry_run(now, None).await?;
    if asked.dry_run || (dry.halted.is_some() && !asked.confirm) {
        return Ok(dry);
    }
    keeper.run_once(now, How::Confirmed(None, None)).await
}

fn tell(outcome: &Outcome, asked: &Prune) -> Exit {
    let Outcome {
        removed,
        oldest_kept,
        halted,
    } = outcome;
    let held_back = halted.is_some() && !asked.confirm;
    let verb = if asked.dry_run || held_back {
        "would be removed"
    } else {
        "removed"
    };
    let mut text = format!("{removed} entries {verb}");
    if let Some(oldest) = oldest_kept {
        text += &format!(", the oldest that stays is of {oldest}");
    }
    if let Some(reason) = halted.as_ref().filter(|_| held_back) {
        text += &format!("\nheld back: {reason}; --confirm removes them all the same");
    }
    match output::print(text + "\n") {
        Exit::Ok if held_back => Exit::Found,
        exit => exit,
    }
}
