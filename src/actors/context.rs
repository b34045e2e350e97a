//! Who is behind what runs now, and by which call: set for the length of a request, so that whatever is
//! recorded meanwhile names both. It belongs to the task and not to the thread; outside a request there is none.

use crate::access::{Origin, Principal};
use crate::domain::Draft;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A principal, where its request came from, and which call it makes.
#[derive(Debug, Clone)]
pub struct Context {
    pub principal: Principal,
    pub origin: Origin,
    /// None for calls that leave no entry by themselves, and outside the middleware that records them.
    pub call: Option<Arc<Call>>,
}

/// A call that is being answered.
#[derive(Debug)]
pub struct Call {
    method: String,
    /// The pattern, so that it holds nothing of what a client put into its path.
    route: String,
    has_entry: AtomicBool,
}

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    /// Of a request that is not, or not yet, a call to be recorded.
    pub fn of(principal: Principal, origin: Origin) -> Self {
        Self {
            principal,
            origin,
            call: None,
        }
    }

    pub fn with_call(self, call: Arc<Call>) -> Self {
        Self {
            call: Some(call),
            ..self
        }
    }

    /// Runs `work` as this one.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// Whose request this is; none outside one, and on a thread for blocking work.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Looks at it without copying it.
    pub fn look<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(look).ok()
    }

    /// Puts method and route into an entry that is made on behalf of a call, which then has one.
    pub(super) fn sign(&self, draft: &mut Draft) {
        if let Some(call) = &self.call {
            let metadata = draft.metadata.get_or_insert_default();
            call.name_in(metadata);
            call.has_entry.store(true, Ordering::Release);
        }
    }
}

impl Call {
    pub fn new(method: impl Into<String>, route: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            method: method.into(),
            route: route.into(),
            has_entry: AtomicBool::new(false),
        })
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    pub fn route(&self) -> &str {
        &self.route
    }

    /// What was done has an entry of its own, and needs no second.
    pub fn has_entry(&self) -> bool {
        self.has_entry.load(Ordering::Acquire)
    }

    /// What the entry says of them itself stays.
    pub fn name_in(&self, metadata: &mut Map<String, Value>) {
        for (key, value) in [("method", &self.method), ("route", &self.route)] {
            if !metadata.contains_key(key) {
                metadata.insert(key.to_owned(), value.as_str().into());
            }
        }
    }
}
