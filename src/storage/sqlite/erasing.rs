//! The writer's steps of an erasure: a few rows at a time, then whatever beside the rows may still hold the
//! name: freed pages, and the WAL.

use super::checkpoint;
use super::erasures::{self, Waiting};
use super::writer::SqliteWriter;
use crate::access::Scope;
use crate::domain::{Erasure, Timestamp};
use crate::storage::{EntryWriter, Erased, ErasureStep, Request, StorageError};

impl SqliteWriter {
    pub(super) fn erase_at_once(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        actor: &str,
        record: &Request,
    ) -> Result<Erased, StorageError> {
        self.count_all()?;
        let upto = self.head().last_seq;
        let (entries, receipts, waiting) = self.settled(|transaction| {
            let entries = transaction.erase(scope, actor)?;
            let told = Erased { entries, upto }.told_in(record);
            let receipts = transaction.request(now, &told)?;
            Ok((entries, receipts, erasures::waiting(transaction.conn)?))
        })?;
        self.tally.add_committed(&record.entries, &receipts);
        self.erasures = waiting;
        Ok(Erased { entries, upto })
    }

    pub(super) fn erase_a_step(&mut self, limit: usize) -> Result<ErasureStep, StorageError> {
        // Rows of all of them before the end of any: the WAL is emptied once.
        let with_rows = self.erasures.iter().find(|one| !one.is_in_no_row());
        if let Some(one) = with_rows.cloned() {
            let (blanked, waiting) = self.a_step(|transaction| {
                let blanked = transaction.erase_rows(&one, limit)?;
                Ok((blanked, erasures::waiting(transaction.conn)?))
            })?;
            self.erasures = waiting;
            return Ok(ErasureStep {
                blanked,
                more: true,
                held_up: false,
            });
        }
        if self.erasures.is_empty() {
            return Ok(ErasureStep::default());
        }
        self.end_erasures()
    }

    fn end_erasures(&mut self) -> Result<ErasureStep, StorageError> {
        let more_pages = self.give_pages_back()?;
        let is_held_up = !more_pages && !checkpoint::empty_wal(&mut self.conn)?;
        if more_pages || is_held_up {
            return Ok(ErasureStep {
                blanked: 0,
                more: true,
                held_up: is_held_up,
            });
        }
        let ended = std::mem::take(&mut self.erasures);
        let forgotten = self.settled(|transaction| {
            ended
                .iter()
                .try_for_each(|one| transaction.forget_erasure(one))
        });
        if forgotten.is_err() {
            self.erasures = ended;
        }
        forgotten.map(|()| ErasureStep::default())
    }

    /// Whoever waits to be forgotten.
    pub(super) fn waiting_names(&self) -> Vec<Erasure> {
        let waiting = self.erasures.iter().filter(|one| !one.is_in_no_row());
        waiting.map(|one: &Waiting| one.erasure.clone()).collect()
    }
}
