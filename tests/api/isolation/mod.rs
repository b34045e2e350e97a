//! What a key sees, in every way of asking, is what a simple model says: over random entries in random
//! workspaces and random filters. Every run makes the same choices.

mod model;
mod ways;

use super::client::{ACTIVITY, each};
use super::dice::Dice;
use super::events::Follower;
use super::harness::TestDaybook;
use model::{ENTRY_IDS, Filter, KEPT, Model};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use ureq::http::Method;
use ways::Seer;

/// Nothing is pruned by itself, and no call leaves an entry beside that of its act.
const QUIET: &str = "[retention]\nmax_entries = 100\ninterval = \"24h\"\n\
                     [activity]\nrecord_requests = \"none\"\n";

/// So many filters are followed at once, by two keys each.
const FOLLOWED: usize = 20;

fn filled(seed: u64, steps: usize) -> (TestDaybook, Model, Dice) {
    let daybook = TestDaybook::with(QUIET);
    let mut model = Model::new(&daybook);
    let mut dice = Dice(seed);
    for _ in 0..steps {
        model.step(&daybook, &mut dice);
    }
    (daybook, model, dice)
}

/// Who asks, for which workspace.
fn seers<'a>(daybook: &'a TestDaybook, model: &'a Model) -> Vec<Seer<'a>> {
    let seer = |who, asks_for| Seer {
        daybook,
        model,
        key: &model.keys[who],
        sees: match (who, asks_for) {
            ("*", None) => "default",
            ("*", Some(asked)) => asked,
            (own, _) => own,
        },
        asks_for,
    };
    vec![
        seer("a", None),
        seer("b", None),
        seer("a", Some("a")),
        seer("*", None),
        seer("*", Some("a")),
        seer("*", Some("*")),
    ]
}

#[test]
fn what_a_key_is_answered_is_what_the_model_says() {
    for seed in 1..=4 {
        let (daybook, mut model, mut dice) = filled(seed, 40);
        let filters: Vec<Filter> = (0..12)
            .map(|_| model::filter(&mut dice, &model))
            .chain([Filter::new()])
            .collect();
        for seer in seers(&daybook, &model) {
            for filter in &filters {
                seer.pages(filter, &mut dice);
                seer.counts(filter);
                seer.facets(filter);
                seer.histogram(filter);
            }
            seer.trails();
            seer.entries();
        }
        for index in 0..seers(&daybook, &model).len() {
            let filter = model::filter(&mut dice, &model);
            for format in ["ndjson", "json", "csv"] {
                // An export leaves an entry with whom it was for.
                model.read(&daybook);
                seers(&daybook, &model)[index].exports(format, &filter);
            }
        }
    }
}

/// Filters that something fits which is yet to come, and such an entry for each.
fn filters_to_follow(dice: &mut Dice, model: &Model) -> Vec<(Filter, Value)> {
    let mut filters = Vec::new();
    while filters.len() < FOLLOWED {
        let filter = model::filter(dice, model);
        // What says nothing of what comes is no filter of a live session.
        if !filter.iter().all(|(name, _)| *name == "since") {
            filters.extend(model::fitting(&filter).map(|entry| (filter, entry)));
        }
    }
    filters
}

#[test]
fn what_a_key_follows_live_or_has_replayed_is_what_the_model_says() {
    let mut compared = Compared::default();
    for seed in 11..=14 {
        let daybook = TestDaybook::with(QUIET);
        let mut model = Model::new(&daybook);
        let mut dice = Dice(seed);
        let filters = filters_to_follow(&mut dice, &model);
        let follow = |key: &str| {
            let key = model.keys[key].clone();
            Follower::try_to(&daybook, &[("X-API-Key", key.as_str())]).unwrap()
        };
        let mut live: Vec<_> = ["a", "b", "*"].map(|who| (who, follow(who))).into();
        let all = filters
            .iter()
            .flat_map(|one| ["a", "b"].map(|who| (who, one)));
        let mut filtered: Vec<_> = all.map(|(who, one)| (who, one, follow(who))).collect();
        // The entries of those who begin to follow are in the operator's own, some before it is greeted.
        let began = live.last_mut().unwrap().1.next()["newest_seq"].as_i64();
        let greeted = filtered
            .iter_mut()
            .map(|(who, _, follower)| (*who, follower));
        let unfiltered = live.iter_mut().map(|(who, follower)| (*who, follower));
        for (who, follower) in unfiltered.take(2).chain(greeted) {
            let hello = follower.next();
            assert_eq!(hello["newest_seq"].as_i64(), model.newest(who), "{who}");
        }
        for (_, (filter, _), follower) in &mut filtered {
            follower.subscribe(ways::as_json(filter), None);
        }
        for _ in 0..40 {
            model.step(&daybook, &mut dice);
        }
        // What ends each of the streams.
        for (_, entry) in &filters {
            for workspace in ["a", "b"] {
                let mut last = entry.clone();
                last["workspace_id"] = json!(workspace);
                daybook.record(&last).ok();
            }
        }
        model.read(&daybook);
        let expected = |who: &str, filter: &Filter| -> Vec<i64> {
            let of = |entry: &Value| who == "*" || entry["workspace_id"] == who;
            let came = model.ever.iter().filter(|(seq, _)| Some(*seq) > began);
            came.filter(|(_, entry)| of(entry) && model::fits(entry, filter))
                .map(|(seq, _)| *seq)
                .collect()
        };
        for (who, follower) in &mut live {
            let expected = expected(who, &Filter::new());
            assert_eq!(
                follower.seqs_to(*expected.last().unwrap()),
                expected,
                "{who}"
            );
        }
        for (who, (filter, _), follower) in &mut filtered {
            let expected = expected(who, filter);
            let seqs = follower.seqs_to(*expected.last().unwrap());
            assert_eq!(seqs, expected, "{who} {filter:?}");
            compared.note(filter, seqs.len());
        }
        replays(&daybook, &model, &mut dice);
    }
    compared.assert_it_means_something();
}

/// Of how many filters each, and with how many entries, what came live was compared.
#[derive(Debug, Default)]
struct Compared {
    by_name: BTreeMap<&'static str, (usize, usize)>,
}

impl Compared {
    fn note(&mut self, filter: &Filter, entries: usize) {
        let names: BTreeSet<_> = filter.iter().map(|(name, _)| *name).collect();
        for name in names {
            let (filters, all) = self.by_name.entry(name).or_default();
            *filters += 1;
            *all += entries;
        }
    }

    /// Each filter took what ended its stream; all of a kind took more than that.
    fn assert_it_means_something(&self) {
        for name in model::FILTERS {
            let (filters, entries) = self.by_name.get(name).copied().unwrap_or_default();
            assert!(filters > 0, "no filter by {name}: {self:?}");
            assert!(entries > filters, "nothing came by {name}: {self:?}");
        }
    }
}

/// From any number of the book, also from a stranger's.
fn replays(daybook: &TestDaybook, model: &Model, dice: &mut Dice) {
    let newest = model.ever.last().unwrap().0;
    for who in ["a", "b"] {
        let key = model.keys[who].as_str();
        let mut follower = Follower::try_to(daybook, &[("X-API-Key", key)]).unwrap();
        for _ in 0..8 {
            let after = dice.roll(newest as usize) as i64;
            let filter = model::filter(dice, model);
            follower.subscribe(ways::as_json(&filter), Some(after));
            let mut replayed = Vec::new();
            loop {
                let frame = follower.next();
                match frame["type"].as_str().unwrap() {
                    "live" => break,
                    "activity_logged" => {
                        assert_eq!(frame["entry"]["workspace_id"], who);
                        replayed.push(frame["seq"].as_i64().unwrap());
                    }
                    other => panic!("{other}"),
                }
            }
            replayed.reverse();
            let mut expected = model.seen(who, &filter);
            expected.retain(|(seq, _)| *seq > after);
            let expected: Vec<i64> = expected.into_iter().map(|(seq, _)| seq).collect();
            assert_eq!(replayed, expected, "{who} after {after} {filter:?}");
        }
    }
}

#[test]
fn what_a_key_does_to_its_workspace_is_not_seen_in_another() {
    for seed in 21..=22 {
        let (daybook, mut model, mut dice) = filled(seed, 60);
        let settings = |model: &Model, who: &str| {
            let url = format!("{ACTIVITY}/settings");
            let told = daybook.ask_as(Some(&model.keys[who]), Method::GET, &url, "");
            assert_eq!(told.status, 200);
            told.text()
        };
        for who in ["a", "b"] {
            let other = if who == "a" { "b" } else { "a" };
            let before = settings(&model, other);
            model.put_rule(&daybook, who, 1 + dice.roll(30));
            assert_eq!(settings(&model, other), before);
            assert_ne!(settings(&model, who), before);
            model.read(&daybook);
            let own = model.seen(who, &Filter::new());
            let theirs = model.seen(other, &Filter::new()).len();
            let prune = |body: &str| {
                let url = format!("{ACTIVITY}/prune");
                daybook
                    .ask_as(Some(&model.keys[who]), Method::POST, &url, body)
                    .ok()
            };
            let would = prune(r#"{"dry_run":true}"#);
            assert_eq!(would["would_remove"], own.len().saturating_sub(KEPT));
            let kept = own.iter().take(KEPT).next_back();
            let oldest = kept.map_or(Value::Null, |(_, entry)| entry["ts"].clone());
            assert_eq!(would["oldest_kept_ts"], oldest);
            let went = prune(r#"{"confirm":true}"#);
            assert_eq!(went["removed"], would["would_remove"]);
            let url = format!("{ACTIVITY}/count?exact=true");
            let count = daybook.ask_as(Some(&model.keys[other]), Method::GET, &url, "");
            assert_eq!(count.ok()["count"], theirs);
            let cleared = daybook.ask_as(Some(&model.keys[who]), Method::DELETE, ACTIVITY, "");
            assert!(cleared.ok()["removed"].as_u64().unwrap() <= KEPT as u64 + 1);
            let count = daybook.ask_as(Some(&model.keys[other]), Method::GET, &url, "");
            assert_eq!(count.ok()["count"], theirs);
            let url = format!("{ACTIVITY}/by-actor/key-{other}");
            let erased = daybook.ask_as(Some(&model.keys[who]), Method::DELETE, &url, "");
            assert_eq!(erased.status, 200, "{}", erased.text());
            let url = format!("{ACTIVITY}/count?actor=key-{other}");
            let count = daybook.ask_as(Some(&model.keys[other]), Method::GET, &url, "");
            let actor = vec![("actor", format!("key-{other}"))];
            assert_eq!(count.ok()["count"], model.seen(other, &actor).len());
            let keys = daybook.ask_as(Some(&model.keys[who]), Method::GET, "/api/v1/keys", "");
            assert_eq!(each(&keys.ok(), "label"), [format!("key-{who}")]);
            for id in ENTRY_IDS {
                let url = format!("{ACTIVITY}/{id}");
                let found = daybook.ask_as(Some(&model.keys[other]), Method::GET, &url, "");
                let is_there = model
                    .seen(other, &Filter::new())
                    .iter()
                    .any(|(_, entry)| entry["id"] == id);
                assert_eq!(found.status == 200, is_there);
            }
            // What this left behind is not looked at any more.
            model.rows.retain(|_, entry| entry["workspace_id"] != who);
            model.read(&daybook);
        }
    }
}
