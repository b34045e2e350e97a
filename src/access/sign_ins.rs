//! Who is signed in, for whoever looks at a cookie: made anew when somebody signs in or out, and read by all
//! without waiting. Time is judged when one is looked at, so that nothing has to happen for one to expire.

use super::Keyring;
use super::keyring::Stay;
use crate::domain::sign_in::{MOST, MOST_OF_A_KEY};
use crate::domain::{SecretHash, SignIn, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Last uses are noted by the minute.
const NOTED_EVERY: i64 = 60_000_000;

/// How long a sign-in lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// Without a request.
    pub idle: Duration,
    /// Whatever is done.
    pub absolute: Duration,
}

#[derive(Debug, Clone)]
pub struct SignIns {
    held: HashMap<SecretHash, Arc<SignedIn>>,
    spans: Spans,
}

/// One of them.
#[derive(Debug)]
pub struct SignedIn {
    pub sign_in: SignIn,
    /// Fresher than what the book says, in microseconds.
    used: AtomicI64,
    noted: AtomicI64,
}

impl SignIns {
    /// As the book holds them.
    pub fn of(stored: Vec<SignIn>, spans: Spans) -> Self {
        let held = stored.into_iter().map(SignedIn::new);
        Self {
            held: held.map(|one| (one.sign_in.token, Arc::new(one))).collect(),
            spans,
        }
    }

    /// That of this token, unless its time is over.
    pub fn find(&self, token: &SecretHash, now: Timestamp) -> Option<&SignedIn> {
        let held = self.held.get(token)?;
        (held.end(self.spans) > now).then_some(&**held)
    }

    /// Those that make room for one more of this key.
    pub fn in_the_way_of(&self, sign_in: &SignIn) -> Vec<SecretHash> {
        let all = || self.held.values().map(|held| &held.sign_in);
        let of_key = all().filter(|one| one.key_id == sign_in.key_id).collect();
        let mut beyond = oldest_beyond(of_key, MOST_OF_A_KEY);
        if self.held.len() >= MOST + beyond.len() {
            beyond = oldest_beyond(all().collect(), MOST);
        }
        beyond.iter().map(|one| one.token).collect()
    }

    pub fn with(&self, sign_in: SignIn) -> Self {
        let mut next = self.clone();
        let one = SignedIn::new(sign_in);
        next.held.insert(one.sign_in.token, Arc::new(one));
        next
    }

    pub fn without(&self, tokens: &[SecretHash]) -> Self {
        let mut next = self.clone();
        next.held.retain(|token, _| !tokens.contains(token));
        next
    }

    /// Those whose time is over, or whose key lets nobody in any more.
    pub fn over(&self, ring: &Keyring, now: Timestamp) -> Vec<SecretHash> {
        let is_over = |held: &&Arc<SignedIn>| {
            held.end(self.spans) <= now || ring.signed_in(&held.sign_in, now).is_none()
        };
        let over = self.held.values().filter(is_over);
        over.map(|held| held.sign_in.token).collect()
    }

    /// When that of this token ends without another request, and when in any case.
    pub fn ends(&self, token: &SecretHash) -> Option<(Timestamp, Timestamp)> {
        let held = self.held.get(token)?;
        Some((held.idle_end(self.spans), held.absolute_end(self.spans)))
    }

    /// How long whoever was let in by this token may stay.
    pub fn stay(&self, token: &SecretHash, now: Timestamp) -> Stay {
        match self.find(token, now) {
            None => Stay::Over,
            Some(held) => Stay::Until(Some(held.end(self.spans))),
        }
    }
}

impl SignedIn {
    fn new(sign_in: SignIn) -> Self {
        let used = sign_in.last_used.micros();
        Self {
            used: used.into(),
            noted: (used / NOTED_EVERY).into(),
            sign_in,
        }
    }

    /// Whether this use is the first of its minute, and is to be noted.
    pub fn is_used(&self, now: Timestamp) -> bool {
        self.used.fetch_max(now.micros(), Ordering::Relaxed);
        let minute = now.micros() / NOTED_EVERY;
        self.noted.load(Ordering::Relaxed) != minute
            && self.noted.swap(minute, Ordering::Relaxed) != minute
    }

    fn end(&self, spans: Spans) -> Timestamp {
        self.idle_end(spans).min(self.absolute_end(spans))
    }

    /// Without another request.
    fn idle_end(&self, spans: Spans) -> Timestamp {
        after(self.used.load(Ordering::Relaxed), spans.idle)
    }

    fn absolute_end(&self, spans: Spans) -> Timestamp {
        after(self.sign_in.created.micros(), spans.absolute)
    }
}

fn after(start: i64, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(start.saturating_add(span))
}

/// Those that go, so that with one more there are no more than `most`.
fn oldest_beyond(mut those: Vec<&SignIn>, most: usize) -> Vec<&SignIn> {
    those.sort_by_key(|one| one.created);
    let beyond = (those.len() + 1).saturating_sub(most);
    those.truncate(beyond);
    those
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: Spans = Spans {
        idle: Duration::from_secs(100),
        absolute: Duration::from_secs(1000),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn sign_in(number: u16, key: &str) -> SignIn {
        let mut token = [0; 32];
        token[..2].copy_from_slice(&number.to_be_bytes());
        SignIn {
            token: SecretHash(token),
            key_id: key.into(),
            key_secret: SecretHash([0; 32]),
            created: at(number.into()),
            last_used: at(number.into()),
        }
    }

    #[test]
    fn it_lasts_as_long_as_it_is_used_and_in_no_case_longer_than_its_absolute_time() {
        let one = sign_in(0, "a");
        let held = SignIns::of(vec![one.clone()], SPANS);
        assert!(held.find(&one.token, at(99)).is_some());
        assert!(held.find(&one.token, at(100)).is_none());
        for second in (0..1000).step_by(90) {
            held.find(&one.token, at(second))
                .unwrap()
                .is_used(at(second));
        }
        assert_eq!(held.stay(&one.token, at(999)), Stay::Until(Some(at(1000))));
        assert_eq!(held.stay(&one.token, at(1000)), Stay::Over);
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let held = SignIns::of(vec![sign_in(0, "a")], SPANS);
        let one = held.find(&sign_in(0, "a").token, at(1)).unwrap();
        assert!(!one.is_used(at(59)) && one.is_used(at(60)) && !one.is_used(at(61)));
    }

    #[test]
    fn one_key_has_so_many_and_the_oldest_make_room() {
        let mut all = SignIns::of(Vec::new(), SPANS);
        for number in 0..100 {
            let one = sign_in(number, "a");
            all = all.without(&all.in_the_way_of(&one)).with(one);
        }
        assert_eq!(all.held.len(), MOST_OF_A_KEY);
        assert!(all.find(&sign_in(99, "a").token, at(100)).is_some());
        assert_eq!(all.in_the_way_of(&sign_in(100, "b")), []);
    }

    #[test]
    fn the_book_has_so_many_whoever_signs_in() {
        let full = (0..10_000).map(|n| sign_in(n, &format!("k{}", n / 8)));
        let full = SignIns::of(full.collect(), SPANS);
        let way = full.in_the_way_of(&sign_in(10_000, "new"));
        assert_eq!(way, [sign_in(0, "k0").token]);
    }
}
