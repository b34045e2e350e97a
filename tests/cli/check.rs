//! `daybook check`: 0 when all is well, 1 for what it found, 65 for what it cannot read.

use crate::support::daemon::{Daemon, Place};
use crate::support::load::line;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// What a daemon records of its own life: that it started, and that it was told to stop.
const OWN: usize = 2;

fn a_book() -> Place {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let entries: String = (0..20).map(|n| line(&format!("e{n}"))).collect();
    daemon
        .client()
        .post("application/x-ndjson", &entries)
        .unwrap();
    assert!(daemon.stop().success());
    place
}

fn checked(place: &Place) -> (Option<i32>, String, String) {
    let output = place.daybook(&["check"]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_book_in_order_is_said_to_be_in_order() {
    let place = a_book();
    let all_well = |entries: usize| {
        let told = format!("{entries} entries, all in order\n");
        (Some(0), told, String::new())
    };
    assert_eq!(checked(&place), all_well(20 + OWN));
    let _daemon = Daemon::start(&place);
    let with_the_start = all_well(20 + OWN + 1);
    assert_eq!(checked(&place), with_the_start, "while a daemon runs, too");
}

#[test]
fn one_entry_is_said_as_one() {
    let place = a_book();
    let mut conn = SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
    conn.batch_execute("DELETE FROM activity_log WHERE seq > 1")
        .unwrap();
    drop(conn);
    let (_, out, _) = checked(&place);
    assert!(out.contains("\n1 entry read, "), "{out}");
}

#[test]
fn whatever_was_broken_by_hand_is_found_and_named() {
    for (broken, found) in [
        (
            "UPDATE activity_log SET ts = '2001-01-01T00:00:00.000000Z' WHERE seq = 7",
            "entry 7",
        ),
        (
            "UPDATE activity_log SET ts = 'noon' WHERE seq = 7",
            "entry 7",
        ),
        (
            "UPDATE activity_log SET severity = 'loud' WHERE seq = 9",
            "severity is unknown",
        ),
        (
            "UPDATE activity_log SET metadata = '{\"b\":1,\"a\":2}' WHERE seq = 9",
            "entry 9",
        ),
        (
            "UPDATE activity_log SET metadata = 'no json' WHERE seq = 9",
            "entry 9",
        ),
        (
            "UPDATE activity_log SET workspace_id = 'gone' WHERE seq = 9",
            "gone",
        ),
        (
            "DELETE FROM activity_log WHERE seq = 4",
            "entry 4 is missing\n",
        ),
        (
            "DELETE FROM activity_log WHERE seq = 22",
            "entry 22 is missing, and the newest should be 22\n",
        ),
        ("UPDATE book SET last_seq = 10", "entry 11"),
        (
            "UPDATE book SET last_ts = '2001-01-01T00:00:00.000000Z'",
            "head",
        ),
    ] {
        let place = a_book();
        let mut conn = SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
        conn.batch_execute(broken).unwrap();
        drop(conn);
        let (code, out, _) = checked(&place);
        assert_eq!(code, Some(1), "{broken}: {out}");
        assert!(out.contains(found), "{broken}: {out}");
        assert!(
            out.ends_with(" entries read, 1 problem found\n") || out.contains("problems found\n"),
            "{out}"
        );
    }
}

#[test]
fn what_is_no_book_cannot_be_checked() {
    let place = Place::new();
    let (code, out, err) = checked(&place);
    assert_eq!((code, out.as_str()), (Some(65), ""));
    assert!(
        err.contains("does not exist") && err.contains("daybook serve"),
        "{err}"
    );
    assert!(!place.book().exists());
}
