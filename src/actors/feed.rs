//! The feed: what is recorded, handed on to one who would read it in the book otherwise. It is bounded, and what has
//! no room in it is left out: the numbers of what comes next show that, and then the book is read.

use super::interest::{Interest, Wish};
use super::messages::Recorded;
use crate::domain::Seq;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Groups, and entries of them, that may wait.
const GROUPS: usize = 1_024;
const ENTRIES: usize = 8_192;

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    is_wanted: AtomicBool,
}

/// The end at which it is handed on.
#[derive(Debug)]
pub struct Feeder {
    to: Sender<Recorded>,
    shared: Arc<Shared>,
}

/// The end at which it is taken.
#[derive(Debug)]
pub struct Feed {
    from: Receiver<Recorded>,
    shared: Arc<Shared>,
    interest: Arc<Interest>,
    wish: Option<Wish>,
}

pub fn feed(interest: Arc<Interest>) -> (Feeder, Feed) {
    let (to, from) = channel(GROUPS);
    let shared = Arc::new(Shared::default());
    let feeder = Feeder {
        to,
        shared: Arc::clone(&shared),
    };
    let feed = Feed {
        from,
        shared,
        interest,
        wish: None,
    };
    (feeder, feed)
}

impl Feeder {
    /// Never waits.
    pub fn offer(&self, recorded: &Recorded) {
        let (shared, entries) = (&self.shared, recorded.entries.len());
        let has_room = shared.waiting.load(Ordering::Relaxed) + entries <= ENTRIES;
        if !has_room || !shared.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        shared.waiting.fetch_add(entries, Ordering::Relaxed);
        if self.to.try_send(recorded.clone()).is_err() {
            shared.waiting.fetch_sub(entries, Ordering::Relaxed);
        }
    }
}

impl Feed {
    /// Whether anything is to be handed on from now on.
    pub fn want(&mut self, is_wanted: bool) {
        self.shared.is_wanted.store(is_wanted, Ordering::Relaxed);
        match is_wanted {
            true => self.wish = self.wish.take().or_else(|| Some(self.interest.wish())),
            false => self.wish = None,
        }
    }

    /// Up to where the book goes; all of it that comes after is handed on once it is wanted.
    pub fn newest(&self) -> Seq {
        self.interest.newest()
    }

    pub fn take(&mut self) -> Option<Recorded> {
        let recorded = self.from.try_recv().ok()?;
        let entries = recorded.entries.len();
        self.shared.waiting.fetch_sub(entries, Ordering::Relaxed);
        Some(recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Emitted, EntryId, Receipt, Timestamp};

    fn group(first_seq: i64, entries: usize) -> Recorded {
        let receipt = Receipt {
            id: EntryId::trusted("al_1"),
            seq: 1,
            ts: Timestamp::from_micros(0),
            duplicate: false,
        };
        let entry = Emitted::ServerStarted.says("x").by_system();
        let entry = Arc::new(entry.recorded(&receipt));
        Recorded {
            first_seq,
            last_seq: first_seq + 1,
            entries: vec![(first_seq, entry); entries],
        }
    }

    #[test]
    fn what_has_no_room_or_is_not_wanted_is_left_out() {
        let interest = Arc::new(Interest::default());
        let (feeder, mut feed) = feed(Arc::clone(&interest));
        assert!(!interest.is_held_at(1));
        feeder.offer(&group(1, 1));
        assert_eq!(feed.take(), None, "nobody wants it");
        feed.want(true);
        feed.want(true);
        assert!(interest.is_held_at(2));
        feeder.offer(&group(2, ENTRIES));
        feeder.offer(&group(3, 1));
        assert_eq!(feed.take().map(|held| held.first_seq), Some(2));
        feeder.offer(&group(4, 1));
        assert_eq!(feed.take().map(|held| held.first_seq), Some(4));
        assert_eq!(feed.take(), None);
        for _ in 0..GROUPS + 1 {
            feeder.offer(&group(5, 0));
        }
        let mut held = 0;
        while feed.take().is_some() {
            held += 1;
        }
        assert_eq!(held, GROUPS);
        feed.want(false);
        assert!(!interest.is_held_at(3));
    }
}
