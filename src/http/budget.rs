//! What all request bodies together may hold in memory. Nobody waits for it: what does not fit is refused at
//! once, so that two bodies that are half read never wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A body that holds more than this is large, and leaves a part of the room to the small ones: a few large
/// bodies that stall keep nobody from recording an entry.
const LARGE: usize = 256 * 1024;

/// The part that large bodies leave, of the whole.
const FOR_SMALL: usize = 8;

#[derive(Debug, Clone)]
pub struct Budget(Arc<Room>);

#[derive(Debug)]
struct Room {
    most: usize,
    held: AtomicUsize,
}

/// What one body holds; given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Budget {
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Room {
            most,
            held: AtomicUsize::new(0),
        }))
    }

    /// For a body of which nothing is there yet.
    pub fn open(&self) -> Held {
        Held {
            room: Arc::clone(&self.0),
            bytes: 0,
        }
    }

    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

impl Held {
    /// Room for so many more, or none of them.
    #[must_use]
    pub fn more(&mut self, bytes: usize) -> bool {
        let after = self.bytes.saturating_add(bytes);
        let most = match after > LARGE {
            true => self.room.most - self.room.most / FOR_SMALL,
            false => self.room.most,
        };
        // Another may be refused for what is put back here right away; nobody ever goes beyond the limit.
        let before = self.room.held.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.checked_add(bytes).is_some_and(|all| all <= most);
        if fits {
            self.bytes = after;
        } else {
            self.room.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn all_bodies_together_hold_no_more_than_the_limit_and_give_back_all() {
        let budget = Budget::new(100);
        let (mut one, mut two) = (budget.open(), budget.open());
        assert!(one.more(60) && two.more(40));
        assert!(!one.more(1) && !two.more(usize::MAX));
        assert_eq!(budget.held(), 100);
        drop(one);
        assert!(two.more(60));
        drop(two);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn large_bodies_leave_room_for_small_ones() {
        let budget = Budget::new(8 * MIB);
        let mut large = budget.open();
        assert!(large.more(7 * MIB));
        assert!(!large.more(1));
        let mut small = budget.open();
        assert!(small.more(LARGE));
        assert!(!small.more(1), "it is a large one now");
    }
}
