//! What the LogWriter cannot go on after ends the process, non-zero and said, and nobody is told that an entry
//! was recorded. So does a panic of whatever else the daemon would be deaf without.

use crate::child;
use crate::support::book::rows;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::load::line;
use serde_json::Value;

/// The exit code, and what was said, after one entry for a LogWriter whose store fails so.
fn after_one_entry(role: &str) -> (Option<i32>, String) {
    let place = Place::new();
    let command = place.daybook_under(child::command(role), &[]);
    let mut daemon = Daemon::start_as(&place, command).unwrap();
    let answer = daemon.client().post("application/json", &line("lost"));
    assert!(answer.is_err(), "answered: {answer:?}");
    let status = daemon.ended(PATIENCE);
    assert_eq!(rows(&place.book()), []);
    (status.code(), place.told())
}

#[test]
fn a_panic_of_the_writer_ends_the_process_and_is_said() {
    let (code, told) = after_one_entry("panics");
    assert_eq!(code, Some(70), "{told}");
    assert!(
        told.contains("ERROR LogWriter panicked; stopping"),
        "{told}"
    );
    assert!(told.contains("made up"), "{told}");
}

/// Ends a child of that role, which breaks at one of these.
fn ended_by_a_panic(role: &str, who: &str, asks: impl FnOnce(&Place, &Daemon<'_>)) {
    let place = Place::new();
    let command = place.daybook_under(child::command(role), &[]);
    let mut daemon = Daemon::start_as(&place, command).unwrap();
    assert_eq!(daemon.client().get("/healthz").unwrap().status, 200);
    asks(&place, &daemon);
    let (status, told) = (daemon.ended(PATIENCE), place.told());
    assert_eq!(status.code(), Some(70), "{told}");
    let said = format!("ERROR {who} panicked; stopping");
    assert!(told.contains(&said) && told.contains("made up"), "{told}");
}

/// Posts to it, and answers what came if anything did.
fn post(daemon: &Daemon<'_>, path: &str, body: &str) -> Option<Value> {
    let mut client = daemon.client();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.send(&head).ok()?;
    client.answer().ok().map(|answer| answer.json())
}

#[test]
fn a_panic_of_the_hub_ends_the_process_and_is_said() {
    ended_by_a_panic("hub", "EventHub", |_, daemon| {
        let made = post(daemon, "/api/v1/backups", "{}").unwrap();
        let name = made["name"].as_str().unwrap();
        // Everybody who follows is cut off by it, and one of them cannot be.
        post(daemon, &format!("/api/v1/backups/{name}/restore"), "{}");
    });
}

#[test]
fn a_panic_of_the_pruner_ends_the_process_and_is_said() {
    ended_by_a_panic("pruner", "Pruner", |place, daemon| {
        std::fs::write(child::broken_clock(&place.book()), "").unwrap();
        post(daemon, "/api/v1/activity/prune", r#"{"dry_run":true}"#);
    });
}

#[test]
fn an_io_error_ends_the_process_and_is_said() {
    let (code, told) = after_one_entry("io");
    assert_eq!(code, Some(74), "{told}");
    assert!(
        told.contains("ERROR the disk failed under the book: made up; stopping"),
        "{told}"
    );
}

#[test]
fn a_damaged_book_ends_the_process_and_is_said() {
    let (code, told) = after_one_entry("corrupt");
    assert_eq!(code, Some(65), "{told}");
    assert!(
        told.contains("ERROR the book is damaged: made up; stopping"),
        "{told}"
    );
}

#[test]
fn an_error_of_one_request_ends_nothing() {
    let place = Place::new();
    let command = place.daybook_under(child::command("other"), &[]);
    let daemon = Daemon::start_as(&place, command).unwrap();
    let mut client = daemon.client();
    for _ in 0..3 {
        let answer = client.post("application/json", &line("refused")).unwrap();
        assert_eq!(answer.status, 500, "{answer:?}");
    }
    assert_eq!(client.get("/healthz").unwrap().status, 200);
}
