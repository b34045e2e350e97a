//! How a list is asked for and what comes back: keyset pages by `seq`, never by offset or time.

use super::{Epoch, FieldError, Seq, Stored, limits};

/// 1 to 500 entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    pub fn new(size: usize) -> Result<Self, FieldError> {
        if (1..=limits::PAGE_MAX).contains(&size) {
            Ok(Self(size))
        } else {
            Err(FieldError::new("limit", "must be a number from 1 to 500"))
        }
    }

    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(limits::PAGE_DEFAULT)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The newest first, from the end of the book.
    Newest,
    /// The newest first, from below this number.
    Before(Seq),
    /// The oldest first, from above this number.
    After(Seq),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    pub position: Position,
    pub size: PageSize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub items: Vec<Stored>,
    /// Going down: go on from below this. `None` at the end, and only there: a short page is not the last.
    pub next_before_seq: Option<Seq>,
    /// Going up: go on from above this. `None` when nothing newer is in the book yet.
    pub next_after_seq: Option<Seq>,
    /// The newest number in the caller's scope, whatever the filter.
    pub newest_seq: Option<Seq>,
    /// The last number ever given when this was read: the page knows of nothing above it.
    pub upto: Seq,
    pub epoch: Epoch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub count: u64,
    /// There are at least `count`: the cap was reached, or the stretch was used up.
    pub capped: bool,
    /// Where to go on counting, down from below this; `None` when the cap was reached or all is counted.
    pub resume: Option<Seq>,
}
