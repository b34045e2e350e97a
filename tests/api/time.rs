//! Who dawdles is sent away, and nobody else waits for that.

use crate::client::entry;
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use serde_json::json;
use std::time::{Duration, Instant};

const HASTY: &str =
    "[limits]\nheader_timeout = '300ms'\nbody_timeout = '300ms'\nkeep_alive = '300ms'";
/// Who closes one of these does so for the headers' sake, and for nothing else.
const HASTY_HEADERS: &str =
    "[limits]\nheader_timeout = '300ms'\nbody_timeout = '10m'\nkeep_alive = '10m'";
const HASTY_BETWEEN: &str = "[limits]\nheader_timeout = '10m'\nkeep_alive = '300ms'";
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
fn headers_that_do_not_come_are_a_408_and_the_connection_ends() {
    let daybook = TestDaybook::with(HASTY_HEADERS);
    for stalled in [
        "",
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-",
        "\r\n\r\n",
    ] {
        let mut raw = Raw::to(daybook.address);
        raw.send(stalled);
        let answer = raw.answer();
        answer.problem(408);
        assert_eq!(answer.header("connection"), "close");
        assert!(raw.is_closed(), "{stalled}");
    }
}

#[test]
fn headers_of_a_later_request_have_the_same_time_from_their_first_byte() {
    let daybook = TestDaybook::with(HASTY_HEADERS);
    let mut resting = in_use(&daybook);
    let stalled = ["G", "GET / HTTP/1.1\r\nHost: localhost\r\nX-"].map(|part| {
        let mut raw = in_use(&daybook);
        raw.send(part);
        raw
    });
    for mut raw in stalled {
        let answer = raw.answer();
        answer.problem(408);
        assert_eq!(answer.header("connection"), "close");
        assert!(raw.is_closed());
    }
    // Who sends nothing has the time between two requests, which is not up.
    assert_eq!(resting.exchange(raw::get("/healthz")).status, 200);
}

/// Longer than headers may take, by what becomes of one who sends none.
fn headers_time_passes(daybook: &TestDaybook, times: usize) {
    for _ in 0..times {
        let mut raw = in_use(daybook);
        raw.send("G");
        raw.answer().problem(408);
    }
}

#[test]
fn what_comes_behind_a_request_is_not_taken_for_the_head_of_another() {
    let daybook = TestDaybook::with(HASTY_HEADERS);
    let mut blank = in_use(&daybook);
    blank.send("\r\n");
    let unread = ["POST /api/v1/nothing", "PATCH /api/v1/activity/settings"].map(|line| {
        let mut raw = in_use(&daybook);
        raw.send(format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
        assert!((400..500).contains(&raw.answer().status));
        raw.send("7\r\n{\"a\":1}\r\n0\r\n\r\n");
        raw
    });
    headers_time_passes(&daybook, 1);
    for mut raw in unread.into_iter().chain([blank]) {
        assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
    }
}

#[test]
fn whether_a_connection_ends_goes_by_its_own_version_of_http() {
    let daybook = TestDaybook::with(HASTY_HEADERS);
    for _ in 0..20 {
        let mut raw = Raw::to(daybook.address);
        raw.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
        assert_eq!(raw.answer().status, 200);
        assert!(raw.is_closed());
    }
    let kept: Vec<Raw> = (0..8).map(|_| in_use(&daybook)).collect();
    // Past the second after which a connection that had its last answer is cut.
    headers_time_passes(&daybook, 5);
    for mut raw in kept {
        assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
    }
}

#[test]
fn bytes_that_come_one_by_one_do_not_make_the_time_longer() {
    let daybook = TestDaybook::with(HASTY_HEADERS);
    let mut raw = in_use(&daybook);
    raw.send("GET / HTTP/1.1\r\nX: ");
    // Until it is told to go, or for far longer than it may take.
    let until = Instant::now() + Duration::from_secs(20);
    while raw.send("x") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Instant::now() < until);
    assert!(raw.is_closed());
}

#[test]
fn a_connection_that_asks_nothing_ends_without_a_word() {
    let daybook = TestDaybook::with(HASTY_BETWEEN);
    let mut raw = in_use(&daybook);
    assert!(raw.try_answer(true).is_none());
    assert!(raw.is_closed());
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
    let daybook = TestDaybook::with(
        "[limits]\nheader_timeout = '300ms'\nbody_timeout = '10m'\nkeep_alive = '300ms'",
    );
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
