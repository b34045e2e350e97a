//! The clock of the machine is set, back and ahead, under a daemon that runs and between two of them.

use crate::machine::can;
use crate::support::book::{Row, assert_in_order, own, rows, sent};
use crate::support::client::Client;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use crate::support::load::line;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let mut found = folders
        .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
        .filter(|file| file.exists());
    found.next()
}

fn serve(place: &Place, library: &Path, time: &Path) -> Command {
    let mut command = place.serve();
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", time)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

fn now(client: &mut Client) -> String {
    let info = client.get("/api/v1/system/info").unwrap().json();
    info["now"].as_str().unwrap().to_owned()
}

fn record(client: &mut Client, id: &str) {
    assert_eq!(
        client.post("application/json", &line(id)).unwrap().status,
        201
    );
}

/// Written beside and renamed, so that nobody reads half of it.
fn set(time: &Path, text: &str) {
    let beside = time.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, time).unwrap();
}

fn occurred_at(row: &Row) -> Option<String> {
    let metadata: Value = serde_json::from_str(&row.metadata).unwrap();
    metadata["occurred_at"].as_str().map(str::to_owned)
}

#[test]
fn a_clock_set_back_moves_neither_seq_nor_ts_back() {
    if !can(
        "a_clock_set_back_moves_neither_seq_nor_ts_back",
        &["faketime"],
    ) {
        return;
    }
    let library = library().expect("faketime brings its library");
    let place = Place::new();
    let time = place.aside().join("time");
    set(&time, "+0");
    let daemon = Daemon::start_as(&place, serve(&place, &library, &time)).unwrap();
    let mut client = daemon.client();
    record(&mut client, "before");
    let before = now(&mut client);
    set(&time, "-3600");
    eventually("the clock is back", Duration::from_secs(5), || {
        (now(&mut client) < before).then_some(())
    });
    record(&mut client, "back");
    drop(client);
    assert!(daemon.stop().success());

    let daemon = Daemon::start_as(&place, serve(&place, &library, &time)).unwrap();
    record(&mut daemon.client(), "back-and-started-anew");
    set(&time, "+60");
    let mut client = daemon.client();
    eventually("the clock is right", Duration::from_secs(5), || {
        (now(&mut client) > before).then_some(())
    });
    record(&mut client, "after");
    drop(client);
    assert!(daemon.stop().success());

    let rows = rows(&place.book());
    assert_in_order(&rows);
    let sent = sent(&rows);
    let wall: Vec<Option<String>> = sent.iter().map(|row| occurred_at(row)).collect();
    assert_eq!(
        (&wall[0], &wall[3]),
        (&None, &None),
        "where ts shows it nothing is added"
    );
    for wall in &wall[1..3] {
        let wall = wall.as_ref().expect("the wall time is kept");
        assert!(*wall < sent[0].ts, "{wall}");
    }
    assert_eq!(sent.len(), 4);
    let behind = own(&rows)
        .into_iter()
        .filter(|own| *own == "server.clock_behind");
    assert_eq!(behind.count(), 2, "once in each life");
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

const DAY: i64 = 24 * 3600;

/// The daemon looks at its clocks once a minute.
const A_LOOK: Duration = Duration::from_secs(90);

fn get(daemon: &Daemon<'_>, path: &str) -> Value {
    daemon.client().get(path).unwrap().json()
}

/// What an operator reads of it.
fn assert_held_back(daemon: &Daemon<'_>) {
    let ready = get(daemon, "/readyz");
    assert_eq!(ready["prune_halted"], "clock_jumped", "{ready}");
    let settings = get(daemon, "/api/v1/activity/settings");
    assert_eq!(
        (&settings["halted"], &settings["reason"]),
        (&json!(true), &json!("clock_jumped"))
    );
}

fn prune(place: &Place, how: &str) -> (i32, String) {
    let output = place.daybook(&["prune", how]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().expect("it ended by itself"), told)
}

/// Of 100 entries 40 are twenty days older; then the clock is set ahead by so many days under a daemon that runs.
/// Nothing goes, not after a restart either, until somebody confirms it.
fn a_clock_set_ahead_removes_nothing_until_it_is_confirmed(law: &str, days: i64, goes: usize) {
    if !can(law, &["faketime"]) {
        return;
    }
    let library = library().expect("faketime brings its library");
    let place = Place::new();
    let time = place.aside().join("time");
    let daemon_at = |days: i64| {
        set(&time, &format!("{:+}", days * DAY));
        Daemon::start_as(&place, serve(&place, &library, &time)).unwrap()
    };
    for (age, entries) in [(-20, 0..40), (0, 40..100)] {
        let daemon = daemon_at(age);
        let mut client = daemon.client();
        entries.for_each(|n| record(&mut client, &format!("e{n}")));
        drop(client);
        assert!(daemon.stop().success());
    }
    let daemon = daemon_at(0);
    set(&time, &format!("{:+}", days * DAY));
    eventually("the jump is noted", A_LOOK, || {
        get(&daemon, "/readyz").get("prune_halted").cloned()
    });
    assert_held_back(&daemon);
    // In order, and not: the book knows of it either way.
    assert!(daemon.stop().success());
    let daemon = daemon_at(days);
    eventually("the first run is held back", PATIENCE, || {
        place.told().contains("pruning is held back").then_some(())
    });
    assert_held_back(&daemon);
    daemon.kill();
    let daemon = daemon_at(days);
    assert_held_back(&daemon);
    let (code, told) = prune(&place, "--dry-run");
    assert!(told.contains("held back: clock_jumped"), "{code} {told}");
    assert_eq!(sent(&rows(&place.book())).len(), 100);
    let (code, told) = prune(&place, "--confirm");
    assert_eq!(code, 0, "{told}");
    assert_eq!(get(&daemon, "/readyz"), json!({"status": "ok"}));
    let settings = get(&daemon, "/api/v1/activity/settings");
    assert_eq!(settings["halted"], false);
    assert!(daemon.stop().success());
    let rows = rows(&place.book());
    assert_eq!(sent(&rows).len(), 100 - goes);
    for once in ["server.clock_jumped", "activity_log.prune_halted"] {
        let told = own(&rows).into_iter().filter(|own| *own == once);
        assert_eq!(told.count(), 1, "{once}");
    }
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

#[test]
fn a_clock_set_ten_years_ahead_removes_nothing_until_it_is_confirmed() {
    let law = "a_clock_set_ten_years_ahead_removes_nothing_until_it_is_confirmed";
    a_clock_set_ahead_removes_nothing_until_it_is_confirmed(law, 3_650, 100);
}

#[test]
fn a_clock_set_so_far_ahead_that_less_than_half_would_go_is_held_back_too() {
    let law = "a_clock_set_so_far_ahead_that_less_than_half_would_go_is_held_back_too";
    a_clock_set_ahead_removes_nothing_until_it_is_confirmed(law, 80, 40);
}
