//! `GET /api/v1/activity/audit/{entity_type}/{entity_id}`: the trail of one entity.

use crate::client::{ACTIVITY, each, entry_with, seqs};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

/// As a browser's `encodeURIComponent` would, but for every character.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_trail_holds_what_happened_to_one_entity_whatever_its_name() {
    let daybook = TestDaybook::start();
    let names = [
        "42", "a/b", "/", "a b", "ä", "灯💡", "100%", "%41", "A", "a+b", "a?b=c", "#1", "'--",
        "\"", "..", ".", "a;b", "a&b", "{id}", "al_1", "\\",
    ];
    for (n, name) in names.iter().enumerate() {
        let entry =
            entry_with(json!({"id": format!("e{n}"), "entity_type": name, "entity_id": name}));
        daybook.record(&entry).ok();
    }
    for (n, name) in names.iter().enumerate() {
        let name = encoded(name);
        let trail = daybook.get(&format!("{ACTIVITY}/audit/{name}/{name}")).ok();
        assert_eq!(each(&trail, "id"), [format!("e{n}")], "{name}");
    }
    // What may stand in a path as it is need not be encoded.
    for (path, id) in [
        ("a+b/a+b", "e9"),
        ("a&b/a&b", "e17"),
        ("a;b/a;b", "e16"),
        ("42/42", "e0"),
    ] {
        let trail = daybook.get(&format!("{ACTIVITY}/audit/{path}")).ok();
        assert_eq!(each(&trail, "id"), [id], "{path}");
    }
}

#[test]
fn a_trail_is_paged_and_filtered_as_the_whole_book_is() {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (0..30)
        .map(|n| {
            let severity = if n % 3 == 0 { "error" } else { "info" };
            entry_with(json!({"entity_type": "lamp", "entity_id": (n % 2).to_string(), "severity": severity}))
        })
        .collect();
    daybook.record_lines(&entries);
    let trail = |query: &str| {
        daybook
            .get(&format!("{ACTIVITY}/audit/lamp/0?{query}"))
            .ok()
    };
    assert_eq!(seqs(&trail("limit=3")), [29, 27, 25]);
    assert_eq!(seqs(&trail("limit=3&before_seq=25")), [23, 21, 19]);
    assert_eq!(seqs(&trail("limit=2&after_seq=1")), [3, 5]);
    assert_eq!(seqs(&trail("severity=error")), [25, 19, 13, 7, 1]);
    assert_eq!(trail("")["newest_seq"], 30);
    assert_eq!(seqs(&trail("entity_type=lamp&entity_id=0&limit=1")), [29]);
    assert_eq!(trail("q=nothing")["items"], json!([]));
}

#[test]
fn a_filter_that_contradicts_the_address_is_refused() {
    let daybook = TestDaybook::start();
    let path = format!("{ACTIVITY}/audit/lamp/1");
    daybook
        .get(&format!("{path}?entity_type=task"))
        .refuses(&["entity_type"]);
    daybook
        .get(&format!("{path}?entity_id=2"))
        .refuses(&["entity_id"]);
}

#[test]
fn an_entity_that_never_was_has_an_empty_trail() {
    let daybook = TestDaybook::start();
    let trail = daybook.get(&format!("{ACTIVITY}/audit/lamp/nope")).ok();
    assert_eq!(trail["items"], json!([]));
    let (kind, id) = ("x".repeat(65), "y".repeat(257));
    daybook
        .get(&format!("{ACTIVITY}/audit/{kind}/1"))
        .refuses(&["entity_type"]);
    daybook
        .get(&format!("{ACTIVITY}/audit/lamp/{id}"))
        .refuses(&["entity_id"]);
    daybook
        .get(&format!("{ACTIVITY}/audit/lamp/%FF"))
        .refuses(&["path"]);
}
