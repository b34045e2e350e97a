//! The writer's queue, bounded by entries and by bytes. A permit is taken before anything is sent, so that
//! "full" is an answer and never a loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone)]
pub struct Queue(Arc<Room>);

struct Room {
    size: Size,
    entries: AtomicUsize,
    bytes: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub entries: usize,
    pub bytes: usize,
}

/// Room in the queue; given back when it is dropped.
pub struct Permit {
    room: Arc<Room>,
    held: Size,
}

impl Queue {
    pub fn new(size: Size) -> Self {
        Self(Arc::new(Room {
            size,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }))
    }

    /// Room for all of it, or none.
    pub fn room_for(&self, needed: Size) -> Option<Permit> {
        let room = &*self.0;
        if !take(&room.entries, needed.entries, room.size.entries) {
            return None;
        }
        if !take(&room.bytes, needed.bytes, room.size.bytes) {
            room.entries.fetch_sub(needed.entries, Ordering::AcqRel);
            return None;
        }
        Some(Permit {
            room: Arc::clone(&self.0),
            held: needed,
        })
    }

    pub fn size(&self) -> Size {
        self.0.size
    }

    /// What waits or is being written now.
    pub fn held(&self) -> Size {
        Size {
            entries: self.0.entries.load(Ordering::Acquire),
            bytes: self.0.bytes.load(Ordering::Acquire),
        }
    }
}

fn take(held: &AtomicUsize, needed: usize, most: usize) -> bool {
    let with = |held: usize| held.checked_add(needed).filter(|with| *with <= most);
    held.fetch_update(Ordering::AcqRel, Ordering::Acquire, with)
        .is_ok()
}

impl Permit {
    /// A part of this room, for a part of what it was taken for.
    pub fn split(&mut self, part: Size) -> Option<Self> {
        self.held = Size {
            entries: self.held.entries.checked_sub(part.entries)?,
            bytes: self.held.bytes.checked_sub(part.bytes)?,
        };
        Some(Self {
            room: Arc::clone(&self.room),
            held: part,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Size { entries, bytes } = self.held;
        self.room.entries.fetch_sub(entries, Ordering::AcqRel);
        self.room.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(entries: usize, bytes: usize) -> Size {
        Size { entries, bytes }
    }

    #[test]
    fn a_full_queue_takes_nothing_by_either_measure_and_room_comes_back() {
        let queue = Queue::new(size(3, 100));
        let two = queue.room_for(size(2, 10)).unwrap();
        assert!(queue.room_for(size(2, 10)).is_none(), "entries");
        assert!(queue.room_for(size(1, 91)).is_none(), "bytes");
        assert_eq!(queue.held(), size(2, 10));
        drop(two);
        assert_eq!(queue.held(), size(0, 0));
    }

    #[test]
    fn parts_of_a_permit_give_back_what_they_hold() {
        let queue = Queue::new(size(10, 100));
        let mut whole = queue.room_for(size(10, 100)).unwrap();
        let part = whole.split(size(4, 40)).unwrap();
        assert!(whole.split(size(7, 0)).is_none(), "more than it holds");
        drop(whole);
        assert_eq!(queue.held(), size(4, 40));
        drop(part);
        assert_eq!(queue.held(), size(0, 0));
    }
}
