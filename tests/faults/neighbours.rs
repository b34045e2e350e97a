//! One daemon a book, whoever else is there: a second daemon, what a dead one left, another program on the
//! port, other users of the machine.

use crate::support::book::rows;
use crate::support::daemon::{Daemon, PATIENCE, Place, Refused};
use crate::support::load::line;
use daybook::client::control;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

fn refused(place: &Place, arguments: &[&str]) -> Refused {
    match Daemon::start_as(place, place.daybook(arguments)) {
        Ok(_) => panic!("it started: {arguments:?}"),
        Err(refused) => refused,
    }
}

#[test]
fn a_second_daemon_on_the_same_book_is_refused_and_told_who_holds_it() {
    let first = Place::new();
    let daemon = Daemon::start(&first);
    let pid = daemon.pid().to_string();
    let second = Place::at(first.folder());
    let refused = refused(&second, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(75), "{refused:?}");
    let said = format!("{} is in use by process {pid}", first.book().display());
    assert!(refused.told.contains(&said), "{refused:?}");
    // The first one is none the worse for it, and still the one that is asked.
    let answer = daemon.client().post("application/json", &line("still"));
    assert_eq!(answer.unwrap().status, 201);
    assert!(first.daybook(&["status"]).status().unwrap().success());
}

#[test]
fn what_a_killed_daemon_left_does_not_matter() {
    let place = Place::new();
    Daemon::start(&place).kill();
    let left = |suffix: &str| place.folder().join(format!("daybook.db{suffix}")).exists();
    assert!(left(".lock") && left(".sock") && left("-wal"));
    let status = place.daybook(&["status"]).output().unwrap();
    assert_eq!(
        status.status.code(),
        Some(75),
        "a dead socket is nobody: {status:?}"
    );
    let daemon = Daemon::start(&place);
    assert!(place.daybook(&["status"]).status().unwrap().success());
    assert!(daemon.stop().success());
}

#[test]
fn whatever_lies_beside_the_book_is_for_its_own_user() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    daemon
        .client()
        .post("application/json", &line("one"))
        .unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(place.folder()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{file:?}");
        seen += 1;
    }
    assert_eq!(
        seen, 6,
        "the book, its WAL and index, the lock, the socket, the reserve"
    );
}

#[test]
fn the_control_socket_answers_the_same_routes() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    daemon
        .client()
        .post("application/json", &line("one"))
        .unwrap();
    let socket = place.folder().join("daybook.db.sock");
    for target in [
        "/healthz",
        "/readyz",
        "/api/v1/activity",
        "/api/v1/activity/one",
        "/metrics",
    ] {
        let answer = control::get(&socket, target, PATIENCE).unwrap();
        assert_eq!(answer.status, 200, "{target}");
    }
    // No page reaches it, and so it answers to any name.
    let mut named = UnixStream::connect(&socket).unwrap();
    named.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: book.example\r\nConnection: close\r\n\r\n";
    named.write_all(request).unwrap();
    let mut answer = String::new();
    named.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let missing = control::get(&socket, "/api/v1/activity/two", PATIENCE).unwrap();
    assert_eq!(missing.status, 404);
    let status = place.daybook(&["status"]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(told["book"]["last_seq"], 2, "the start, and the one");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let refused = refused(&place, &["serve", "--listen", &address]);
    assert_eq!(refused.status.code(), Some(74), "{refused:?}");
    assert!(refused.told.contains(&address), "{refused:?}");
    assert!(refused.told.contains("in use"), "{refused:?}");
    assert!(!Path::new(&place.folder().join("daybook.db.sock")).exists());
}

#[test]
fn without_keys_nothing_listens_off_loopback() {
    let place = Place::new();
    let refused = refused(&place, &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    assert!(refused.told.contains("no keys yet"), "{refused:?}");
    assert!(
        !place.book().exists(),
        "nothing is made before it is allowed"
    );
}

#[test]
fn a_limit_on_the_size_of_files_stops_the_daemon_and_loses_nothing() {
    let place = Place::new();
    let mut shell = std::process::Command::new("sh");
    // In blocks of 512 bytes.
    shell.args([
        "-c",
        "ulimit -f 1200; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_daybook"),
    ]);
    let mut command = place.daybook_under(shell, &["serve", "--listen", "127.0.0.1:0"]);
    // The limit would cut off what a coverage run has it write.
    command.env("LLVM_PROFILE_FILE", "/dev/null");
    let mut daemon = Daemon::start_as(&place, command).unwrap();
    let load = crate::support::load::Load::start(daemon.address, "big", &[]);
    let status = daemon.ended(PATIENCE);
    assert!(!status.success(), "{status:?}");
    let mut ledger = crate::support::book::Ledger::default();
    ledger.note(load.finish());
    let daemon = Daemon::start(&place);
    ledger.assert_kept(&rows(&place.book()));
    assert!(daemon.stop().success());
    println!("{status:?}, {} acknowledged, 0 lost", ledger.len());
}
