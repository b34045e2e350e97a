//! Thousands of requests that are nearly right. None may be answered with a 5xx, none may hang, and whatever
//! was recorded must be whole, which the harness checks. Every run makes the same requests.

use crate::client::ACTIVITY;
use crate::dice::{Dice, mutated};
use crate::harness::TestDaybook;
use crate::raw::Raw;

const BODIES: [&str; 8] = [
    r#"{"category":"auth","action":"auth.login","message":"in","metadata":{"a":[1,2.5e3,{"b":null}]}}"#,
    r#"[{"category":"device","action":"d","message":"ü💡"},{"id":"x","category":"entity","action":"e","message":"m"}]"#,
    "{\"category\":\"auth\",\"action\":\"a\",\"message\":\"1\"}\n{\"category\":\"auth\",\"action\":\"a\",\"message\":\"2\"}\n",
    r#"{"id":"y","category":"system","action":"s","message":"m","ip_address":"::1","user_agent":"u","entity_type":"t"}"#,
    "[]",
    "",
    r#"{"metadata":{"$serde_json::private::RawValue":"}"},"category":"auth","action":"a","message":"m"}"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]",
];
const QUERIES: [&str; 12] = [
    "limit=50&before_seq=10",
    "after_seq=0&limit=500",
    "category=auth,device&severity=info",
    "actor=a%20b",
    "action=auth.*",
    "q=%25_%27",
    "since=24h&until=1s",
    "since=2026-01-01T00:00:00Z",
    "workspace_id=*",
    "format=csv&entity_type=t",
    "exact=true&category=auth",
    "entity_id=%2F&q=m",
];
const PATHS: [&str; 9] = [
    "",
    "/count",
    "/export",
    "/x",
    "/audit/t/1",
    "/audit/%2F/%25",
    "/al_00000000000000000000000000000000",
    "/%F0%9F%92%A1",
    "/audit/a",
];
const HEADERS: [&str; 14] = [
    "Content-Type: application/json",
    "Content-Type: application/x-ndjson",
    "Content-Type: text/plain",
    "Content-Encoding: gzip",
    "Content-Encoding: zstd",
    "Content-Encoding: br",
    "Accept-Encoding: gzip, zstd",
    "Origin: http://evil.example",
    "User-Agent: \u{fffd}\u{1f4a1}",
    "X-Forwarded-For: 1.2.3.4, x",
    "Range: bytes=0-1",
    "If-None-Match: *",
    "Accept: application/xml",
    "Connection: keep-alive, upgrade",
];

fn target(dice: &mut Dice) -> Vec<u8> {
    let path = dice.pick(&PATHS);
    let query = dice.pick(&QUERIES);
    let mut target = ACTIVITY.as_bytes().to_vec();
    target.extend(mutated(dice, path.as_bytes(), 3));
    target.push(b'?');
    target.extend(mutated(dice, query.as_bytes(), 3));
    // What ends a line would make another request of it; that is tried elsewhere.
    target.retain(|byte| !matches!(byte, b'\r' | b'\n' | b' '));
    target
}

fn request(dice: &mut Dice) -> Vec<u8> {
    let method = dice.pick(&[
        "POST", "POST", "POST", "GET", "GET", "GET", "HEAD", "DELETE", "PUT", "OPTIONS",
    ]);
    let posts = method == "POST" && dice.roll(8) > 0;
    let target = if posts {
        ACTIVITY.as_bytes().to_vec()
    } else {
        target(dice)
    };
    let mut request = [
        method.as_bytes(),
        b" ",
        &target,
        b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
    ]
    .concat();
    for _ in 0..dice.roll(3) {
        request.extend(dice.pick(&HEADERS).bytes());
        request.extend(b"\r\n");
    }
    if posts {
        request.extend(dice.pick(&HEADERS[..2]).bytes());
        let body = dice.pick(&BODIES);
        let body = mutated(dice, body.as_bytes(), 3);
        request.extend(format!("\r\nContent-Length: {}\r\n\r\n", body.len()).bytes());
        request.extend(body);
    } else {
        request.extend(b"\r\n");
    }
    request
}

#[test]
fn no_request_is_answered_with_a_failure_of_ours() {
    let daybook = TestDaybook::start();
    let mut dice = Dice(0x00da_7b00);
    let mut statuses = std::collections::BTreeMap::new();
    for n in 0..4_000 {
        let request = request(&mut dice);
        let with_body = !request.starts_with(b"HEAD");
        let mut raw = Raw::to(daybook.address);
        raw.send(&request);
        let shown = || String::from_utf8_lossy(&request).into_owned();
        let answer = raw
            .try_answer(with_body)
            .unwrap_or_else(|| panic!("{n} got no answer: {}", shown()));
        assert!(
            answer.status < 500,
            "{n} got {}: {}",
            answer.status,
            shown()
        );
        let is_plain = answer.header("content-encoding").is_empty();
        if answer.status >= 400 && with_body && is_plain {
            answer.problem(answer.status);
        }
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    println!("{statuses:?}");
    // It would prove nothing if all were refused at the door.
    for status in [200, 201, 400, 404, 405, 415] {
        assert!(
            statuses.get(&status).is_some_and(|n| *n > 20),
            "{statuses:?}"
        );
    }
    assert_eq!(daybook.get("/readyz").status, 200);
}
