//! What Daybook would be deaf without. A panic there ends the process at once: a live process with a dead
//! writer would lose what it is told, and a supervisor can start a dead one anew.

use crate::storage::StorageError;
use actix::dev::channel;
use actix::prelude::*;
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a mailbox holds until its actor says otherwise.
const MAILBOX: usize = 16;

/// The exit status after a panic in a vital part: an internal software error, as sysexits has it.
const SOFTWARE: i32 = 70;
/// After the disk failed under the book.
const IO: i32 = 74;
/// After the book was left open to another process.
const TEMPORARY: i32 = 75;
/// After the book was found damaged.
const DATA: i32 = 65;

/// Starts a vital actor. Whatever panics in its context ends the process: a handler, a timer, or what either of
/// them spawned there or answered with, but for a `ResponseFuture`, which runs outside of it.
pub fn start<A>(who: &'static str, actor: A) -> Addr<A>
where
    A: Actor<Context = Context<A>>,
{
    let context = Context::new();
    let address = context.address();
    actix::spawn(guarded(who, context.into_future(actor)));
    address
}

/// The same on a thread of its own.
pub fn start_alone<A>(who: &'static str, make: impl FnOnce() -> A + Send + 'static) -> Addr<A>
where
    A: Actor<Context = Context<A>>,
{
    let (to, from) = channel::channel(MAILBOX);
    Arbiter::new().spawn_fn(move || {
        let context = Context::with_receiver(from);
        actix::spawn(guarded(who, context.into_future(make())));
    });
    Addr::new(to)
}

async fn guarded(who: &'static str, context: impl Future<Output = ()>) {
    if AssertUnwindSafe(context).catch_unwind().await.is_err() {
        panicked(who);
    }
}

/// Runs what a vital actor must not unwind out of: what waits for it would take that for an answer.
pub fn guard<T>(who: &str, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| panicked(who))
}

fn panicked(who: &str) -> ! {
    log::error!("{who} panicked; stopping, so that nothing is lost unseen");
    exit(SOFTWARE)
}

/// Stops after an error that the book does not survive in this process.
pub fn stop_on(error: &StorageError) -> ! {
    let (status, advice) = match error {
        StorageError::Corrupt(_) => (DATA, StorageError::WHEN_DAMAGED),
        StorageError::LockLost(_) => (TEMPORARY, ""),
        _ => (IO, ""),
    };
    log::error!(
        "{error}; stopping, since what would be answered now could not be believed{advice}"
    );
    exit(status)
}

fn exit(status: i32) -> ! {
    log::logger().flush();
    std::process::exit(status)
}
