//! The Registry: it alone creates workspaces by name, gives them titles and archives them, one at a time. Which
//! are archived everybody reads without it; that nothing goes into such a one the writer sees to.

pub mod asked;
pub mod registrar;

pub use asked::NewWorkspace;
pub use registrar::{Change, NotDone, Registrar, remembered};

use super::context::Context as Caller;
use super::messages::BookReplaced;
use super::{Clock, Refusal};
use crate::domain::{Holding, WorkspaceId};
use actix::prelude::*;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::watch;

/// The workspaces that take no new entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archived(BTreeSet<WorkspaceId>);

/// One state of it.
pub type Standing = Arc<Archived>;

impl Archived {
    pub fn of(names: impl IntoIterator<Item = WorkspaceId>) -> Self {
        Self(names.into_iter().collect())
    }

    pub fn holds(&self, name: &str) -> bool {
        // Most books have none.
        !self.0.is_empty() && self.0.contains(&WorkspaceId::trusted(name))
    }

    /// Answers whether that changes anything.
    pub fn set(&mut self, name: &WorkspaceId, is_archived: bool) -> bool {
        match is_archived {
            true => self.0.insert(name.clone()),
            false => self.0.remove(name),
        }
    }
}

// Messages

pub struct Create {
    pub asked: NewWorkspace,
    pub by: Caller,
}

impl Message for Create {
    type Result = Result<Holding, NotDone>;
}

pub struct Alter {
    pub name: WorkspaceId,
    pub change: Change,
    pub by: Caller,
}

impl Message for Alter {
    type Result = Result<Holding, NotDone>;
}

// The way to it

/// The way to the actor, and what is archived, which anybody reads without it.
#[derive(Clone)]
pub struct Workspaces {
    addr: Addr<Registry>,
    archived: watch::Receiver<Standing>,
}

impl Workspaces {
    pub fn start(registrar: Registrar, clock: Clock) -> Self {
        let archived = registrar.standing();
        let registrar = Rc::new(registrar);
        let addr = Registry { registrar, clock }.start();
        Self { addr, archived }
    }

    pub fn is_archived(&self, name: &WorkspaceId) -> bool {
        self.archived.borrow().holds(name.as_str())
    }

    pub fn addr(&self) -> &Addr<Registry> {
        &self.addr
    }

    pub async fn ask<M>(&self, message: M) -> Result<Holding, NotDone>
    where
        M: Message<Result = Result<Holding, NotDone>> + Send + 'static,
        Registry: Handler<M>,
    {
        match self.addr.send(message).await {
            Ok(done) => done,
            Err(_) => Err(Refusal::Stopping.into()),
        }
    }
}

// State

pub struct Registry {
    registrar: Rc<Registrar>,
    clock: Clock,
}

// Handlers

impl Actor for Registry {
    type Context = Context<Self>;
}

impl Handler<Create> for Registry {
    type Result = AtomicResponse<Self, Result<Holding, NotDone>>;

    fn handle(&mut self, Create { asked, by }: Create, _: &mut Context<Self>) -> Self::Result {
        let registrar = Rc::clone(&self.registrar);
        let created = async move { registrar.create(asked, &by).await };
        AtomicResponse::new(Box::pin(created.into_actor(self)))
    }
}

impl Handler<Alter> for Registry {
    type Result = AtomicResponse<Self, Result<Holding, NotDone>>;

    fn handle(&mut self, alter: Alter, _: &mut Context<Self>) -> Self::Result {
        let (registrar, now) = (Rc::clone(&self.registrar), (self.clock)());
        let Alter { name, change, by } = alter;
        let altered = async move { registrar.change(&name, change, now, &by).await };
        AtomicResponse::new(Box::pin(altered.into_actor(self)))
    }
}

impl Handler<BookReplaced> for Registry {
    type Result = ();

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) {
        if let Err(error) = self.registrar.read_again() {
            log::error!("the workspaces of the restored book could not be read: {error}");
        }
    }
}
