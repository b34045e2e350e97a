//! `Expect: 100-continue`: leave to send the body is given when somebody wants to read it, and not to a client
//! whose request is refused unread. actix-http gives it before the request is looked at; what it writes for
//! that is passed over.

use super::connection::Connection;
use actix_http::Request;
use actix_web::Error;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// As actix-http writes it, and as we do.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[derive(Default)]
pub struct Leave {
    /// The client of the request that is being answered waits for it.
    is_asked: Cell<bool>,
    /// So much of what actix-http will write next is passed over.
    passed_over: Cell<usize>,
    /// So much of it is still to be written.
    owed: Cell<usize>,
    /// Waits until all that came before is written.
    waiting: Cell<Option<Waker>>,
    is_written: Cell<bool>,
}

impl Leave {
    /// Whoever reads the body says so here.
    pub fn give(&self) {
        if self.is_asked.take() {
            self.owed.set(CONTINUE.len());
        }
    }

    /// The answer is there: leave that was not given yet is given no more.
    pub fn was_never_given(&self) -> bool {
        if self.owed.get() == CONTINUE.len() {
            self.owed.set(0);
        }
        self.is_asked.take()
    }

    /// What is to be written now, before anything else.
    pub fn owed(&self) -> &'static [u8] {
        &CONTINUE[CONTINUE.len() - self.owed.get()..]
    }

    /// A part of it is written, and the rest must follow.
    pub fn is_begun(&self) -> bool {
        (1..CONTINUE.len()).contains(&self.owed.get())
    }

    pub fn wrote(&self, bytes: usize) {
        self.owed.set(self.owed.get().saturating_sub(bytes));
    }

    /// So much of these bytes is actix-http's own leave.
    pub fn passes_over(&self, bytes: usize) -> usize {
        let passed = self.passed_over.get().min(bytes);
        self.passed_over.set(self.passed_over.get() - passed);
        passed
    }

    /// All that there was to write is written.
    pub fn all_is_written(&self) {
        if let Some(waiting) = self.waiting.take() {
            self.is_written.set(true);
            waiting.wake();
        }
    }

    /// Where actix-http writes its leave is known only when nothing stands before it.
    async fn nothing_is_left_to_write(&self) {
        self.is_written.set(false);
        poll_fn(|cx| {
            if self.is_written.take() {
                return Poll::Ready(());
            }
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// What actix-http asks before it gives leave by itself.
pub async fn asked(request: Request) -> Result<Request, Error> {
    let connection = request.conn_data::<Rc<Connection>>().cloned();
    if let Some(connection) = connection {
        connection.leave.nothing_is_left_to_write().await;
        connection.leave.passed_over.set(CONTINUE.len());
        connection.leave.is_asked.set(true);
    }
    Ok(request)
}
