//! The process that speaks mDNS: it has nothing of the book, its death costs nothing, and it never outlives the
//! daemon. It looks for nothing here, so that nothing of these tests is heard on a network.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use crate::support::load::line;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const MEMORY: &str = "40 MiB";

fn start(place: &Place) -> Daemon<'_> {
    let file = format!("[discovery]\nenabled = true\nbrowse = []\nhelper_memory = \"{MEMORY}\"\n");
    std::fs::write(place.aside().join("daybook.toml"), file).unwrap();
    Daemon::start(place)
}

fn discovery(daemon: &Daemon<'_>) -> Value {
    let answer = daemon.client().get("/api/v1/devices").unwrap().json();
    answer["discovery"].clone()
}

/// Of the helper that has said how things stand.
fn helper(daemon: &Daemon<'_>) -> Pid {
    eventually("the helper", PATIENCE, || {
        let discovery = discovery(daemon);
        let speaks = ["running", "no_network"].contains(&discovery["state"].as_str()?);
        let pid = discovery["helper_pid"].as_i64().filter(|_| speaks)?;
        Pid::from_raw(i32::try_from(pid).ok()?)
    })
}

fn of_process(pid: Pid, what: &str) -> PathBuf {
    Path::new("/proc")
        .join(pid.as_raw_nonzero().to_string())
        .join(what)
}

fn is_gone(pid: Pid) -> Option<()> {
    test_kill_process(pid).is_err().then_some(())
}

#[test]
fn the_helper_has_nothing_of_the_book_and_no_more_than_its_limits() {
    let place = Place::new();
    let daemon = start(&place);
    let pid = helper(&daemon);
    let book = place.folder().to_str().unwrap();
    for held in std::fs::read_dir(of_process(pid, "fd")).unwrap() {
        let held = std::fs::read_link(held.unwrap().path()).unwrap_or_default();
        assert!(!held.starts_with(book), "{held:?}");
    }
    // The sockets of the daemon are none of its own.
    let listening = std::fs::read_to_string(of_process(pid, "net/tcp")).unwrap();
    let port = format!("0100007F:{:04X}", daemon.address.port());
    let of_daemon = listening.lines().find(|line| line.contains(&port)).unwrap();
    let inode = of_daemon.split_whitespace().nth(9).unwrap();
    for held in std::fs::read_dir(of_process(pid, "fd")).unwrap() {
        let held = std::fs::read_link(held.unwrap().path()).unwrap_or_default();
        assert_ne!(held, PathBuf::from(format!("socket:[{inode}]")));
    }
    assert_eq!(
        std::fs::read_link(of_process(pid, "cwd")).unwrap(),
        Path::new("/")
    );
    for told in ["cmdline", "environ"] {
        let told = std::fs::read(of_process(pid, told)).unwrap();
        let told = String::from_utf8_lossy(&told).replace('\0', " ");
        assert!(!told.contains(book) && !told.contains("DAYBOOK_"), "{told}");
    }
    let limits = std::fs::read_to_string(of_process(pid, "limits")).unwrap();
    for (limit, most) in [
        ("Max data size", 40 << 20),
        ("Max core file size", 0),
        ("Max file size", 0),
    ] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        let words: Vec<&str> = line[limit.len()..].split_whitespace().collect();
        assert_eq!(words[..2], [most.to_string(), most.to_string()], "{line}");
    }
    assert_eq!(daemon.stop().code(), Some(0));
    eventually("the end of the helper", PATIENCE, || is_gone(pid));
}

#[test]
fn a_helper_that_dies_is_recorded_and_followed_by_another_while_recording_goes_on() {
    let place = Place::new();
    let daemon = start(&place);
    let first = helper(&daemon);
    kill_process(first, Signal::KILL).unwrap();
    let mut client = daemon.client();
    assert_eq!(
        client
            .post("application/json", &line("meanwhile"))
            .unwrap()
            .status,
        201
    );
    let second = eventually("another helper", PATIENCE, || {
        let discovery = discovery(&daemon);
        let pid = discovery["helper_pid"].as_i64()?;
        (pid != i64::from(first.as_raw_nonzero().get())).then_some(discovery["deaths"].clone())
    });
    assert_eq!(second, 1);
    let page = client
        .get("/api/v1/activity?action=server.helper_died")
        .unwrap()
        .json();
    let entry = &page["items"][0];
    assert_eq!(
        (&entry["category"], &entry["severity"]),
        (&json!("system"), &json!("warning"))
    );
    assert_eq!(entry["metadata"]["reason"], "it was ended by signal 9");
    let pid = helper(&daemon);
    drop(client);
    assert_eq!(daemon.stop().code(), Some(0));
    eventually("the end of the helper", PATIENCE, || is_gone(pid));
}

#[test]
fn what_is_looked_for_changes_without_a_restart() {
    let place = Place::new();
    let daemon = start(&place);
    let first = helper(&daemon);
    let file = place.aside().join("daybook.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "announce = false\n").unwrap();
    daemon.signal(Signal::HUP);
    let entry = eventually("the entry of the reload", PATIENCE, || {
        let page = daemon
            .client()
            .get("/api/v1/activity?action=server.reloaded");
        page.unwrap().json()["items"].get(0).cloned()
    });
    assert_eq!(entry["metadata"]["changed"], json!(["discovery.announce"]));
    assert_eq!(entry["metadata"]["needs_restart"], json!([]));
    eventually("nothing in the way", PATIENCE, || {
        let trouble = discovery(&daemon)["trouble"].clone();
        let on_loopback = trouble
            .as_str()
            .is_some_and(|text| text.contains("loopback alone"));
        (!on_loopback).then_some(())
    });
    assert_eq!(helper(&daemon), first, "the same helper");
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_helper_that_says_nothing_any_more_is_given_up() {
    let place = Place::new();
    let daemon = start(&place);
    let first = helper(&daemon);
    kill_process(first, Signal::STOP).unwrap();
    eventually("its end", Duration::from_secs(60), || {
        (discovery(&daemon)["deaths"] == 1).then_some(())
    });
    helper(&daemon);
    is_gone(first).expect("nothing of it stays");
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_helper_goes_with_a_daemon_that_was_killed() {
    let place = Place::new();
    let daemon = start(&place);
    let pid = helper(&daemon);
    daemon.kill();
    eventually("the end of the helper", PATIENCE, || is_gone(pid));
}

#[test]
fn a_helper_says_how_things_stand_and_ends_with_its_orders() {
    let mut helper = Command::new(env!("CARGO_BIN_EXE_daybook"))
        .args(["mdns-helper", "--memory", "67108864"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut orders = helper.stdin.take().unwrap();
    writeln!(orders, r#"{{"browse":[],"announce":null}}"#).unwrap();
    let mut lines = BufReader::new(helper.stdout.take().unwrap()).lines();
    let said: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(said["say"], "standing");
    assert_eq!(
        (&said["browsing"], &said["announcing"]),
        (&json!(false), &json!(false))
    );
    drop(orders);
    assert!(helper.wait().unwrap().success());
}
