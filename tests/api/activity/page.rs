//! `GET /api/v1/activity`: pages.

use crate::client::{ACTIVITY, each, entry, entry_with, seqs};
use crate::harness::TestDaybook;
use daybook::domain::entry::KEYS;
use serde_json::{Value, json};

fn filled(entries: usize) -> TestDaybook {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (1..=entries)
        .map(|n| entry_with(json!({"entity_id": n.to_string()})))
        .collect();
    daybook.record_lines(&entries);
    daybook
}

#[test]
fn a_page_of_an_empty_book_is_empty_and_the_last() {
    let daybook = TestDaybook::start();
    let page = daybook.page("");
    let expected = format!(
        r#"{{"items":[],"seqs":[],"next_before_seq":null,"next_after_seq":null,"newest_seq":null,"epoch":{}}}"#,
        page["epoch"]
    );
    assert_eq!(daybook.get(ACTIVITY).text(), expected);
}

#[test]
fn an_entry_on_a_page_has_every_key_in_its_order() {
    let daybook = filled(1);
    let text = daybook.get(ACTIVITY).text();
    let places: Vec<usize> = KEYS
        .iter()
        .map(|key| text.find(&format!("\"{key}\":")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["items"][0].as_object().unwrap().len(), KEYS.len());
}

#[test]
fn the_newest_comes_first_and_fifty_by_default() {
    let daybook = filled(60);
    let page = daybook.page("");
    assert_eq!(seqs(&page), (11..=60).rev().collect::<Vec<i64>>());
    assert_eq!(each(&page, "entity_id")[..2], ["60", "59"]);
    assert_eq!(
        (&page["next_before_seq"], &page["newest_seq"]),
        (&json!(11), &json!(60))
    );
    assert_eq!(page["next_after_seq"], json!(null));
}

/// Follows a cursor to its end, and tells all that stood on the pages.
fn walked(daybook: &TestDaybook, query: &str, cursor: &str) -> Vec<i64> {
    let mut all = Vec::new();
    let mut page = daybook.page(query);
    loop {
        all.extend(seqs(&page));
        assert_eq!(page["items"].as_array().unwrap().len(), seqs(&page).len());
        let Some(next) = page[format!("next_{cursor}")].as_i64() else {
            return all;
        };
        let rest = query.split('&').filter(|part| !part.starts_with(cursor));
        let query: Vec<&str> = rest.collect();
        page = daybook.page(&format!("{}&{cursor}={next}", query.join("&")));
    }
}

#[test]
fn pages_walk_the_whole_book_both_ways_and_null_stands_at_the_end_only() {
    let daybook = filled(25);
    for limit in [1, 7, 24, 25, 26, 500] {
        let down = walked(&daybook, &format!("limit={limit}"), "before_seq");
        assert_eq!(down, (1..=25).rev().collect::<Vec<i64>>(), "{limit}");
        let up = walked(&daybook, &format!("limit={limit}&after_seq=0"), "after_seq");
        assert_eq!(up, (1..=25).collect::<Vec<i64>>(), "{limit}");
    }
    assert_eq!(daybook.page("limit=25")["next_before_seq"], json!(null));
    assert_eq!(daybook.page("limit=24")["next_before_seq"], 2);
    assert_eq!(
        daybook.page("limit=25&after_seq=0")["next_after_seq"],
        json!(null)
    );
}

#[test]
fn a_cursor_may_lie_anywhere() {
    let daybook = filled(10);
    assert_eq!(seqs(&daybook.page("before_seq=4")), [3, 2, 1]);
    assert_eq!(seqs(&daybook.page("after_seq=8")), [9, 10]);
    for beyond in [
        "before_seq=0",
        "before_seq=1",
        "after_seq=10",
        "after_seq=9223372036854775807",
    ] {
        let page = daybook.page(beyond);
        assert_eq!(page["items"], json!([]), "{beyond}");
        assert_eq!(page["newest_seq"], 10);
    }
    assert_eq!(
        seqs(&daybook.page("before_seq=9223372036854775807&limit=1")),
        [10]
    );
}

#[test]
fn a_limit_is_a_number_from_1_to_500() {
    let daybook = filled(2);
    for right in ["1", "500"] {
        daybook.page(&format!("limit={right}"));
    }
    let wrong = [
        "0",
        "501",
        "-1",
        "x",
        "",
        "1.5",
        "1e2",
        "18446744073709551616",
        "%31%00",
        "１",
    ];
    for wrong in wrong.map(|w| w.replace('１', "%EF%BC%91")) {
        daybook
            .get(&format!("{ACTIVITY}?limit={wrong}"))
            .refuses(&["limit"]);
    }
}

#[test]
fn a_cursor_is_a_whole_number_and_only_one_may_be_given() {
    let daybook = filled(2);
    for cursor in ["before_seq", "after_seq"] {
        for wrong in ["-1", "x", "", "1.5", "9223372036854775808", "null"] {
            daybook
                .get(&format!("{ACTIVITY}?{cursor}={wrong}"))
                .refuses(&[cursor]);
        }
        daybook
            .get(&format!("{ACTIVITY}?{cursor}=1&{cursor}=2"))
            .refuses(&[cursor]);
    }
    daybook
        .get(&format!("{ACTIVITY}?before_seq=2&after_seq=1"))
        .refuses(&["after_seq"]);
    daybook
        .get(&format!("{ACTIVITY}?limit=1&limit=1"))
        .refuses(&["limit"]);
}

#[test]
fn an_unknown_parameter_is_refused_by_its_name() {
    let daybook = TestDaybook::start();
    for name in [
        "page",
        "offset",
        "Limit",
        "q%5B%5D",
        "",
        "x%00",
        "%F0%9F%92%A1",
    ] {
        let answer = daybook.get(&format!("{ACTIVITY}?{name}=1"));
        assert_eq!(
            answer.problem(400)["errors"].as_array().unwrap().len(),
            1,
            "{name}"
        );
    }
    daybook
        .get(&format!("{ACTIVITY}?colour=red&size=2"))
        .refuses(&["colour", "size"]);
}

#[test]
fn of_very_many_unknown_parameters_little_is_told_back() {
    let daybook = TestDaybook::start();
    let many: String = (0..8000).map(|n| format!("x{n}&")).collect();
    for path in [
        ACTIVITY.to_owned(),
        format!("{ACTIVITY}/x"),
        "/api/v1/system/info".into(),
    ] {
        let answer = daybook.get(&format!("{path}?{many}"));
        answer.problem(400);
        assert!(answer.body.len() < 16 * 1024, "{}", answer.body.len());
        let long = daybook.get(&format!(
            "{path}?{}=1",
            "é".replace('é', "%C3%A9").repeat(8000)
        ));
        assert!(long.body.len() < 16 * 1024, "{}", long.body.len());
    }
}

#[test]
fn the_newest_is_that_of_the_workspaces_asked_for() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    daybook
        .record(&entry_with(json!({"workspace_id": "acme"})))
        .ok();
    assert_eq!(daybook.page("")["newest_seq"], 1);
    assert_eq!(daybook.page("workspace_id=acme")["newest_seq"], 2);
    assert_eq!(
        daybook.page("workspace_id=%2A&category=auth")["newest_seq"],
        2
    );
    assert_eq!(
        daybook.page("workspace_id=empty")["newest_seq"],
        json!(null)
    );
    daybook
        .get(&format!("{ACTIVITY}?workspace_id=a%20b"))
        .refuses(&["workspace_id"]);
    daybook
        .get(&format!("{ACTIVITY}?workspace_id="))
        .refuses(&["workspace_id"]);
}

#[test]
fn the_epoch_is_the_same_everywhere() {
    let daybook = filled(1);
    let epoch = daybook.page("")["epoch"].take();
    assert_eq!(epoch.as_str().unwrap().len(), 36);
    let trail = daybook.get(&format!("{ACTIVITY}/audit/task/1")).ok();
    let info = daybook.get("/api/v1/system/info").ok();
    assert_eq!((&trail["epoch"], &info["epoch"]), (&epoch, &epoch));
}

#[test]
fn the_address_without_a_version_answers_the_same() {
    let daybook = filled(3);
    for rest in [
        "",
        "?limit=2",
        "/count",
        "/audit/task/1",
        "/nope",
        // The first export is recorded, and would stand in the second.
        "/export?format=csv&category=entity",
        "?x=1",
    ] {
        let (short, long) = (
            daybook.get(&format!("/api/activity{rest}")),
            daybook.get(&format!("{ACTIVITY}{rest}")),
        );
        assert_eq!(
            (short.status, short.text()),
            (long.status, long.text()),
            "{rest}"
        );
    }
    let body = entry().to_string();
    let posted = crate::client::ask(
        &daybook.agent,
        ureq::http::Method::POST,
        &daybook.url("/api/activity"),
        &[crate::client::JSON],
        body.as_bytes(),
    );
    assert_eq!(posted.status, 201);
}
