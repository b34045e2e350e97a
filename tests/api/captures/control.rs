//! Captures listed, started and stopped.

use super::{CAPTURES, eventually, syslog};
use crate::client::{JSON, each};
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use ureq::http::Method;

/// What is recorded of captures themselves, when so much is.
fn recorded(daybook: &TestDaybook, count: usize) -> Value {
    eventually("it is recorded", || {
        let page = daybook.page("action=capture.*");
        (page["items"].as_array()?.len() >= count).then_some(page)
    })
}

#[test]
fn a_capture_starts_with_the_daemon_and_is_recorded_to() {
    let daybook = TestDaybook::with(&syslog("workspace = \"acme\"\n"));
    let capture = daybook.until("net", "running");
    assert_eq!(capture["kind"], "syslog");
    assert_eq!(capture["workspace"], "acme");
    assert_eq!(capture["counters"]["received"], 0);
    let listening = capture["listening"].as_array().unwrap();
    assert_eq!(listening.len(), 2, "{capture}");
    let page = recorded(&daybook, 1);
    assert_eq!(each(&page, "action"), ["capture.started"]);
    assert_eq!(page["items"][0]["entity_id"], "net");
    assert_eq!(page["items"][0]["actor"], "system");
    assert_eq!(
        page["items"][0]["metadata"]["listening"],
        capture["listening"]
    );
    let metrics = daybook.get("/metrics").text();
    assert!(
        metrics.contains("daybook_capture_running{capture=\"net\"} 1"),
        "{metrics}"
    );
}

#[test]
fn one_is_stopped_and_started_by_whoever_asks_and_twice_is_once() {
    let daybook = TestDaybook::with(&syslog(""));
    let address = daybook.syslog_address();
    daybook.sign_in("olga");
    for _ in 0..2 {
        let stopped = daybook.tell("net/stop", "");
        assert_eq!(stopped["state"], "stopped");
        assert_eq!(stopped["listening"], json!([]));
    }
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
    for _ in 0..2 {
        let started = daybook.tell("net/start", "");
        assert_eq!(
            (&started["state"], &started["reason"]),
            (&json!("running"), &json!(null))
        );
    }
    let page = recorded(&daybook, 3);
    assert_eq!(
        each(&page, "action"),
        ["capture.started", "capture.stopped", "capture.started"]
    );
    assert_eq!(each(&page, "actor"), ["olga", "olga", "system"]);
    assert_eq!(
        page["items"][1]["metadata"]["route"],
        "/api/v1/captures/{name}/stop"
    );
}

#[test]
fn several_are_answered_each_by_its_name_and_nothing_named_is_all() {
    let other = "[[captures]]\nname = \"idle\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\nautostart = false\n";
    let daybook = TestDaybook::with(&format!("{}{other}", syslog("")));
    daybook.until("net", "running");
    assert_eq!(daybook.capture("idle")["state"], "stopped");
    let stopped = daybook.tell("stop", r#"{"names":["net","nope","net"]}"#);
    assert_eq!(
        stopped["items"],
        json!([{"name": "net", "state": "stopped", "reason": null},
               {"name": "nope", "state": null, "reason": "there is no capture of this name"}])
    );
    let started = daybook.tell("start", "");
    assert_eq!(each(&started, "name"), ["idle", "net"]);
    assert_eq!(each(&started, "state"), ["running", "running"]);
    assert_eq!(
        each(&daybook.get(CAPTURES).ok(), "state"),
        ["running", "running"]
    );
}

#[test]
fn what_is_asked_wrong_is_named() {
    let daybook = TestDaybook::with(&syslog(""));
    let ask = |method: Method, path: &str, body: &str| {
        daybook.ask(
            method,
            &format!("{CAPTURES}{path}"),
            &[JSON],
            body.as_bytes(),
        )
    };
    ask(Method::GET, "/nope", "").problem(404);
    ask(Method::POST, "/nope/start", "").problem(404);
    ask(Method::POST, "/start", r#"{"names":"net"}"#).refuses(&["names"]);
    ask(Method::POST, "/start", r#"{"name":["net"]}"#).refuses(&["name"]);
    ask(Method::GET, "?limit=1", "").refuses(&["limit"]);
}

#[test]
fn only_an_operator_sees_and_tells_captures() {
    let daybook = TestDaybook::with(&syslog(""));
    daybook.sign_in("olga");
    let key = daybook.make_key(
        &json!({"label": "own", "scopes": ["write", "read", "admin"], "workspace_id": "acme"}),
    );
    for (method, path) in [
        (Method::GET, ""),
        (Method::GET, "/net"),
        (Method::POST, "/net/stop"),
        (Method::POST, "/stop"),
    ] {
        let answer = daybook.ask_as(Some(&key), method, &format!("{CAPTURES}{path}"), "");
        answer.problem(403);
    }
    assert_eq!(daybook.capture("net")["state"], "running");
}

#[test]
fn a_broken_one_says_why_is_tried_again_and_harms_no_other() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let broken = format!("[[captures]]\nname = \"broken\"\nkind = \"syslog\"\nlisten = \"{at}\"\n");
    let daybook = TestDaybook::with(&format!("{}{broken}", syslog("")));
    let failed = daybook.until("broken", "failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("in use"),
        "{failed}"
    );
    daybook.until("net", "running");
    let page = recorded(&daybook, 2);
    let first = each(&page, "action")
        .iter()
        .position(|a| *a == "capture.failed");
    assert_eq!(page["items"][first.unwrap()]["severity"], "error");
    let page = daybook.page("action=capture.failed");
    assert_eq!(page["items"][0]["metadata"]["reason"], failed["reason"]);
    drop(taken);
    daybook.until("broken", "running");
    recorded(&daybook, 3);
    let page = daybook.page("action=capture.*&entity_id=broken");
    assert_eq!(each(&page, "action"), ["capture.started", "capture.failed"]);
}

#[test]
fn a_stop_while_it_is_broken_ends_the_trying() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let daybook = TestDaybook::with(&format!(
        "[[captures]]\nname = \"broken\"\nkind = \"syslog\"\nlisten = \"{at}\"\nautostart = false\n"
    ));
    let failed = daybook.tell("broken/start", "");
    assert_eq!(failed["state"], "failed");
    assert_eq!(daybook.tell("broken/stop", "")["state"], "stopped");
    drop(taken);
    eventually("the address is free", || TcpListener::bind(at).ok());
    assert_eq!(daybook.capture("broken")["state"], "stopped");
}
