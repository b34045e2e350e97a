//! A clock that somebody set: pruning is held back, whoever has to know reads it, and only a confirmation ends it.

use crate::client::{ACTIVITY, entry};
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::Method;

const JUMP: Duration = Duration::from_secs(2 * 3600);

fn prune(daybook: &TestDaybook, body: &Value) -> Value {
    let path = format!("{ACTIVITY}/prune");
    let answer = daybook.ask(
        Method::POST,
        &path,
        &[crate::client::JSON],
        body.to_string().as_bytes(),
    );
    answer.ok()
}

/// The clock jumps, and the daemon looks at it.
fn jumped(daybook: &TestDaybook) {
    daybook.set_clock_ahead(JUMP);
    let dry = prune(daybook, &json!({"dry_run": true}));
    assert_eq!(
        (&dry["halted"], &dry["reason"]),
        (&json!(true), &json!("clock_jumped"))
    );
}

fn halt(settings: &Value) -> (&Value, &Value) {
    (&settings["halted"], &settings["reason"])
}

#[test]
fn an_operator_reads_in_readyz_why_pruning_is_held_back_and_nobody_else_does() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let admin = daybook.make_key(&json!({
        "label": "acme", "scopes": ["read", "admin"], "workspace_id": "acme"
    }));
    let ready = || daybook.get("/readyz").ok();
    let well = json!({"status": "ok"});
    assert_eq!(ready(), well);
    jumped(&daybook);
    assert_eq!(
        ready(),
        json!({"status": "ok", "prune_halted": "clock_jumped"})
    );
    for key in [None, Some(admin.as_str())] {
        let told = daybook.ask_as(key, Method::GET, "/readyz", "");
        assert_eq!(told.ok(), well, "{key:?}");
    }
    prune(&daybook, &json!({"confirm": true}));
    assert_eq!(ready(), well);
}

#[test]
fn the_settings_say_that_a_jumped_clock_holds_pruning_back_until_it_is_confirmed() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let admin = daybook.make_key(&json!({
        "label": "acme", "scopes": ["read", "admin"], "workspace_id": "acme"
    }));
    let path = format!("{ACTIVITY}/settings");
    let held_back = (&json!(true), &json!("clock_jumped"));
    let free = (&json!(false), &json!(null));
    assert_eq!(halt(&daybook.get(&path).ok()), free);
    jumped(&daybook);
    assert_eq!(halt(&daybook.get(&path).ok()), held_back);
    let told = daybook.ask_as(Some(&admin), Method::GET, &path, "").ok();
    assert_eq!(halt(&told), held_back, "it bears on every workspace");
    prune(&daybook, &json!({"confirm": true}));
    assert_eq!(halt(&daybook.get(&path).ok()), free);
}

#[test]
fn a_restore_releases_nothing_that_a_jumped_clock_holds_back() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&vec![entry(); 5]);
    let backups = "/api/v1/backups";
    let made = daybook.ask(Method::POST, backups, &[], b"").ok();
    jumped(&daybook);
    let name = made["name"].as_str().unwrap();
    let restore = format!("{backups}/{name}/restore");
    daybook.ask(Method::POST, &restore, &[], b"").ok();
    let settings = daybook.get(&format!("{ACTIVITY}/settings")).ok();
    assert_eq!(halt(&settings), (&json!(true), &json!("clock_jumped")));
    let dry = prune(&daybook, &json!({"dry_run": true}));
    assert_eq!(dry["reason"], "clock_jumped");
    // Nor does a restart after it: the backup knew nothing of the jump, and this book does.
    let kept = daybook.reader().settings("pruner.halt").unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    prune(&daybook, &json!({"confirm": true}));
    let kept = daybook.reader().settings("pruner.halt").unwrap();
    assert_eq!(kept, [], "what is confirmed is over");
}
