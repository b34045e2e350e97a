//! The times of imported lines: they must not run backwards and not lie ahead, or are set right.

use crate::domain::{FieldError, NewEntry, Timestamp};

pub struct Order {
    last: Timestamp,
    now: Timestamp,
    restamp: bool,
}

impl Order {
    pub fn new(now: Timestamp, restamp: bool) -> Self {
        Self {
            last: Timestamp::from_micros(i64::MIN),
            now,
            restamp,
        }
    }

    /// From here on times are set right and none is refused.
    pub fn restamp(&mut self) {
        self.restamp = true;
    }

    /// The time that the entry gets: its own, or the nearest that is right, with its own kept beside.
    pub fn place(&mut self, entry: &mut NewEntry, ts: Timestamp) -> Result<Timestamp, FieldError> {
        let placed = if ts < self.last {
            self.last.successor()
        } else if ts > self.now {
            self.now.max(self.last)
        } else {
            ts
        };
        if placed != ts {
            if !self.restamp {
                return Err(self.refusal(ts));
            }
            entry.note_wall_time(ts);
        }
        self.last = placed;
        Ok(placed)
    }

    fn refusal(&self, ts: Timestamp) -> FieldError {
        let reason = match ts > self.now {
            true => format!("{ts} lies ahead of now; --restamp sets it right"),
            false => format!(
                "{ts} is before that of the entry before, {}; --restamp sets it right",
                self.last
            ),
        };
        FieldError::new("ts", reason)
    }
}
