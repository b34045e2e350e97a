//! The way to Discovery: whoever has it asks without knowing whether the actor was started anew meanwhile.

use super::{Alive, Discovery, Do, Doing, Done, Listening, NotDone, Parts, Reload};
use crate::actors::context::Context as Caller;
use crate::actors::messages::BookReplaced;
use crate::actors::{Health, Refusal};
use crate::storage::StorageError;
use actix::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether the actor lives, and how long it may take to say so.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Devices {
    addr: watch::Receiver<Addr<Discovery>>,
    /// What the next one is started with.
    parts: watch::Sender<Parts>,
}

impl Devices {
    /// Reads the devices and starts the actor; one that panicked is started anew.
    pub fn start(parts: Parts) -> Result<Self, StorageError> {
        let (tell, addr) = watch::channel(Discovery::open(parts.clone())?);
        let (parts, held) = watch::channel(parts);
        actix::spawn(keep_alive(held, tell));
        Ok(Self { addr, parts })
    }

    pub async fn ask<M>(&self, message: M) -> Result<M::Result, NotDone>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        Discovery: Handler<M>,
    {
        let addr = self.addr.borrow().clone();
        let answer = addr.send(message).await;
        answer.map_err(|_| Refusal::Stopping.into())
    }

    pub async fn run(&self, what: Doing, by: Option<Caller>) -> Result<Done, NotDone> {
        self.ask(Do { what, by }).await?
    }

    /// The configuration was read again.
    pub async fn reload(&self, reload: Reload) -> Result<(), NotDone> {
        self.parts.send_modify(|parts| {
            parts.settings.announce = reload.announce;
            parts.settings.browse.clone_from(&reload.browse);
        });
        self.ask(reload).await
    }

    /// Where the daemon listens: what it may announce.
    pub async fn listening(&self, at: Vec<SocketAddr>) -> Result<(), NotDone> {
        self.parts
            .send_modify(|parts| parts.listening.clone_from(&at));
        self.ask(Listening(at)).await
    }

    /// Whoever is told that the book is another one.
    pub fn told(&self) -> Recipient<BookReplaced> {
        Relay(self.addr.clone()).start().recipient()
    }
}

/// Passes on to whichever actor it is now.
struct Relay(watch::Receiver<Addr<Discovery>>);

impl Actor for Relay {
    type Context = Context<Self>;
}

impl Handler<BookReplaced> for Relay {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, replaced: BookReplaced, _: &mut Context<Self>) -> Self::Result {
        let addr = self.0.borrow().clone();
        // One that is gone reads the book when it is started anew.
        Box::pin(async move { addr.send(replaced).await.unwrap_or(()) })
    }
}

/// For as long as somebody has the way to it.
async fn keep_alive(parts: watch::Receiver<Parts>, tell: watch::Sender<Addr<Discovery>>) {
    let mut stopped = false;
    while !tell.is_closed() && !stopped {
        tokio::time::sleep(ALIVE_EVERY).await;
        let addr = tell.borrow().clone();
        let answer = tokio::time::timeout(PATIENCE, addr.send(Alive)).await;
        let parts = parts.borrow().clone();
        stopped = parts.writer.health() == Health::Closed;
        if stopped || !matches!(answer, Ok(Err(_))) {
            continue;
        }
        log::error!("what watches the devices ended; it is started anew");
        match Discovery::open(parts) {
            Ok(addr) => drop(tell.send_replace(addr)),
            Err(error) => log::error!("the devices could not be read: {error}"),
        }
    }
}
