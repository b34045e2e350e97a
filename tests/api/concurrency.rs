//! Many at once.

use crate::client::{self, ACTIVITY, JSON, NDJSON, entry_with, seqs};
use crate::harness::TestDaybook;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use ureq::http::Method;

const CLIENTS: usize = 64;
const EACH: usize = 12;

/// One client's entries, alone and as lines; what it was told of each: the number, by the id.
fn posted_by(daybook: &TestDaybook, client: usize) -> HashMap<String, i64> {
    let agent = client::agent();
    let url = daybook.url(ACTIVITY);
    let post =
        |kind, body: String| client::ask(&agent, Method::POST, &url, &[kind], body.as_bytes()).ok();
    let mut told = HashMap::new();
    for n in 0..EACH {
        let id = format!("c{client}-{n}");
        let one = entry_with(json!({"id": id, "actor": format!("client {client}")})).to_string();
        let seq = if n % 3 == 0 {
            post(NDJSON, one)["last_seq"].as_i64()
        } else {
            post(JSON, one)["seq"].as_i64()
        };
        told.insert(id, seq.unwrap());
    }
    told
}

/// Follows the book from its start until it has seen so many.
fn followed(
    daybook: &TestDaybook,
    until: usize,
    everybody_is_done: &AtomicBool,
) -> Vec<(i64, String)> {
    let (mut seen, mut after) = (Vec::new(), 0);
    while seen.len() < until {
        // Read first: a page that is asked for after everybody was done must have it all.
        let done = everybody_is_done.load(Ordering::SeqCst);
        let page = daybook.page(&format!("limit=50&after_seq={after}"));
        let ids = client::each(&page, "id").into_iter().map(str::to_owned);
        let numbers = seqs(&page);
        assert!(
            !(done && numbers.is_empty()),
            "only {} of {until} came",
            seen.len()
        );
        after = numbers.last().copied().unwrap_or(after);
        seen.extend(numbers.into_iter().zip(ids));
    }
    seen
}

#[test]
fn what_many_record_at_once_is_seen_once_in_order_and_whole_by_who_follows() {
    let daybook = TestDaybook::start();
    let done = AtomicBool::new(false);
    let all = CLIENTS * EACH;
    let (told, followers) = std::thread::scope(|scope| {
        let daybook = &daybook;
        let followers: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| followed(daybook, all, &done)))
            .collect();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| scope.spawn(move || posted_by(daybook, n)))
            .collect();
        let told: Vec<_> = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        done.store(true, Ordering::SeqCst);
        let followers: Vec<_> = followers.into_iter().map(|f| f.join().unwrap()).collect();
        (told, followers)
    });
    for seen in followers {
        let numbers: Vec<i64> = seen.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers, (1..=all as i64).collect::<Vec<_>>());
        let seen: HashMap<String, i64> = seen.into_iter().map(|(seq, id)| (id, seq)).collect();
        for told in &told {
            assert!(told.iter().all(|(id, seq)| seen[id] == *seq));
        }
    }
    // What one client did one after the other stands in that order.
    for (client, told) in told.iter().enumerate() {
        let order: Vec<i64> = (0..EACH).map(|n| told[&format!("c{client}-{n}")]).collect();
        assert!(order.is_sorted());
    }
}

#[test]
fn the_same_id_from_many_at_once_is_recorded_once() {
    let daybook = TestDaybook::start();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let daybook = &daybook;
        let racing: Vec<_> = (0..32)
            .map(|n| {
                scope.spawn(move || {
                    let said = entry_with(json!({"id": "one", "message": format!("racer {n}")}));
                    daybook.record(&said)
                })
            })
            .collect();
        racing
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let first = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(first, 1);
    assert!(answers.iter().all(|answer| answer.json()["seq"] == 1));
    assert_eq!(daybook.count(), 1);
}
