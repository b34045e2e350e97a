//! `/api/v1/activity/settings`, `POST /api/v1/activity/prune`, `DELETE /api/v1/activity`.

use crate::client::{ACTIVITY, Answer, JSON, entry, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

fn settings_at(query: &str) -> String {
    format!("{ACTIVITY}/settings{query}")
}

fn put(daybook: &TestDaybook, query: &str, body: &Value) -> Answer {
    let body = body.to_string();
    daybook.ask(Method::PUT, &settings_at(query), &[JSON], body.as_bytes())
}

fn delete(daybook: &TestDaybook, path: &str) -> Answer {
    daybook.ask(Method::DELETE, path, &[], b"")
}

fn prune(daybook: &TestDaybook, body: &Value) -> Answer {
    let path = format!("{ACTIVITY}/prune");
    let body = body.to_string();
    daybook.ask(Method::POST, &path, &[JSON], body.as_bytes())
}

/// What was done to the book, the oldest first.
fn own(daybook: &TestDaybook) -> Vec<String> {
    let page = daybook.page("after_seq=0&action=activity_log.*&workspace_id=*");
    let items = page["items"].as_array().unwrap();
    let action = |item: &Value| item["action"].as_str().unwrap().to_owned();
    items.iter().map(action).collect()
}

fn fields(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].take();
    let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
    errors.as_array().unwrap().iter().map(field).collect()
}

#[test]
fn the_settings_in_force_say_where_they_come_from_and_within_what_they_may_be() {
    let daybook = TestDaybook::start();
    let held = daybook.get(&settings_at("")).ok();
    let file = json!({"source": "file", "locked": false});
    assert_eq!(
        held,
        json!({
            "enabled": true, "max_days": 90, "max_entries": 20000, "source": "file", "locked": false,
            "keys": {"enabled": file, "max_days": file, "max_entries": file},
            "bounds": {
                "max_days": {"min": 1, "max": 36500, "zero": "no limit"},
                "max_entries": {"min": 100, "max": 1_000_000_000, "zero": "no limit"}
            },
            "workspace_id": null, "halted": false, "reason": null
        })
    );
    assert_eq!(daybook.get("/api/activity/settings").ok(), held);
}

#[test]
fn an_override_is_put_recorded_and_taken_back() {
    let daybook = TestDaybook::start();
    let held = put(&daybook, "", &json!({"max_days": 30})).ok();
    assert_eq!(
        (&held["max_days"], &held["source"]),
        (&json!(30), &json!("override"))
    );
    assert_eq!(held["keys"]["max_entries"]["source"], "file");
    assert_eq!(daybook.get(&settings_at("")).ok(), held);
    let held = put(&daybook, "", &json!({"max_entries": 500})).ok();
    assert_eq!(held["max_days"], 30, "what is not named stays");
    let held = delete(&daybook, &settings_at("")).ok();
    assert_eq!(
        (&held["max_days"], &held["source"]),
        (&json!(90), &json!("file"))
    );
    assert_eq!(own(&daybook), ["activity_log.settings_changed"; 3]);
    let page = daybook.page("action=activity_log.*");
    assert_eq!(page["items"][2]["actor"], "anonymous");
    assert_eq!(page["items"][2]["ip_address"], "127.0.0.1");
    assert_eq!(
        page["items"][2]["metadata"],
        json!({"keys": ["max_days"], "method": "PUT", "route": "/api/v1/activity/settings"})
    );
    assert_eq!(page["items"][2]["entity_id"], "retention");
}

#[test]
fn a_workspace_has_a_rule_of_its_own() {
    let daybook = TestDaybook::start();
    put(&daybook, "?workspace_id=acme", &json!({"max_days": 7})).ok();
    let days = |query: &str| daybook.get(&settings_at(query)).ok()["max_days"].clone();
    assert_eq!(
        (
            days("?workspace_id=acme"),
            days(""),
            days("?workspace_id=other")
        ),
        (json!(7), json!(90), json!(90))
    );
    assert_eq!(
        daybook.page("workspace_id=acme")["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_is_out_of_bounds_is_refused_and_named() {
    let daybook = TestDaybook::start();
    for (body, wrong) in [
        (
            json!({"max_days": 36501, "max_entries": 99}),
            vec!["max_days", "max_entries"],
        ),
        (json!({"enabled": "no"}), vec!["enabled"]),
        (json!({"interval": "1h"}), vec!["interval"]),
        (json!({}), vec!["body"]),
        (json!([1]), vec!["body"]),
    ] {
        let answer = put(&daybook, "", &body);
        answer.problem(400);
        assert_eq!(fields(&answer), wrong, "{body}");
    }
    assert_eq!(fields(&daybook.get(&settings_at("?x=1"))), ["x"]);
    assert_eq!(own(&daybook), [""; 0]);
}

#[test]
fn what_is_locked_is_a_conflict() {
    let daybook = TestDaybook::with("[retention]\nlocked = true");
    let held = daybook.get(&settings_at("")).ok();
    assert_eq!(
        (&held["locked"], &held["source"]),
        (&json!(true), &json!("file"))
    );
    let answer = put(&daybook, "", &json!({"max_days": 30}));
    answer.problem(409);
    assert!(fields(&answer).contains(&"max_days".to_owned()));
    assert_eq!(daybook.get(&settings_at("")).ok(), held);
}

#[test]
fn while_recording_is_off_an_entry_is_taken_and_not_recorded() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    put(&daybook, "", &json!({"enabled": false})).ok();
    let answer = daybook.record(&entry());
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({"recorded": false}))
    );
    daybook.record(&json!({"category": "nope"})).problem(400);
    let bulk = daybook.post(&[JSON], json!([entry(), entry()]).to_string());
    assert_eq!(
        (bulk.status, bulk.json()),
        (202, json!({"recorded": false}))
    );
    put(&daybook, "", &json!({"enabled": true})).ok();
    assert_eq!(daybook.record(&entry()).status, 201);
    assert_eq!(
        own(&daybook),
        ["activity_log.disabled", "activity_log.enabled"]
    );
    assert_eq!(
        daybook.page("category=entity")["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_workspace_that_records_nothing_does_not_keep_others_from_it() {
    let daybook = TestDaybook::start();
    put(&daybook, "?workspace_id=quiet", &json!({"enabled": false})).ok();
    let quiet = entry_with(json!({"workspace_id": "quiet"}));
    assert_eq!(daybook.record(&quiet).status, 202);
    let told = daybook
        .post(&[JSON], json!([quiet, entry()]).to_string())
        .ok();
    assert_eq!(
        (&told["accepted"], &told["rejected"][0]["index"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn a_clear_empties_its_workspace_and_says_so() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&vec![entry(); 20]);
    daybook
        .record(&entry_with(json!({"workspace_id": "acme"})))
        .ok();
    assert_eq!(delete(&daybook, ACTIVITY).ok(), json!({"removed": 20}));
    let left = daybook.page("");
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(left["items"][0]["action"], "activity_log.cleared");
    assert_eq!(
        left["items"][0]["metadata"],
        json!({"removed": 20, "workspace_id": "default", "method": "DELETE", "route": ACTIVITY})
    );
    assert_eq!(
        daybook.page("workspace_id=acme")["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        delete(&daybook, &format!("{ACTIVITY}?workspace_id=*")).ok()["removed"],
        2
    );
    assert_eq!(
        daybook.page("workspace_id=*")["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    delete(&daybook, &format!("{ACTIVITY}?q=x")).problem(400);
}

#[test]
fn a_prune_by_hand_says_what_would_go_and_then_does_it() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&vec![entry(); 150]);
    let dry = prune(&daybook, &json!({"dry_run": true})).ok();
    assert_eq!(
        (&dry["would_remove"], &dry["halted"]),
        (&json!(0), &json!(false))
    );
    assert!(dry["oldest_kept_ts"].is_string() && dry["reason"].is_null());
    put(&daybook, "", &json!({"max_entries": 100})).ok();
    // The run that follows a changed rule may have been there first.
    prune(&daybook, &json!({"confirm": true})).ok();
    let entries = daybook.page("limit=500")["items"].as_array().unwrap().len();
    assert!((100..=102).contains(&entries), "{entries}");
    assert!(own(&daybook).contains(&"activity_log.pruned".to_owned()));
}

#[test]
fn a_prune_must_be_meant() {
    let daybook = TestDaybook::start();
    for (body, field) in [
        (json!({}), "confirm"),
        (json!({"dry_run": false}), "confirm"),
        (json!({"dry_run": true, "confirm": true}), "dry_run"),
        (json!({"confirm": 1}), "confirm"),
        (json!({"force": true}), "force"),
    ] {
        let answer = prune(&daybook, &body);
        answer.problem(400);
        assert_eq!(fields(&answer), [field], "{body}");
    }
}
