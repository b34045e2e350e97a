//! `daybook tail`: what was, what comes, and what comes after the daemon was away.

use super::support::daemon::{Daemon, PATIENCE, Place};
use super::support::eventually;
use super::told;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

/// A tail that runs; ended when it is dropped.
struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tail {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.daybook(&["tail"]);
        command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("it goes on").unwrap()
    }

    /// Of `--json`.
    fn entry(&mut self) -> (i64, Value) {
        let mut line: Value = serde_json::from_str(&self.next()).unwrap();
        (line["seq"].as_i64().unwrap(), line["entry"].take())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn record(daemon: &Daemon<'_>, actor: &str, message: &str) {
    let entry = format!(
        r#"{{"category":"entity","action":"task.created","actor":"{actor}","entity_type":"task","entity_id":"7","message":"{message}"}}"#
    );
    let answer = daemon.client().post("application/json", &entry).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[test]
fn it_begins_with_the_newest_and_follows_what_its_filters_take() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    for n in 0..3 {
        record(&daemon, "anna", &format!("before {n}"));
    }
    record(&daemon, "ben", "not asked for");
    let mut tail = Tail::start(&place, &["--lines", "2", "--actor", "anna"]);
    let line = tail.next();
    assert!(
        line.ends_with("info    anna task.created task/7: before 1"),
        "{line}"
    );
    let line = tail.next();
    assert!(line.ends_with("before 2"), "{line}");
    record(&daemon, "ben", "not asked for either");
    record(&daemon, "anna", "after");
    let line = tail.next();
    assert!(line.ends_with("anna task.created task/7: after"), "{line}");
    drop(tail);
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn it_goes_on_without_a_gap_when_the_daemon_comes_back() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let mut tail = Tail::start(
        &place,
        &["--json", "--lines", "1", "--category", "system,entity"],
    );
    let mut next = || serde_json::from_str::<Value>(&tail.next()).unwrap();
    assert_eq!(next()["entry"]["action"], "server.started");
    record(&daemon, "anna", "one");
    assert_eq!(next()["entry"]["message"], "one");
    daemon.stop();
    let daemon = Daemon::start(&place);
    record(&daemon, "anna", "two");
    let after: Vec<_> = (0..3).map(|_| next()).collect();
    let actions: Vec<_> = after.iter().map(|line| &line["entry"]["action"]).collect();
    assert_eq!(
        actions,
        ["server.shutting_down", "server.started", "task.created"]
    );
    let seqs: Vec<_> = after
        .iter()
        .map(|line| line["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, [3, 4, 5]);
}

/// So many, in as few requests as may be.
fn record_lines(daemon: &Daemon<'_>, actor: &str, count: usize) {
    let line = format!(
        r#"{{"category":"entity","action":"task.created","actor":"{actor}","message":"one of many"}}"#
    );
    let lines = vec![line; count].join("\n");
    let answer = daemon.client().post("application/x-ndjson", &lines);
    assert_eq!(answer.unwrap().json()["accepted"], count);
}

/// Nobody follows until the load of entries is there that is more than a session has replayed.
fn left_behind(arguments: &[&str], seqs: impl Fn(usize) -> Vec<i64>) {
    const MANY: usize = 1_700;
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let mut tail = Tail::start(&place, arguments);
    record(&daemon, "anna", "before");
    while tail.entry().1["message"] != "before" {}
    // That was there when it began, or came live; this comes live.
    record(&daemon, "anna", "live");
    let (live, entry) = tail.entry();
    assert_eq!((live, &entry["message"]), (3, &"live".into()));
    tail.signal(Signal::STOP);
    daemon.stop();
    let mut command = place.serve();
    command.env("DAYBOOK_LIVE__REPLAY_LIMIT", "200");
    let daemon = Daemon::start_as(&place, command).unwrap();
    // The end of the one and the start of the other are two entries.
    for _ in 0..MANY / 10 {
        record_lines(&daemon, "ben", 5);
        record_lines(&daemon, "anna", 5);
    }
    tail.signal(Signal::CONT);
    // While it reads what it missed, more comes.
    for _ in 0..100 {
        record(&daemon, "anna", "meanwhile");
    }
    record(&daemon, "anna", "the last");
    let mut told = Vec::new();
    loop {
        let (seq, entry) = tail.entry();
        told.push(seq);
        if entry["message"] == "the last" {
            break;
        }
    }
    assert_eq!(told, seqs(MANY));
}

#[test]
fn more_than_a_session_replays_is_told_without_a_gap_or_a_double() {
    left_behind(&["--json"], |many| (4..=5 + many as i64 + 101).collect());
}

#[test]
fn more_than_a_session_replays_is_told_as_the_filters_take_it() {
    left_behind(&["--json", "--actor", "anna"], |many| {
        let first = 6..6 + many as i64;
        let of_anna = first.filter(|seq| (seq - 6) % 10 >= 5);
        let last = 6 + many as i64;
        of_anna.chain(last..=last + 100).collect()
    });
}

/// Asks for something with an empty body.
fn post(daemon: &Daemon<'_>, path: &str) -> Value {
    let mut client = daemon.client();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    client.send(&head).unwrap();
    let answer = client.answer().unwrap();
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    answer.json()
}

#[test]
fn when_another_book_took_the_place_of_the_one_it_follows_it_says_so_and_starts_over() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    record(&daemon, "anna", "one");
    let made = post(&daemon, "/api/v1/backups");
    let mut command = place.daybook(&["tail", "--json", "--lines", "2"]);
    let told = place.aside().join("tail.err");
    command.stdout(Stdio::piped());
    command.stderr(std::fs::File::create(&told).unwrap());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut tail = Tail { child, lines };
    record(&daemon, "anna", "lost");
    while tail.entry().1["message"] != "lost" {}
    let path = format!("/api/v1/backups/{}/restore", made["name"].as_str().unwrap());
    post(&daemon, &path);
    // With what is in the other book, and not with what is in the former alone.
    let (_, first) = tail.entry();
    assert_eq!(first["message"], "one");
    let (restored, second) = tail.entry();
    assert_eq!(second["action"], "backup.restored");
    record(&daemon, "anna", "after");
    let (after, third) = tail.entry();
    assert_eq!((after, &third["message"]), (restored + 1, &"after".into()));
    let said = eventually("it says so", PATIENCE, || {
        let said = std::fs::read_to_string(&told).unwrap();
        said.contains("starting over").then_some(said)
    });
    assert_eq!(said.matches("another book").count(), 1, "{said}");
}

#[test]
fn of_another_book_nothing_that_is_recorded_since_is_left_out() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let made = post(&daemon, "/api/v1/backups");
    let mut tail = Tail::start(&place, &["--json", "--lines", "1"]);
    record(&daemon, "anna", "before");
    while tail.entry().1["message"] != "before" {}
    let path = format!("/api/v1/backups/{}/restore", made["name"].as_str().unwrap());
    post(&daemon, &path);
    for n in 0..5 {
        record(&daemon, "anna", &format!("after {n}"));
    }
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "after 4") {
        let (_, entry) = tail.entry();
        let is_restored = entry["action"] == "backup.restored";
        let name = if is_restored {
            &entry["action"]
        } else {
            &entry["message"]
        };
        told.push(name.as_str().unwrap().to_owned());
    }
    let after = (0..5).map(|n| format!("after {n}"));
    let expected: Vec<_> = ["backup.restored".to_owned()]
        .into_iter()
        .chain(after)
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_it_cannot_follow_it_says_and_ends() {
    let place = Place::new();
    let ended = |arguments: &[&str]| {
        let mut command = place.daybook(&["tail"]);
        told(&command.args(arguments).output().unwrap())
    };
    let (code, out, err) = ended(&[]);
    assert_eq!((code, out.as_str()), (75, ""), "{err}");
    assert!(err.contains("no daemon keeps"), "{err}");
    let daemon = Daemon::start(&place);
    let (code, _, err) = ended(&["--severity", "loud"]);
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("severity"), "{err}");
    daemon.stop();
}
