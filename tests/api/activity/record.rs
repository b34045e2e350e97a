//! `POST /api/v1/activity`: one entry.

use crate::client::{ACTIVITY, JSON, NDJSON, entry, entry_with, named};
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

#[test]
fn an_entry_is_answered_with_its_id_seq_and_ts_in_that_order() {
    let daybook = TestDaybook::start();
    let answer = daybook.record(&entry());
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), "application/json");
    let told = answer.json();
    let expected = format!(
        r#"{{"id":{},"seq":1,"ts":{},"duplicate":false}}"#,
        told["id"], told["ts"]
    );
    assert_eq!(answer.text(), expected);
    let id = told["id"].as_str().unwrap();
    assert!(id.len() == 35 && id.starts_with("al_"), "{id}");
    let kept = daybook.entry(id);
    assert_eq!(kept["ts"], told["ts"]);
}

#[test]
fn an_entry_posted_twice_is_recorded_once() {
    let daybook = TestDaybook::start();
    let mine = entry_with(json!({"id": "my-own_ID"}));
    let first = daybook.record(&mine).ok();
    daybook.record(&entry()).ok();
    let again = daybook.record(&entry_with(json!({"id": "my-own_ID", "message": "other"})));
    assert_eq!(again.status, 200);
    let again = again.json();
    assert_eq!(again["duplicate"], true);
    for key in ["id", "seq", "ts"] {
        assert_eq!(again[key], first[key], "{key}");
    }
    assert_eq!(daybook.count(), 2);
    assert_eq!(daybook.entry("my-own_ID")["message"], "made a task");
}

#[test]
fn the_same_id_in_another_workspace_is_another_entry() {
    let daybook = TestDaybook::start();
    for workspace in ["default", "acme"] {
        let entry = entry_with(json!({"id": "a", "workspace_id": workspace}));
        assert_eq!(daybook.record(&entry).status, 201, "{workspace}");
    }
}

#[test]
fn what_is_not_said_gets_its_default() {
    let daybook = TestDaybook::start();
    let id = daybook.record(&entry()).ok()["id"].take();
    let mut kept = daybook.entry(id.as_str().unwrap());
    assert!(
        kept["user_agent"]
            .take()
            .as_str()
            .unwrap()
            .starts_with("ureq")
    );
    let expected = json!({
        "id": id, "ts": kept["ts"], "category": "entity", "action": "task.created",
        "severity": "info", "actor": "anonymous", "entity_type": null, "entity_id": null,
        "entity_name": null, "message": "made a task", "metadata": {}, "workspace_id": "default",
        "ip_address": "127.0.0.1", "user_agent": null
    });
    assert_eq!(kept, expected);
}

#[test]
fn what_is_said_is_kept_as_it_was_said() {
    let daybook = TestDaybook::start();
    let said = json!({
        "id": "x", "category": "device", "action": "lamp.switched:on/off-1", "severity": "error",
        "actor": "Zoë", "entity_type": "lamp", "entity_id": "küche/1", "entity_name": "灯",
        "message": "on 💡", "metadata": {"a": [1, 2.5, null, {"b": "c"}]}, "workspace_id": "home",
        "ip_address": "2001:db8::1", "user_agent": "agent/1"
    });
    daybook.record(&said).ok();
    let mut kept = daybook.get(&format!("{ACTIVITY}/x?workspace_id=home")).ok()["entry"].take();
    kept.as_object_mut().unwrap().remove("ts");
    assert_eq!(kept, said);
}

#[test]
fn null_is_the_same_as_not_said() {
    let daybook = TestDaybook::start();
    let nulls = entry_with(json!({
        "id": null, "severity": null, "actor": null, "entity_type": null, "entity_id": null,
        "entity_name": null, "metadata": null, "workspace_id": null, "ip_address": null,
        "user_agent": null
    }));
    let id = daybook.record(&nulls).ok()["id"].take();
    assert_eq!(daybook.entry(id.as_str().unwrap())["actor"], "anonymous");
}

#[test]
fn an_empty_body_is_refused() {
    let daybook = TestDaybook::start();
    for body in ["", " \r\n\t", "\u{feff}"] {
        daybook.post(&[JSON], body).refuses(&["body"]);
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let daybook = TestDaybook::start();
    let marked = format!("\u{feff}{}", entry());
    assert_eq!(daybook.post(&[JSON], &marked).status, 201);
    assert_eq!(daybook.post(&[NDJSON], &marked).ok()["accepted"], 1);
}

#[test]
fn a_parameter_is_refused_where_there_is_none() {
    let daybook = TestDaybook::start();
    let path = format!("{ACTIVITY}?dry_run=true");
    let answer = daybook.ask(Method::POST, &path, &[JSON], entry().to_string().as_bytes());
    answer.refuses(&["dry_run"]);
    assert_eq!(daybook.count(), 0);
}

#[test]
fn ts_never_decreases_as_seq_grows() {
    let daybook = TestDaybook::start();
    let told: Vec<Value> = (0..20).map(|_| daybook.record(&entry()).ok()).collect();
    let seqs: Vec<i64> = told.iter().map(|t| t["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=20).collect::<Vec<i64>>());
    assert!(told.is_sorted_by_key(|t| t["ts"].as_str().unwrap().to_owned()));
}

#[test]
fn everything_that_is_wrong_with_an_entry_is_told_at_once() {
    let daybook = TestDaybook::start();
    let wrong = json!({
        "id": "count", "ts": "2026-01-01T00:00:00Z", "category": "nope", "severity": "fatal",
        "colour": "red", "message": ""
    });
    let problem = daybook.record(&wrong).problem(400);
    // What is no field is told first: only what has the shape of an entry is looked at further.
    assert_eq!(named(&problem["errors"]), ["colour", "ts"]);
    let wrong = json!({"id": "count", "category": "nope", "severity": "fatal", "message": ""});
    let problem = daybook.record(&wrong).problem(400);
    let named = named(&problem["errors"]);
    assert_eq!(named, ["id", "category", "action", "severity", "message"]);
}
