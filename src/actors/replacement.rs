//! How the LogWriter goes over to another book, in its order among all that it is told.

use super::log_writer::{Health, LogWriter};
use super::messages::BookReplaced;
use super::vital;
use crate::storage::{EntryReader, Replaced, Request, Staged, StorageError};
use actix::prelude::*;
use std::sync::Arc;
use tokio::sync::oneshot;

// Messages

/// Commit all that was sent before this, then go on in the staged book, with `record` as its newest entry.
pub struct Replace {
    pub with: Staged,
    pub record: Request,
    /// They read the same book.
    pub readers: Arc<dyn EntryReader>,
    pub answer: oneshot::Sender<Result<Replaced, StorageError>>,
}

impl Message for Replace {
    type Result = ();
}

// State

impl LogWriter {
    /// Whatever goes wrong, one of the two books is whole and in force, or the process ends.
    fn replace(&mut self, replace: Replace) {
        self.drain();
        let before = self.health.send_replace(Health::Replacing);
        let now = (self.clock)();
        let readers = Some(replace.readers.as_ref());
        let replaced = self
            .store()
            .replace(now, &replace.with, &replace.record, readers);
        match &replaced {
            Ok(done) => {
                self.metrics.last_seq.set(done.last_seq);
                // Before anything is committed to it, so that nobody takes that for what follows on the former one.
                self.teller.replaced(BookReplaced::by(done));
                log::info!("the book was replaced; its epoch is {}", done.epoch);
            }
            Err(error) if error.is_fatal() => vital::stop_on(error),
            Err(error) => log::warn!("the book was not replaced: {error}"),
        }
        self.health.send_replace(before);
        // Whoever asked may have gone away meanwhile.
        let _ = replace.answer.send(replaced);
    }
}

// Handlers

impl Handler<Replace> for LogWriter {
    type Result = ();

    fn handle(&mut self, replace: Replace, _: &mut Context<Self>) {
        if *self.health.borrow() == Health::Closed {
            let stopping = StorageError::Busy("the daemon is stopping".into());
            let _ = replace.answer.send(Err(stopping));
            return;
        }
        vital::guard("LogWriter", || self.replace(replace));
    }
}
