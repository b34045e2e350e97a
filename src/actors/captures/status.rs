//! How a capture stands: what it tells of itself, and what is told of it to whoever asks.

use crate::actors::Clock;
use crate::config::Capture;
use crate::domain::Timestamp;
use crate::telemetry::{CaptureNumbers, Why};
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Running,
    Stopped,
    /// It broke, and is tried again by itself.
    Failed,
    /// It is in order and cannot go on: what it reads is not there, or the book takes nothing.
    Waiting,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Standing {
    state: State,
    since: Timestamp,
    reason: Option<String>,
    /// Where it can be reached.
    listening: Vec<String>,
    /// It was told to start, and nothing is known of it yet.
    starting: bool,
}

/// What a capture tells of itself. A clone is a handle on the same.
#[derive(Clone)]
pub struct Told {
    standing: Arc<watch::Sender<Standing>>,
    pub numbers: CaptureNumbers,
    clock: Clock,
}

impl Told {
    pub fn new(numbers: CaptureNumbers, clock: Clock) -> Self {
        numbers.running.set(0);
        let standing = Standing {
            state: State::Stopped,
            since: clock(),
            reason: None,
            listening: Vec::new(),
            starting: false,
        };
        Self {
            standing: Arc::new(watch::Sender::new(standing)),
            numbers,
            clock,
        }
    }

    pub fn begins(&self) {
        self.standing
            .send_modify(|standing| standing.starting = true);
    }

    pub fn running(&self, listening: Vec<String>) {
        self.standing
            .send_modify(|standing| standing.listening = listening);
        self.set(State::Running, None);
    }

    /// Again, after it waited.
    pub fn goes_on(&self) {
        self.set(State::Running, None);
    }

    pub fn waiting(&self, reason: &str) {
        self.set(State::Waiting, Some(reason.to_owned()));
    }

    pub fn failed(&self, reason: &str) {
        self.standing
            .send_modify(|standing| standing.listening.clear());
        self.set(State::Failed, Some(reason.to_owned()));
    }

    pub fn stopped(&self) {
        self.standing
            .send_modify(|standing| standing.listening.clear());
        self.set(State::Stopped, None);
    }

    fn set(&self, state: State, reason: Option<String>) {
        let since = (self.clock)();
        let is_up = matches!(state, State::Running | State::Waiting);
        self.numbers.running.set(i64::from(is_up));
        self.standing.send_if_modified(|standing| {
            let changes = standing.starting || standing.state != state || standing.reason != reason;
            if standing.state != state {
                standing.since = since;
            }
            standing.state = state;
            standing.reason = reason;
            standing.starting = false;
            changes
        });
    }
}

/// One capture, for whoever asks.
#[derive(Clone)]
pub struct Listed {
    pub config: Arc<Capture>,
    standing: watch::Receiver<Standing>,
    numbers: CaptureNumbers,
}

/// Since the daemon started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    pub received: u64,
    pub recorded: u64,
    pub cut: u64,
    pub rejected: u64,
    pub bytes: u64,
    pub dropped: [u64; 4],
}

impl Listed {
    pub fn of(config: Arc<Capture>, told: &Told) -> Self {
        Self {
            config,
            standing: told.standing.subscribe(),
            numbers: told.numbers.clone(),
        }
    }

    /// Comes back when it is known what came of its start.
    pub async fn settled(&self) {
        let mut standing = self.standing.clone();
        // Nobody tells any more when its sender is gone.
        let _ = standing.wait_for(|standing| !standing.starting).await;
    }

    pub fn state(&self) -> State {
        self.standing.borrow().state
    }

    pub fn since(&self) -> Timestamp {
        self.standing.borrow().since
    }

    pub fn reason(&self) -> Option<String> {
        self.standing.borrow().reason.clone()
    }

    pub fn listening(&self) -> Vec<String> {
        self.standing.borrow().listening.clone()
    }

    pub fn counters(&self) -> Counters {
        let numbers = &self.numbers;
        Counters {
            received: numbers.received.get(),
            recorded: numbers.recorded.get(),
            cut: numbers.cut.get(),
            rejected: numbers.rejected.get(),
            bytes: numbers.bytes.get(),
            dropped: Why::ALL.map(|why| numbers.dropped(why).get()),
        }
    }
}
