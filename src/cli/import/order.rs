//! The times of imported lines: they must not run backwards and not lie ahead, or are set right, each by itself.

use crate::domain::{FieldError, NewEntry, Timestamp};

pub struct Order {
    /// None as long as nothing but lines that lie ahead came.
    last: Option<Timestamp>,
    now: Timestamp,
    restamp: bool,
}

impl Order {
    pub fn new(now: Timestamp, restamp: bool) -> Self {
        Self {
            last: None,
            now,
            restamp,
        }
    }

    /// From here on times are set right and none is refused.
    pub fn restamp(&mut self) {
        self.restamp = true;
    }

    /// That of the newest line whose place is known.
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// What was placed is in the book at this time, whatever comes.
    pub fn settle(&mut self, placed: Timestamp) {
        self.last.get_or_insert(placed);
    }

    /// The time that the entry gets: its own, or the nearest that is right, with its own kept beside. What lies ahead
    /// may have any, and gets that of the line before it; as long as there is none, it is now.
    pub fn place(&mut self, entry: &mut NewEntry, ts: Timestamp) -> Result<Timestamp, FieldError> {
        let placed = match self.last {
            Some(last) if ts < last => last.successor(),
            last if ts > self.now => last.unwrap_or(self.now),
            _ => ts,
        };
        if placed != ts {
            if !self.restamp {
                return Err(self.refusal(ts));
            }
            entry.note_wall_time(ts);
        }
        if self.last.is_some() || ts <= self.now {
            self.last = Some(placed);
        }
        Ok(placed)
    }

    fn refusal(&self, ts: Timestamp) -> FieldError {
        let reason = match self.last {
            Some(last) if ts < last => {
                format!("{ts} is before that of the entry before, {last}; --restamp sets it right")
            }
            _ => format!("{ts} lies ahead of now; --restamp sets it right"),
        };
        FieldError::new("ts", reason)
    }
}
