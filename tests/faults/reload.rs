//! SIGHUP: what can be taken of a changed file is in force, and a broken one changes nothing.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use crate::support::follower::{Follower, Heard};
use crate::support::load::line;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::net::UnixStream;

fn write(place: &Place, text: &str) {
    std::fs::write(place.aside().join("daybook.toml"), text).unwrap();
}

fn get(daemon: &Daemon<'_>, path: &str) -> Value {
    daemon.client().get(path).unwrap().json()
}

/// What the newest of so many reloads said of itself.
fn reloaded(daemon: &Daemon<'_>, times: usize) -> Value {
    daemon.signal(Signal::HUP);
    eventually("the entry of the reload", PATIENCE, || {
        let page = get(daemon, "/api/v1/activity?action=server.reloaded");
        let items = page["items"].as_array()?;
        (items.len() == times).then(|| items[0].clone())
    })
}

fn max_days(daemon: &Daemon<'_>) -> Value {
    get(daemon, "/api/v1/activity/settings")["max_days"].clone()
}

#[test]
fn a_reload_takes_what_it_can_and_a_broken_file_leaves_the_old_one_in_force() {
    let place = Place::new();
    write(&place, "[retention]\nmax_days = 60\n");
    let daemon = Daemon::start(&place);
    assert_eq!(max_days(&daemon), 60);

    write(
        &place,
        "[retention]\nmax_days = 30\n\n[server]\nworkers = 3\n",
    );
    let entry = reloaded(&daemon, 1);
    assert_eq!(entry["severity"], "info");
    assert_eq!(entry["metadata"]["changed"], json!(["retention.max_days"]));
    assert_eq!(
        entry["metadata"]["needs_restart"],
        json!(["server.workers"])
    );
    eventually("the new rule", PATIENCE, || {
        (max_days(&daemon) == 30).then_some(())
    });

    write(&place, "[retention]\nmax_days = -3\n");
    let entry = reloaded(&daemon, 2);
    assert_eq!(
        (&entry["severity"], &entry["actor"]),
        (&json!("error"), &json!("system"))
    );
    let refused = entry["metadata"]["refused"].as_str().unwrap();
    assert!(refused.contains(":2:12: retention.max_days"), "{refused}");
    assert_eq!(max_days(&daemon), 30);
    assert!(
        place.told().contains("the configuration stays as it was"),
        "{}",
        place.told()
    );

    // What did not change is not said to have.
    write(
        &place,
        "[retention]\nmax_days = 30\n\n[server]\nworkers = 3\n",
    );
    let entry = reloaded(&daemon, 3);
    assert_eq!(entry["metadata"]["changed"], json!([]));
    // And what waits for a restart is said to as long as it does.
    assert_eq!(
        entry["metadata"]["needs_restart"],
        json!(["server.workers"])
    );
    write(&place, "[retention]\nmax_days = 30\n");
    let entry = reloaded(&daemon, 4);
    assert_eq!(entry["metadata"]["changed"], json!([]));
    assert_eq!(entry["metadata"]["needs_restart"], json!([]));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_reload_that_changes_the_retention_is_told_to_who_follows_live() {
    let place = Place::new();
    write(&place, "[retention]\nmax_days = 60\n");
    let daemon = Daemon::start(&place);
    let (mut follower, _) = Follower::to(daemon.address);
    write(&place, "[retention]\nmax_days = 30\n");
    daemon.signal(Signal::HUP);
    loop {
        let Heard::Frame(frame) = follower.next() else {
            panic!("it ended");
        };
        if frame["type"] == "settings_changed" {
            break;
        }
    }
    assert_eq!(max_days(&daemon), 30);
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_file_that_is_gone_leaves_its_rules_in_force_and_removes_nothing() {
    let place = Place::new();
    let text = "[retention]\nmax_days = 0\nmax_entries = 0\n";
    write(&place, text);
    let daemon = Daemon::start_as(&place, unpinned(&place)).unwrap();
    record(&daemon, 150);
    let file = place.aside().join("daybook.toml");
    let away = place.aside().join("away.toml");
    std::fs::rename(&file, &away).unwrap();
    let entry = reloaded(&daemon, 1);
    assert_eq!(entry["severity"], "error");
    let refused = entry["metadata"]["refused"].as_str().unwrap();
    assert!(refused.contains("daybook.toml: No such file"), "{refused}");
    assert_eq!(max_days(&daemon), 0);
    // It comes back with another rule, and that is what is taken.
    std::fs::rename(&away, &file).unwrap();
    write(&place, "[retention]\nmax_days = 0\nmax_entries = 120\n");
    let entry = reloaded(&daemon, 2);
    assert_eq!(entry["severity"], "info");
    let pruned = eventually("the run after the changed rule", PATIENCE, || {
        let page = get(&daemon, "/api/v1/activity?action=activity_log.pruned");
        page["items"][0].get("metadata").cloned()
    });
    // All but the newest 120 of what was posted and the four entries of the daemon's own.
    assert!(pruned["removed"].as_i64().unwrap() >= 30, "{pruned}");
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_file_that_comes_after_the_start_is_taken() {
    let place = Place::new();
    let daemon = Daemon::start_as(&place, unpinned(&place)).unwrap();
    assert_eq!(max_days(&daemon), 90);
    write(&place, "[retention]\nmax_days = 60\n");
    let entry = reloaded(&daemon, 1);
    assert_eq!(entry["metadata"]["changed"], json!(["retention.max_days"]));
    assert_eq!(max_days(&daemon), 60);
    std::fs::remove_file(place.aside().join("daybook.toml")).unwrap();
    let entry = reloaded(&daemon, 2);
    assert_eq!(entry["severity"], "error");
    assert_eq!(max_days(&daemon), 60);
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_declared_key_that_is_in_the_book_refuses_the_whole_file_as_a_start_would() {
    let place = Place::new();
    write(&place, "");
    let mut made = place.daybook(&[
        "key",
        "add",
        "--label",
        "taken",
        "--scope",
        "write,read,admin",
        "--workspace",
        "*",
    ]);
    let made = made.output().unwrap();
    assert!(made.status.success());
    let key = String::from_utf8(made.stdout).unwrap();
    let key = key.split_whitespace().find(|word| word.starts_with("dbk_"));
    let key = key.expect("the key is shown").to_owned();
    let daemon = Daemon::start(&place);
    let get = |path: &str| {
        let mut client = daemon.client();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        client
            .send(&format!("{head}Authorization: Bearer {key}\r\n\r\n"))
            .unwrap();
        client.answer().unwrap().json()
    };
    let clashing = format!("{}[retention]\nmax_days = 30\n", declared("taken"));
    write(&place, &clashing);
    daemon.signal(Signal::HUP);
    let entry = eventually("the entry of the reload", PATIENCE, || {
        let page = get("/api/v1/activity?action=server.reloaded");
        Some(page["items"].as_array()?.first()?.clone())
    });
    assert_eq!(entry["severity"], "error");
    let refused = entry["metadata"]["refused"].as_str().unwrap();
    assert!(
        refused.contains("the key taken is in the book"),
        "{refused}"
    );
    assert!(entry["metadata"].get("changed").is_none(), "{entry}");
    assert_eq!(get("/api/v1/activity/settings")["max_days"], 90);
    assert!(place.told().contains("the configuration stays as it was"));
    assert_eq!(daemon.stop().code(), Some(0));
    let refused = Daemon::start_as(&place, place.serve()).err().unwrap();
    assert_eq!(refused.status.code(), Some(78), "{}", refused.told);
}

#[test]
fn a_capture_of_a_category_that_waits_for_a_restart_waits_too_and_the_one_before_records_on() {
    let place = Place::new();
    let socket = place.aside().join("in.sock");
    let capture = format!("[[captures]]\nname = \"in\"\nkind = \"socket\"\npath = {socket:?}\n");
    write(&place, &capture);
    let daemon = Daemon::start(&place);
    let send = |text: &str| {
        let sent = eventually("the socket", PATIENCE, || UnixStream::connect(&socket).ok());
        (&sent).write_all(text.as_bytes()).unwrap();
    };
    let recorded = |action: &str, text: &str| {
        eventually("the line", PATIENCE, || {
            let page = get(&daemon, &format!("/api/v1/activity?action={action}"));
            let items = page["items"].as_array()?;
            items.iter().find(|item| item["message"] == text).cloned()
        })
    };
    send("one\n");
    recorded("line.read", "one");

    let extra = "[activity]\nextra_categories = [\"billing\"]\n";
    let changed = format!("{extra}{capture}category = \"billing\"\n");
    write(&place, &changed);
    let entry = reloaded(&daemon, 1);
    assert_eq!(entry["severity"], "warning");
    assert_eq!(entry["metadata"]["changed"], json!([]));
    let why = entry["metadata"]["not_applied"]["captures.in"].as_str();
    assert!(why.unwrap().contains("billing"), "{entry}");
    send("two\n");
    assert_eq!(recorded("line.read", "two")["category"], "capture");
    assert_eq!(daemon.stop().code(), Some(0));

    let daemon = Daemon::start(&place);
    send("three\n");
    eventually("the line after the restart", PATIENCE, || {
        let page = get(&daemon, "/api/v1/activity?category=billing");
        (page["items"][0]["message"] == "three").then_some(())
    });
    assert_eq!(daemon.stop().code(), Some(0));
}

/// With `max_entries` of the file, which the tests' daemons are otherwise not asked about.
fn unpinned(place: &Place) -> std::process::Command {
    let mut command = place.serve();
    command.env_remove("DAYBOOK_RETENTION__MAX_ENTRIES");
    command
}

fn record(daemon: &Daemon<'_>, entries: usize) {
    let lines: String = (0..entries)
        .map(|n| line(&format!("e{n}")) + "\n")
        .collect();
    let told = daemon.client().post("application/x-ndjson", &lines);
    assert_eq!(told.unwrap().json()["accepted"], entries);
}

fn declared(id: &str) -> String {
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    format!(
        "[[auth.keys]]\nlabel = \"{id}\"\nid = \"{id}\"\nsha256 = \"{hash}\"\n\
         scopes = [\"write\", \"read\", \"admin\"]\nworkspace = \"*\"\n"
    )
}

#[test]
fn a_key_of_the_file_is_in_force_after_a_reload_and_none_when_it_went() {
    let place = Place::new();
    write(&place, &declared("f1"));
    let daemon = Daemon::start(&place);
    let status = |id: &str| {
        let mut client = daemon.client();
        let line = "GET /api/v1/activity HTTP/1.1\r\nHost: localhost\r\n";
        client
            .send(&format!("{line}Authorization: Bearer dbk_{id}_abc\r\n\r\n"))
            .unwrap();
        client.answer().unwrap().status
    };
    assert_eq!((status("f1"), status("f2")), (200, 401));
    write(&place, &(declared("f1") + &declared("f2")));
    daemon.signal(Signal::HUP);
    eventually("the key that came", PATIENCE, || {
        (status("f2") == 200).then_some(())
    });
    write(&place, &declared("f2"));
    daemon.signal(Signal::HUP);
    eventually("the key that went", PATIENCE, || {
        (status("f1") == 401).then_some(())
    });
    assert_eq!(status("f2"), 200);
    assert_eq!(daemon.stop().code(), Some(0));
}
