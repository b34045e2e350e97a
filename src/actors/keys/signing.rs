//! What the Doorkeeper is told of people who sign in and out.

use super::{Caller, Doorkeeper, NotDone};
use crate::access::Token;
use crate::domain::{SecretHash, SignIn, Timestamp};
use actix::prelude::*;
use std::rc::Rc;

/// The holder of a key wants to be signed in.
pub struct Begin {
    pub by: Caller,
    /// The sign-in that he had, which ends.
    pub replaced: Option<SecretHash>,
}

impl Message for Begin {
    type Result = Result<(Token, SignIn), NotDone>;
}

pub struct End {
    pub token: SecretHash,
    pub by: Caller,
}

impl Message for End {
    type Result = Result<(), NotDone>;
}

/// A sign-in was used, for the first time in this minute.
pub struct InUse {
    pub token: SecretHash,
    pub at: Timestamp,
}

impl Message for InUse {
    type Result = ();
}

impl Handler<Begin> for Doorkeeper {
    type Result = AtomicResponse<Self, Result<(Token, SignIn), NotDone>>;

    fn handle(&mut self, Begin { by, replaced }: Begin, _: &mut Context<Self>) -> Self::Result {
        let (register, now) = (Rc::clone(&self.register), self.now());
        let begun = async move { register.sign_in(now, &by, replaced).await };
        AtomicResponse::new(Box::pin(begun.into_actor(self)))
    }
}

impl Handler<End> for Doorkeeper {
    type Result = AtomicResponse<Self, Result<(), NotDone>>;

    fn handle(&mut self, End { token, by }: End, _: &mut Context<Self>) -> Self::Result {
        let register = Rc::clone(&self.register);
        let ended = async move { register.sign_out(token, &by).await };
        AtomicResponse::new(Box::pin(ended.into_actor(self)))
    }
}

impl Handler<InUse> for Doorkeeper {
    type Result = ();

    fn handle(&mut self, InUse { token, at }: InUse, _: &mut Context<Self>) {
        self.register.note_use(token, at);
    }
}
