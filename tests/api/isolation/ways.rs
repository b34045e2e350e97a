//! Every way of asking, and what must come of it.

use super::model::{Filter, IDS, Model, TYPES};
use crate::client::{ACTIVITY, Answer, seqs};
use crate::dice::Dice;
use crate::harness::TestDaybook;
use daybook::client::control::escaped;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use ureq::http::Method;

/// Somebody who asks for one workspace, or for all.
pub struct Seer<'a> {
    pub daybook: &'a TestDaybook,
    pub model: &'a Model,
    pub key: &'a str,
    pub sees: &'a str,
    pub asks_for: Option<&'a str>,
}

/// As a subscription has it.
pub fn as_json(filter: &Filter) -> Value {
    let mut object = Map::new();
    for (name, value) in filter {
        let values = object.entry(*name).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(value.as_str().into());
    }
    object.into()
}

impl Seer<'_> {
    fn ask(&self, path: &str, filter: &Filter, more: &str) -> Answer {
        let mut query: Vec<String> = filter
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        query.extend(self.asks_for.map(|name| format!("workspace_id={name}")));
        query.extend((!more.is_empty()).then(|| more.to_owned()));
        let url = format!("{ACTIVITY}{path}?{}", query.join("&"));
        self.daybook.ask_as(Some(self.key), Method::GET, &url, "")
    }

    fn said(&self, filter: &Filter) -> String {
        format!("{} as {:?}: {filter:?}", self.sees, self.asks_for)
    }

    pub fn pages(&self, filter: &Filter, dice: &mut Dice) {
        let all = self.model.seen(self.sees, filter);
        let end = self.model.ever.last().unwrap().0 + 3;
        for _ in 0..3 {
            let limit = 1 + dice.roll(12);
            // Any number of the book will do, also a stranger's and one that is not there.
            let at = dice.roll(end as usize) as i64;
            let down: Vec<_> = all.iter().filter(|(seq, _)| *seq < at).collect();
            let up: Vec<_> = all.iter().rev().filter(|(seq, _)| *seq > at).collect();
            for (name, next, expected) in [
                ("before_seq", "next_before_seq", down),
                ("after_seq", "next_after_seq", up),
            ] {
                let page = self
                    .ask("", filter, &format!("limit={limit}&{name}={at}"))
                    .ok();
                let said = format!("{} {name} {at}", self.said(filter));
                let part: Vec<_> = expected.iter().take(limit).collect();
                let items: Vec<&Value> = part.iter().map(|(_, entry)| *entry).collect();
                assert_eq!(page["items"], json!(items), "{said}");
                let part: Vec<i64> = part.iter().map(|(seq, _)| *seq).collect();
                assert_eq!(seqs(&page), part, "{said}");
                let more = (expected.len() > limit).then(|| part.last().copied());
                assert_eq!(page[next].as_i64(), more.flatten(), "{said}");
                let newest = self.model.newest(self.sees);
                assert_eq!(page["newest_seq"].as_i64(), newest, "{said}");
            }
        }
    }

    pub fn counts(&self, filter: &Filter) {
        let expected = self.model.seen(self.sees, filter).len();
        for exact in ["", "exact=true"] {
            let counted = self.ask("/count", filter, exact).ok();
            let said = self.said(filter);
            assert_eq!(
                counted,
                json!({"count": expected, "capped": false}),
                "{said}"
            );
        }
    }

    pub fn facets(&self, filter: &Filter) {
        let told = self.ask("/facets", filter, "").ok();
        let all = self.model.seen(self.sees, filter);
        for dimension in ["category", "severity", "action", "actor", "entity_type"] {
            let mut counts = BTreeMap::<&str, u64>::new();
            for (_, entry) in &all {
                if let Some(value) = entry[dimension].as_str() {
                    *counts.entry(value).or_default() += 1;
                }
            }
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(value, count)| (Reverse(*count), *value));
            let counts = counts
                .into_iter()
                .map(|(value, count)| json!({"value": value, "count": count}));
            let expected: Vec<Value> = counts.collect();
            assert_eq!(
                told["facets"][dimension],
                json!(expected),
                "{}",
                self.said(filter)
            );
        }
    }

    pub fn histogram(&self, filter: &Filter) {
        let timeless: Filter = filter
            .iter()
            .filter(|(name, _)| !["since", "until"].contains(name))
            .cloned()
            .collect();
        let told = self.ask("/histogram", &timeless, "").ok();
        let all = self.model.seen(self.sees, &timeless);
        for severity in ["info", "warning", "error"] {
            let buckets = told["buckets"].as_array().unwrap().iter();
            let sum: u64 = buckets
                .map(|bucket| bucket[severity].as_u64().unwrap())
                .sum();
            let of = |entry: &Value| entry["severity"] == severity;
            let expected = all.iter().filter(|(_, entry)| of(entry)).count();
            assert_eq!(sum, expected as u64, "{}", self.said(&timeless));
        }
    }

    pub fn exports(&self, format: &str, filter: &Filter) {
        let all = self.model.seen(self.sees, filter);
        let answer = self.ask("/export", filter, &format!("format={format}"));
        assert_eq!(answer.status, 200);
        let text = answer.text();
        let parsed = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let entries: Vec<Value> = match format {
            "ndjson" => text.lines().map(parsed).collect(),
            "json" => parsed(&text).as_array().unwrap().clone(),
            // Nothing here holds a comma or a line before the last of these columns.
            _ => text
                .lines()
                .skip(1)
                .map(|line| {
                    let cells: Vec<&str> = line.trim_start_matches('\u{feff}').split(',').collect();
                    json!({"id": cells[0], "ts": cells[1], "category": cells[2], "action": cells[3]})
                })
                .collect(),
        };
        let said = self.said(filter);
        assert_eq!(entries.len(), all.len(), "{format} {said}: {text}");
        for (told, (_, expected)) in entries.iter().zip(all.iter().rev()) {
            for (key, value) in told.as_object().unwrap() {
                assert_eq!(*value, expected[key], "{format} {said}");
            }
        }
    }

    pub fn trails(&self) {
        for (kind, id) in TYPES.iter().flat_map(|kind| IDS.map(|id| (*kind, id))) {
            let entity = vec![
                ("entity_type", kind.to_owned()),
                ("entity_id", id.to_owned()),
            ];
            let all = self.model.seen(self.sees, &entity);
            let page = self.ask(&format!("/audit/{kind}/{id}"), &Filter::new(), "limit=500");
            let expected: Vec<i64> = all.iter().map(|(seq, _)| *seq).collect();
            assert_eq!(seqs(&page.ok()), expected, "{kind} {id} {}", self.sees);
        }
        let nothing = self.ask("/audit/nothing/0", &Filter::new(), "").ok();
        assert_eq!(nothing["items"], json!([]));
    }

    /// By its id, and a stranger's exactly as one that is nowhere.
    pub fn entries(&self) {
        let own = self.model.seen(self.sees, &Filter::new());
        let own: BTreeMap<&str, (i64, &Value)> = own
            .iter()
            .map(|(seq, entry)| (entry["id"].as_str().unwrap(), (*seq, *entry)))
            .collect();
        let nowhere = self.ask("/nowhere", &Filter::new(), "");
        assert_eq!(nowhere.status, 404);
        let ids = self
            .model
            .ever
            .iter()
            .map(|(_, entry)| entry["id"].as_str().unwrap());
        for id in ids.step_by(3) {
            let answer = self.ask(&format!("/{id}"), &Filter::new(), "");
            match own.get(id) {
                Some(_) if self.sees == "*" => assert_eq!(answer.ok()["entry"]["id"], id),
                Some((seq, entry)) => {
                    assert_eq!(answer.ok(), json!({"seq": seq, "entry": entry}));
                }
                None => {
                    assert_eq!(answer.status, 404);
                    assert_eq!(answer.body, nowhere.body);
                    let told = |answer: &Answer| {
                        let mut names: Vec<String> =
                            answer.headers.keys().map(ToString::to_string).collect();
                        names.sort();
                        names
                    };
                    assert_eq!(told(&answer), told(&nowhere));
                }
            }
        }
    }
}
