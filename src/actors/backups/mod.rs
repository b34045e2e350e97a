//! The Backups actor: it makes copies of the whole book, on schedule and when asked to, and restores and
//! deletes them, one at a time. It sits on a thread of its own, since copying takes long.

mod failing;
pub mod shelf;
pub mod work;

pub use failing::Failing;
pub use shelf::{Backup, Shelf};
pub use work::{By, NotDone, Schedule, Status, Work};

use super::messages::BookReplaced;
use crate::domain::BackupName;
use crate::storage::Replaced;
use actix::prelude::*;
use std::rc::Rc;
use std::time::Duration;

/// How often it is looked whether a backup is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Who may wait while another backup is made.
const MAILBOX: usize = 8;

// Messages

pub struct Create(pub By);

impl Message for Create {
    type Result = Result<Backup, NotDone>;
}

pub struct Delete(pub BackupName, pub By);

impl Message for Delete {
    type Result = Result<(), NotDone>;
}

pub struct Restore(pub BackupName, pub By);

impl Message for Restore {
    type Result = Result<Replaced, NotDone>;
}

/// To itself: is one due?
struct Look;

impl Message for Look {
    type Result = ();
}

/// The way to the actor, and what can be asked without it.
#[derive(Clone)]
pub struct Backups {
    addr: Addr<Attendant>,
    shelf: Shelf,
}

impl Backups {
    /// `told` are those who must know when the book is another one, beside who is told of every entry: that one
    /// knows it from the LogWriter, before anything of the new book.
    pub fn start(work: Work, told: Vec<Recipient<BookReplaced>>) -> Self {
        let shelf = work.shelf.clone();
        let arbiter = Arbiter::new();
        let addr = Attendant::start_in_arbiter(&arbiter.handle(), move |_| Attendant {
            work: Rc::new(work),
            failing: Failing::default(),
            told,
        });
        Self { addr, shelf }
    }

    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    pub async fn create(&self, by: By) -> Result<Backup, NotDone> {
        self.ask(Create(by)).await
    }

    pub async fn delete(&self, name: BackupName, by: By) -> Result<(), NotDone> {
        self.ask(Delete(name, by)).await
    }

    pub async fn restore(&self, name: BackupName, by: By) -> Result<Replaced, NotDone> {
        self.ask(Restore(name, by)).await
    }

    /// Waits its turn; an attendant that is gone is busy for good.
    async fn ask<M, T>(&self, message: M) -> Result<T, NotDone>
    where
        M: Message<Result = Result<T, NotDone>> + Send + 'static,
        T: Send + 'static,
        Attendant: Handler<M>,
    {
        self.addr.send(message).await.unwrap_or(Err(NotDone::Busy))
    }
}

// State

pub struct Attendant {
    work: Rc<Work>,
    failing: Failing,
    told: Vec<Recipient<BookReplaced>>,
}

// Handlers

impl Actor for Attendant {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.work.clear_parts();
        if self.work.schedule.every.is_some() {
            ctx.notify(Look);
            ctx.run_interval(LOOK_EVERY, |_, ctx| ctx.notify(Look));
        }
    }
}

impl Handler<Create> for Attendant {
    type Result = AtomicResponse<Self, Result<Backup, NotDone>>;

    fn handle(&mut self, Create(by): Create, _: &mut Context<Self>) -> Self::Result {
        let work = Rc::clone(&self.work);
        AtomicResponse::new(Box::pin(
            async move { work.create(&by).await }.into_actor(self),
        ))
    }
}

impl Handler<Delete> for Attendant {
    type Result = AtomicResponse<Self, Result<(), NotDone>>;

    fn handle(&mut self, Delete(name, by): Delete, _: &mut Context<Self>) -> Self::Result {
        let work = Rc::clone(&self.work);
        AtomicResponse::new(Box::pin(
            async move { work.delete(name, &by).await }.into_actor(self),
        ))
    }
}

impl Handler<Restore> for Attendant {
    type Result = AtomicResponse<Self, Result<Replaced, NotDone>>;

    fn handle(&mut self, Restore(name, by): Restore, _: &mut Context<Self>) -> Self::Result {
        let (work, told) = (Rc::clone(&self.work), self.told.clone());
        let restored = async move {
            let replaced = work.restore(name, &by).await?;
            for one in told {
                // Whoever is gone has nothing to forget.
                let _ = one.send(BookReplaced::by(&replaced)).await;
            }
            Ok(replaced)
        };
        AtomicResponse::new(Box::pin(restored.into_actor(self)))
    }
}

impl Handler<Look> for Attendant {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Look, _: &mut Context<Self>) -> Self::Result {
        let work = Rc::clone(&self.work);
        // Nothing else comes until this has ended.
        let mut failing = std::mem::take(&mut self.failing);
        let looked = async move {
            let status = work.look(&mut failing).await;
            if let Some(made) = status.made {
                log::info!(
                    "made the backup {made}, and removed {} old ones",
                    status.removed.len()
                );
            }
            failing
        };
        let looked = looked.into_actor(self);
        AtomicResponse::new(Box::pin(
            looked.map(|failing, one, _| one.failing = failing),
        ))
    }
}
