//! What the tests of faults share: a daemon as a child process, clients that note what was acknowledged, and
//! the reading of the book behind the daemon's back.

pub mod book;
pub mod client;
pub mod daemon;
pub mod follower;
pub mod load;

use std::time::{Duration, Instant};

/// Waits for a condition, never for a time: panics when `wait` passes without it.
pub fn eventually<T>(what: &str, wait: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < wait, "{what}: not within {wait:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// To whoever runs the tests; shown with `--nocapture`, and when a test fails.
#[expect(clippy::print_stdout, reason = "a test has nobody else to tell")]
pub fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
