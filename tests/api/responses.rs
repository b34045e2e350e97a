//! How answers come: compressed for who asks for it, in whatever way the connection is used.

use crate::client::{ACTIVITY, Answer, JSON, entry, entry_with};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use serde_json::{Value, json};
use std::io::Read;
use ureq::http::Method;

fn unpacked(answer: &Answer) -> Vec<u8> {
    match answer.header("content-encoding") {
        "gzip" => {
            let mut body = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut body)
                .unwrap();
            body
        }
        "zstd" => zstd::decode_all(&answer.body[..]).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_is_compressed_for_who_asks_for_it() {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (0..1_500)
        .map(|n| entry_with(json!({"entity_id": n.to_string()})))
        .collect();
    daybook.record_lines(&entries);
    for path in [
        "?limit=500",
        "/export?format=csv&category=entity",
        "/export?format=json&category=entity",
        "/export?format=ndjson&category=entity",
    ] {
        let path = format!("{ACTIVITY}{path}");
        let plain = daybook.get(&path);
        assert_eq!(plain.header("content-encoding"), "");
        for accepted in ["gzip", "zstd", "br;q=1.0, gzip;q=0.8", "zstd, gzip;q=0.5"] {
            let answer = daybook.ask(Method::GET, &path, &[("Accept-Encoding", accepted)], b"");
            assert_eq!(
                answer.header("vary").to_ascii_lowercase(),
                "accept-encoding"
            );
            assert_eq!(answer.header("content-type"), plain.header("content-type"));
            assert!(
                answer.body.len() * 4 < plain.body.len(),
                "{path} {accepted}"
            );
            assert_eq!(unpacked(&answer), plain.body, "{path} {accepted}");
        }
        let identity = daybook.ask(Method::GET, &path, &[("Accept-Encoding", "identity")], b"");
        assert_eq!(identity.body, plain.body);
    }
}

#[test]
fn a_compressed_problem_is_a_problem() {
    let daybook = TestDaybook::start();
    let path = format!("{ACTIVITY}?limit=0");
    let answer = daybook.ask(Method::GET, &path, &[("Accept-Encoding", "gzip")], b"");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (400, "application/problem+json")
    );
    let problem: Value = serde_json::from_slice(&unpacked(&answer)).unwrap();
    assert_eq!(problem["errors"][0]["field"], "limit");
}

#[test]
fn who_accepts_nothing_that_there_is_gets_an_answer_all_the_same() {
    let daybook = TestDaybook::start();
    for accepted in ["", "*", "br", "gzip;q=0", "nonsense;;;"] {
        let answer = daybook.ask(
            Method::GET,
            "/healthz",
            &[("Accept-Encoding", accepted)],
            b"",
        );
        assert_eq!(answer.json(), json!({"status": "ok"}), "{accepted}");
    }
}

#[test]
fn who_leaves_no_coding_at_all_is_told_so_and_nothing_is_done() {
    let daybook = TestDaybook::start();
    for accepted in [
        "*;q=0",
        "identity;q=0",
        "br, identity;q=0",
        "gzip;q=0, *;q=0",
    ] {
        let refused = ("Accept-Encoding", accepted);
        daybook
            .ask(Method::GET, "/healthz", &[refused], b"")
            .problem(406);
        let answer = daybook.post(&[JSON, refused], entry().to_string());
        answer.problem(406);
        assert_eq!(answer.header("vary"), "Accept-Encoding");
    }
    assert_eq!(daybook.count(), 0);
    let accepted = [("Accept-Encoding", "gzip, identity;q=0")];
    let path = format!("{ACTIVITY}?limit=1");
    let answer = daybook.ask(Method::GET, &path, &accepted, b"");
    assert_eq!(
        (answer.status, answer.header("content-encoding")),
        (200, "gzip")
    );
    assert_eq!(unpacked(&answer), daybook.get(&path).body);
}

#[test]
fn a_body_may_come_in_chunks() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    let chunks: String = body
        .chars()
        .map(|c| format!("1;ext=x\r\n{c}\r\n"))
        .collect();
    let head =
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut raw = Raw::to(daybook.address);
    for _ in 0..3 {
        let request = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
        assert_eq!(raw.exchange(request).status, 201);
    }
    for broken in [
        "zz\r\n",
        "5\r\nab\r\n0\r\n\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let mut raw = Raw::to(daybook.address);
        raw.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n{broken}"));
        raw.finish();
        if let Some(answer) = raw.try_answer(true) {
            assert_eq!(answer.status, 400, "{broken}");
        }
    }
    assert_eq!(daybook.count(), 3);
}

#[test]
fn a_body_that_is_shorter_than_its_length_records_nothing() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    let head =
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut raw = Raw::to(daybook.address);
    raw.send(format!(
        "{head}Content-Length: {}\r\n\r\n{body}",
        body.len() + 1
    ));
    raw.finish();
    if let Some(answer) = raw.try_answer(true) {
        answer.problem(400);
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn a_body_that_is_longer_than_its_length_is_not_read_beyond_it() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    let head =
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut raw = Raw::to(daybook.address);
    let answer = raw.exchange(format!(
        "{head}Content-Length: {}\r\n\r\n{body}{{}}",
        body.len()
    ));
    assert_eq!(answer.status, 201);
    if let Some(answer) = raw.try_answer(true) {
        assert_eq!(answer.status, 400);
    }
    assert_eq!(daybook.count(), 1);
}

#[test]
fn who_asks_before_it_sends_is_told_to_go_on() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    let head = format!(
        "POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut raw = Raw::to(daybook.address);
    assert_eq!(raw.exchange(&head).status, 100);
    assert_eq!(raw.exchange(&body).status, 201);
    assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
}

#[test]
fn requests_that_come_at_once_are_answered_in_their_order() {
    let daybook = TestDaybook::start();
    let mut raw = Raw::to(daybook.address);
    let json = "Content-Type: application/json\r\n";
    let mut all = Vec::new();
    for n in 0..40 {
        let body = entry_with(json!({"id": format!("p{n}")})).to_string();
        all.extend(raw::post(json, body.as_bytes()));
        all.extend(raw::get(&format!("/api/v1/activity/p{n}")).bytes());
    }
    raw.send(all);
    for n in 0..40 {
        let posted = raw.answer();
        assert_eq!(
            (posted.status, &posted.json()["id"]),
            (201, &json!(format!("p{n}")))
        );
        // It was committed before it was answered, and so it is there for the next.
        assert_eq!(raw.answer().json()["entry"]["id"], format!("p{n}"));
    }
}

#[test]
fn an_old_client_gets_bare_bytes_where_others_get_chunks() {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (0..1_500)
        .map(|n| entry_with(json!({"entity_id": n.to_string()})))
        .collect();
    daybook.record_lines(&entries);
    for path in [
        "/export?format=ndjson&category=entity",
        "/export?format=json&category=entity",
        "?limit=500&category=entity",
    ] {
        let path = format!("{ACTIVITY}{path}");
        let plain = daybook.get(&path).body;
        for accepted in ["identity", "gzip", "zstd"] {
            let mut raw = Raw::to(daybook.address);
            let answer = raw.exchange(format!(
                "GET {path} HTTP/1.0\r\nAccept-Encoding: {accepted}\r\n\r\n"
            ));
            assert_eq!(answer.header("transfer-encoding"), "", "{path} {accepted}");
            let body = match accepted {
                "identity" => answer.body,
                _ => unpacked(&answer),
            };
            assert_eq!(body, plain, "{path} {accepted}");
            assert!(raw.is_closed());
        }
    }
    let kept = "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let mut raw = Raw::to(daybook.address);
    for _ in 0..3 {
        assert_eq!(raw.exchange(kept).json(), json!({"status": "ok"}));
    }
}

#[test]
fn an_old_client_is_served() {
    let daybook = TestDaybook::start();
    let mut raw = Raw::to(daybook.address);
    let answer = raw.exchange("GET /healthz HTTP/1.0\r\n\r\n");
    assert_eq!(answer.json(), json!({"status": "ok"}));
    assert!(raw.is_closed());
    let mut raw = Raw::to(daybook.address);
    raw.exchange("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .ok();
    assert!(raw.is_closed());
}
