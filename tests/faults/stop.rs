//! SIGTERM and SIGINT: gone in time, in order, with everything acknowledged on disk.

use crate::child;
use crate::support::book::{Ledger, Row, own, rows, sent};
use crate::support::client::Client;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::follower::{Follower, Heard};
use crate::support::load::{Load, line};
use crate::support::{eventually, say};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};
use tungstenite::protocol::frame::coding::CloseCode;

/// `[server] shutdown_timeout`, by default.
const LONGEST: Duration = Duration::from_secs(10);

/// Sessions that read what they are sent, and such that never do.
const READING: usize = 70;
const IDLE: usize = 30;

fn stopped_under_load_by(signal: Signal) {
    let place = Place::new();
    let mut daemon = Daemon::start(&place);
    let idle: Vec<_> = (0..IDLE).map(|_| Follower::to(daemon.address)).collect();
    let reading: Vec<_> = (0..READING)
        .map(|_| {
            let (follower, hello) = Follower::to(daemon.address);
            std::thread::spawn(move || Followed::to_the_end(follower, &hello))
        })
        .collect();
    let load = Load::start(daemon.address, "load", &[]);
    load.reach(1_000);
    let began = Instant::now();
    daemon.signal(signal);
    let status = daemon.ended(PATIENCE);
    let took = began.elapsed();
    let report = load.finish();
    assert!(took < LONGEST, "{took:?}");
    let followed: Vec<_> = reading.into_iter().map(|one| one.join().unwrap()).collect();
    drop(idle);
    assert_eq!(status.code(), Some(0), "{}", place.told());
    let refusals = &report.refusals;
    assert!(refusals.iter().all(|status| *status == 503), "{refusals:?}");
    assert_tidy(&place);
    let mut ledger = Ledger::default();
    let doubts = ledger.note(report);
    let rows = rows(&place.book());
    ledger.assert_kept(&rows);
    assert_eq!(own(&rows), ["server.started", "server.shutting_down"]);
    let told = followed
        .iter()
        .filter(|one| one.was_told_all(&rows))
        .count();
    assert!(told > READING / 2, "{told} of {READING} were told goodbye");
    let counts = (ledger.len(), doubts.len(), rows.len());
    say(format_args!(
        "acknowledged, in doubt, in the book: {counts:?}; {told} of {READING} sessions that read were told \
         goodbye, {IDLE} did not read; it took {took:?}"
    ));
}

/// What a session that read was sent.
struct Followed {
    first: i64,
    seqs: Vec<i64>,
    said_goodbye: bool,
    end: Heard,
}

impl Followed {
    fn to_the_end(mut follower: Follower, hello: &Value) -> Self {
        let first = hello["newest_seq"].as_i64().unwrap_or(0) + 1;
        let (mut seqs, mut said_goodbye) = (Vec::new(), false);
        loop {
            match follower.next() {
                Heard::Frame(frame) if frame["type"] == "activity_logged" => {
                    assert!(!said_goodbye, "{frame} came after the goodbye");
                    seqs.push(frame["seq"].as_i64().unwrap());
                }
                Heard::Frame(frame) => said_goodbye |= frame["type"] == "server_shutting_down",
                end => {
                    return Self {
                        first,
                        seqs,
                        said_goodbye,
                        end,
                    };
                }
            }
        }
    }

    /// Everything from where it began up to the entry that the daemon stops, once and in order, and then goodbye.
    /// One that did not take it in time is cut instead, and what it was told is whole as far as it goes.
    fn was_told_all(&self, rows: &[Row]) -> bool {
        let stops = |row: &&Row| row.action == "server.shutting_down";
        let last = rows.iter().find(stops).unwrap().seq;
        let is_whole = self
            .seqs
            .iter()
            .copied()
            .eq((self.first..).take(self.seqs.len()));
        assert!(is_whole, "a gap or a double: {:?}", self.seqs);
        if !self.said_goodbye {
            assert!(matches!(self.end, Heard::Cut), "{:?}", self.end);
            return false;
        }
        assert!(
            self.seqs.last() >= Some(&last),
            "goodbye was said before {last}"
        );
        let end = &self.end;
        assert!(
            matches!(end, Heard::Closed(Some(CloseCode::Away))),
            "{end:?}"
        );
        true
    }
}

/// The control: were this not to lose, that nothing is lost above would mean nothing.
#[test]
fn one_that_answers_before_it_commits_is_seen_to_lose_at_a_stop_in_order() {
    let place = Place::new();
    let mut losses = Vec::new();
    for life in 0..5 {
        let command = place.daybook_under(child::command("premature"), &[]);
        let mut daemon = Daemon::start_as(&place, command).unwrap();
        let load = Load::start(daemon.address, &format!("life{life}"), &[]);
        load.reach(20);
        daemon.signal(Signal::TERM);
        let status = daemon.ended(PATIENCE);
        let mut ledger = Ledger::default();
        ledger.note(load.finish());
        assert_eq!(status.code(), Some(0), "{}", place.told());
        assert!(place.told().contains("ended in order"), "{}", place.told());
        losses.push((ledger.lost(&rows(&place.book())).len(), ledger.len()));
    }
    say(format_args!("lost of acknowledged, by life: {losses:?}"));
    assert!(losses.iter().any(|(lost, _)| *lost > 0), "{losses:?}");
}

/// Nothing is left in the WAL, and the control socket went with its daemon.
fn assert_tidy(place: &Place) {
    let wal = std::fs::metadata(place.folder().join("daybook.db-wal"));
    assert_eq!(wal.map_or(0, |meta| meta.len()), 0);
    assert!(!place.folder().join("daybook.db.sock").exists());
}

#[test]
fn sigterm_under_load_ends_in_order() {
    stopped_under_load_by(Signal::TERM);
}

#[test]
fn sigint_under_load_ends_in_order() {
    stopped_under_load_by(Signal::INT);
}

#[test]
fn a_signal_in_the_first_moment_ends_in_order_too() {
    for _ in 0..5 {
        let place = Place::new();
        let daemon = Daemon::start(&place);
        let status = daemon.stop();
        assert_eq!(status.code(), Some(0), "{status:?} {}", place.told());
        assert_tidy(&place);
    }
}

#[test]
fn nobody_who_lingers_holds_up_the_end_beyond_the_time_out() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("DAYBOOK_SERVER__SHUTDOWN_TIMEOUT", "2s");
    let mut daemon = Daemon::start_as(&place, command).unwrap();
    let _silent = daemon.client();
    let mut idle = daemon.client();
    idle.post("application/json", &line("kept")).unwrap();
    let mut mid_body = daemon.client();
    let head = "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"category\":";
    mid_body.send(head).unwrap();
    // Answered after the half request was accepted: connections are taken in their order.
    daemon.client().get("/healthz").unwrap();
    let began = Instant::now();
    daemon.signal(Signal::TERM);
    let status = daemon.ended(PATIENCE);
    let took = began.elapsed();
    println!("it took {took:?}");
    assert_eq!(status.code(), Some(0), "{}", place.told());
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    assert_tidy(&place);
    let rows = rows(&place.book());
    assert_eq!(sent(&rows).len(), 1);
    assert_eq!(own(&rows), ["server.started", "server.shutting_down"]);
}

#[test]
fn a_book_that_takes_nothing_does_not_hold_up_the_end_beyond_the_time_out() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("DAYBOOK_SERVER__SHUTDOWN_TIMEOUT", "2s");
    let mut daemon = Daemon::start_as(&place, command).unwrap();
    daemon
        .client()
        .post("application/json", &line("kept"))
        .unwrap();
    // Another program holds the book's write lock, and the writer waits for it.
    let url = place.book().display().to_string();
    let mut other = SqliteConnection::establish(&url).unwrap();
    other
        .batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE")
        .unwrap();
    let began = Instant::now();
    daemon.signal(Signal::TERM);
    let status = daemon.ended(PATIENCE);
    let took = began.elapsed();
    println!("it took {took:?}");
    assert!(took < Duration::from_millis(2_900), "{took:?}");
    // The writer could not come to its end, and that is said.
    assert_eq!(status.code(), Some(70), "{}", place.told());
    drop(other);
    assert_eq!(sent(&rows(&place.book())).len(), 1);
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end_at_all() {
    let place = Place::new();
    let mut daemon = Daemon::start(&place);
    let mut idle: Vec<Client> = (0..10).map(|_| daemon.client()).collect();
    for client in &mut idle {
        client.get("/healthz").unwrap();
    }
    let began = Instant::now();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended(PATIENCE).code(), Some(0));
    let took = began.elapsed();
    println!("it took {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_second_signal_waits_for_no_request() {
    let place = Place::new();
    let mut daemon = Daemon::start(&place);
    let mut mid_body = daemon.client();
    let head = "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{";
    mid_body.send(head).unwrap();
    daemon.client().get("/healthz").unwrap();
    let began = Instant::now();
    daemon.signal(Signal::INT);
    eventually("the first signal is heard", PATIENCE, || {
        place.told().contains("SIGINT: stopping").then_some(())
    });
    daemon.signal(Signal::INT);
    assert_eq!(daemon.ended(PATIENCE).code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{}", place.told());
    assert_tidy(&place);
}
