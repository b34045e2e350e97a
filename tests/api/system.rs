//! The daemon itself: is it there, what does it say of itself, and is its description true.

use crate::client::{ACTIVITY, JSON, entry};
use crate::harness::TestDaybook;
use daybook::domain::entry::KEYS;
use daybook::http::routes::TABLE;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn a_daemon_that_works_says_so() {
    let daybook = TestDaybook::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(daybook.get(path).ok(), json!({"status": "ok"}));
    }
}

#[test]
fn the_daemon_tells_about_itself_and_its_book() {
    let daybook = TestDaybook::start();
    let empty = daybook.get("/api/v1/system/info").ok();
    assert_eq!(
        (&empty["book"]["first_seq"], &empty["book"]["last_ts"]),
        (&json!(null), &json!(null))
    );
    let told = daybook.record(&entry()).ok();
    let info = daybook.get("/api/v1/system/info").ok();
    assert_eq!(info["name"], "daybook");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&info["book"]["first_seq"], &info["book"]["last_seq"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(info["book"]["last_ts"], told["ts"]);
    assert!(info["book"]["bytes"].as_u64().unwrap() > 0);
    assert!(
        info["book"]["engine"]
            .as_str()
            .unwrap()
            .starts_with("SQLite 3.")
    );
    assert_eq!(
        info["writer"],
        json!({"health": "writable", "queue_entries": 0, "queue_bytes": 0})
    );
    assert!(info["now"].as_str() >= info["started_at"].as_str());
    daybook.get("/api/v1/system/info?x=1").refuses(&["x"]);
}

#[test]
fn the_metrics_tell_what_was_done() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    daybook.post(&[JSON], "{}").problem(400);
    daybook.post(&[JSON], "nope").problem(400);
    daybook.post(&[JSON], "[{},1]").ok();
    daybook
        .post(&[JSON], " ".repeat((1 << 20) + 1))
        .problem(413);
    daybook.get("/nowhere/1").problem(404);
    daybook.get("/nowhere/2").problem(404);
    daybook.get(&format!("{ACTIVITY}/x")).problem(404);
    let answer = daybook.get("/metrics");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let text = answer.text();
    let classic = daybook.ask(
        ureq::http::Method::GET,
        "/metrics",
        &[("accept", "text/plain;version=0.0.4")],
        b"",
    );
    assert_eq!(
        classic.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for line in [
        "# TYPE daybook_entries_recorded_total counter",
        "daybook_entries_recorded_total 1",
    ] {
        assert!(classic.text().lines().any(|held| held == line), "{line}");
    }
    assert!(!classic.text().contains("# EOF") && text.contains("# EOF"));
    for line in [
        "daybook_entries_recorded_total 1",
        "daybook_entries_rejected_total{reason=\"invalid\"} 2",
        "daybook_entries_rejected_total{reason=\"malformed\"} 2",
        "daybook_entries_rejected_total{reason=\"too_large\"} 1",
        "daybook_last_seq 1",
        "daybook_http_requests_total{method=\"POST\",route=\"/api/v1/activity\",status=\"201\"} 1",
        "daybook_http_requests_total{method=\"POST\",route=\"/api/v1/activity\",status=\"413\"} 1",
        "daybook_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "daybook_http_requests_total{method=\"GET\",route=\"/api/v1/activity/{id}\",status=\"404\"} 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}");
    }
}

#[test]
fn strangers_make_the_metrics_no_longer() {
    let daybook = TestDaybook::start();
    for n in 0..50 {
        let method = ureq::http::Method::from_bytes(format!("M{n}").as_bytes()).unwrap();
        daybook
            .ask(method, &format!("/x/{n}"), &[], b"")
            .problem(404);
    }
    let series = daybook.get("/metrics").text();
    let requests = series
        .lines()
        .filter(|l| l.starts_with("daybook_http_requests_total"))
        .count();
    assert_eq!(requests, 1, "{series}");
}

fn description(daybook: &TestDaybook) -> Value {
    daybook.get("/api/openapi.json").ok()
}

/// Every operation of the description: its method, its path, and what stands there.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods
                .iter()
                .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        })
        .collect()
}

#[test]
fn the_description_lists_what_the_url_table_lists() {
    let daybook = TestDaybook::start();
    let described: BTreeSet<(String, String)> = operations(&description(&daybook))
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let table: BTreeSet<(String, String)> = TABLE
        .iter()
        .map(|line| (line.method.to_string(), line.path.to_owned()))
        .collect();
    assert_eq!(described, table);
}

/// Every `$ref` in it.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    if let Some(reference) = value["$ref"].as_str() {
        found.insert(reference);
    }
    let inner = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.values());
    let items = value.as_array().into_iter().flatten();
    inner
        .chain(items)
        .for_each(|value| references(value, found));
}

#[test]
fn the_description_refers_to_nothing_that_is_not_in_it() {
    let daybook = TestDaybook::start();
    let document = description(&daybook);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 5, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or("/elsewhere");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_route_has_an_example_of_all_that_goes_in_and_comes_out() {
    let daybook = TestDaybook::start();
    for (method, path, operation) in operations(&description(&daybook)) {
        let at = format!("{method} {path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let given = parameter
                .get("example")
                .or(parameter["schema"].get("example"));
            assert!(given.is_some(), "{at}: {}", parameter["name"]);
        }
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = name.trim_end_matches('}');
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters
                    .iter()
                    .any(|p| p["name"] == name && p["in"] == "path"),
                "{at}"
            );
        }
        let bodies = operation["requestBody"]["content"].as_object();
        for (kind, content) in bodies.into_iter().flatten() {
            assert!(!content["example"].is_null(), "{at}: {kind}");
        }
        let responses = operation["responses"].as_object().unwrap();
        let is_good = |status: &&String| status.starts_with('2') || *status == "101";
        let good: Vec<&String> = responses.keys().filter(is_good).collect();
        assert!(!good.is_empty(), "{at}");
        for status in good {
            for (kind, content) in responses[status]["content"].as_object().unwrap() {
                let given = content.get("example").or(content.get("examples"));
                assert!(given.is_some(), "{at}: {status} {kind}");
            }
        }
        for (status, response) in responses.iter().filter(|(s, _)| !is_good(s)) {
            if path != "/readyz" {
                assert!(
                    response["content"]["application/problem+json"].is_object(),
                    "{at}: {status}"
                );
            }
        }
    }
}

#[test]
fn the_described_entry_has_the_keys_of_an_entry() {
    let daybook = TestDaybook::start();
    let schemas = description(&daybook)["components"]["schemas"].take();
    let described = |name: &str| -> BTreeSet<String> {
        schemas[name]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let keys: BTreeSet<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(described("Entry"), keys);
    let required = schemas["Entry"]["required"].as_array().unwrap();
    assert_eq!(
        required.len(),
        KEYS.len(),
        "every key is always there: {required:?}"
    );
    let new: BTreeSet<String> = keys.into_iter().filter(|key| key != "ts").collect();
    assert_eq!(described("NewEntry"), new);
}

#[test]
fn the_example_of_an_entry_can_be_recorded() {
    let daybook = TestDaybook::start();
    let document = description(&daybook);
    let content = &document["paths"][ACTIVITY]["post"]["requestBody"]["content"];
    daybook.record(&content["application/json"]["example"]).ok();
    let lines = content["application/x-ndjson"]["example"].as_str().unwrap();
    let told = daybook.post(&[crate::client::NDJSON], lines).ok();
    assert_eq!(told["rejected"], json!([]));
}

#[test]
fn the_docs_show_every_address_and_fetch_nothing_from_elsewhere() {
    let daybook = TestDaybook::start();
    let page = daybook.get("/api/docs");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    let text = page.text();
    for line in TABLE {
        assert!(text.contains(line.path), "{}", line.path);
    }
    for elsewhere in [
        "<script",
        "src=",
        "=\"http",
        "='http",
        "=http",
        "url(",
        "@import",
        "href=\"//",
    ] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    let style = daybook.get("/api/docs.css");
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(!style.text().contains("url("));
}
