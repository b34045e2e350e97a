//! `daybook tail`: what was, what comes, and what comes after the daemon was away.

use super::support::daemon::{Daemon, Place};
use super::told;
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
