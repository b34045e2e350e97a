//! The register of who is signed in: how a sign-in begins and ends, in the book and then for everybody who looks.
//! Which key was shown, and that it is in force, is known before. It has no timer and no clock of its own.

use super::locksmith::NotDone;
use crate::access::sign_ins::Spans;
use crate::access::{Keyring, SignIns, Token};
use crate::actors::context::Context;
use crate::actors::{Recorder, Writer};
use crate::domain::{Act, Emitted, Own, SecretHash, SignIn, Timestamp, WorkspaceId};
use crate::storage::{EntryReader, Request, StorageError};
use std::sync::Arc;
use tokio::sync::watch;

pub struct Register {
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    recorder: Recorder,
    spans: Spans,
    sign_ins: watch::Sender<Arc<SignIns>>,
}

impl Register {
    pub fn open(
        writer: Writer,
        reader: Arc<dyn EntryReader>,
        recorder: Recorder,
        spans: Spans,
    ) -> Result<Self, StorageError> {
        let sign_ins = SignIns::of(reader.sign_ins()?, spans);
        Ok(Self {
            writer,
            reader,
            recorder,
            spans,
            sign_ins: watch::Sender::new(Arc::new(sign_ins)),
        })
    }

    pub fn sign_ins(&self) -> watch::Receiver<Arc<SignIns>> {
        self.sign_ins.subscribe()
    }

    /// The book is another one.
    pub fn read_again(&self) -> Result<(), StorageError> {
        let stored = SignIns::of(self.reader.sign_ins()?, self.spans);
        self.sign_ins.send_replace(Arc::new(stored));
        Ok(())
    }

    /// `by` is the holder of the key that was shown; a sign-in that is `replaced` ends.
    pub async fn sign_in(
        &self,
        now: Timestamp,
        by: &Context,
        replaced: Option<SecretHash>,
    ) -> Result<(Token, SignIn), NotDone> {
        let Some((id, secret)) = by.principal.key() else {
            return Err(NotDone::NoSuchKey);
        };
        let token = Token::fresh()?;
        let sign_in = SignIn {
            token: token.hash(),
            key_id: id.to_owned(),
            key_secret: *secret,
            created: now,
            last_used: now,
        };
        let held = Arc::clone(&self.sign_ins.borrow());
        let mut ended = held.in_the_way_of(&sign_in);
        ended.extend(replaced);
        let acts = vec![
            Act::EndSignIns(ended.clone()),
            Act::PutSignIn(Box::new(sign_in.clone())),
        ];
        let own = said(Emitted::AuthLogin, by, "signed in");
        self.commit(acts, own, by).await?;
        let next = held.without(&ended).with(sign_in.clone());
        self.sign_ins.send_replace(Arc::new(next));
        Ok((token, sign_in))
    }

    pub async fn sign_out(&self, token: SecretHash, by: &Context) -> Result<(), NotDone> {
        let own = said(Emitted::AuthLogout, by, "signed out");
        self.commit(vec![Act::EndSignIns(vec![token])], own, by)
            .await?;
        let next = self.sign_ins.borrow().without(&[token]);
        self.sign_ins.send_replace(Arc::new(next));
        Ok(())
    }

    /// Not worth waiting for.
    pub fn note_use(&self, token: SecretHash, at: Timestamp) {
        self.note(Act::SignInUsed { token, at });
    }

    /// Forgets those that let nobody in any more, here and in the book.
    pub fn sweep(&self, ring: &Keyring, now: Timestamp) {
        let over = self.sign_ins.borrow().over(ring, now);
        if !over.is_empty() {
            let next = self.sign_ins.borrow().without(&over);
            self.sign_ins.send_replace(Arc::new(next));
            self.note(Act::EndSignIns(over));
        }
    }

    fn note(&self, act: Act) {
        let request = Request {
            acts: vec![act],
            entries: Vec::new(),
        };
        if let Err(refusal) = self.writer.hand_over(request) {
            log::debug!("of the sign-ins something was not noted: {refusal}");
        }
    }

    async fn commit(&self, acts: Vec<Act>, own: Own, by: &Context) -> Result<(), NotDone> {
        let request = Request {
            acts,
            entries: vec![self.recorder.own_entry(own, Some(by))],
        };
        self.writer.commit(request).await?;
        Ok(())
    }
}

fn said(emitted: Emitted, by: &Context, did: &str) -> Own {
    let own = emitted.says(format!("{} {did}", by.principal.label()));
    own.within(WorkspaceId::default_workspace())
}
