//! Known secrets go through every field, header, path and query of every route, and are in no file and no
//! answer afterwards.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use daybook::http::routes::TABLE;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// As a key of ours is made; it is known as one wherever it stands.
const KEY: &str = "dbk_k7f3q_zyxwvutsrqponmlkjihgfedcba";
/// Of another's making: it is known by what it stands under.
const SECRET: &str = "hunter2-Wm9lUXV1eA";

/// Where a request may carry a secret that is not ours to keep: header lines.
fn headers() -> Vec<String> {
    vec![
        format!("Authorization: Bearer {SECRET}"),
        format!("Authorization: Bearer {KEY}"),
        format!("X-API-Key: {KEY}"),
        format!("Cookie: session={SECRET}; other={KEY}"),
        format!("Proxy-Authorization: Basic {SECRET}"),
        format!("User-Agent: cli {KEY}"),
        format!("Referer: https://x.example/?token={SECRET}"),
        format!("X-Forwarded-For: {KEY}"),
    ]
}

/// Bodies in which each field holds the key in its turn, and each redacted name the secret.
fn bodies() -> Vec<String> {
    let fields = [
        "id",
        "category",
        "action",
        "severity",
        "actor",
        "entity_type",
        "entity_id",
        "entity_name",
        "message",
        "workspace_id",
        "ip_address",
        "user_agent",
        "ts",
        "unknown",
    ];
    let whole = json!({"category": "entity", "action": "a.b", "message": "x"});
    let mut bodies: Vec<String> = Vec::new();
    for field in fields {
        let mut body = whole.clone();
        body[field] = json!(KEY);
        bodies.push(body.to_string());
    }
    for name in [
        "password",
        "Client-Secret",
        "accessToken",
        "authorization",
        "API_KEY",
        "set-cookie",
        "passphrase",
    ] {
        let mut body = whole.clone();
        body["metadata"] = json!({name: SECRET, "deep": [{name: {"x": SECRET}}], "note": format!("k={KEY}"), KEY: 1});
        bodies.push(body.to_string());
    }
    bodies
}

/// One a connection, since what is refused unread ends it.
fn request(daemon: &Daemon<'_>, method: &str, target: &str, header: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    // One that was cut after its answer has said what it had to say.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 "), "{method} {target}");
    answer
}

fn assert_nowhere(what: &str, bytes: &[u8]) {
    for secret in [KEY, SECRET, "zyxwvutsrqponml"] {
        let place = memchr::memmem::find(bytes, secret.as_bytes());
        let around = place.map(|at| &bytes[at.saturating_sub(300)..bytes.len().min(at + 100)]);
        let around = around.map(String::from_utf8_lossy);
        assert!(place.is_none(), "{what} holds {secret}: {around:?}");
    }
}

fn assert_in_no_file(folder: &Path) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            assert_in_no_file(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            assert_nowhere(&path.display().to_string(), &bytes);
        }
    }
}

/// Follows live from the first entry on, for as long as `work` takes and to the entry that ends it.
fn frames(daemon: &Daemon<'_>) -> Vec<u8> {
    let stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("ws://{}/api/v1/events/ws", daemon.address);
    let (mut session, _) = tungstenite::client(url, stream).unwrap();
    let all = r#"{"type":"subscribe","filters":{"workspace_id":"*"},"after_seq":0}"#;
    session.send(tungstenite::Message::text(all)).unwrap();
    let mut frames = Vec::new();
    loop {
        let frame = session.read().unwrap().into_data();
        frames.extend_from_slice(&frame);
        if memchr::memmem::find(&frame, br#""type":"live""#).is_some() {
            return frames;
        }
    }
}

#[test]
fn no_secret_is_kept_whatever_route_and_field_it_came_by() {
    let place = Place::new();
    let mut command = place.serve();
    command
        .args(["--log", "debug"])
        .env("DAYBOOK_ACTIVITY__RECORD_REQUESTS", "all");
    let daemon = Daemon::start_as(&place, command).unwrap();
    let mut asked = 0;
    for line in TABLE {
        if line.path == "/api/v1/events/ws" || line.path.ends_with("/restore") {
            continue;
        }
        let method = line.method.as_str();
        let with_secret = |secret: &str| {
            line.path
                .split('/')
                .map(|part| if part.starts_with('{') { secret } else { part })
                .collect::<Vec<_>>()
                .join("/")
        };
        for header in headers() {
            request(&daemon, method, &with_secret("x"), &header, "{}");
        }
        for query in [
            format!("token={SECRET}"),
            format!("q={SECRET}"),
            format!("actor={KEY}"),
            format!("{KEY}=1"),
        ] {
            request(
                &daemon,
                method,
                &format!("{}?{query}", with_secret("x")),
                "X-A: b",
                "{}",
            );
        }
        request(&daemon, method, &with_secret(KEY), "X-A: b", "{}");
        for body in bodies() {
            if method != "GET" {
                request(&daemon, method, &with_secret("x"), "X-A: b", &body);
            }
        }
        asked += 1;
    }
    assert!(asked > 20);
    for body in bodies() {
        request(
            &daemon,
            "POST",
            "/api/v1/activity",
            &format!("User-Agent: {KEY}"),
            &body,
        );
    }
    let metrics = request(&daemon, "GET", "/metrics", "X-A: b", "");
    assert_nowhere("the metrics", &metrics);
    assert_nowhere("the live frames", &frames(&daemon));
    for format in ["csv", "ndjson"] {
        let out = place.aside().join(format);
        let mut export = place.daybook(&[
            "export",
            "--workspace-id",
            "*",
            "--format",
            format,
            "--output",
        ]);
        assert!(export.arg(&out).status().unwrap().success());
        assert!(std::fs::metadata(&out).unwrap().len() > 1_000);
    }
    assert_in_no_file(place.aside());
    assert!(daemon.stop().success());
    assert_in_no_file(place.aside());
}
