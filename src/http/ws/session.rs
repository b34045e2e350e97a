//! One session of the live stream, without I/O: what comes in, what goes out, what is to be read.
//!
//! It is *live*, and passes on what the hub sends, or *replaying*: then it reads pages and only remembers the
//! newest number that it heard of. It changes over when its page reaches that number, and falls back when it
//! missed anything. So nothing is left out and nothing comes twice.

use crate::access::scope::Refused;
use crate::access::{Principal, Scope};
use crate::actors::event_hub::{Batch, frame};
use crate::domain::live::{Event, Subscribe};
use crate::domain::{
    Epoch, FieldError, FieldErrors, Filter, Page, Rules, Seq, Timestamp, WorkspaceId,
};
use bytestring::ByteString;

/// What the socket is to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Send(ByteString),
    /// Read a page and bring it back with its ticket.
    Read(Box<Reading>),
    /// Say goodbye and close; nothing comes after it.
    Close(Goodbye),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    Stopping,
    /// What it was greeted with is not in force any more, and so whoever follows starts over.
    AnotherBook,
}

/// What the hub says when it knows a session: it sends what comes after this number of this book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub last_seq: Seq,
    pub epoch: Epoch,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub scope: Scope,
    pub filter: Filter,
    pub after: Seq,
    pub ticket: u64,
}

pub struct Session {
    principal: Principal,
    scope: Scope,
    filter: Filter,
    state: State,
    /// Of the book that it follows, and of no other.
    epoch: Epoch,
    /// The newest number that it was told of.
    newest: Seq,
    replay_limit: u64,
    /// Counts readings, so that a page of a former subscription is known as such.
    ticket: u64,
    /// What the client said before it was greeted; it is answered after that. A client that says much is cut
    /// off long before this grows large.
    early: Vec<String>,
    /// Goodbye is to be said once it was told everything.
    is_stopping: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is sent before the hello.
    Opening,
    /// Everything up to `heard` is dealt with.
    Live { heard: Seq },
    /// Everything up to `after` is dealt with; a reading is under way.
    Replaying { after: Seq, sent: u64, asked: bool },
    /// It said goodbye.
    Over,
}

impl Session {
    /// Until it subscribes, it gets everything that its principal may see.
    pub fn new(principal: Principal, epoch: Epoch, replay_limit: u64) -> Self {
        Self {
            scope: Scope::widest(&principal),
            principal,
            filter: Filter::default(),
            state: State::Opening,
            epoch,
            newest: 0,
            replay_limit,
            ticket: 0,
            early: Vec::new(),
            is_stopping: false,
        }
    }

    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The hub knows it. The greeting was made when the book stood at `upto`; what was recorded between the two
    /// is read.
    pub fn welcomed(
        &mut self,
        known: Known,
        upto: Seq,
        hello: Event,
        now: Timestamp,
        rules: &Rules,
    ) -> Vec<Step> {
        if known.epoch != self.epoch {
            return self.over(Goodbye::AnotherBook);
        }
        self.newest = upto;
        self.state = State::Live { heard: upto };
        let mut steps = vec![send(&hello)];
        steps.extend(self.nudged(known.last_seq));
        for text in std::mem::take(&mut self.early) {
            steps.extend(self.asked(&text, now, rules));
        }
        steps
    }

    pub fn asked(&mut self, text: &str, now: Timestamp, rules: &Rules) -> Vec<Step> {
        match self.state {
            State::Opening => {
                self.early.push(text.to_owned());
                return Vec::new();
            }
            State::Over => return Vec::new(),
            State::Live { .. } | State::Replaying { .. } => {}
        }
        match self.subscription(text, now, rules) {
            Ok((scope, filter, after)) => self.subscribed(scope, filter, after),
            Err(error) => vec![send(&Event::error(error))],
        }
    }

    /// Something came that is no message. Before the greeting nothing is said of it.
    pub fn misspoken(&self, error: FieldError) -> Vec<Step> {
        match self.state {
            State::Opening | State::Over => Vec::new(),
            _ => vec![send(&Event::error(error))],
        }
    }

    fn subscription(
        &self,
        text: &str,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<(Scope, Filter, Option<Seq>), FieldError> {
        let asked = Subscribe::parse(text)?;
        let (workspaces, parameters): (Vec<_>, Vec<_>) = asked
            .filters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .partition(|(name, _)| *name == "workspace_id");
        let workspace = match workspaces.as_slice() {
            [] => None,
            [(_, one)] => Some(*one),
            _ => return Err(FieldError::new("workspace_id", "must be given once")),
        };
        let first = |errors: FieldErrors| errors.as_slice()[0].clone();
        let scope = Scope::of(&self.principal, workspace).map_err(|refused| match refused {
            Refused::Wrong(errors) => first(errors),
            foreign @ Refused::Foreign => FieldError::new("workspace_id", foreign.to_string()),
        })?;
        let filter = Filter::from_parameters(parameters, now, rules).map_err(first)?;
        Ok((scope, filter, asked.after_seq))
    }

    fn subscribed(&mut self, scope: Scope, filter: Filter, after: Option<Seq>) -> Vec<Step> {
        self.scope = scope;
        self.filter = filter;
        self.ticket += 1;
        let mut steps = vec![send(&Event::Subscribed)];
        match after {
            Some(after) => {
                self.state = State::Replaying {
                    after,
                    sent: 0,
                    asked: true,
                };
                steps.push(self.reading(after));
            }
            None => self.state = State::Live { heard: self.newest },
        }
        steps
    }

    /// A group was recorded.
    pub fn recorded(&mut self, batch: &Batch) -> Vec<Step> {
        self.newest = self.newest.max(batch.last_seq);
        let State::Live { heard } = self.state else {
            return Vec::new();
        };
        if batch.last_seq <= heard {
            return Vec::new();
        }
        if batch.first_seq > heard + 1 {
            return self.fall_back(heard);
        }
        self.state = State::Live {
            heard: batch.last_seq,
        };
        let wanted = batch.items.iter().filter(|item| {
            self.scope.covers(&item.entry.workspace_id) && self.filter.matches(&item.entry)
        });
        wanted.map(|item| Step::Send(item.frame.clone())).collect()
    }

    /// A group was recorded, and there is no room for it now: only where it ends is remembered.
    pub fn passed_over(&mut self, batch: &Batch) {
        self.newest = self.newest.max(batch.last_seq);
    }

    /// There is room again, for what was passed over.
    pub fn caught_up(&mut self) -> Vec<Step> {
        self.nudged(self.newest)
    }

    /// The book stands at this number.
    pub fn nudged(&mut self, last_seq: Seq) -> Vec<Step> {
        self.newest = self.newest.max(last_seq);
        match self.state {
            State::Live { heard } if heard < last_seq => self.fall_back(heard),
            _ => Vec::new(),
        }
    }

    pub fn published(&self, frame: &ByteString, workspace: Option<&WorkspaceId>) -> Vec<Step> {
        let is_heard = !matches!(self.state, State::Opening | State::Over);
        if is_heard && workspace.is_none_or(|workspace| self.scope.covers(workspace)) {
            vec![Step::Send(frame.clone())]
        } else {
            Vec::new()
        }
    }

    /// A page came back; `None` when reading failed.
    pub fn page_read(&mut self, ticket: u64, page: Option<&Page>) -> Vec<Step> {
        let mut steps = self.replayed(ticket, page);
        if self.is_stopping && matches!(self.state, State::Live { .. }) {
            steps.extend(self.stopping());
        }
        steps
    }

    fn replayed(&mut self, ticket: u64, page: Option<&Page>) -> Vec<Step> {
        let State::Replaying { after, sent, asked } = self.state else {
            return Vec::new();
        };
        if ticket != self.ticket {
            return Vec::new();
        }
        let Some(page) = page else {
            // It goes on by pages over HTTP, or subscribes anew.
            return self.lag(after, self.newest);
        };
        if page.epoch != self.epoch {
            return self.over(Goodbye::AnotherBook);
        }
        let mut steps: Vec<Step> = page
            .items
            .iter()
            .map(|item| Step::Send(frame(item.seq, &item.entry)))
            .collect();
        let sent = sent + page.items.len() as u64;
        // One that asks from beyond the end of the book goes live at its end.
        let reached = page.next_after_seq.unwrap_or(page.upto);
        if page.next_after_seq.is_none() && reached >= self.newest {
            self.newest = reached;
            self.state = State::Live { heard: reached };
            if asked {
                let live_from_seq = reached + 1;
                steps.push(send(&Event::Live { live_from_seq }));
            }
        } else if sent >= self.replay_limit {
            let newest = self.newest.max(page.upto);
            steps.extend(self.lag(reached, newest));
        } else {
            self.state = State::Replaying {
                after: reached,
                sent,
                asked,
            };
            self.ticket += 1;
            steps.push(self.reading(reached));
        }
        steps
    }

    /// What was recorded before comes before the goodbye; the hub does not wait for it for long.
    pub fn stopping(&mut self) -> Vec<Step> {
        self.is_stopping = true;
        let behind = self.caught_up();
        match self.state {
            State::Over => Vec::new(),
            State::Replaying { .. } => behind,
            State::Opening | State::Live { .. } => {
                let mut steps = vec![send(&Event::ServerShuttingDown)];
                steps.extend(self.over(Goodbye::Stopping));
                steps
            }
        }
    }

    fn over(&mut self, goodbye: Goodbye) -> Vec<Step> {
        self.state = State::Over;
        vec![Step::Close(goodbye)]
    }

    fn fall_back(&mut self, after: Seq) -> Vec<Step> {
        self.state = State::Replaying {
            after,
            sent: 0,
            asked: false,
        };
        self.ticket += 1;
        vec![self.reading(after)]
    }

    /// Too much to catch up with: what lies between is read as pages, and the session goes live.
    fn lag(&mut self, after: Seq, newest: Seq) -> Vec<Step> {
        self.newest = newest.max(after);
        self.state = State::Live { heard: self.newest };
        let missed = (self.newest - after).unsigned_abs();
        vec![
            send(&Event::Lagged {
                missed,
                resume_after_seq: after,
            }),
            send(&Event::Live {
                live_from_seq: self.newest + 1,
            }),
        ]
    }

    fn reading(&self, after: Seq) -> Step {
        Step::Read(Box::new(Reading {
            scope: self.scope.clone(),
            filter: self.filter.clone(),
            after,
            ticket: self.ticket,
        }))
    }
}

fn send(event: &Event) -> Step {
    Step::Send(event.frame().into())
}
