//! Whether anybody wants to hear at once of what is recorded. To wake whoever hands it on takes recording some of its
//! time, and most of the time nobody listens.

use crate::domain::Seq;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

#[derive(Debug, Default)]
pub struct Interest {
    wishes: AtomicUsize,
    newest: AtomicI64,
}

/// While it is held, every group is told.
#[derive(Debug)]
pub struct Wish(Arc<Interest>);

impl Interest {
    /// What is recorded from here on is told. What was before, and may not have been told, ends at `newest`, asked
    /// for after this.
    pub fn wish(self: &Arc<Self>) -> Wish {
        self.wishes.fetch_add(1, Ordering::SeqCst);
        Wish(Arc::clone(self))
    }

    /// Up to where the book goes.
    pub fn newest(&self) -> Seq {
        self.newest.load(Ordering::SeqCst)
    }

    /// For the LogWriter alone, after a commit: the book goes up to `last_seq`. Whoever begins to wish at the same
    /// moment is seen here, or sees that number.
    pub fn is_held_at(&self, last_seq: Seq) -> bool {
        self.newest.store(last_seq, Ordering::SeqCst);
        self.wishes.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        self.0.wishes.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn it_lasts_as_long_as_somebody_wishes() {
        let interest = Arc::new(Interest::default());
        assert!(!interest.is_held_at(1));
        let (one, other) = (interest.wish(), interest.wish());
        drop(one);
        assert!(interest.is_held_at(2));
        drop(other);
        assert!(!interest.is_held_at(3));
        assert_eq!(interest.newest(), 3);
    }

    #[test]
    fn what_is_recorded_as_somebody_begins_to_wish_is_told_or_known() {
        for seq in 1..2_000 {
            let interest = Arc::new(Interest::default());
            let together = Barrier::new(2);
            let (is_told, newest) = thread::scope(|scope| {
                let recording = scope.spawn(|| {
                    together.wait();
                    interest.is_held_at(seq)
                });
                together.wait();
                let _wish = interest.wish();
                let newest = interest.newest();
                (recording.join().unwrap(), newest)
            });
            assert!(is_told || newest == seq, "entry {seq}");
        }
    }
}
