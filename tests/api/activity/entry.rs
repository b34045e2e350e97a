//! `GET /api/v1/activity/{id}`.

use crate::client::{ACTIVITY, entry, entry_with};
use crate::harness::TestDaybook;
use serde_json::json;

#[test]
fn an_entry_is_found_by_its_id_with_its_number() {
    let daybook = TestDaybook::start();
    let told = daybook.record(&entry()).ok();
    let one = daybook.get(&format!("{ACTIVITY}/{}", told["id"].as_str().unwrap()));
    assert!(
        one.text().starts_with(r#"{"seq":1,"entry":{"id":"#),
        "{}",
        one.text()
    );
    assert_eq!(one.json()["entry"]["ts"], told["ts"]);
    assert_eq!(one.json()["entry"], daybook.page("")["items"][0]);
}

#[test]
fn an_entry_of_another_workspace_is_not_there() {
    let daybook = TestDaybook::start();
    daybook
        .record(&entry_with(json!({"id": "a", "workspace_id": "acme"})))
        .ok();
    daybook.get(&format!("{ACTIVITY}/a")).problem(404);
    for workspace in ["acme", "*"] {
        let path = format!("{ACTIVITY}/a?workspace_id={workspace}");
        assert_eq!(daybook.get(&path).ok()["seq"], 1);
    }
    daybook
        .get(&format!("{ACTIVITY}/a?workspace_id=other"))
        .problem(404);
    daybook
        .get(&format!("{ACTIVITY}/a?limit=1"))
        .refuses(&["limit"]);
}

#[test]
fn what_is_no_id_is_not_found_and_no_crash() {
    let daybook = TestDaybook::start();
    daybook.record(&entry_with(json!({"id": "a"}))).ok();
    let long = "x".repeat(4000);
    let hostile = [
        "nope",
        "A",
        "%61%00",
        "%00",
        "%FF",
        "%",
        "%zz",
        "a%2F",
        "..%2Fa",
        "'%20OR%201=1--",
        "*",
        "by-actor",
        "audit",
        "%F0%9F%92%A1",
        &long,
    ];
    for id in hostile {
        let answer = daybook.get(&format!("{ACTIVITY}/{id}"));
        assert!(
            matches!(answer.status, 400 | 404),
            "{id}: {}",
            answer.text()
        );
        answer.problem(answer.status);
    }
    assert_eq!(daybook.get(&format!("{ACTIVITY}/%61")).ok()["seq"], 1);
    for beside in ["a/", "a/b", "audit/", "audit/x", "audit/x/", "audit/x/y/z"] {
        daybook.get(&format!("{ACTIVITY}/{beside}")).problem(404);
    }
}
