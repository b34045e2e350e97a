//! `daybook key`: the key alone on standard output, on a book that no daemon keeps and through one that does.

use crate::support::daemon::{Daemon, Place};
use std::process::Output;

const OPERATOR: [&str; 8] = [
    "key",
    "add",
    "--label",
    "olga",
    "--scope",
    "write,read,admin",
    "--workspace",
    "*",
];

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn ran(place: &Place, arguments: &[&str]) -> (Option<i32>, String, String) {
    told(&place.daybook(arguments).output().unwrap())
}

#[test]
fn a_key_is_alone_on_standard_output_and_makes_the_book() {
    let place = Place::new();
    let (code, out, err) = ran(&place, &OPERATOR);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("dbk_") && out.lines().count() == 1, "{out}");
    assert!(!err.contains("dbk_"), "{err}");
    assert!(place.book().exists());
    let (code, _, err) = ran(&place, &OPERATOR);
    assert_eq!(code, Some(73), "{err}");
    assert!(err.contains("label"), "{err}");
    let (code, out, _) = ran(&place, &["key", "list"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("olga") && out.contains("active"), "{out}");
    assert_eq!(ran(&place, &["key", "revoke", "nobody"]).0, Some(1));
    let (code, _, err) = ran(
        &place,
        &[
            "key",
            "add",
            "--label",
            "x",
            "--scope",
            "root",
            "--workspace",
            "a",
        ],
    );
    assert_eq!(code, Some(64), "{err}");
    assert!(err.contains("scopes"), "{err}");
}

#[test]
fn through_a_daemon_it_is_in_force_at_once() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let status = |key: &str| {
        let mut client = daemon.client();
        let shown = format!("X-API-Key: {key}\r\n");
        let shown = if key.is_empty() { "" } else { &shown };
        let line = format!("GET /api/v1/activity HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n");
        client.send(&line).unwrap();
        client.answer().unwrap().status
    };
    assert_eq!(status(""), 200);
    let (code, key, err) = ran(&place, &OPERATOR);
    assert_eq!(code, Some(0), "{err}");
    let key = key.trim();
    assert_eq!((status(""), status(key)), (401, 200));
    let (code, rotated, _) = ran(&place, &["key", "rotate", "olga", "--overlap", "1h"]);
    let rotated = rotated.trim();
    assert_eq!(code, Some(0));
    assert_ne!(key, rotated);
    assert_eq!((status(key), status(rotated)), (200, 200));
    let (_, out, _) = ran(&place, &["key", "list"]);
    assert!(out.contains("127.0.0.1"), "its last use is shown: {out}");
    assert_eq!(ran(&place, &["key", "revoke", "olga"]).0, Some(0));
    assert_eq!((status(key), status(rotated)), (401, 401));
    let (_, out, _) = ran(&place, &["key", "list", "--json"]);
    assert!(out.contains("\"revoked\""), "{out}");
    assert_eq!(daemon.stop().code(), Some(0));
}
