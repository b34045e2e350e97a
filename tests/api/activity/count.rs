//! `GET /api/v1/activity/count`.

use crate::client::{ACTIVITY, entry, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

fn counted(daybook: &TestDaybook, query: &str) -> Value {
    daybook.get(&format!("{ACTIVITY}/count?{query}")).ok()
}

#[test]
fn a_count_says_how_many_there_are() {
    let daybook = TestDaybook::start();
    assert_eq!(
        daybook.get(&format!("{ACTIVITY}/count")).text(),
        r#"{"count":0,"capped":false}"#
    );
    daybook.record_lines(&[entry(), entry(), entry_with(json!({"category": "auth"}))]);
    assert_eq!(counted(&daybook, ""), json!({"count": 3, "capped": false}));
    assert_eq!(
        counted(&daybook, "category=auth"),
        json!({"count": 1, "capped": false})
    );
    assert_eq!(counted(&daybook, "category=auth&exact=true")["count"], 1);
    assert_eq!(
        counted(&daybook, "workspace_id=other&exact=false")["count"],
        0
    );
}

/// What is counted under a filter is cut short where it takes long, too: the fullest answer of some.
fn counted_at_best(daybook: &TestDaybook, query: &str) -> Value {
    let mut answers = (0..20).map(|_| counted(daybook, query));
    let full = answers.find(|answer| answer["count"] == 10_000);
    full.unwrap_or_else(|| counted(daybook, query))
}

#[test]
fn under_a_filter_a_count_is_exact_up_to_its_cap_and_says_so_beyond() {
    let daybook = TestDaybook::start();
    let lines = |n: usize| vec![entry(); n];
    daybook.record_lines(&lines(10_000));
    assert_eq!(
        counted_at_best(&daybook, "category=entity"),
        json!({"count": 10_000, "capped": false})
    );
    daybook.record_lines(&lines(500));
    for filter in [
        "category=entity",
        "severity=info",
        "q=task",
        "action=task.*",
        "actor=anonymous",
    ] {
        assert_eq!(
            counted_at_best(&daybook, filter),
            json!({"count": 10_000, "capped": true}),
            "{filter}"
        );
        let exact = counted(&daybook, &format!("{filter}&exact=true"));
        assert_eq!(exact, json!({"count": 10_500, "capped": false}), "{filter}");
    }
    for free in [
        "",
        "since=1h",
        "until=2000-01-01T00:00:00Z",
        "workspace_id=*",
    ] {
        assert_eq!(counted(&daybook, free)["capped"], false, "{free}");
    }
    assert_eq!(counted(&daybook, "since=1h")["count"], 10_500);
}

#[test]
fn what_a_count_does_not_know_is_refused() {
    let daybook = TestDaybook::start();
    for (query, field) in [
        ("exact=yes", "exact"),
        ("exact=", "exact"),
        ("exact=true&exact=true", "exact"),
        ("limit=5", "limit"),
        ("before_seq=5", "before_seq"),
        ("format=csv", "format"),
    ] {
        daybook
            .get(&format!("{ACTIVITY}/count?{query}"))
            .refuses(&[field]);
    }
}
