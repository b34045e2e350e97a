//! A run of retention that is held back: why, since when, and when it is over by itself. Kept in the book,
//! so that neither a restart nor another book forgets it, and a restart does not record it again.

use crate::domain::clock::{BELIEVED_AFTER, Moment};
use crate::domain::{Act, Emitted};
use crate::storage::{EntryReader, Request, StorageError};
use serde_json::{Value, json};
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
    /// `activity_log.prune_halted` says it: a run has been held back.
    pub is_recorded: bool,
    /// The book remembers it.
    pub is_kept: bool,
    /// By the time that passes, in this process.
    since: Duration,
}

impl Halt {
    pub fn new(reason: Reason, now: Moment) -> Self {
        Self {
            reason,
            is_recorded: false,
            is_kept: false,
            since: now.passed,
        }
    }

    /// What the book remembers. What a process before this one saw of the clocks does not count.
    pub fn kept(reader: &dyn EntryReader, now: Moment) -> Result<Option<Self>, StorageError> {
        let kept = reader.settings(SETTING)?.pop();
        let kept = kept.and_then(|(_, value)| serde_json::from_str(&value).ok());
        Ok(kept.and_then(|kept| Self::parse(&kept, now)))
    }

    fn parse(kept: &Value, now: Moment) -> Option<Self> {
        // An older book has the reason alone, of a run that was held back.
        let reason = kept.get("reason").unwrap_or(kept).as_str()?;
        Some(Self {
            is_recorded: kept.get("recorded") != Some(&Value::Bool(false)),
            is_kept: true,
            ..Self::new(Reason::parse(reason)?, now)
        })
    }

    /// The same halt, where another book took the place of the one that remembered it; `kept` is what that one
    /// remembers.
    pub fn over(self, kept: Option<&Self>) -> Self {
        let same = kept.filter(|kept| kept.reason == self.reason);
        Self {
            is_recorded: same.is_some_and(|kept| kept.is_recorded),
            is_kept: same.is_some(),
            ..self
        }
    }

    /// One halt, whatever is known of it.
    pub fn is(&self, other: &Self) -> bool {
        (self.reason, self.since) == (other.reason, other.since)
    }

    /// The clocks have agreed for long enough: each jump begins a halt anew.
    pub fn is_over(&self, now: Moment) -> bool {
        now.passed.saturating_sub(self.since) >= BELIEVED_AFTER
    }

    /// What makes the book remember it.
    pub fn remembered(&self) -> Act {
        let value = json!({"reason": self.reason.as_str(), "recorded": self.is_recorded});
        Act::PutSetting {
            key: SETTING.to_owned(),
            value: value.to_string(),
        }
    }

    /// What is committed when it holds the first run back.
    pub fn recorded(&self, would_remove: u64) -> Request {
        let reason = self.reason;
        let own = Emitted::ActivityLogPruneHalted
            .says(format!("Pruning is held back: {reason}"))
            .with("reason", reason.as_str())
            .with("would_remove", would_remove);
        let recorded = Self {
            is_recorded: true,
            ..self.clone()
        };
        Request {
            acts: vec![recorded.remembered()],
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
