//! What Daybook would be deaf without. A panic there ends the process at once: a live process with a dead
//! writer would lose what it is told, and a supervisor can start a dead one anew.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The exit status after a panic in a vital part: an internal software error, as sysexits has it.
const SOFTWARE: i32 = 70;
/// After the disk failed under the book.
const IO: i32 = 74;
/// After the book was found damaged.
const DATA: i32 = 65;

/// Runs a handler of a vital actor.
pub fn guard<T>(who: &str, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("{who} panicked; stopping, so that nothing is lost unseen");
        exit(SOFTWARE)
    })
}

/// Stops after an error that the book does not survive in this process.
pub fn stop_on(error: &crate::storage::StorageError) -> ! {
    log::error!("{error}; stopping, since what would be answered now could not be believed");
    exit(match error {
        crate::storage::StorageError::Corrupt(_) => DATA,
        _ => IO,
    })
}

fn exit(status: i32) -> ! {
    log::logger().flush();
    std::process::exit(status)
}
