//! What the LogWriter records of its own troubles: a clock that is behind the book, and a disk that is full.

use super::log_writer::{Health, LogWriter};
use super::vital;
use crate::domain::{Emitted, NewEntry, Timestamp};
use crate::storage::{Request, Reserve, StorageError};
use actix::prelude::*;

/// A clock that is set right by less than this is not worth an entry.
const TOLERATED_MICROS: i64 = 1_000_000;

/// What is held ready for bad days, and which of them it is already known to be.
#[derive(Debug, Default)]
pub struct BadDays {
    reserve: Option<Reserve>,
    clock_is_behind: bool,
}

/// Keep this room on the disk, and give it up to record that the disk is full.
pub struct KeepReserve(pub Reserve);

impl Message for KeepReserve {
    type Result = ();
}

impl LogWriter {
    /// The entry that the clock is behind, once for each time that it falls behind.
    pub(super) fn clock_fell_behind(&mut self, now: Timestamp) -> Option<Request> {
        let newest = self.store().head().last_ts;
        if now >= newest {
            self.bad_days.clock_is_behind = false;
            return None;
        }
        let behind = newest.micros().saturating_sub(now.micros());
        if self.bad_days.clock_is_behind || behind < TOLERATED_MICROS {
            return None;
        }
        let seconds = behind / 1_000_000;
        log::warn!("the clock is {seconds} s behind the newest entry");
        let message = format!("The clock is {seconds} s behind the newest entry of the book");
        let own = Emitted::ServerClockBehind.says(message);
        Some(alone(own.with("behind_seconds", seconds).by_system()))
    }

    pub(super) fn clock_was_noted(&mut self) {
        self.bad_days.clock_is_behind = true;
    }

    /// No space is left: what was kept for it is given up to say so.
    pub(super) fn is_full(&mut self) {
        self.set_health(Health::Full);
        let reserve = self.bad_days.reserve.as_mut();
        if !reserve.is_some_and(Reserve::give_up) {
            return;
        }
        let message = "The disk is full: entries are refused until there is room";
        let request = alone(Emitted::ServerStorageFull.says(message).by_system());
        let now = (self.clock)();
        // Not through `commit`: that there is this room does not mean that there is room.
        match self.store().commit(now, std::slice::from_ref(&request)) {
            Ok(receipts) => {
                let recorded = self.recorded_of(vec![request], &receipts);
                self.tell(recorded);
            }
            Err(error) if error.is_fatal() => vital::stop_on(&error),
            Err(error @ StorageError::Full) => {
                log::warn!("not even that the disk is full could be recorded: {error}");
            }
            Err(error) => log::warn!("that the disk is full was not recorded: {error}"),
        }
    }

    /// Makes the reserve again when there is room for it.
    pub(super) fn keep_reserve(&mut self) {
        let writable = *self.health.borrow() == Health::Writable;
        if let Some(reserve) = self.bad_days.reserve.as_mut().filter(|_| writable) {
            reserve.take();
        }
    }
}

fn alone(entry: NewEntry) -> Request {
    Request {
        acts: Vec::new(),
        entries: vec![entry],
    }
}

impl Handler<KeepReserve> for LogWriter {
    type Result = ();

    fn handle(&mut self, KeepReserve(reserve): KeepReserve, _: &mut Context<Self>) {
        self.bad_days.reserve = Some(reserve);
        self.keep_reserve();
    }
}
