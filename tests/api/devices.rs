//! `/api/v1/devices`: added, named, ignored, checked and reported by hand, while discovery is off.

use super::client::{Answer, JSON, each, named};
use super::events::Follower;
use super::harness::TestDaybook;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use ureq::http::Method;

const DEVICES: &str = "/api/v1/devices";
/// Checked often, so that tests need not wait.
const HASTY: &str = "[discovery]\ncheck_interval = \"1s\"\ncheck_timeout = \"500ms\"\n";

fn post(daybook: &TestDaybook, path: &str, body: &Value) -> Answer {
    daybook.ask(Method::POST, path, &[JSON], body.to_string().as_bytes())
}

fn patch(daybook: &TestDaybook, id: &str, body: &Value) -> Answer {
    let path = format!("{DEVICES}/{id}");
    daybook.ask(Method::PATCH, &path, &[JSON], body.to_string().as_bytes())
}

fn added(daybook: &TestDaybook, body: &Value) -> String {
    let made = post(daybook, DEVICES, body);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("{DEVICES}/{id}"));
    id
}

fn one(daybook: &TestDaybook, id: &str) -> Value {
    daybook.get(&format!("{DEVICES}/{id}")).ok()
}

fn check(daybook: &TestDaybook, id: &str) -> Value {
    post(daybook, &format!("{DEVICES}/{id}/check"), &json!({})).ok()
}

/// The actions of a device's trail, the oldest first.
fn trail(daybook: &TestDaybook, id: &str) -> Vec<String> {
    let page = daybook.get(&format!(
        "/api/v1/activity/audit/device/{id}?after_seq=0&action=device.*"
    ));
    let page = page.ok();
    each(&page, "action")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that takes connections, and answers what it is told to.
fn listener(answer: &'static str) -> (u16, std::sync::mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            if let Ok((mut stream, _)) = listener.accept() {
                stream.set_nonblocking(false).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_millis(200)))
                    .unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    (port, stop)
}

#[test]
fn a_device_that_was_added_is_listed_and_outlives_the_daemon() {
    let daybook = TestDaybook::start();
    let id = added(
        &daybook,
        &json!({"address": "192.0.2.7", "name": "Lamp", "type": "_wled._tcp"}),
    );
    let listed = daybook.get(DEVICES).ok();
    assert_eq!(listed["items"][0]["id"], id.as_str());
    assert_eq!(listed["next_after"], Value::Null);
    assert_eq!(listed["discovery"]["state"], "off");
    let shown = one(&daybook, &id);
    assert_eq!(shown, listed["items"][0]);
    assert_eq!(shown["name"], "Lamp");
    assert_eq!(shown["type"], "_wled._tcp");
    assert_eq!(shown["addresses"], json!(["192.0.2.7"]));
    assert_eq!(
        (&shown["source"], &shown["state"]),
        (&json!("manual"), &json!("unknown"))
    );
    assert_eq!(
        shown["check"],
        Value::Null,
        "without a port there is nothing to check"
    );
    assert_eq!(trail(&daybook, &id), ["device.added"]);
    let in_the_book = daybook.reader().devices().unwrap();
    assert_eq!(in_the_book.len(), 1);
    assert_eq!(in_the_book[0].id.as_str(), id);
}

#[test]
fn a_device_is_named_ignored_and_removed_and_each_is_in_its_trail() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let id = added(&daybook, &json!({"address": "lamp.example"}));
    let done = patch(
        &daybook,
        &id,
        &json!({"given_name": "Desk", "ignored": true}),
    )
    .ok();
    assert_eq!(done["changed"], true);
    assert_eq!(done["device"]["given_name"], "Desk");
    assert_eq!(done["device"]["ignored"], true);
    let again = patch(&daybook, &id, &json!({"given_name": "Desk"})).ok();
    assert_eq!(again["changed"], false);
    patch(
        &daybook,
        &id,
        &json!({"given_name": null, "ignored": false}),
    )
    .ok();
    let said = json!({"check": {"kind": "http", "path": "/x", "interval_seconds": 9}});
    let done = patch(&daybook, &id, &said).ok();
    assert_eq!(done["device"]["check_override"], said["check"]);
    let path = format!("{DEVICES}/{id}");
    assert_eq!(
        daybook.ask(Method::DELETE, &path, &[], b"").ok(),
        json!({"deleted": id})
    );
    daybook.get(&path).problem(404);
    daybook.ask(Method::DELETE, &path, &[], b"").problem(404);
    assert_eq!(
        trail(&daybook, &id),
        [
            "device.added",
            "device.renamed",
            "device.ignored",
            "device.renamed",
            "device.unignored",
            "device.check_changed",
            "device.removed"
        ]
    );
    let entry = &daybook.page("action=device.removed")["items"][0];
    assert_eq!(
        (&entry["actor"], &entry["category"]),
        (&json!("olga"), &json!("device"))
    );
    assert_eq!(entry["metadata"]["route"], "/api/v1/devices/{id}");
    assert_eq!(daybook.reader().devices().unwrap(), []);
}

#[test]
fn a_list_is_cut_and_filtered_as_asked() {
    let daybook = TestDaybook::start();
    for n in 0..5 {
        added(&daybook, &json!({"address": format!("192.0.2.{n}")}));
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = daybook.get(&format!("{DEVICES}?limit=2{after}")).ok();
        seen.extend(each(&page, "id").into_iter().map(str::to_owned));
        match page["next_after"].as_str() {
            Some(id) => after = format!("&after={id}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
    patch(&daybook, &seen[0], &json!({"ignored": true})).ok();
    let count = |query: &str| {
        let page = daybook.get(&format!("{DEVICES}?{query}")).ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("ignored=true"), 1);
    assert_eq!(count("ignored=false&state=unknown&source=manual"), 4);
    assert_eq!(count("source=mdns"), 0);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("after=a/b", "after"),
        ("state=asleep", "state"),
        ("source=rumour", "source"),
        ("ignored=maybe", "ignored"),
        ("colour=red", "colour"),
    ] {
        daybook.get(&format!("{DEVICES}?{query}")).refuses(&[field]);
    }
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let daybook = TestDaybook::start();
    let id = added(&daybook, &json!({"address": "192.0.2.1"}));
    for (body, field) in [
        (json!({}), "address"),
        (json!({"address": 7}), "address"),
        (json!({"address": "a b"}), "address"),
        (json!({"address": "http://x/"}), "address"),
        (json!({"address": "dbk_a_b"}), "address"),
        (json!({"address": "x", "type": "dbk_a_b"}), "type"),
        (json!({"address": "x", "port": 0}), "port"),
        (json!({"address": "x", "port": 65536}), "port"),
        (json!({"address": "x", "name": ""}), "name"),
        (json!({"address": "x", "name": "a\u{7}"}), "name"),
        (json!({"address": "x", "type": "a b"}), "type"),
        (json!({"address": "x", "check": 1}), "check"),
        (
            json!({"address": "x", "check": {"kind": "icmp"}}),
            "check.kind",
        ),
        (
            json!({"address": "x", "check": {"path": "x"}}),
            "check.path",
        ),
        (
            json!({"address": "x", "check": {"path": "/\r\nX: y"}}),
            "check.path",
        ),
        (
            json!({"address": "x", "check": {"failures": 0}}),
            "check.failures",
        ),
        (
            json!({"address": "x", "check": {"colour": 0}}),
            "check.colour",
        ),
        (json!({"address": "x", "colour": "red"}), "colour"),
    ] {
        post(&daybook, DEVICES, &body).refuses(&[field]);
    }
    for (body, field) in [
        (json!({}), "given_name"),
        (json!({"given_name": 1}), "given_name"),
        (json!({"given_name": "x".repeat(129)}), "given_name"),
        (json!({"ignored": "yes"}), "ignored"),
        (json!({"check": {"port": 99_999}}), "check.port"),
        (json!({"name": "x"}), "name"),
    ] {
        patch(&daybook, &id, &body).refuses(&[field]);
    }
    daybook.get(&format!("{DEVICES}/a%20b")).refuses(&["id"]);
    patch(&daybook, "nowhere", &json!({"ignored": true})).problem(404);
    post(&daybook, &format!("{DEVICES}/nowhere/check"), &json!({})).problem(404);
    let nothing = post(&daybook, &format!("{DEVICES}/{id}/check"), &json!({}));
    assert_eq!(named(&nothing.problem(409)["errors"]), ["check"]);
    assert_eq!(trail(&daybook, &id), ["device.added"]);
}

#[test]
fn a_check_says_how_a_device_is_and_what_was_wrong() {
    let daybook =
        TestDaybook::with("[discovery]\ncheck_interval = \"0s\"\ncheck_timeout = \"1s\"\n");
    let (well, _keep) = listener("HTTP/1.1 404 Not Found\r\n\r\n");
    let (ill, _keep_too) = listener("HTTP/1.1 503 Busy\r\n\r\n");
    let (odd, _keep_three) = listener("220 ESMTP\r\n");
    let (mute, _keep_four) = listener("");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let shut = closed.local_addr().unwrap().port();
    drop(closed);
    for (port, kind, ok, error) in [
        (well, "http", true, Value::Null),
        (well, "tcp", true, Value::Null),
        (odd, "tcp", true, Value::Null),
        (ill, "http", false, json!("it answered with 503")),
        (odd, "http", false, json!("what it answered is not HTTP")),
        (mute, "http", false, json!("what it answered is not HTTP")),
        (shut, "tcp", false, json!("it refused the connection")),
    ] {
        let id = added(
            &daybook,
            &json!({"address": "127.0.0.1", "port": port, "check": {"kind": kind, "interval_seconds": 86_400}}),
        );
        let answer = check(&daybook, &id);
        assert_eq!(answer["check"]["ok"], ok, "{kind}: {answer}");
        assert_eq!(answer["check"]["error"], error, "{kind}");
        let expected = if ok { "online" } else { "unknown" };
        assert_eq!(answer["device"]["state"], expected, "one failure is none");
        assert_eq!(answer["device"]["last_check"]["ok"], ok);
    }
    let id = added(
        &daybook,
        &json!({"address": "no-such-host.invalid", "port": 80}),
    );
    let answer = check(&daybook, &id);
    assert_eq!(answer["check"]["ok"], false, "{answer}");
}

#[test]
fn a_device_that_stops_answering_goes_offline_once_and_comes_back_once() {
    let daybook = TestDaybook::with(&format!("{HASTY}check_failures = 2\n"));
    let mut follower = Follower::to(&daybook);
    let (port, stop) = listener("");
    let id = added(&daybook, &json!({"address": "127.0.0.1", "port": port}));
    eventually("it is online", || one(&daybook, &id)["state"] == "online");
    drop(stop);
    eventually("it is offline", || one(&daybook, &id)["state"] == "offline");
    // The port may have become somebody else's, so the device moves.
    let (port, _stop) = listener("");
    patch(&daybook, &id, &json!({"check": {"port": port}})).ok();
    eventually("it is online again", || {
        one(&daybook, &id)["state"] == "online"
    });
    // A moment after it is so it is recorded.
    eventually("its trail", || {
        trail(&daybook, &id)
            == [
                "device.added",
                "device.online",
                "device.offline",
                "device.check_changed",
                "device.online",
            ]
    });
    let mut events = Vec::new();
    while events.len() < 5 {
        let frame = follower.next();
        let kind = frame["type"].as_str().unwrap().to_owned();
        if kind.starts_with("device_") {
            assert_eq!(frame["device"]["id"], id.as_str());
            events.push(kind);
        }
    }
    assert_eq!(
        events,
        [
            "device_discovered",
            "device_health_changed",
            "device_health_changed",
            "device_changed",
            "device_health_changed"
        ]
    );
}

#[test]
fn a_device_that_comes_and_goes_is_said_to_flap_once_and_then_held_back() {
    let daybook = TestDaybook::with(
        "[discovery]\ncheck_interval = \"0s\"\ncheck_timeout = \"2s\"\ncheck_failures = 1\nflapping_limit = 3\n",
    );
    let mut follower = Follower::to(&daybook);
    let (well, _keep) = listener("HTTP/1.1 200 OK\r\n\r\n");
    let (ill, _keep_too) = listener("HTTP/1.1 503 Busy\r\n\r\n");
    let id = added(
        &daybook,
        &json!({"address": "127.0.0.1", "port": well, "check": {"kind": "http", "port": well, "interval_seconds": 86_400}}),
    );
    // How often it was well or ill is what counts; where it is asked is as it was.
    for turn in 0..8 {
        let port = if turn % 2 == 0 { well } else { ill };
        let asked = json!({"check": {"kind": "http", "port": port, "interval_seconds": 86_400}});
        patch(&daybook, &id, &asked).ok();
        let checked = check(&daybook, &id);
        assert_eq!(checked["check"]["ok"], turn % 2 == 0, "{checked}");
    }
    let by_itself = || {
        let mut trail = trail(&daybook, &id);
        trail.retain(|action| action != "device.check_changed");
        trail
    };
    eventually("it is said to flap", || {
        by_itself()
            .last()
            .is_some_and(|last| last == "device.flapping")
    });
    let expected = [
        "device.added",
        "device.online",
        "device.offline",
        "device.online",
        "device.flapping",
    ];
    assert_eq!(by_itself(), expected);
    let path = format!("/api/v1/activity/audit/device/{id}?action=device.flapping");
    let told = daybook.get(&path).ok();
    let entry = &told["items"][0];
    assert_eq!(
        (&entry["category"], &entry["actor"]),
        (&json!("device"), &json!("system"))
    );
    loop {
        let frame = follower.next();
        if frame["change"] == "flapping" {
            assert_eq!(frame["type"], "device_health_changed");
            assert_eq!(frame["device"]["id"], id.as_str());
            break;
        }
    }
}

#[test]
fn an_ignored_device_is_left_alone() {
    let daybook = TestDaybook::with(HASTY);
    let (port, _stop) = listener("");
    let id = added(&daybook, &json!({"address": "127.0.0.1"}));
    patch(&daybook, &id, &json!({"ignored": true})).ok();
    patch(
        &daybook,
        &id,
        &json!({"check": {"kind": "tcp", "port": port, "interval_seconds": 1}}),
    )
    .ok();
    // Another one is checked meanwhile.
    let other = added(&daybook, &json!({"address": "127.0.0.1", "port": port}));
    eventually("the other is online", || {
        one(&daybook, &other)["state"] == "online"
    });
    assert_eq!(one(&daybook, &id)["state"], "unknown");
    assert_eq!(one(&daybook, &id)["last_check"], Value::Null);
}

#[test]
fn other_software_reports_its_devices_with_the_scope_to_write_alone() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = |workspace: &str, scope: &str| {
        let label = format!("{workspace}-{scope}").replace('*', "all");
        daybook.make_key(&json!({"label": label, "scopes": [scope], "workspace_id": workspace}))
    };
    let path = format!("{DEVICES}/strip-7/connected");
    let body = r#"{"name":"Strip 7","type":"led-strip","address":"192.0.2.9"}"#;
    let writes = key("default", "write");
    let say =
        |key: &str, path: &str, body: &str| daybook.ask_as(Some(key), Method::POST, path, body);
    let done = say(&writes, &path, body).ok();
    assert_eq!(done["changed"], true);
    assert_eq!(done["device"]["name"], "Strip 7");
    let body = r#"{"address":"127.0.0.1","port":22}"#;
    let knocks = say(&writes, &path, body).ok();
    assert_eq!(knocks["device"]["port"], 22);
    assert_eq!(
        knocks["device"]["check"],
        Value::Null,
        "it says not where the daemon knocks"
    );
    assert_eq!(
        (&done["device"]["source"], &done["device"]["state"]),
        (&json!("reported"), &json!("online"))
    );
    assert_eq!(say(&writes, &path, "{}").ok()["changed"], false);
    let gone = path.replace("connected", "disconnected");
    assert_eq!(say(&writes, &gone, "{}").ok()["changed"], true);
    assert_eq!(say(&key("*", "write"), &path, "{}").ok()["changed"], true);
    // Nothing needs to be said with it.
    let bearer = format!("Bearer {writes}");
    let bare = super::client::ask(
        &daybook.agent,
        Method::POST,
        &daybook.url(&gone),
        &[("Authorization", &bearer)],
        b"",
    );
    assert_eq!(bare.ok()["changed"], true);
    assert_eq!(
        trail(&daybook, "strip-7"),
        [
            "device.connected",
            "device.disconnected",
            "device.connected",
            "device.disconnected"
        ]
    );
    say(&key("default", "read"), &path, "{}").problem(403);
    say(&key("a", "write"), &path, "{}").problem(404);
    say(&writes, &format!("{DEVICES}/dev_1/connected"), "{}").problem(404);
    say(&writes, &path, r#"{"colour":1}"#).refuses(&["colour"]);
    for (method, path) in [
        ("GET", DEVICES.to_owned()),
        ("DELETE", format!("{DEVICES}/strip-7")),
    ] {
        let asked = daybook.ask_as(Some(&writes), method.parse().unwrap(), &path, "");
        asked.problem(403);
    }
}

#[test]
fn a_restore_brings_back_the_devices_of_then() {
    let daybook = TestDaybook::start();
    let kept = added(&daybook, &json!({"address": "192.0.2.1"}));
    let made = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    let later = added(&daybook, &json!({"address": "192.0.2.2"}));
    let path = format!("/api/v1/backups/{}/restore", made["name"].as_str().unwrap());
    daybook.ask(Method::POST, &path, &[], b"").ok();
    assert_eq!(each(&daybook.get(DEVICES).ok(), "id"), [kept.as_str()]);
    daybook.get(&format!("{DEVICES}/{later}")).problem(404);
}

#[test]
fn while_recording_is_off_only_what_somebody_asked_for_is_recorded() {
    let daybook = TestDaybook::with(HASTY);
    let off = br#"{"enabled":false}"#;
    daybook
        .ask(Method::PUT, "/api/v1/activity/settings", &[JSON], off)
        .ok();
    let (port, _stop) = listener("");
    let id = added(&daybook, &json!({"address": "127.0.0.1", "port": port}));
    eventually("it is online", || one(&daybook, &id)["state"] == "online");
    eventually("it is kept so", || {
        let kept = daybook.reader().devices().unwrap();
        kept[0].state.as_str() == "online"
    });
    assert_eq!(trail(&daybook, &id), ["device.added"]);
}
