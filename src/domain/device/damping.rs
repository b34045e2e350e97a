//! How often one device may be spoken of: one that comes and goes is said to flap, once, and what it does then is
//! held back until it has been quiet.

use super::State;
use std::collections::VecDeque;
use std::time::Duration;

/// A device flaps with more than `most` transitions within `window`, and until a whole window without any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub most: usize,
    pub window: Duration,
}

/// Whether a transition is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Tell,
    /// It is told that the device flaps, in place of what it did.
    TellFlapping,
    Hold,
}

/// What of one device was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damping {
    /// When its last transitions were, within the window.
    recent: VecDeque<Duration>,
    pub is_flapping: bool,
    /// Transitions that were not told.
    pub held: u32,
    /// As it was told last.
    told: State,
    /// A change of its address was not told.
    moved: bool,
}

/// What is to be told of a device that has become quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub held: u32,
    /// Its state is another than was told.
    pub state_differs: bool,
    pub moved: bool,
}

impl Damping {
    pub fn new(told: State) -> Self {
        Self {
            recent: VecDeque::new(),
            is_flapping: false,
            held: 0,
            told,
            moved: false,
        }
    }

    /// Another state.
    pub fn turned(&mut self, to: State, now: Duration, rule: Rule) -> Verdict {
        let verdict = self.count(now, rule);
        if verdict == Verdict::Tell {
            self.told = to;
        }
        verdict
    }

    /// Another address.
    pub fn moved(&mut self, now: Duration, rule: Rule) -> Verdict {
        let verdict = self.count(now, rule);
        self.moved |= verdict != Verdict::Tell;
        verdict
    }

    /// Somebody said so, which is told in any case.
    pub fn was_told(&mut self, state: State) {
        self.told = state;
    }

    fn count(&mut self, now: Duration, rule: Rule) -> Verdict {
        self.forget(now, rule);
        // More than these decide nothing.
        if self.recent.len() > rule.most {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        if self.is_flapping {
            self.held = self.held.saturating_add(1);
            return Verdict::Hold;
        }
        if self.recent.len() > rule.most {
            self.is_flapping = true;
            self.held = 1;
            return Verdict::TellFlapping;
        }
        Verdict::Tell
    }

    fn forget(&mut self, now: Duration, rule: Rule) {
        let old = |at: &Duration| now.saturating_sub(*at) >= rule.window;
        while self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
    }

    /// Once a device that flapped has been quiet.
    pub fn settle(&mut self, state: State, now: Duration, rule: Rule) -> Option<Settled> {
        if !self.is_flapping {
            return None;
        }
        self.forget(now, rule);
        if !self.recent.is_empty() {
            return None;
        }
        let settled = Settled {
            held: self.held,
            state_differs: state != self.told,
            moved: self.moved,
        };
        *self = Self::new(state);
        Some(settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: Rule = Rule {
        most: 4,
        window: Duration::from_secs(60),
    };

    /// What is told, and when, of one that turns at these moments.
    fn told(moments: &[u64], until: u64) -> (Vec<(u64, State)>, State) {
        let mut damping = Damping::new(State::Online);
        let mut state = State::Online;
        let (mut told, mut last) = (Vec::new(), State::Online);
        for second in 0..=until {
            let now = Duration::from_secs(second);
            if let Some(settled) = damping.settle(state, now, RULE)
                && settled.state_differs
            {
                told.push((second, state));
                last = state;
            }
            for _ in moments.iter().filter(|at| **at == second) {
                state = match state {
                    State::Online => State::Offline,
                    _ => State::Online,
                };
                match damping.turned(state, now, RULE) {
                    Verdict::Tell => {
                        told.push((second, state));
                        last = state;
                    }
                    Verdict::TellFlapping => told.push((second, State::Unknown)),
                    Verdict::Hold => {}
                }
            }
        }
        assert_eq!(last == state, damping.told == state);
        (told, state)
    }

    #[test]
    fn one_that_flaps_is_told_once_to_flap_and_once_how_it_came_out() {
        let moments: Vec<u64> = (0..31).collect();
        let (told, state) = told(&moments, 200);
        let states: Vec<State> = told.iter().map(|(_, state)| *state).collect();
        use State::{Offline as F, Online as N, Unknown as Flaps};
        assert_eq!(states, [F, N, F, N, Flaps, F]);
        assert_eq!(state, F);
        assert_eq!(
            told.last().unwrap().0,
            90,
            "a whole window after the last turn"
        );
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_rule_allows_and_in_the_end_what_was_told_is_so(
            mut moments in prop::collection::vec(0u64..600, 0..200)
        ) {
            moments.sort_unstable();
            let (told, state) = told(&moments, 600 + RULE.window.as_secs() + 1);
            for (from, _) in &told {
                let until = from + RULE.window.as_secs();
                let within = told.iter().filter(|(at, _)| (*from..until).contains(at));
                prop_assert!(within.count() <= RULE.most + 2);
            }
            let last = told.iter().rfind(|(_, state)| *state != State::Unknown);
            prop_assert_eq!(last.map_or(State::Online, |(_, state)| *state), state);
        }
    }
}
