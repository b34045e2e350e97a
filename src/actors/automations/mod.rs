//! Automations: what is told to others when entries match. Here is what they are asked and the way to them; the
//! Dispatcher does it.

mod attempt;
mod body;
mod desk;
mod dispatcher;
mod held;
mod look;
mod recall;
mod rules;
mod sending;
mod telling;

pub use attempt::Tried;
pub use desk::{News, Parts};
pub use held::Shown;
pub use rules::{Change, NotDone};

use super::Refusal;
use super::context::Context as Caller;
use crate::config::DeclaredRule;
use actix::prelude::*;
use desk::Desk;
use dispatcher::Dispatcher;

// Messages

/// Create, change, switch or remove a rule.
pub struct Alter {
    pub change: Change,
    pub by: Caller,
}

impl Message for Alter {
    type Result = Result<Option<Shown>, NotDone>;
}

/// All of them, or the one of this name.
pub struct List(pub Option<String>);

impl Message for List {
    type Result = Result<Vec<Shown>, Refusal>;
}

/// Tell the receiver of this one something now.
pub struct Test(pub String);

impl Message for Test {
    type Result = Result<Tried, NotDone>;
}

/// The rules that the configuration declares now.
pub struct Declare(pub Vec<DeclaredRule>);

impl Message for Declare {
    type Result = Result<(), Refusal>;
}

/// End it.
pub struct Stop;

impl Message for Stop {
    type Result = ();
}

// The way to it

#[derive(Clone)]
pub struct Automations {
    addr: Addr<Dispatcher>,
}

impl Automations {
    /// On a thread of its own.
    pub fn start(parts: Parts, declared: Vec<DeclaredRule>, news: News) -> Result<Self, Refusal> {
        let newest = news.newest.clone();
        let desk = Desk::open(parts, declared, news)?;
        let arbiter = Arbiter::new();
        let addr =
            Dispatcher::start_in_arbiter(&arbiter.handle(), move |_| Dispatcher::new(desk, newest));
        Ok(Self { addr })
    }

    pub fn addr(&self) -> &Addr<Dispatcher> {
        &self.addr
    }

    pub async fn list(&self, name: Option<String>) -> Result<Vec<Shown>, Refusal> {
        self.addr
            .send(List(name))
            .await
            .map_err(|_| Refusal::Stopping)?
    }

    pub async fn alter(&self, change: Change, by: Caller) -> Result<Option<Shown>, NotDone> {
        let asked = self.addr.send(Alter { change, by }).await;
        asked.map_err(|_| Refusal::Stopping)?
    }

    pub async fn test(&self, name: String) -> Result<Tried, NotDone> {
        let asked = self.addr.send(Test(name)).await;
        asked.map_err(|_| Refusal::Stopping)?
    }

    pub async fn declare(&self, declared: Vec<DeclaredRule>) -> Result<(), Refusal> {
        let declared = self.addr.send(Declare(declared)).await;
        declared.map_err(|_| Refusal::Stopping)?
    }

    /// What is under way is left for the next start.
    pub async fn stop(&self) {
        // Gone already when the process is ending.
        let _ = self.addr.send(Stop).await;
    }
}
