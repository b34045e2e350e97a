//! Who is behind what runs now: set for the length of a request, so that whatever is recorded meanwhile
//! names its principal. It belongs to the task and not to the thread; outside a request there is none.

use crate::access::{Origin, Principal};

/// A principal, and where its request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub principal: Principal,
    pub origin: Origin,
}

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    /// Runs `work` as this one.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// Whose request this is; none outside one, and on a thread for blocking work.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }
}
