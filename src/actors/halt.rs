//! A run of retention that is held back: why, since when, and when it is over by itself. Kept in the book,
//! so that a restart neither forgets it nor records it again.

use crate::domain::clock::{BELIEVED_AFTER, Moment};
use crate::domain::{Act, Emitted};
use crate::storage::{EntryReader, Request, StorageError};
use std::fmt;
use std::time::Duration;

/// Under which name the book keeps it.
const SETTING: &str = "pruner.halt";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The wall clock moved by more than an hour against the time that passed.
    ClockJumped,
    /// More than half of the book would go by age alone.
    MoreThanHalf,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClockJumped => "clock_jumped",
            Self::MoreThanHalf => "more_than_half",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::ClockJumped, Self::MoreThanHalf]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// For people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClockJumped => "the clock jumped by more than an hour",
            Self::MoreThanHalf => "more than half of the book would go by its age",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    pub reason: Reason,
    pub is_recorded: bool,
    /// By the time that passes, in this process.
    since: Duration,
}

impl Halt {
    pub fn new(reason: Reason, now: Moment) -> Self {
        Self {
            reason,
            is_recorded: false,
            since: now.passed,
        }
    }

    /// What the book remembers. What a process before this one saw of the clocks does not count.
    pub fn kept(reader: &dyn EntryReader, now: Moment) -> Result<Option<Self>, StorageError> {
        let kept = reader.settings(SETTING)?.pop();
        let reason = kept.and_then(|(_, value)| serde_json::from_str::<String>(&value).ok());
        let reason = reason.as_deref().and_then(Reason::parse);
        Ok(reason.map(|reason| Self {
            is_recorded: true,
            ..Self::new(reason, now)
        }))
    }

    /// The clocks have agreed for long enough: each jump begins a halt anew.
    pub fn is_over(&self, now: Moment) -> bool {
        now.passed.saturating_sub(self.since) >= BELIEVED_AFTER
    }

    /// What is committed when it begins.
    pub fn recorded(&self, would_remove: u64) -> Request {
        let reason = self.reason;
        let own = Emitted::ActivityLogPruneHalted
            .says(format!("Pruning is held back: {reason}"))
            .with("reason", reason.as_str())
            .with("would_remove", would_remove);
        Request {
            acts: vec![Act::PutSetting {
                key: SETTING.to_owned(),
                value: format!("\"{}\"", reason.as_str()),
            }],
            entries: vec![own.by_system()],
        }
    }

    /// What is committed when it ends.
    pub fn forgotten() -> Act {
        Act::DeleteSetting {
            key: SETTING.to_owned(),
        }
    }
}
