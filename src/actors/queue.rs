//! The writer's queue, bounded by entries and by bytes. A permit is taken before anything is sent, so that
//! "full" is an answer and never a loss.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone)]
pub struct Queue {
    entries: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub entries: usize,
    pub bytes: usize,
}

/// Room in the queue; given back when it is dropped.
pub struct Permit {
    entries: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
}

impl Queue {
    pub fn new(size: Size) -> Self {
        Self {
            entries: Arc::new(Semaphore::new(size.entries)),
            bytes: Arc::new(Semaphore::new(size.bytes)),
            size,
        }
    }

    /// Room for all of it, or none.
    pub fn room_for(&self, needed: Size) -> Option<Permit> {
        let (entries, bytes) = (
            u32::try_from(needed.entries).ok()?,
            u32::try_from(needed.bytes).ok()?,
        );
        Some(Permit {
            entries: Arc::clone(&self.entries)
                .try_acquire_many_owned(entries)
                .ok()?,
            bytes: Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()?,
        })
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// What waits or is being written now.
    pub fn held(&self) -> Size {
        Size {
            entries: self.size.entries - self.entries.available_permits(),
            bytes: self.size.bytes - self.bytes.available_permits(),
        }
    }
}

impl Permit {
    /// A part of this room, for a part of what it was taken for.
    pub fn split(&mut self, part: Size) -> Option<Self> {
        Some(Self {
            entries: self.entries.split(part.entries)?,
            bytes: self.bytes.split(part.bytes)?,
        })
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
        drop(whole);
        assert_eq!(queue.held(), size(4, 40));
        drop(part);
        assert_eq!(queue.held(), size(0, 0));
    }
}
