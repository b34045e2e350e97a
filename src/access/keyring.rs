//! The keys in force, for whoever verifies one: made anew when one changes, and read by all without waiting.
//! Time is judged when a key is shown, so that nothing has to happen for one to expire.

use super::Principal;
use super::key::{are_equal, presented};
use crate::domain::{Key, KeyLabel, SecretHash, SignIn, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Last uses are noted by the minute.
const NOTED_EVERY: i64 = 60_000_000;

/// Made of what the book holds and what the configuration declares.
#[derive(Debug, Default)]
pub struct Keyring {
    by_id: HashMap<String, Held>,
    /// There is a key, or was one since this process started: nobody is anonymous.
    closed: bool,
}

#[derive(Debug)]
pub struct Held {
    pub key: Key,
    /// Written in the configuration file, and changed only there.
    pub declared: bool,
    principal: Principal,
    /// The same holder, by the secret that was rotated away.
    by_former: Option<(SecretHash, Timestamp, Principal)>,
    usage: Arc<Usage>,
}

/// What is counted of a key from one keyring to the next.
#[derive(Debug, Default)]
pub struct Usage {
    noted: AtomicI64,
    /// Open sessions.
    pub sessions: Arc<AtomicUsize>,
}

/// Why what was presented opens nothing. Whoever presented it is told the same in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotVerified {
    Wrong,
    Expired,
    Revoked,
}

impl NotVerified {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// How long somebody who was let in may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    Over,
    /// Unless something changes.
    Until(Option<Timestamp>),
}

impl Stay {
    /// As long as both say.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Until(a), Self::Until(b)) => Self::Until(a.into_iter().chain(b).min()),
            _ => Self::Over,
        }
    }
}

/// A label or an id stands in the book and in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "auth.keys: the key {0} is in the book already; give it another label and id, or revoke neither and remove it here"
)]
pub struct Clash(pub KeyLabel);

impl Keyring {
    /// Without a key. When `closed`, nobody is let in without showing something all the same.
    pub fn empty(closed: bool) -> Self {
        Self {
            closed,
            ..Self::default()
        }
    }

    /// What follows `former`, whose counts go on.
    pub fn after(former: &Self, stored: Vec<Key>, declared: &[Key]) -> Result<Self, Clash> {
        let mut labels: HashMap<KeyLabel, ()> = HashMap::new();
        let mut by_id = HashMap::new();
        let stored = stored.into_iter().map(|key| (key, false));
        for (key, declared) in stored.chain(declared.iter().map(|key| (key.clone(), true))) {
            let usage = match former.by_id.get(&key.id) {
                Some(held) => Arc::clone(&held.usage),
                None => Arc::default(),
            };
            let twice = labels.insert(key.label.clone(), ()).is_some();
            if twice || by_id.contains_key(&key.id) {
                return Err(Clash(key.label));
            }
            by_id.insert(key.id.clone(), Held::new(key, declared, usage));
        }
        Ok(Self {
            closed: former.closed || !by_id.is_empty(),
            by_id,
        })
    }

    /// Whether whoever shows no key is let in.
    pub fn is_open(&self) -> bool {
        !self.closed
    }

    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.by_id.values()
    }

    pub fn labelled(&self, label: &KeyLabel) -> Option<&Held> {
        self.held().find(|held| held.key.label == *label)
    }

    pub fn with_id(&self, id: &str) -> Option<&Held> {
        self.by_id.get(id)
    }

    /// Whose key that is. It costs one SHA-256 and a look-up, whatever is presented.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<(&Held, Principal), NotVerified> {
        let (id, hash) = presented(text).ok_or(NotVerified::Wrong)?;
        let held = self.by_id.get(id).ok_or(NotVerified::Wrong)?;
        let former = held.by_former.as_ref();
        let former = former.filter(|(was, ..)| are_equal(was, &hash));
        let principal = match former {
            _ if are_equal(&held.key.secret, &hash) => &held.principal,
            Some((_, until, principal)) if now < *until => principal,
            Some(_) => return Err(NotVerified::Expired),
            None => return Err(NotVerified::Wrong),
        };
        match held.key.revoked {
            Some(_) => Err(NotVerified::Revoked),
            None if held.key.is_expired(now) => Err(NotVerified::Expired),
            None => Ok((held, principal.clone())),
        }
    }

    /// Who has signed in as `sign_in` says, as long as its key would still let him in.
    pub fn signed_in(&self, sign_in: &SignIn, now: Timestamp) -> Option<(&Held, Principal)> {
        let held = self.by_id.get(&sign_in.key_id)?;
        let principal = match &held.by_former {
            _ if held.key.secret == sign_in.key_secret => &held.principal,
            Some((was, _, principal)) if *was == sign_in.key_secret => principal,
            _ => return None,
        };
        match self.stay(principal, now) {
            Stay::Over => None,
            Stay::Until(_) => Some((held, principal.signed_in(sign_in.token))),
        }
    }

    /// Whether `principal`, who was let in before, would be let in now.
    pub fn stay(&self, principal: &Principal, now: Timestamp) -> Stay {
        let Some((id, secret)) = principal.key() else {
            return match self.closed && principal.is_anonymous() {
                true => Stay::Over,
                false => Stay::Until(None),
            };
        };
        let Some(held) = self.by_id.get(id) else {
            return Stay::Over;
        };
        if held.key.revoked.is_some() || !held.is_as(principal) {
            return Stay::Over;
        }
        let rotated = match &held.by_former {
            _ if held.key.secret == *secret => None,
            Some((was, until, _)) if was == secret => Some(*until),
            _ => return Stay::Over,
        };
        let until = [held.key.expires, rotated].into_iter().flatten().min();
        match until {
            Some(until) if until <= now => Stay::Over,
            until => Stay::Until(until),
        }
    }

    /// Of a key that is held.
    pub fn usage(&self, principal: &Principal) -> Option<&Usage> {
        let (id, _) = principal.key()?;
        Some(&self.by_id.get(id)?.usage)
    }
}

impl Held {
    fn new(key: Key, declared: bool, usage: Arc<Usage>) -> Self {
        let of = |secret| Principal::of_key(&key, secret);
        Self {
            principal: of(key.secret),
            by_former: key
                .former
                .map(|former| (former.hash, former.until, of(former.hash))),
            usage,
            declared,
            key,
        }
    }

    /// The same rights as when it was let in.
    fn is_as(&self, principal: &Principal) -> bool {
        self.principal.reach() == principal.reach()
            && self.principal.rights() == principal.rights()
            && self.principal.may_speak_for_others() == principal.may_speak_for_others()
    }

    /// Whether this use is the first of its minute, and is to be noted.
    pub fn is_worth_noting(&self, now: Timestamp) -> bool {
        let minute = now.micros() / NOTED_EVERY;
        self.usage.noted.load(Ordering::Relaxed) != minute
            && self.usage.noted.swap(minute, Ordering::Relaxed) != minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::key::FullKey;
    use crate::domain::key::FormerSecret;
    use crate::domain::{Reach, Rights, WorkspaceId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn key(label: &str) -> (Key, FullKey) {
        let full = FullKey::fresh().unwrap();
        let key = Key {
            label: KeyLabel::parse(label).unwrap(),
            id: full.id().to_owned(),
            secret: full.hash(),
            former: None,
            rights: Rights::ALL,
            reach: Reach::One(WorkspaceId::trusted("a")),
            speaks_for_others: false,
            created: at(0),
            expires: None,
            revoked: None,
            last_used: None,
        };
        (key, full)
    }

    fn ring(keys: &[Key]) -> Keyring {
        Keyring::after(&Keyring::default(), keys.to_vec(), &[]).unwrap()
    }

    fn verified(ring: &Keyring, text: &str, now: i64) -> Result<String, NotVerified> {
        let verified = ring.verify(text, at(now));
        verified.map(|(_, principal)| principal.label().to_owned())
    }

    #[test]
    fn a_key_opens_until_it_expires_and_never_once_revoked() {
        let (mut key, full) = key("ci");
        key.expires = Some(at(10));
        assert_eq!(
            verified(&ring(&[key.clone()]), &full.reveal(), 9).unwrap(),
            "ci"
        );
        let expired = verified(&ring(&[key.clone()]), &full.reveal(), 10);
        assert_eq!(expired, Err(NotVerified::Expired));
        key.revoked = Some(at(5));
        let revoked = verified(&ring(&[key.clone()]), &full.reveal(), 1);
        assert_eq!(revoked, Err(NotVerified::Revoked));
        let forged = format!("dbk_{}_{}", key.id, "x".repeat(32));
        assert_eq!(verified(&ring(&[key]), &forged, 1), Err(NotVerified::Wrong));
    }

    #[test]
    fn of_a_rotated_key_the_former_secret_opens_until_the_overlap_ends() {
        let (mut key, old) = key("ci");
        let before = ring(&[key.clone()]);
        let (_, by_old) = before.verify(&old.reveal(), at(1)).unwrap();
        let new = FullKey::with_id(key.id.clone()).unwrap();
        key.former = Some(FormerSecret {
            hash: key.secret,
            until: at(10),
        });
        key.secret = new.hash();
        let ring = ring(&[key]);
        assert!(verified(&ring, &new.reveal(), 100).is_ok());
        assert!(verified(&ring, &old.reveal(), 9).is_ok());
        assert_eq!(
            verified(&ring, &old.reveal(), 10),
            Err(NotVerified::Expired)
        );
        assert_eq!(ring.stay(&by_old, at(9)), Stay::Until(Some(at(10))));
        assert_eq!(ring.stay(&by_old, at(10)), Stay::Over);
        let (_, by_new) = ring.verify(&new.reveal(), at(1)).unwrap();
        assert_eq!(ring.stay(&by_new, at(99)), Stay::Until(None));
    }

    #[test]
    fn nobody_is_anonymous_from_the_first_key_on_whatever_becomes_of_it() {
        let none = Keyring::default();
        let anonymous = Principal::anonymous();
        assert!(none.is_open());
        assert_eq!(none.stay(&anonymous, at(0)), Stay::Until(None));
        let one = Keyring::after(&none, vec![key("a").0], &[]).unwrap();
        assert!(!one.is_open());
        assert_eq!(one.stay(&anonymous, at(0)), Stay::Over);
        assert!(!Keyring::after(&one, Vec::new(), &[]).unwrap().is_open());
    }

    #[test]
    fn a_declared_key_does_not_take_a_stored_ones_name() {
        let (stored, _) = key("ci");
        let (declared, _) = key("ci");
        let clash = Keyring::after(&Keyring::default(), vec![stored], &[declared]);
        assert_eq!(clash.unwrap_err().0.as_str(), "ci");
    }

    #[test]
    fn a_use_is_noted_once_a_minute_and_from_one_keyring_to_the_next() {
        let (key, full) = key("ci");
        let first = ring(std::slice::from_ref(&key));
        let noted = |ring: &Keyring, now| {
            let (held, _) = ring.verify(&full.reveal(), at(now)).unwrap();
            held.is_worth_noting(at(now))
        };
        assert!(noted(&first, 60) && !noted(&first, 119));
        let next = Keyring::after(&first, vec![key], &[]).unwrap();
        assert!(!noted(&next, 119) && noted(&next, 120));
    }
}
