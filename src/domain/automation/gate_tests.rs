//! The gate against a model that remembers everything.

use super::*;
use crate::domain::{Emitted, EntryId, Receipt};
use proptest::prelude::*;
use serde_json::json;

struct NoRedaction;
impl crate::domain::Redact for NoRedaction {
    fn metadata(&self, _: &mut serde_json::Map<String, serde_json::Value>) {}
    fn holds_secret(&self, _: &str) -> bool {
        false
    }
}

fn rule(more: &serde_json::Value) -> Rule {
    let mut object = json!({"name": "r", "webhook": {"url": "http://localhost:1/"}});
    let more = more.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(more);
    let rules = crate::domain::Rules {
        extra_categories: Vec::new(),
        redact: Box::new(NoRedaction),
    };
    Rule::read(object.as_object().unwrap().clone(), &rules).unwrap()
}

fn entry(seconds: i64, actor: u8) -> Entry {
    let receipt = Receipt {
        id: EntryId::trusted("al_1"),
        seq: 1,
        ts: Timestamp::from_micros(seconds * 1_000_000),
        duplicate: false,
    };
    let mut entry = Emitted::ServerStarted
        .says("x")
        .by_system()
        .recorded(&receipt);
    entry.actor = format!("actor {actor}");
    entry
}

/// What `seqs` and `count` come to, entry by entry.
fn run(rule: &Rule, matches: &[(i64, u8)], restarts: &[usize]) -> Vec<Option<u64>> {
    let mut gate = Gate::new(rule, Standing::default());
    let mut came = Vec::new();
    for (at, (seconds, actor)) in matches.iter().enumerate() {
        if restarts.contains(&at) {
            let kept = serde_json::to_string(&gate.standing).unwrap();
            gate = Gate::new(rule, serde_json::from_str(&kept).unwrap());
            for (seq, (seconds, actor)) in matches[..at].iter().enumerate() {
                gate.recall(seq as Seq + 1, &entry(*seconds, *actor));
            }
        }
        came.push(match gate.on(at as Seq + 1, &entry(*seconds, *actor)) {
            Came::Nothing => None,
            Came::Activated { seqs, count } => {
                assert_eq!(seqs.last(), Some(&(at as Seq + 1)));
                assert!(seqs.len() <= MOST_ENTRIES && seqs.is_sorted());
                Some(count)
            }
        });
    }
    came
}

/// The same, by looking through all that was.
fn model(
    times: usize,
    within: i64,
    cooldown: i64,
    most: usize,
    matches: &[(i64, u8)],
    per: bool,
) -> Vec<bool> {
    let mut set_off: Vec<(usize, i64, u8)> = Vec::new();
    let mut came = Vec::new();
    for (at, (now, actor)) in matches.iter().enumerate() {
        let same = |other: u8| !per || other == *actor;
        let reset = set_off.iter().rev().find(|(_, _, who)| same(*who));
        let from = reset.map_or(0, |(at, ..)| at + 1);
        let held = matches[from..=at].iter();
        let held = held
            .filter(|(then, who)| same(*who) && *then >= now - within)
            .count();
        let cooling = set_off
            .last()
            .is_some_and(|(_, then, _)| *now < then + cooldown);
        let recent = set_off
            .iter()
            .filter(|(_, then, _)| *then > now - 60)
            .count();
        let goes = held >= times && !cooling && recent < most;
        if goes {
            set_off.push((at, *now, *actor));
        }
        came.push(goes);
    }
    came
}

proptest! {
    #[test]
    fn a_rule_goes_off_when_the_model_does_whatever_restarts_come_between(
        steps in proptest::collection::vec((0i64..8, 0u8..3), 1..80),
        times in 1usize..6,
        within in 1i64..30,
        cooldown in 0i64..20,
        most in 1usize..5,
        per in any::<bool>(),
        restarts in proptest::collection::vec(0usize..80, 0..3),
    ) {
        let mut now = 0;
        let matches: Vec<(i64, u8)> = steps.iter().map(|(step, who)| { now += step; (now, *who) }).collect();
        let rule = rule(&json!({
            "times": times, "within": format!("{within}s"), "cooldown": format!("{cooldown}s"),
            "most_per_minute": most, "per": per.then_some("actor"),
        }));
        let came: Vec<bool> = run(&rule, &matches, &restarts).iter().map(Option::is_some).collect();
        prop_assert_eq!(came, model(times, within, cooldown, most, &matches, per));
    }
}

#[test]
fn what_is_held_back_is_counted_in_the_next_activation() {
    let rule = rule(&json!({"cooldown": "10s"}));
    let matches: Vec<(i64, u8)> = (0..12).map(|second| (second, 0)).collect();
    let came = run(&rule, &matches, &[]);
    let set_off: Vec<_> = came
        .iter()
        .enumerate()
        .filter_map(|(at, c)| c.map(|c| (at, c)))
        .collect();
    assert_eq!(set_off, [(0, 1), (10, 10)]);
}

#[test]
fn a_burst_is_held_to_so_many_a_minute_and_none_of_it_is_left_uncounted() {
    let rule = rule(&json!({"most_per_minute": 2}));
    let mut matches = vec![(0, 0); 100];
    matches.push((60, 0));
    let set_off: Vec<u64> = run(&rule, &matches, &[]).into_iter().flatten().collect();
    assert_eq!(set_off, [1, 1, 99]);
}
