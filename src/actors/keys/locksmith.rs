//! How keys are made, rotated and revoked: by whom that may be done, and the entry that goes with it. It has
//! no timer and no clock of its own; the Doorkeeper calls it, and commands do on a book that no daemon keeps.

use super::asked::NewKey;
use crate::access::keyring::Clash;
use crate::access::{FullKey, Keyring, Principal};
use crate::actors::context::Context;
use crate::actors::{Recorder, Refusal, Writer};
use crate::config::Duration;
use crate::domain::key::{FormerSecret, LastUse, MOST_KEYS};
use crate::domain::{
    Act, Emitted, FieldErrors, Key, KeyLabel, Reach, Timestamp, WorkspaceId, entity_event,
};
use crate::storage::{EntryReader, Request, StorageError};
use std::cell::RefCell;
use std::sync::Arc;
use tokio::sync::watch;

/// Why a key is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("{0}")]
    Wrong(#[from] FieldErrors),
    /// It would be wider than who asks.
    #[error("{0}")]
    Forbidden(FieldErrors),
    #[error("{0}")]
    Conflict(FieldErrors),
    #[error("there is no key of this label")]
    NoSuchKey,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the system's random source: {0}")]
    Random(#[from] std::io::Error),
}

/// Why there are no keys to go by.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Clash(#[from] Clash),
}

/// A key, and its text, which is shown this once.
#[derive(Debug)]
pub struct Made {
    pub key: Key,
    pub full: FullKey,
}

pub struct Locksmith {
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    recorder: Recorder,
    ring: watch::Sender<Arc<Keyring>>,
    declared: RefCell<Vec<Key>>,
}

impl Locksmith {
    /// With the keys that the configuration declares; `none` is what there is without any.
    pub fn open(
        writer: Writer,
        reader: Arc<dyn EntryReader>,
        recorder: Recorder,
        none: &Keyring,
        declared: Vec<Key>,
    ) -> Result<Self, NotOpened> {
        let ring = Keyring::after(none, reader.keys()?, &declared)?;
        Ok(Self {
            writer,
            reader,
            recorder,
            ring: watch::Sender::new(Arc::new(ring)),
            declared: RefCell::new(declared),
        })
    }

    pub fn ring(&self) -> watch::Receiver<Arc<Keyring>> {
        self.ring.subscribe()
    }

    /// The configuration declares others now.
    pub fn declare(&self, declared: Vec<Key>) -> Result<(), NotOpened> {
        let stored = self.stored();
        let ring = Keyring::after(&self.ring.borrow(), stored, &declared)?;
        self.declared.replace(declared);
        self.ring.send_replace(Arc::new(ring));
        Ok(())
    }

    /// The book is another one, with keys of its own.
    pub fn read_again(&self) -> Result<(), NotOpened> {
        let stored = self.reader.keys()?;
        let ring = Keyring::after(&self.ring.borrow(), stored, &self.declared.borrow())?;
        self.ring.send_replace(Arc::new(ring));
        Ok(())
    }

    pub async fn create(
        &self,
        asked: NewKey,
        now: Timestamp,
        by: &Context,
    ) -> Result<Made, NotDone> {
        let principal = &by.principal;
        let full = FullKey::fresh()?;
        let key = Key {
            id: full.id().to_owned(),
            secret: full.hash(),
            former: None,
            rights: asked.rights,
            reach: asked.reach.unwrap_or_else(|| principal.reach().clone()),
            speaks_for_others: asked.speaks_for_others,
            created: now,
            expires: asked.expires_in.map(|time| later(now, time)),
            revoked: None,
            last_used: None,
            label: asked.label,
        };
        self.may_hand_out(principal, &key)?;
        {
            let ring = self.ring.borrow();
            if ring.labelled(&key.label).is_some() {
                let reason = "is, or was, the label of another key";
                return Err(conflict("label", reason));
            }
            if ring.held().count() >= MOST_KEYS {
                return Err(conflict("label", "there is no room for more keys"));
            }
        }
        let own = said(Emitted::AuthKeyCreated, &key).with("scopes", key.rights.words());
        self.commit(key.clone(), own, by).await?;
        Ok(Made { key, full })
    }

    /// Another secret; the former one is taken for `overlap` more.
    pub async fn rotate(
        &self,
        label: &KeyLabel,
        overlap: Duration,
        now: Timestamp,
        by: &Context,
    ) -> Result<Made, NotDone> {
        let mut key = self.own(label, &by.principal)?;
        // Who gets its secret can do all that it can.
        self.may_hand_out(&by.principal, &key)?;
        if key.revoked.is_some() {
            return Err(conflict("label", "is that of a revoked key"));
        }
        let full = FullKey::with_id(key.id.clone())?;
        key.former = (!overlap.is_zero()).then(|| FormerSecret {
            hash: key.secret,
            until: later(now, overlap),
        });
        key.secret = full.hash();
        let own = said(Emitted::AuthKeyRotated, &key).with("overlap", overlap.to_string());
        self.commit(key.clone(), own, by).await?;
        Ok(Made { key, full })
    }

    /// What is revoked already stays so.
    pub async fn revoke(
        &self,
        label: &KeyLabel,
        now: Timestamp,
        by: &Context,
    ) -> Result<Key, NotDone> {
        let mut key = self.own(label, &by.principal)?;
        if key.revoked.is_none() {
            key.revoked = Some(now);
            key.former = None;
            self.commit(key.clone(), said(Emitted::AuthKeyRevoked, &key), by)
                .await?;
        }
        Ok(key)
    }

    /// Not worth waiting for.
    pub fn note_use(&self, id: String, used: LastUse) {
        let request = Request {
            acts: vec![Act::KeyUsed { id, used }],
            entries: Vec::new(),
        };
        if let Err(refusal) = self.writer.hand_over(request) {
            log::debug!("the last use of a key was not noted: {refusal}");
        }
    }

    /// A key of the book that `principal` may see; another's is as one that is not there.
    fn own(&self, label: &KeyLabel, principal: &Principal) -> Result<Key, NotDone> {
        let ring = self.ring.borrow();
        let held = ring.labelled(label);
        let held = held.filter(|held| principal.reach().covers(&held.key.reach));
        match held {
            None => Err(NotDone::NoSuchKey),
            Some(held) if held.declared => Err(conflict(
                "label",
                "is declared in the configuration file, and changed there",
            )),
            Some(held) => Ok(held.key.clone()),
        }
    }

    /// Nobody hands out more than he has.
    fn may_hand_out(&self, principal: &Principal, key: &Key) -> Result<(), NotDone> {
        let refused = |field, reason| Err(NotDone::Forbidden(FieldErrors::one(field, reason)));
        if !principal.reach().covers(&key.reach) {
            return refused("workspace_id", "this key belongs to another workspace");
        }
        if !principal.rights().covers(key.rights) {
            return refused("scopes", "are more than those of the key that asks");
        }
        if key.speaks_for_others && !principal.may_speak_for_others() {
            return refused("speaks_for_others", "is more than the key that asks may do");
        }
        let ring = self.ring.borrow();
        let own = principal.key().and_then(|(id, _)| ring.with_id(id));
        let end = own.and_then(|held| held.key.expires);
        match (end, key.expires) {
            (Some(end), Some(asked)) if asked <= end => Ok(()),
            (Some(_), _) => refused("expires_in", "is longer than the key that asks is in force"),
            (None, _) => Ok(()),
        }
    }

    /// In force as soon as it is in the book.
    async fn commit(&self, key: Key, own: crate::domain::Own, by: &Context) -> Result<(), NotDone> {
        let request = Request {
            acts: vec![Act::PutKey(Box::new(key.clone()))],
            entries: vec![self.recorder.own_entry(own, Some(by))],
        };
        self.writer.commit(request).await?;
        let mut stored = self.stored();
        stored.retain(|held| held.label != key.label);
        stored.push(key);
        let declared = self.declared.borrow();
        // By itself, so that nothing looks at the former one while it is replaced.
        let next = Keyring::after(&self.ring.borrow(), stored, &declared);
        match next {
            Ok(ring) => drop(self.ring.send_replace(Arc::new(ring))),
            // Its label and id were free a moment ago, and only this changes them.
            Err(clash) => log::error!("{clash}"),
        }
        Ok(())
    }

    fn stored(&self) -> Vec<Key> {
        let ring = self.ring.borrow();
        let stored = ring.held().filter(|held| !held.declared);
        stored.map(|held| held.key.clone()).collect()
    }
}

fn conflict(field: &'static str, reason: &'static str) -> NotDone {
    NotDone::Conflict(FieldErrors::one(field, reason))
}

fn later(now: Timestamp, time: Duration) -> Timestamp {
    let micros = i64::try_from(time.get().as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_add(micros))
}

fn said(emitted: Emitted, key: &Key) -> crate::domain::Own {
    let workspace = match &key.reach {
        Reach::All => "*",
        Reach::One(name) => name.as_str(),
    };
    entity_event("key", emitted, key.label.as_str(), None)
        .with("workspace_id", workspace)
        .within(WorkspaceId::default_workspace())
}
