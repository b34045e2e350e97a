//! Who dawdles is sent away, and nobody else waits for that.

use crate::client::entry;
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use serde_json::json;

const HASTY: &str = "[limits]\nheader_timeout = '300ms'\nbody_timeout = '300ms'";
const SLOW_BODIES: &str = "[limits]\nbody_timeout = '300ms'";
const HEADERS: &str =
    "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

/// A connection that has had its first answer. On a busy machine this may take more than one.
fn in_use(daybook: &TestDaybook) -> Raw {
    loop {
        let mut raw = Raw::to(daybook.address);
        if raw.exchange(raw::get("/healthz")).status == 200 {
            return raw;
        }
    }
}

#[test]
fn a_body_that_does_not_come_is_a_408_and_the_connection_ends() {
    let daybook = TestDaybook::with(SLOW_BODIES);
    let stalled = [
        format!("{HEADERS}Content-Length: 100\r\n\r\n"),
        format!("{HEADERS}Content-Length: 100\r\n\r\n{{\"message\":"),
        format!("{HEADERS}Transfer-Encoding: chunked\r\n\r\n"),
        format!("{HEADERS}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"mes\r\n"),
        format!("{HEADERS}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\""),
        format!("{HEADERS}Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f"),
    ]
    .map(|request| {
        let mut raw = Raw::to(daybook.address);
        raw.send(request);
        raw
    });
    for mut raw in stalled {
        let answer = raw.answer();
        answer.problem(408);
        assert_eq!(answer.header("connection"), "close");
        assert!(raw.is_closed());
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn headers_that_do_not_come_end_the_connection() {
    let daybook = TestDaybook::with(HASTY);
    for stalled in [
        "",
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-",
        "\r\n\r\n",
    ] {
        let mut raw = Raw::to(daybook.address);
        raw.send(stalled);
        assert!(raw.is_closed(), "{stalled}");
    }
}

#[test]
fn headers_of_a_later_request_that_do_not_come_end_the_connection_too() {
    let daybook = TestDaybook::with(HASTY);
    let stalled = ["", "G", "GET / HTTP/1.1\r\nHost: localhost\r\nX-"].map(|part| {
        let mut raw = in_use(&daybook);
        raw.send(part);
        raw
    });
    for mut raw in stalled {
        assert!(raw.is_closed());
    }
}

#[test]
fn a_body_that_was_refused_unread_and_never_comes_holds_no_connection() {
    let daybook = TestDaybook::with(HASTY);
    let heads = [
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain",
        "POST /nowhere HTTP/1.1\r\nHost: h",
        "DELETE /healthz HTTP/1.1\r\nHost: h",
        "GET /healthz HTTP/1.1\r\nHost: h",
    ];
    let framings = ["Content-Length: 100", "Transfer-Encoding: chunked"];
    let stalled: Vec<Raw> = heads
        .iter()
        .flat_map(|head| framings.map(|framing| format!("{head}\r\n{framing}\r\n\r\n")))
        .map(|request| {
            let mut raw = in_use(&daybook);
            let answer = raw.exchange(request);
            assert!(answer.status == 200 || answer.status > 400);
            raw
        })
        .collect();
    for mut raw in stalled {
        assert!(raw.is_closed());
    }
}

#[test]
fn a_long_answer_is_not_cut_off_by_the_time_that_it_takes_to_read_it() {
    let daybook = TestDaybook::with(HASTY);
    let message = "m".repeat(4_000);
    let entries = vec![crate::client::entry_with(json!({"message": message})); 4_000];
    daybook.record_lines(&entries);
    let mut raw = in_use(&daybook);
    let mut stalled = in_use(&daybook);
    raw.send(raw::get("/api/v1/activity/export?format=ndjson"));
    stalled.send("G");
    assert!(stalled.is_closed());
    let answer = raw.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text().lines().count(), 4_000);
}

#[test]
fn healthy_clients_do_not_wait_for_those_that_dawdle() {
    let daybook = TestDaybook::with("[limits]\nheader_timeout = '5m'\nbody_timeout = '5m'");
    let stalled: Vec<Raw> = (0..200)
        .map(|n| {
            let mut raw = Raw::to(daybook.address);
            raw.send(match n % 3 {
                0 => "GET / HT".to_owned(),
                1 => format!("{HEADERS}Content-Length: 100\r\n\r\n{{"),
                _ => format!("{HEADERS}Transfer-Encoding: chunked\r\n\r\n"),
            });
            raw
        })
        .collect();
    for n in 1..=50 {
        assert_eq!(daybook.record(&entry()).ok()["seq"], n);
        assert_eq!(daybook.get("/healthz").status, 200);
    }
    drop(stalled);
}
