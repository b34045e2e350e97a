//! Messages that pass between actors which do not know each other.

use crate::domain::{Entry, Epoch, Seq};
use crate::storage::Replaced;
use actix::prelude::*;
use std::sync::Arc;

/// What one group brought into the book, after its commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The numbers of the group; between the last of one and the first of the next nothing is left out
    /// unless a message was, and that is how its loss is found.
    pub first_seq: Seq,
    pub last_seq: Seq,
    pub entries: Vec<(Seq, Arc<Entry>)>,
}

impl Message for Recorded {
    type Result = ();
}

/// The book is another one now: what was remembered of the one before does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookReplaced {
    /// Where the new one stands.
    pub last_seq: Seq,
    pub epoch: Epoch,
}

impl BookReplaced {
    pub fn by(replaced: &Replaced) -> Self {
        Self {
            last_seq: replaced.last_seq,
            epoch: replaced.epoch.clone(),
        }
    }
}

impl Message for BookReplaced {
    type Result = ();
}
