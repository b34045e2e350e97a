//! What goes wrong below the handlers: addresses, methods, and the protocol itself.

use crate::client::{ACTIVITY, entry};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use ureq::http::Method;

#[test]
fn what_is_not_there_is_a_problem() {
    let daybook = TestDaybook::start();
    for path in [
        "/nope",
        "/api",
        "/api/v1",
        "/api/v2/activity",
        "/api/v1/activity/",
        "/api/v1/Activity",
        "//",
        "/healthz/",
        "/api/v1/colours",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/activity%2Fcount",
        "/\u{1}x",
    ] {
        let path = path.replace('\u{1}', "%01");
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            daybook.ask(method, &path, &[], b"").problem(404);
        }
    }
}

#[test]
fn another_method_is_a_problem_that_says_which_are_taken() {
    let daybook = TestDaybook::start();
    let brew = Method::from_bytes(b"BREW").unwrap();
    for (path, allowed) in [
        (ACTIVITY, "POST, GET, HEAD, DELETE, OPTIONS"),
        ("/api/activity", "POST, GET, HEAD, DELETE, OPTIONS"),
        ("/api/v1/activity/count", "GET, HEAD, OPTIONS"),
        ("/api/v1/activity/x", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ] {
        for method in [Method::PUT, Method::PATCH, Method::TRACE, brew.clone()] {
            let answer = daybook.ask(method.clone(), path, &[], b"");
            answer.problem(405);
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        }
        let answer = daybook.ask(Method::OPTIONS, path, &[], b"");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (204, allowed),
            "{path}"
        );
    }
}

#[test]
fn where_one_may_get_one_may_ask_for_the_head_alone() {
    let daybook = TestDaybook::start();
    let mut raw = Raw::to(daybook.address);
    for path in [
        ACTIVITY,
        "/api/v1/activity/count",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/docs",
        "/api/openapi.json",
        "/api/v1/system/info",
        "/api/v1/activity/audit/a/b",
    ] {
        raw.send(raw::get(path).replace("GET", "HEAD"));
        assert_eq!(raw.head_answer().status, 200, "{path}");
    }
    for (path, status) in [
        ("/nope", 404),
        ("/api/v1/activity/nope", 404),
        ("/api/v1/activity?limit=0", 400),
    ] {
        raw.send(raw::get(path).replace("GET", "HEAD"));
        assert_eq!(raw.head_answer().status, status, "{path}");
    }
    assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
}

#[test]
fn what_is_no_http_is_a_problem_and_the_connection_ends() {
    let daybook = TestDaybook::start();
    for request in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut raw = Raw::to(daybook.address);
        raw.send(request);
        let answer = raw.answer();
        answer.problem(400);
        assert_eq!(answer.header("connection"), "close", "{request}");
        assert!(raw.is_closed(), "{request}");
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn what_is_no_http_behind_a_request_spoils_nothing_of_its_answer() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    let asked = raw::get("/api/v1/activity/export?format=csv&category=entity");
    let mut raw = Raw::to(daybook.address);
    let alone = raw.exchange(&asked);
    let mut raw = Raw::to(daybook.address);
    raw.send(format!("{asked}nonsense\r\n\r\n"));
    assert_eq!(raw.answer().text(), alone.text());
    raw.answer().problem(400);
    assert!(raw.is_closed());
}

#[test]
fn headers_and_addresses_beyond_all_measure_are_refused() {
    let daybook = TestDaybook::start();
    let long = "x".repeat(200_000);
    // Past what can be read at once: a head that is whole then is taken.
    let far_too_long = "x".repeat(4_000_000);
    let many: String = (0..500).map(|n| format!("X-{n}: y\r\n")).collect();
    let longish = "x".repeat(66_000);
    for (status, request) in [
        (
            431,
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {far_too_long}\r\n\r\n"),
        ),
        (
            414,
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (
            414,
            format!("GET /healthz?{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (
            414,
            format!("GET /healthz?{longish} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (
            431,
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
        ),
    ] {
        for is_first in [true, false] {
            let mut raw = Raw::to(daybook.address);
            if !is_first {
                assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
            }
            raw.send(&request);
            let answer = raw.answer();
            answer.problem(status);
            assert_eq!(answer.header("connection"), "close");
            assert!(raw.is_closed());
        }
    }
}

#[test]
fn a_body_that_was_not_read_is_not_taken_for_the_next_request() {
    let daybook = TestDaybook::start();
    let hidden = post_text("Content-Type: application/json\r\n", &entry().to_string());
    for head in [
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain",
        "POST /api/v1/activity?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: br",
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nOrigin: http://x",
        "POST /nope HTTP/1.1\r\nHost: h",
        "PUT /api/v1/activity HTTP/1.1\r\nHost: h",
        "GET /healthz HTTP/1.1\r\nHost: h",
        "OPTIONS /healthz HTTP/1.1\r\nHost: h",
    ] {
        for framed in [
            format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
            format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
                hidden.len()
            ),
        ] {
            let mut raw = Raw::to(daybook.address);
            raw.send(format!("{head}\r\n{framed}"));
            let first = raw.answer();
            assert!(
                first.status == 200 || first.status == 204 || first.status >= 400,
                "{head}"
            );
            raw.send(raw::get("/readyz"));
            if let Some(second) = raw.try_answer(true) {
                assert!(
                    second.text().contains("\"status\":\"ok\""),
                    "{head}: {}",
                    second.text()
                );
            }
        }
    }
    assert_eq!(daybook.count(), 0);
}

fn post_text(headers: &str, body: &str) -> String {
    String::from_utf8(raw::post(headers, body.as_bytes())).unwrap()
}

#[test]
fn a_connection_lives_on_after_an_error_whose_body_was_read() {
    let daybook = TestDaybook::start();
    let mut raw = Raw::to(daybook.address);
    let json = "Content-Type: application/json\r\n";
    for wrong in ["", "{", "{}", "[1", "nope"] {
        raw.exchange(raw::post(json, wrong.as_bytes())).problem(400);
    }
    raw.exchange(raw::get("/nope")).problem(404);
    raw.exchange(raw::get("/api/v1/activity?limit=0"))
        .problem(400);
    assert_eq!(
        raw.exchange(raw::post(json, entry().to_string().as_bytes()))
            .status,
        201
    );
}
