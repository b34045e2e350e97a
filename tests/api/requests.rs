//! Calls that change something leave one entry each: that of their act, or that of the middleware.

use super::client::{ACTIVITY, JSON, entry};
use super::harness::TestDaybook;
use daybook::http::routes::{INTAKE, TABLE};
use serde_json::{Value, json};
use ureq::http::Method;

const NONE: &str = "[activity]\nrecord_requests = \"none\"\n";
const ALL: &str = "[activity]\nrecord_requests = \"all\"\n";
pub const WIDGET: &str = r#"{"title":"Errors","view":"count","filters":{"severity":"error"}}"#;
/// Without a port, so that it is not checked.
const DEVICE: &str = r#"{"address":"127.0.0.1","name":"Attic lamp"}"#;
pub const VIEW: &str = r#"{"name":"Errors","filters":{"severity":"error"}}"#;
/// One that is started when it is asked for.
const CAPTURE: &str =
    "[[captures]]\nname = \"c1\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\nautostart = false\n";
/// It is about nobody.
const AUTOMATION: &str =
    r#"{"name":"made","filters":{"actor":"nobody"},"webhook":{"url":"http://127.0.0.1:9/"}}"#;
const AGENT: (&str, &str) = ("User-Agent", "a-test/1");

fn newest(daybook: &TestDaybook) -> i64 {
    let page = daybook.page("limit=1&workspace_id=*");
    page["newest_seq"].as_i64().unwrap_or(0)
}

/// What `work` leaves in the book. The entry at its end is committed after all that was sent before.
fn left_by(daybook: &TestDaybook, work: impl FnOnce()) -> Vec<Value> {
    let before = newest(daybook);
    work();
    let end = daybook.record(&entry()).ok()["seq"].as_i64().unwrap();
    let page = daybook.page(&format!("after_seq={before}&workspace_id=*&limit=500"));
    let items = page["items"].as_array().unwrap().iter();
    let seqs = page["seqs"].as_array().unwrap();
    let left = items.zip(seqs).filter(|(_, seq)| **seq != end);
    left.map(|(item, _)| item.clone()).collect()
}

fn call(daybook: &TestDaybook, method: &Method, path: &str, body: &str) -> u16 {
    daybook
        .ask(method.clone(), path, &[JSON, AGENT], body.as_bytes())
        .status
}

fn made(daybook: &TestDaybook, path: &str, body: &str) -> String {
    let made = daybook.ask(Method::POST, path, &[JSON], body.as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

fn made_automation(daybook: &TestDaybook, name: &str) -> String {
    let body = AUTOMATION.replace("made", name);
    let made = call(daybook, &Method::POST, "/api/v1/automations", &body);
    assert_eq!(made, 201);
    name.to_owned()
}

fn made_backup(daybook: &TestDaybook) -> String {
    let made = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    made["name"].as_str().unwrap().to_owned()
}

/// A call of that line which does what the line is for; a line that stands not here is called in vain.
fn call_of(daybook: &TestDaybook, method: &Method, path: &str) -> (String, String, &'static str) {
    let at = |path: &str| path.to_owned();
    let (target, body, action) = match (method.as_str(), path) {
        ("DELETE", "/api/v1/activity") => (at(path), "", "activity_log.cleared"),
        ("DELETE", "/api/v1/activity/by-actor/{actor}") => {
            (path.replace("{actor}", "zoe"), "", "activity_log.erased")
        }
        ("PUT", "/api/v1/activity/settings") => (
            at(path),
            r#"{"max_days":30}"#,
            "activity_log.settings_changed",
        ),
        ("DELETE", "/api/v1/activity/settings") => {
            call(daybook, &Method::PUT, path, r#"{"max_days":31}"#);
            (at(path), "", "activity_log.settings_changed")
        }
        ("POST", "/api/v1/activity/prune") => {
            let lines: Vec<Value> = (0..150).map(|_| entry()).collect();
            daybook.record_lines(&lines);
            (at(path), r#"{"confirm":true}"#, "activity_log.pruned")
        }
        ("POST", "/api/v1/backups") => (at(path), "", "backup.created"),
        ("DELETE", "/api/v1/backups/{name}") => (
            path.replace("{name}", &made_backup(daybook)),
            "",
            "backup.deleted",
        ),
        ("POST", "/api/v1/backups/{name}/restore") => (
            path.replace("{name}", &made_backup(daybook)),
            "",
            "backup.restored",
        ),
        ("POST", "/api/v1/keys") => (
            at(path),
            r#"{"label":"new","scopes":["read"]}"#,
            "auth.key_created",
        ),
        ("POST", "/api/v1/keys/{label}/rotate") => {
            daybook.make_key(&json!({"label": "rotated", "scopes": ["read"]}));
            (path.replace("{label}", "rotated"), "{}", "auth.key_rotated")
        }
        ("DELETE", "/api/v1/keys/{label}") => {
            daybook.make_key(&json!({"label": "revoked", "scopes": ["read"]}));
            (path.replace("{label}", "revoked"), "", "auth.key_revoked")
        }
        ("POST", "/api/v1/auth/login") => {
            let body = json!({"key": daybook.key.get().unwrap()}).to_string();
            return (at(path), body, "auth.login");
        }
        ("POST", "/api/v1/workspaces") => (at(path), r#"{"name":"new"}"#, "workspace.created"),
        ("PATCH", "/api/v1/workspaces/{name}") => (
            path.replace("{name}", "default"),
            r#"{"title":"Ours"}"#,
            "workspace.renamed",
        ),
        ("POST", "/api/v1/workspaces/{name}/archive") => {
            let made = call(
                daybook,
                &Method::POST,
                "/api/v1/workspaces",
                r#"{"name":"w1"}"#,
            );
            assert_eq!(made, 201);
            (path.replace("{name}", "w1"), "", "workspace.archived")
        }
        ("POST", "/api/v1/workspaces/{name}/unarchive") => {
            let path = path.replace("{name}", "w2");
            let made = call(
                daybook,
                &Method::POST,
                "/api/v1/workspaces",
                r#"{"name":"w2"}"#,
            );
            assert_eq!(made, 201);
            let archived = path.replace("unarchive", "archive");
            assert_eq!(call(daybook, &Method::POST, &archived, ""), 200);
            (path, "", "workspace.unarchived")
        }
        ("POST", "/api/v1/captures/start" | "/api/v1/captures/{name}/start") => {
            call(daybook, &Method::POST, "/api/v1/captures/stop", "");
            // What that left is in the book when this is.
            daybook.record(&entry()).ok();
            (path.replace("{name}", "c1"), "", "capture.started")
        }
        ("POST", "/api/v1/captures/stop" | "/api/v1/captures/{name}/stop") => {
            call(daybook, &Method::POST, "/api/v1/captures/start", "");
            daybook.record(&entry()).ok();
            let body = if path.contains('{') {
                ""
            } else {
                r#"{"names":["c1"]}"#
            };
            (path.replace("{name}", "c1"), body, "capture.stopped")
        }
        ("POST", "/api/v1/widgets") => (at(path), WIDGET, "widget.created"),
        ("PUT", "/api/v1/widgets/{id}") => {
            let id = made(daybook, "/api/v1/widgets", WIDGET);
            (path.replace("{id}", &id), WIDGET, "widget.changed")
        }
        ("DELETE", "/api/v1/widgets/{id}") => {
            let id = made(daybook, "/api/v1/widgets", WIDGET);
            (path.replace("{id}", &id), "", "widget.deleted")
        }
        ("POST", "/api/v1/devices") => (at(path), DEVICE, "device.added"),
        ("PATCH", "/api/v1/devices/{id}") => {
            let id = made(daybook, "/api/v1/devices", DEVICE);
            let body = r#"{"given_name":"Attic"}"#;
            (path.replace("{id}", &id), body, "device.renamed")
        }
        ("DELETE", "/api/v1/devices/{id}") => {
            let id = made(daybook, "/api/v1/devices", DEVICE);
            (path.replace("{id}", &id), "", "device.removed")
        }
        ("POST", "/api/v1/devices/{id}/connected") => {
            (path.replace("{id}", "strip-7"), "{}", "device.connected")
        }
        ("POST", "/api/v1/devices/{id}/disconnected") => {
            (path.replace("{id}", "strip-7"), "{}", "device.disconnected")
        }
        ("POST", "/api/v1/views") => (at(path), VIEW, "view.created"),
        ("PUT", "/api/v1/views/{id}") => {
            let id = made(daybook, "/api/v1/views", VIEW);
            (path.replace("{id}", &id), VIEW, "view.changed")
        }
        ("DELETE", "/api/v1/views/{id}") => {
            let id = made(daybook, "/api/v1/views", VIEW);
            (path.replace("{id}", &id), "", "view.deleted")
        }
        ("POST", "/api/v1/automations") => (at(path), AUTOMATION, "automation.created"),
        ("PUT", "/api/v1/automations/{name}") => {
            let name = made_automation(daybook, "changed");
            let body = AUTOMATION.replace("made", &name);
            return (path.replace("{name}", &name), body, "automation.changed");
        }
        ("DELETE", "/api/v1/automations/{name}") => (
            path.replace("{name}", &made_automation(daybook, "removed")),
            "",
            "automation.removed",
        ),
        ("POST", "/api/v1/automations/{name}/disable") => (
            path.replace("{name}", &made_automation(daybook, "off")),
            "",
            "automation.changed",
        ),
        ("POST", "/api/v1/automations/{name}/enable") => {
            let name = made_automation(daybook, "on");
            let off = format!("/api/v1/automations/{name}/disable");
            assert_eq!(call(daybook, &Method::POST, &off, ""), 200);
            (path.replace("{name}", &name), "", "automation.changed")
        }
        ("PUT", "/api/v1/layouts/me") => (at(path), r#"{"widgets":[]}"#, "layout.changed"),
        ("DELETE", "/api/v1/layouts/me") => (at(path), "", "layout.reset"),
        _ => (path.replace(['{', '}'], ""), "{}", ""),
    };
    (target, body.to_owned(), action)
}

fn changing() -> impl Iterator<Item = (Method, &'static str)> {
    let changes = |method: &Method| !matches!(*method, Method::GET | Method::HEAD);
    let takes_in = |method: &Method, path: &str| {
        INTAKE
            .iter()
            .any(|(intake, at)| intake.as_str() == method.as_str() && *at == path)
    };
    TABLE
        .iter()
        .map(|line| (line.method.as_str().parse::<Method>().unwrap(), line.path))
        .filter(move |(method, path)| changes(method) && !takes_in(method, path))
}

#[test]
fn every_route_that_changes_something_leaves_one_entry() {
    // Nothing is pruned but by hand.
    let rule = "[retention]\nmax_entries = 100\ninterval = \"24h\"\n";
    let daybook = TestDaybook::with(&format!("{rule}{CAPTURE}"));
    daybook.sign_in("olga");
    let mut lines = 0;
    for (method, path) in changing() {
        let (target, body, action) = call_of(&daybook, &method, path);
        let left = left_by(&daybook, || {
            call(&daybook, &method, &target, &body);
        });
        let [entry] = &left[..] else {
            panic!("{method} {path} left {left:#?}");
        };
        if !action.is_empty() {
            assert_eq!(entry["action"], action, "{method} {path}");
            assert_eq!(entry["metadata"].get("status"), None, "{entry}");
        }
        assert_eq!(entry["metadata"]["method"], method.as_str(), "{entry}");
        assert_eq!(entry["metadata"]["route"], path, "{entry}");
        assert_eq!(entry["actor"], "olga", "{entry}");
        assert_eq!(entry["user_agent"], "a-test/1", "{entry}");
        assert_eq!(entry["ip_address"], "127.0.0.1", "{entry}");
        lines += 1;
    }
    assert!(lines >= 7);
}

#[test]
fn with_none_only_acts_leave_their_entry_and_it_names_the_call() {
    let daybook = TestDaybook::with(&format!("{NONE}[retention]\nmax_entries = 100\n{CAPTURE}"));
    daybook.sign_in("olga");
    for (method, path) in changing() {
        let (target, body, action) = call_of(&daybook, &method, path);
        let left = left_by(&daybook, || {
            call(&daybook, &method, &target, &body);
        });
        let actions: Vec<&Value> = left.iter().map(|entry| &entry["action"]).collect();
        match action {
            "" => assert_eq!(actions, [""; 0], "{method} {path}"),
            _ => {
                assert_eq!(actions, [action], "{method} {path}");
                assert_eq!(left[0]["metadata"]["route"], path);
            }
        }
    }
}

#[test]
fn what_was_tried_in_vain_is_recorded_with_what_came_of_it() {
    let daybook = TestDaybook::start();
    let path = "/api/v1/backups/no-such.db?password=hunter2";
    let secret = ("Cookie", "session=hunter2");
    let left = left_by(&daybook, || {
        let asked = daybook.ask(Method::DELETE, path, &[secret, AGENT], b"");
        assert_eq!(asked.status, 400, "a parameter that is not known");
        let path = "/api/v1/backups/no-such.db";
        let bearer = ("Authorization", "Basic aHVudGVyMg==");
        assert_eq!(
            daybook.ask(Method::DELETE, path, &[bearer], b"").status,
            404
        );
    });
    let statuses: Vec<&Value> = left
        .iter()
        .map(|entry| &entry["metadata"]["status"])
        .collect();
    assert_eq!(statuses, [400, 404]);
    for entry in &left {
        assert_eq!(entry["category"], "system");
        assert_eq!(entry["action"], "request.refused");
        assert_eq!(entry["severity"], "warning");
        assert_eq!(entry["entity_type"], "backup");
        assert_eq!(entry["entity_id"], "no-such.db");
        assert_eq!(entry["metadata"]["route"], "/api/v1/backups/{name}");
        assert!(entry["metadata"]["duration_ms"].as_f64().unwrap() > 0.0);
        let text = entry.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("aHVudGVy"),
            "{text}"
        );
    }
}

#[test]
fn a_change_that_changes_nothing_is_a_call_all_the_same() {
    let daybook = TestDaybook::start();
    let path = format!("{ACTIVITY}/settings");
    let left = left_by(&daybook, || {
        assert_eq!(call(&daybook, &Method::DELETE, &path, ""), 200);
        assert_eq!(
            call(
                &daybook,
                &Method::POST,
                &format!("{ACTIVITY}/prune"),
                r#"{"dry_run":true}"#
            ),
            200
        );
    });
    let actions: Vec<&Value> = left.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["request.completed"; 2]);
    assert_eq!(left[0]["metadata"]["status"], 200);
    assert_eq!(left[0]["severity"], "info");
}

#[test]
fn neither_intake_nor_reads_nor_strangers_paths_leave_an_entry() {
    let daybook = TestDaybook::start();
    let id = daybook.record(&entry()).ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let left = left_by(&daybook, || {
        daybook
            .post(&[JSON], "{}")
            .refuses(&["category", "action", "message"]);
        call(&daybook, &Method::POST, "/api/activity", "{");
        daybook.entry(&id);
        daybook.get(&format!("{ACTIVITY}/count")).ok();
        call(&daybook, &Method::POST, "/api/v1/no-such", "");
        call(&daybook, &Method::PATCH, "/api/v1/backups", "");
        let foreign = ("Origin", "http://evil.example");
        assert_eq!(
            daybook
                .ask(Method::DELETE, ACTIVITY, &[foreign], b"")
                .status,
            403
        );
    });
    assert_eq!(left, [Value::Null; 0]);
}

#[test]
fn an_escaped_path_is_recorded_as_what_it_means() {
    let daybook = TestDaybook::start();
    let left = left_by(&daybook, || {
        assert_eq!(
            call(
                &daybook,
                &Method::DELETE,
                "/api/v1/%62ackups/no%2dsuch.db",
                ""
            ),
            404
        );
        call(
            &daybook,
            &Method::POST,
            "/api/v1/%61ctivity",
            &entry().to_string(),
        );
    });
    assert_eq!(
        left.len(),
        2,
        "the call, and the entry that was recorded: {left:#?}"
    );
    assert_eq!(left[0]["metadata"]["route"], "/api/v1/backups/{name}");
    assert_eq!(left[0]["entity_id"], "no-such.db");
    assert_eq!(left[1]["action"], "task.created");
}

#[test]
fn with_all_reads_are_recorded_and_probes_are_not() {
    let daybook = TestDaybook::with(ALL);
    let left = left_by(&daybook, || {
        daybook.get(&format!("{ACTIVITY}/count")).ok();
        assert_eq!(daybook.get(&format!("{ACTIVITY}/al_none")).status, 404);
        daybook.get("/healthz").ok();
        assert_eq!(
            daybook.get(&format!("{ACTIVITY}/export?format=csv")).status,
            200
        );
    });
    let of = |entry: &Value| json!([entry["action"], entry["metadata"]["route"]]);
    // The page that reads them for this test is one, too.
    let left: Vec<Value> = left.iter().map(of).collect();
    assert_eq!(
        left[1..],
        [
            json!(["request.completed", "/api/v1/activity/count"]),
            json!(["request.refused", "/api/v1/activity/{id}"]),
            json!(["activity_log.exported", "/api/v1/activity/export"]),
        ]
    );
}

#[test]
fn while_recording_is_off_a_call_leaves_only_the_entry_of_its_act() {
    let daybook = TestDaybook::start();
    let path = format!("{ACTIVITY}/settings");
    call(&daybook, &Method::PUT, &path, r#"{"enabled":false}"#);
    let before = daybook.count();
    assert_eq!(
        call(&daybook, &Method::DELETE, "/api/v1/backups/none.db", ""),
        404
    );
    assert_eq!(
        call(&daybook, &Method::PUT, &path, r#"{"enabled":true}"#),
        200
    );
    assert_eq!(daybook.count(), before + 1, "activity_log.enabled alone");
}
