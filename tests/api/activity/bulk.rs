//! `POST /api/v1/activity`: arrays, and lines.

use crate::client::{JSON, NDJSON, entry, entry_with, named};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

fn array(entries: &[Value]) -> String {
    Value::from(entries).to_string()
}

#[test]
fn an_array_and_lines_are_answered_alike() {
    let daybook = TestDaybook::start();
    let answer = daybook.post(&[JSON], array(&[entry(), entry()]));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        r#"{"accepted":2,"duplicates":0,"rejected":[],"last_seq":2}"#
    );
    for kind in [
        "application/x-ndjson",
        "application/ndjson",
        "Application/JSONL; charset=utf-8",
    ] {
        let lines = format!("{}\r\n\n  {}\n", entry(), entry());
        let told = daybook.post(&[("Content-Type", kind)], lines).ok();
        assert_eq!(
            (&told["accepted"], &told["rejected"]),
            (&json!(2), &json!([]))
        );
    }
    assert_eq!(daybook.count(), 8);
}

#[test]
fn each_line_stands_alone_and_is_told_by_its_index() {
    let daybook = TestDaybook::start();
    let mine = entry_with(json!({"id": "mine"}));
    let lines = [
        entry().to_string(),
        "nope".into(),
        mine.to_string(),
        json!({"category": "x", "message": "m", "action": "a"}).to_string(),
        "[]".into(),
        mine.to_string(),
        String::new(),
        json!({"seq": 1}).to_string(),
        entry().to_string(),
    ];
    let told = daybook.post(&[NDJSON], lines.join("\n")).ok();
    assert_eq!(
        (&told["accepted"], &told["duplicates"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(told["last_seq"], 3);
    let rejected: Vec<(u64, Vec<&str>)> = told["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["index"].as_u64().unwrap(), named(&r["errors"])))
        .collect();
    // A blank line is no entry and is not counted.
    let expected = [
        (1, vec!["body"]),
        (3, vec!["category"]),
        (4, vec!["entry"]),
        (6, vec!["seq"]),
    ];
    assert_eq!(rejected, expected);
    assert_eq!(daybook.count(), 3);
}

#[test]
fn entries_of_a_bulk_are_recorded_in_their_order() {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (0..300)
        .map(|n| entry_with(json!({"entity_id": n.to_string()})))
        .collect();
    daybook.record_lines(&entries);
    let page = daybook.page("after_seq=0&limit=500");
    let order: Vec<&str> = crate::client::each(&page, "entity_id");
    let expected: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    assert_eq!(order, expected);
}

#[test]
fn an_array_that_is_not_whole_json_records_nothing() {
    let daybook = TestDaybook::start();
    let whole = array(&[entry(), entry()]);
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        daybook.post(&[JSON], &whole[..cut]).refuses(&["body"]);
    }
    for tail in ["x", "]", "[]", ",{}"] {
        daybook
            .post(&[JSON], format!("{whole}{tail}"))
            .refuses(&["body"]);
    }
    daybook
        .post(&[JSON], format!("[{},]", entry()))
        .refuses(&["body"]);
    assert_eq!(daybook.count(), 0);
}

#[test]
fn nothing_is_recorded_of_an_empty_bulk_and_that_is_no_error() {
    let daybook = TestDaybook::start();
    let nothing = json!({"accepted": 0, "duplicates": 0, "rejected": [], "last_seq": null});
    assert_eq!(daybook.post(&[JSON], "[]").ok(), nothing);
    assert_eq!(daybook.post(&[JSON], " [ ] ").ok(), nothing);
    for lines in ["", "\n", "\r\n \n"] {
        assert_eq!(daybook.post(&[NDJSON], lines).ok(), nothing);
    }
}

#[test]
fn a_bulk_of_nothing_but_errors_is_answered_and_not_refused() {
    let daybook = TestDaybook::start();
    let told = daybook.post(&[JSON], "[1,{},null]").ok();
    assert_eq!(told["rejected"].as_array().unwrap().len(), 3);
    assert_eq!(told["last_seq"], json!(null));
}

#[test]
fn the_same_id_twice_in_one_bulk_is_recorded_once() {
    let daybook = TestDaybook::start();
    let mine = entry_with(json!({"id": "mine"}));
    let told = daybook.record_lines(&[mine.clone(), mine.clone(), mine]);
    assert_eq!(
        (&told["accepted"], &told["duplicates"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(told["last_seq"], 1);
}

#[test]
fn ten_thousand_entries_are_taken_and_one_more_is_refused_whole() {
    let daybook = TestDaybook::start();
    let lines = |n: usize| vec![entry().to_string(); n];
    let told = daybook.post(&[NDJSON], lines(10_000).join("\n")).ok();
    assert_eq!(
        (&told["accepted"], &told["last_seq"]),
        (&json!(10_000), &json!(10_000))
    );
    daybook
        .post(&[NDJSON], lines(10_001).join("\n"))
        .refuses(&["body"]);
    let array = format!("[{}]", lines(10_001).join(","));
    daybook.post(&[JSON], array).refuses(&["body"]);
    assert_eq!(daybook.count(), 10_000);
}

#[test]
fn the_owner_decides_how_many_entries_a_bulk_holds() {
    let daybook = TestDaybook::with("[limits]\nbulk_entries = 3");
    let lines = |n: usize| vec![entry().to_string(); n];
    assert_eq!(
        daybook.post(&[NDJSON], lines(3).join("\n")).ok()["accepted"],
        3
    );
    let refused = daybook.post(&[NDJSON], lines(4).join("\n"));
    refused.refuses(&["body"]);
    assert!(
        refused.text().contains("more than 3 entries"),
        "{}",
        refused.text()
    );
    daybook
        .post(&[JSON], format!("[{}]", lines(4).join(",")))
        .refuses(&["body"]);
    let daybook = TestDaybook::with("[limits]\nbulk_entries = 12000");
    assert_eq!(
        daybook.post(&[NDJSON], lines(12_000).join("\n")).ok()["accepted"],
        12_000
    );
}
