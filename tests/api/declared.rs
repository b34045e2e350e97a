//! What a request says of its body before it sends it: refused at once where it says too much, and asked for
//! only where it will be read.

use crate::client::{KEYS, entry};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};

/// So long that whatever is answered was not waited for.
const PATIENT: &str = "[limits]\nheader_timeout = '10m'\nbody_timeout = '10m'\nkeep_alive = '10m'";
const FAR_TOO_MUCH: u64 = 5_000_000_000;

fn head(method: &str, path: &str, kind: &str, length: u64) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    )
}

fn posting(kind: &str, length: u64) -> String {
    head("POST", "/api/v1/activity", kind, length)
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_before_it_comes() {
    let daybook = TestDaybook::with(PATIENT);
    let json = "application/json";
    for said in [
        posting(json, 30_000_000),
        posting("application/x-ndjson", 30_000_000),
        posting(json, FAR_TOO_MUCH) + "Content-Encoding: gzip\r\n",
        posting(json, FAR_TOO_MUCH) + "Content-Encoding: zstd\r\n",
        head("PUT", "/api/v1/activity/settings", json, 100_000),
        head("POST", KEYS, json, FAR_TOO_MUCH),
    ] {
        let mut raw = Raw::to(daybook.address);
        let answer = raw.exchange(format!("{said}\r\n"));
        answer.problem(413);
        assert_eq!(answer.header("connection"), "close");
        assert!(raw.is_closed(), "{said}");
    }
}

#[test]
fn one_entry_that_says_it_is_too_large_is_refused_at_its_first_byte() {
    let daybook = TestDaybook::with(PATIENT);
    let said = posting("application/json", 2 << 20);
    let mut raw = Raw::to(daybook.address);
    raw.exchange(format!("{said}\r\n {{\"message\":"))
        .problem(413);
    assert!(raw.is_closed());
    // An array may be as large.
    let array = format!(
        "[{}{}]",
        " ".repeat((2 << 20) - 2 - entry().to_string().len()),
        entry()
    );
    let mut raw = Raw::to(daybook.address);
    assert_eq!(raw.exchange(format!("{said}\r\n{array}")).status, 200);
    assert_eq!(daybook.count(), 1);
}

#[test]
fn who_waits_for_leave_to_send_a_body_that_is_refused_is_not_given_it() {
    let daybook = TestDaybook::with(PATIENT);
    let key = daybook.sign_in("owner");
    let waits = "Expect: 100-continue\r\n";
    let known = format!("Authorization: Bearer {key}\r\n");
    let json = "application/json";
    for (status, said) in [
        (401, posting(json, FAR_TOO_MUCH)),
        (401, posting(json, 10)),
        (413, posting(json, FAR_TOO_MUCH) + &known),
        (415, posting("text/plain", 10) + &known),
        (404, head("POST", "/nowhere", json, 10) + &known),
    ] {
        let mut raw = Raw::to(daybook.address);
        let answer = raw.exchange(format!("{said}{waits}\r\n"));
        answer.problem(status);
        // It may send it all the same, or the next request: nobody can tell.
        assert_eq!(answer.header("connection"), "close", "{said}");
        assert!(raw.is_closed(), "{said}");
    }
}

#[test]
fn who_waits_for_leave_to_send_a_right_body_is_given_it_once() {
    let daybook = TestDaybook::with(PATIENT);
    let body = entry().to_string();
    let said = posting("application/json", body.len() as u64) + "Expect: 100-continue\r\n\r\n";
    let mut raw = Raw::to(daybook.address);
    for n in 1..=3 {
        assert_eq!(raw.exchange(&said).status, 100);
        assert_eq!(raw.exchange(&body).json()["seq"], n);
    }
    // Behind another request, whose answer comes whole before it.
    raw.send(format!("{}{said}", raw::get("/api/openapi.json")));
    assert_eq!(raw.answer().json()["info"]["title"], "Daybook");
    assert_eq!(raw.answer().status, 100);
    assert_eq!(raw.exchange(&body).json()["seq"], 4);
    // Who does not wait is answered all the same.
    raw.send(format!("{said}{body}"));
    let first = raw.answer();
    let answer = if first.status == 100 {
        raw.answer()
    } else {
        first
    };
    assert_eq!(answer.json()["seq"], 5);
}
