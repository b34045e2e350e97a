//! How often one address may fail to be let in: so many at once, and no more than that in a minute. What is kept of
//! addresses is bounded, and nothing of it is stored.

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Addresses told apart; what is beyond them counts as one.
const MOST: usize = 10_000;
/// So many attempts lie between two looks at which addresses are at rest again.
const LOOK_EVERY: usize = 1_000;

type Limiter<C> =
    RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Shared by all workers.
#[derive(Debug)]
pub struct Slowdown<C: Clock = MonotonicClock> {
    limiter: Option<Limiter<C>>,
    clock: C,
    seen: AtomicUsize,
}

impl Slowdown {
    /// 0: nobody is slowed down.
    pub fn new(per_minute: u32) -> Self {
        Self::by(per_minute, MonotonicClock)
    }
}

impl<C: Clock + Clone> Slowdown<C> {
    fn by(per_minute: u32, clock: C) -> Self {
        let quota = NonZeroU32::new(per_minute).map(Quota::per_minute);
        let limiter = quota.map(|quota| {
            let none = HashMapStateStore::default();
            RateLimiter::new(quota, none, clock.clone())
        });
        Self {
            limiter,
            clock,
            seen: AtomicUsize::new(0),
        }
    }

    /// Counts one attempt. One too many is not taken, but in so long.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        let (Some(limiter), Some(address)) = (&self.limiter, address) else {
            return Ok(());
        };
        let counted = limiter.check_key(&self.told_apart(limiter, address));
        counted.map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }

    fn told_apart(&self, limiter: &Limiter<C>, address: IpAddr) -> IpAddr {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        if seen % LOOK_EVERY == LOOK_EVERY - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        match limiter.len() < MOST {
            true => network(address),
            false => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// Whoever has one IPv6 address has a /64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::net::Ipv4Addr;

    fn slowdown(per_minute: u32) -> Slowdown<FakeRelativeClock> {
        Slowdown::by(per_minute, FakeRelativeClock::default())
    }

    fn from(slowdown: &Slowdown<FakeRelativeClock>, address: &str) -> Result<(), Duration> {
        slowdown.count(Some(address.parse().unwrap()))
    }

    #[test]
    fn an_address_has_so_many_attempts_a_minute_and_another_has_its_own() {
        let slowdown = slowdown(6);
        assert!((0..6).all(|_| from(&slowdown, "192.0.2.1").is_ok()));
        assert_eq!(from(&slowdown, "192.0.2.1"), Err(Duration::from_secs(10)));
        assert!(from(&slowdown, "192.0.2.2").is_ok());
        slowdown.clock.advance(Duration::from_secs(10));
        assert!(from(&slowdown, "::ffff:192.0.2.1").is_ok());
        assert!(from(&slowdown, "192.0.2.1").is_err());
    }

    #[test]
    fn who_has_a_whole_network_is_one() {
        let slowdown = slowdown(1);
        assert!(from(&slowdown, "2001:db8::1").is_ok());
        assert!(from(&slowdown, "2001:db8::ffff:1").is_err());
        assert!(from(&slowdown, "2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn with_zero_nobody_is_slowed_down() {
        let slowdown = slowdown(0);
        assert!((0..10_000).all(|_| from(&slowdown, "192.0.2.1").is_ok()));
    }

    #[test]
    fn what_is_kept_of_addresses_is_bounded_and_forgotten() {
        let slowdown = slowdown(1);
        let count = |n| slowdown.count(Some(Ipv4Addr::from_bits(n).into()));
        let taken = (0..40_000).filter(|n| count(*n).is_ok()).count();
        let held = |slowdown: &Slowdown<_>| slowdown.limiter.as_ref().unwrap().len();
        assert_eq!((taken, held(&slowdown)), (MOST + 1, MOST + 1));
        slowdown.clock.advance(Duration::from_secs(120));
        for n in 0..LOOK_EVERY {
            let _ = count(u32::try_from(n).unwrap());
        }
        assert!(held(&slowdown) <= LOOK_EVERY);
    }
}
