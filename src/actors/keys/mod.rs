//! The Doorkeeper: it alone changes keys, and what it changes is in force at once for everybody who looks at
//! its keyring; so it is with who signs in and out. It notes when keys are used, and who was turned away, folding
//! bursts.

pub mod asked;
pub mod locksmith;
pub mod register;
pub mod signing;

pub use asked::NewKey;
pub use locksmith::{Locksmith, Made, NotDone, NotOpened};
pub use register::Register;

use super::context::Context as Caller;
use super::messages::BookReplaced;
use super::{Clocks, Recorder, Refusal};
use crate::access::folding::{Folding, Rest};
use crate::access::keyring::{NotVerified, Stay};
use crate::access::{Keyring, Principal, Privacy, SignIns};
use crate::config::Duration;
use crate::domain::key::LastUse;
use crate::domain::{Draft, Emitted, Key, KeyLabel, Timestamp, WorkspaceId};
use actix::prelude::*;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::watch;

/// How often it is looked whether a burst is over.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// How often sign-ins that are over are forgotten.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(5);
/// What may wait; of uses and refusals the rest is dropped.
const MAILBOX: usize = 256;

// Messages

pub struct Create {
    pub asked: NewKey,
    pub by: Caller,
}

impl Message for Create {
    type Result = Result<Made, NotDone>;
}

pub struct Rotate {
    pub label: KeyLabel,
    pub overlap: Duration,
    pub by: Caller,
}

impl Message for Rotate {
    type Result = Result<Made, NotDone>;
}

pub struct Revoke {
    pub label: KeyLabel,
    pub by: Caller,
}

impl Message for Revoke {
    type Result = Result<Key, NotDone>;
}

/// Go by what a configuration declares that was read again.
pub struct Declare(pub Vec<Key>);

impl Message for Declare {
    type Result = Result<(), NotOpened>;
}

/// Every key as it stands, and whether it is declared.
pub struct List;

impl Message for List {
    type Result = Vec<(Key, bool)>;
}

/// A key was used, for the first time in this minute.
pub struct Used {
    pub id: String,
    pub at: Timestamp,
    pub from: Option<String>,
}

impl Message for Used {
    type Result = ();
}

/// Somebody was not let in, or may not do what he asked for.
#[derive(Debug, Clone)]
pub enum Turned {
    Away {
        from: Option<String>,
        why: NotVerified,
    },
    Down {
        who: Principal,
        from: Option<String>,
    },
}

impl Message for Turned {
    type Result = ();
}

// The way to it

/// The way to the actor, and the keys in force, which anybody reads without it.
#[derive(Clone)]
pub struct Keys {
    addr: Addr<Doorkeeper>,
    ring: watch::Receiver<Arc<Keyring>>,
    sign_ins: watch::Receiver<Arc<SignIns>>,
}

impl Keys {
    pub fn start(
        locksmith: Locksmith,
        register: Register,
        recorder: Recorder,
        privacy: Arc<Privacy>,
        clocks: Clocks,
    ) -> Self {
        let (ring, sign_ins) = (locksmith.ring(), register.sign_ins());
        let addr = Doorkeeper {
            locksmith: Rc::new(locksmith),
            register: Rc::new(register),
            recorder,
            privacy,
            clocks,
            uses: HashMap::new(),
            turned: Folding::default(),
        }
        .start();
        Self {
            addr,
            ring,
            sign_ins,
        }
    }

    /// The keys in force now. Hold it no longer than a look takes.
    pub fn ring(&self) -> watch::Ref<'_, Arc<Keyring>> {
        self.ring.borrow()
    }

    /// Who is signed in now, alike.
    pub fn sign_ins(&self) -> watch::Ref<'_, Arc<SignIns>> {
        self.sign_ins.borrow()
    }

    /// Whether `principal`, who was let in before, would be let in now.
    pub fn stay(&self, principal: &Principal, now: Timestamp) -> Stay {
        let stay = self.ring.borrow().stay(principal, now);
        match principal.sign_in() {
            None => stay,
            Some(token) => stay.and(self.sign_ins.borrow().stay(token, now)),
        }
    }

    pub fn addr(&self) -> &Addr<Doorkeeper> {
        &self.addr
    }

    /// What may be lost rather than keep anybody waiting.
    pub fn note<M>(&self, message: M)
    where
        M: Message<Result = ()> + Send + 'static,
        Doorkeeper: Handler<M>,
    {
        // A full mailbox is one that has enough to note.
        let _ = self.addr.try_send(message);
    }

    pub async fn ask<M, T, E>(&self, message: M) -> Result<T, E>
    where
        M: Message<Result = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static + From<Refusal>,
        Doorkeeper: Handler<M>,
    {
        match self.addr.send(message).await {
            Ok(done) => done,
            Err(_) => Err(Refusal::Stopping.into()),
        }
    }

    /// Comes back when `principal` would not be let in any more.
    pub async fn until_over(mut self, principal: Principal, now: impl Fn() -> Timestamp) {
        // A clock that was set is noticed at the latest then.
        const LOOK_AGAIN: u64 = 60_000_000;
        loop {
            self.ring.mark_unchanged();
            self.sign_ins.mark_unchanged();
            let stay = self.stay(&principal, now());
            let left = match stay {
                Stay::Over => return,
                Stay::Until(None) => None,
                Stay::Until(Some(end)) => Some(end.micros().abs_diff(now().micros())),
            };
            let left = left.map_or(u64::MAX, |left| left.min(LOOK_AGAIN));
            let is_signed_in = principal.sign_in().is_some();
            let changed = tokio::select! {
                changed = self.ring.changed() => changed,
                changed = self.sign_ins.changed(), if is_signed_in => changed,
                () = sleep(left), if left < u64::MAX => Ok(()),
            };
            if changed.is_err() {
                // Nobody is left to take a key away: the daemon stops, and says so to everybody.
                return std::future::pending().await;
            }
        }
    }
}

async fn sleep(micros: u64) {
    tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
}

// State

pub struct Doorkeeper {
    locksmith: Rc<Locksmith>,
    register: Rc<Register>,
    recorder: Recorder,
    privacy: Arc<Privacy>,
    clocks: Clocks,
    /// By the id of the key; fresher than what the keyring says.
    uses: HashMap<String, LastUse>,
    turned: Folding<Kind>,
}

/// Refusals of one kind are one burst.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Away(Option<String>, NotVerified),
    Down(String, Option<String>),
}

impl Doorkeeper {
    fn now(&self) -> Timestamp {
        (self.clocks)().wall
    }

    fn look(&mut self) {
        let over = self.turned.over((self.clocks)().passed);
        for Rest { kind, count } in over {
            self.record(kind.as_ref(), Some(count));
        }
    }

    fn sweep(&self) {
        let ring = Arc::clone(&self.locksmith.ring().borrow());
        self.register.sweep(&ring, self.now());
    }

    /// `more`: how many came after the first.
    fn record(&self, kind: Option<&Kind>, more: Option<u64>) {
        let (own, actor, from) = match kind {
            Some(Kind::Away(from, why)) => {
                let said = format!("A key was not taken: {}", why.as_str());
                let own = Emitted::AuthFailed.says(said).with("reason", why.as_str());
                (own, None, from.clone())
            }
            Some(Kind::Down(who, from)) => {
                let said = format!("{who} asked for what it may not do");
                (
                    Emitted::AuthDenied.says(said),
                    Some(who.clone()),
                    from.clone(),
                )
            }
            None => {
                let said = "Keys were not taken, from many addresses";
                (Emitted::AuthFailed.says(said), None, None)
            }
        };
        let own = match more {
            Some(count) => own.with("count", count),
            None => own,
        };
        self.recorder.record(Draft {
            actor,
            ip_address: from.and_then(|from| self.privacy.ip_address(from)),
            ..own.within(WorkspaceId::default_workspace()).draft()
        });
    }
}

// Handlers

impl Actor for Doorkeeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(LOOK_EVERY, |doorkeeper, _| doorkeeper.look());
        ctx.run_interval(SWEEP_EVERY, |doorkeeper, _| doorkeeper.sweep());
    }
}

impl Handler<Create> for Doorkeeper {
    type Result = AtomicResponse<Self, Result<Made, NotDone>>;

    fn handle(&mut self, Create { asked, by }: Create, _: &mut Context<Self>) -> Self::Result {
        let (locksmith, now) = (Rc::clone(&self.locksmith), self.now());
        let created = async move { locksmith.create(asked, now, &by).await };
        AtomicResponse::new(Box::pin(created.into_actor(self)))
    }
}

impl Handler<Rotate> for Doorkeeper {
    type Result = AtomicResponse<Self, Result<Made, NotDone>>;

    fn handle(&mut self, rotate: Rotate, _: &mut Context<Self>) -> Self::Result {
        let (locksmith, now) = (Rc::clone(&self.locksmith), self.now());
        let Rotate { label, overlap, by } = rotate;
        let rotated = async move { locksmith.rotate(&label, overlap, now, &by).await };
        AtomicResponse::new(Box::pin(rotated.into_actor(self)))
    }
}

impl Handler<Revoke> for Doorkeeper {
    type Result = AtomicResponse<Self, Result<Key, NotDone>>;

    fn handle(&mut self, Revoke { label, by }: Revoke, _: &mut Context<Self>) -> Self::Result {
        let (locksmith, now) = (Rc::clone(&self.locksmith), self.now());
        let revoked = async move { locksmith.revoke(&label, now, &by).await };
        AtomicResponse::new(Box::pin(revoked.into_actor(self)))
    }
}

impl Handler<Declare> for Doorkeeper {
    type Result = Result<(), NotOpened>;

    fn handle(&mut self, Declare(keys): Declare, _: &mut Context<Self>) -> Self::Result {
        self.locksmith.declare(keys)
    }
}

impl Handler<BookReplaced> for Doorkeeper {
    type Result = ();

    fn handle(&mut self, _: BookReplaced, _: &mut Context<Self>) {
        if let Err(error) = self.locksmith.read_again() {
            log::error!("the keys of the restored book could not be read: {error}");
        }
        if let Err(error) = self.register.read_again() {
            log::error!("who is signed in, of the restored book, could not be read: {error}");
        }
    }
}

impl Handler<List> for Doorkeeper {
    type Result = MessageResult<List>;

    fn handle(&mut self, _: List, _: &mut Context<Self>) -> Self::Result {
        let ring = self.locksmith.ring();
        let mut keys: Vec<(Key, bool)> = ring
            .borrow()
            .held()
            .map(|held| {
                let mut key = held.key.clone();
                let used = self.uses.get(&key.id).cloned();
                key.last_used = used.or(key.last_used);
                (key, held.declared)
            })
            .collect();
        keys.sort_by(|(a, _), (b, _)| a.label.cmp(&b.label));
        MessageResult(keys)
    }
}

impl Handler<Used> for Doorkeeper {
    type Result = ();

    fn handle(&mut self, Used { id, at, from }: Used, _: &mut Context<Self>) {
        let from = from.and_then(|from| self.privacy.ip_address(from));
        let used = LastUse { at, from };
        self.uses.insert(id.clone(), used.clone());
        self.locksmith.note_use(id, used);
    }
}

impl Handler<Turned> for Doorkeeper {
    type Result = ();

    fn handle(&mut self, turned: Turned, _: &mut Context<Self>) {
        let kind = match turned {
            Turned::Away { from, why } => Kind::Away(from, why),
            Turned::Down { who, from } => Kind::Down(who.label().to_owned(), from),
        };
        if self.turned.happened(&kind, (self.clocks)().passed) {
            self.record(Some(&kind), None);
        }
    }
}
