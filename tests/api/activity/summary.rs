//! `GET /api/v1/activity/facets` and `GET /api/v1/activity/histogram`.

use crate::client::{ACTIVITY, entry, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

fn asked(daybook: &TestDaybook, what: &str) -> Value {
    daybook.get(&format!("{ACTIVITY}/{what}")).ok()
}

#[test]
fn facets_count_by_value_in_the_whole_book_and_under_a_filter() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&[
        entry(),
        entry(),
        entry_with(json!({"category": "auth", "severity": "error"})),
    ]);
    let whole = asked(&daybook, "facets");
    assert_eq!(
        whole["facets"]["severity"],
        json!([{"value": "info", "count": 2}, {"value": "error", "count": 1}])
    );
    assert_eq!(
        (&whole["capped"], &whole["from_seq"]),
        (&json!(false), &json!(1))
    );
    let keys: Vec<&String> = whole["facets"].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 5);
    let errors = asked(&daybook, "facets?severity=error&since=1h");
    assert_eq!(
        errors["facets"]["category"],
        json!([{"value": "auth", "count": 1}])
    );
    let elsewhere = asked(&daybook, "facets?workspace_id=other");
    assert_eq!(elsewhere["facets"]["category"], json!([]));
}

#[test]
fn a_histogram_has_at_most_the_buckets_asked_for_and_says_its_range() {
    let daybook = TestDaybook::start();
    daybook.record_lines(&[entry(), entry_with(json!({"severity": "warning"}))]);
    for (query, seconds) in [
        ("since=24h&buckets=500", 300),
        ("since=24h&buckets=49", 1_800),
    ] {
        let histogram = asked(&daybook, &format!("histogram?{query}"));
        assert_eq!(histogram["bucket_seconds"], seconds, "{histogram}");
        let buckets = histogram["buckets"].as_array().unwrap();
        assert_eq!(buckets[0]["start"], histogram["since"]);
        let sum = |name: &str| -> u64 { buckets.iter().map(|b| b[name].as_u64().unwrap()).sum() };
        assert_eq!((sum("info"), sum("warning"), sum("error")), (1, 1, 0));
    }
    let alone = asked(&daybook, "histogram?severity=warning&buckets=1");
    assert_eq!(alone["buckets"].as_array().unwrap().len(), 1);
    assert_eq!(alone["buckets"][0]["warning"], 1);
}

#[test]
fn what_facets_and_histograms_do_not_know_is_refused() {
    let daybook = TestDaybook::start();
    for (query, field) in [
        ("facets?buckets=5", "buckets"),
        ("facets?limit=5", "limit"),
        ("histogram?buckets=0", "buckets"),
        ("histogram?buckets=501", "buckets"),
        ("histogram?buckets=many", "buckets"),
        ("histogram?since=soon", "since"),
    ] {
        daybook
            .get(&format!("{ACTIVITY}/{query}"))
            .refuses(&[field]);
    }
}
