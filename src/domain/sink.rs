//! Where drafts go that nobody waits for.

use super::Draft;

/// Takes in what happened, at once or not at all: it never fails and never waits, and counts what it lost.
/// [`Recorder`](crate::actors::Recorder) is the one of a book in this process,
/// [`Remote`](crate::client::Remote) that of a Daybook elsewhere.
pub trait Sink: Send + Sync {
    /// The draft says already whose it is.
    fn take_in(&self, draft: Draft);
}
