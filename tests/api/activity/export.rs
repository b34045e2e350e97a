//! `GET /api/v1/activity/export`.

use crate::client::{self, ACTIVITY, Answer, NDJSON, entry, entry_with};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use crate::spawned::Spawned;
use daybook::domain::entry::KEYS;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use ureq::http::Method;

/// Without the entries that exports leave themselves.
const OURS: &str = "&category=entity";

fn exported(daybook: &TestDaybook, format: &str, query: &str) -> Answer {
    let answer = daybook.get(&format!("{ACTIVITY}/export?format={format}{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn who_asks_for_the_head_alone_exports_nothing_and_leaves_no_entry() {
    let daybook = TestDaybook::start();
    let made = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    let paths = [
        format!("{ACTIVITY}/export?format=ndjson"),
        format!("/api/v1/backups/{}", made["name"].as_str().unwrap()),
    ];
    for path in &paths {
        let answer = daybook.ask(Method::HEAD, path, &[], b"");
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-disposition").contains("daybook-"));
    }
    // They are recorded one after the other: with the entry of this one, any of the others would be there.
    exported(&daybook, "csv", OURS);
    let began = Instant::now();
    let left = loop {
        let page = daybook.page("action=activity_log.exported");
        let newest = &page["items"][0];
        if newest["metadata"]["format"] == "csv" {
            break page["items"].as_array().unwrap().len();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it is recorded");
    };
    assert_eq!(left, 1);
}

#[test]
fn every_format_holds_what_the_pages_hold() {
    let daybook = TestDaybook::start();
    let entries: Vec<Value> = (0..2_500)
        .map(|n| entry_with(json!({"entity_id": n.to_string(), "metadata": {"n": n}})))
        .collect();
    daybook.record_lines(&entries);
    let mut pages: Vec<Value> = Vec::new();
    while pages.len() < 2_500 {
        let page = daybook.page(&format!("limit=500&after_seq={}", pages.len()));
        pages.extend(page["items"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(
        exported(&daybook, "json", OURS).json(),
        Value::from(pages.clone())
    );
    assert_eq!(lines(&exported(&daybook, "ndjson", OURS)), pages);
    let csv = exported(&daybook, "csv", OURS);
    let mut reader = csv::Reader::from_reader(&csv.body[..]);
    assert_eq!(reader.headers().unwrap(), &KEYS[..]);
    for (row, page) in reader.records().map(Result::unwrap).zip(&pages) {
        for (cell, key) in row.iter().zip(KEYS) {
            let expected = match &page[key] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, expected, "{key}");
        }
    }
}

#[test]
fn an_export_says_what_it_is_and_what_to_call_it() {
    let daybook = TestDaybook::start();
    for (format, kind, empty) in [
        (
            "csv",
            "text/csv; charset=utf-8",
            format!("{}\r\n", KEYS.join(",")),
        ),
        ("json", "application/json", "[]\n".into()),
        ("ndjson", "application/x-ndjson", String::new()),
    ] {
        let answer = exported(&daybook, format, OURS);
        assert_eq!(answer.header("content-type"), kind);
        let name = answer.header("content-disposition");
        let stamp = name
            .strip_prefix("attachment; filename=\"daybook-")
            .and_then(|rest| rest.strip_suffix(&format!("Z.{format}\"")))
            .unwrap_or_else(|| panic!("{name}"));
        assert_eq!(stamp.len(), "20261121T080000".len(), "{name}");
        assert_eq!(answer.text(), empty);
    }
}

#[test]
fn an_export_is_of_one_workspace_or_of_all() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    daybook
        .record(&entry_with(json!({"workspace_id": "acme"})))
        .ok();
    for (query, entries) in [
        ("", 1),
        ("&workspace_id=acme", 1),
        ("&workspace_id=*", 2),
        ("&workspace_id=x", 0),
    ] {
        assert_eq!(
            lines(&exported(&daybook, "ndjson", &format!("{OURS}{query}"))).len(),
            entries,
            "{query}"
        );
    }
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_defused() {
    let daybook = TestDaybook::start();
    for hostile in [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=cmd|' /C calc'!A0",
        " =1",
        "＝1",
    ] {
        daybook
            .record(&entry_with(json!({
                "message": hostile, "actor": hostile, "entity_name": hostile, "user_agent": hostile
            })))
            .ok();
    }
    let csv = exported(&daybook, "csv", OURS);
    let mut reader = csv::Reader::from_reader(&csv.body[..]);
    for row in reader.records().map(Result::unwrap) {
        for cell in row.iter() {
            assert!(
                !cell.trim_start().starts_with(['=', '+', '-', '@', '＝']),
                "{cell}"
            );
        }
    }
}

#[test]
fn what_an_export_does_not_know_is_refused_before_it_begins() {
    let daybook = TestDaybook::start();
    for (query, field) in [
        ("", "format"),
        ("format=", "format"),
        ("format=xml", "format"),
        ("format=CSV", "format"),
        ("format=csv&format=csv", "format"),
        ("format=csv&limit=5", "limit"),
        ("format=csv&category=X", "category"),
        ("format=csv&workspace_id=a%20b", "workspace_id"),
    ] {
        daybook
            .get(&format!("{ACTIVITY}/export?{query}"))
            .refuses(&[field]);
    }
}

#[test]
fn the_end_of_an_export_is_its_last_chunk() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&vec![entry(); 1_000]);
    let mut raw = Raw::to(daybook.address);
    let path = format!("{ACTIVITY}/export?format=ndjson");
    let answer = raw.exchange(raw::get(&path));
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert_eq!(lines(&answer).len(), 1_000);
    // The connection is as good as before.
    assert_eq!(raw.exchange(raw::get("/healthz")).status, 200);
    // Whoever turns away in the middle harms nobody.
    for _ in 0..20 {
        Raw::to(daybook.address).send(raw::get(&path));
    }
    assert_eq!(raw.exchange(raw::get(&path)).status, 200);
}

#[test]
fn the_head_of_an_export_has_its_headers_and_no_body() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&vec![entry(); 10]);
    let mut raw = Raw::to(daybook.address);
    let path = format!("{ACTIVITY}/export?format=csv");
    raw.send(raw::get(&path).replace("GET", "HEAD"));
    let head = raw.head_answer();
    assert_eq!(
        (head.status, head.header("content-type")),
        (200, "text/csv; charset=utf-8")
    );
    assert_eq!(
        raw.exchange(raw::get("/healthz")).json(),
        json!({"status": "ok"})
    );
}

#[test]
fn an_export_of_any_length_takes_constant_memory() {
    let daybook = Spawned::start(&[]);
    let url = format!("http://{}{ACTIVITY}", daybook.address);
    let message = "m".repeat(200);
    let entry = entry_with(json!({"message": message})).to_string();
    for _ in 0..10 {
        let lines = vec![entry.as_str(); 5_000].join("\n");
        client::ask(
            &daybook.agent,
            Method::POST,
            &url,
            &[NDJSON],
            lines.as_bytes(),
        )
        .ok();
    }
    let ask = |format: &str| {
        let path = format!("{url}/export?format={format}");
        client::ask(&daybook.agent, Method::GET, &path, &[], b"")
    };
    ask("ndjson");
    daybook.forget_peak();
    let before = daybook.peak();
    for format in ["csv", "json", "ndjson"] {
        let answer = ask(format);
        assert!(answer.body.len() > 15_000_000, "{}", answer.body.len());
        assert_eq!(
            answer.body.iter().filter(|byte| **byte == b'\n').count() / 50_000,
            1
        );
    }
    let grown = daybook.peak().saturating_sub(before);
    println!("three exports grew the memory by {} KiB", grown / 1024);
    assert!(grown < 16 << 20, "{grown}");
}
