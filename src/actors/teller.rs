//! What the LogWriter tells whoever follows the book, in the order in which it came about. A refusal is no loss:
//! what was recorded is found by the next number, and that the book is another one comes before anything of it.

use super::interest::Interest;
use super::messages::{BookReplaced, Recorded};
use crate::domain::Seq;
use actix::Recipient;
use std::sync::Arc;

/// Who follows: both must lead into one mailbox.
pub struct Listener {
    pub recorded: Recipient<Recorded>,
    pub replaced: Recipient<BookReplaced>,
    /// Whether they want to know of each group at once.
    pub interest: Arc<Interest>,
}

pub struct Teller {
    listener: Option<Listener>,
    /// Up to where it was told.
    told: Seq,
    /// What it must know before anything else, and was refused.
    replaced: Option<BookReplaced>,
}

impl Teller {
    /// `told` is where the book stands now.
    pub fn new(listener: Option<Listener>, told: Seq) -> Self {
        Self {
            listener,
            told,
            replaced: None,
        }
    }

    /// Whether anybody wants to know what brought the book to `last_seq`. If not, that number is told within a
    /// second, with what came after it.
    pub fn is_heard_at(&self, last_seq: Seq) -> bool {
        let listener = self.listener.as_ref();
        listener.is_some_and(|listener| listener.interest.is_held_at(last_seq))
    }

    pub fn tell(&mut self, recorded: Recorded) {
        if self.is_heard_at(recorded.last_seq) {
            self.pass_on(recorded);
        }
    }

    fn pass_on(&mut self, recorded: Recorded) {
        if !self.knows_the_book() {
            return;
        }
        let last_seq = recorded.last_seq;
        if let Some(listener) = &self.listener
            && listener.recorded.try_send(recorded).is_ok()
        {
            self.told = last_seq;
        }
    }

    /// To be called before the first commit to the new book.
    pub fn replaced(&mut self, by: BookReplaced) {
        self.replaced = Some(by);
        self.knows_the_book();
    }

    /// When the last that there was to tell was refused, or nobody wanted to know, its number is told alone.
    pub fn stands_at(&mut self, last_seq: Seq) {
        if self.told != last_seq {
            self.pass_on(Recorded {
                first_seq: last_seq + 1,
                last_seq,
                entries: Vec::new(),
            });
        }
    }

    fn knows_the_book(&mut self) -> bool {
        let (Some(listener), Some(by)) = (&self.listener, &self.replaced) else {
            return true;
        };
        let last_seq = by.last_seq;
        if listener.replaced.try_send(by.clone()).is_err() {
            return false;
        }
        self.told = last_seq;
        self.replaced = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Epoch;
    use actix::prelude::*;
    use tokio::sync::oneshot;

    /// Remembers what it heard, and lets itself be held up.
    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Actor for Heard {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Context<Self>) {
            ctx.set_mailbox_capacity(1);
        }
    }

    impl Handler<Recorded> for Heard {
        type Result = ();

        fn handle(&mut self, recorded: Recorded, _: &mut Context<Self>) {
            self.0.push(format!("up to {}", recorded.last_seq));
        }
    }

    impl Handler<BookReplaced> for Heard {
        type Result = ();

        fn handle(&mut self, replaced: BookReplaced, _: &mut Context<Self>) {
            self.0
                .push(format!("another book at {}", replaced.last_seq));
        }
    }

    struct Hold(oneshot::Receiver<()>);

    impl Message for Hold {
        type Result = ();
    }

    impl Handler<Hold> for Heard {
        type Result = AtomicResponse<Self, ()>;

        fn handle(&mut self, Hold(until): Hold, _: &mut Context<Self>) -> Self::Result {
            let held = async move {
                let _ = until.await;
            };
            AtomicResponse::new(Box::pin(held.into_actor(self)))
        }
    }

    struct Say;

    impl Message for Say {
        type Result = Vec<String>;
    }

    impl Handler<Say> for Heard {
        type Result = MessageResult<Say>;

        fn handle(&mut self, _: Say, _: &mut Context<Self>) -> Self::Result {
            MessageResult(self.0.clone())
        }
    }

    fn recorded(seq: Seq) -> Recorded {
        Recorded {
            first_seq: seq,
            last_seq: seq,
            entries: Vec::new(),
        }
    }

    #[test]
    fn nothing_of_another_book_is_told_before_that_it_is_another() {
        actix::System::new().block_on(a_refused_listener_hears_of_the_other_book_first());
    }

    async fn a_refused_listener_hears_of_the_other_book_first() {
        let heard = Heard::default().start();
        heard.send(Say).await.unwrap();
        let interest = Arc::new(Interest::default());
        let _wish = interest.wish();
        let listener = Listener {
            recorded: heard.clone().recipient(),
            replaced: heard.clone().recipient(),
            interest: Arc::clone(&interest),
        };
        let mut teller = Teller::new(Some(listener), 0);
        let (release, until) = oneshot::channel();
        let holding = actix::spawn(heard.send(Hold(until)));
        tokio::task::yield_now().await;
        // Until the mailbox refuses.
        let mut seq = 0;
        while teller.told == seq {
            seq += 1;
            teller.tell(recorded(seq));
            assert!(seq < 100, "it is never full");
        }
        let last_seq = seq + 10;
        teller.replaced(BookReplaced {
            last_seq,
            epoch: Epoch::new("another"),
        });
        teller.tell(recorded(last_seq + 1));
        release.send(()).unwrap();
        holding.await.unwrap().unwrap();
        heard.send(Say).await.unwrap();
        // As each second.
        teller.stands_at(last_seq + 1);
        let said = heard.send(Say).await.unwrap();
        let after: Vec<_> = said
            .iter()
            .skip_while(|one| !one.contains("another"))
            .collect();
        let another = format!("another book at {last_seq}");
        assert_eq!(
            after,
            [&another, &format!("up to {}", last_seq + 1)],
            "{said:?}"
        );
        assert_eq!(said.len(), seq as usize - 1 + 2, "{said:?}");
    }
}
