//! The filters, as they come over the wire: the same for pages, trails, counts and exports.

use crate::client::{ACTIVITY, each, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

fn varied() -> TestDaybook {
    let daybook = TestDaybook::start();
    let told = daybook.record_lines(&[
        entry_with(json!({"id": "a", "category": "auth", "severity": "warning", "action": "auth.failed",
            "actor": "Zoë Müller", "message": "Wrong password for 100% of tries"})),
        entry_with(json!({"id": "b", "category": "device", "severity": "error", "action": "device.lost",
            "actor": "a+b", "entity_type": "lamp", "entity_id": "x/y z", "message": "snake_case is gone"})),
        entry_with(json!({"id": "c", "action": "device.found", "actor": "a b", "entity_type": "lamp",
            "entity_id": "100", "message": "Änderung 50 percent"})),
        entry_with(json!({"id": "d", "category": "system", "action": "device", "actor": "a,b&c=d",
            "message": "SNAKEXCASE; 'quoted' \\ back"})),
    ]);
    assert_eq!(told["accepted"], 4, "{told}");
    daybook
}

fn newest_of_ours(daybook: &TestDaybook) -> String {
    let newest = daybook.get(&format!("{ACTIVITY}/d")).ok();
    newest["entry"]["ts"].as_str().unwrap().to_owned()
}

/// The ids that a filter finds, in the order of the book; a page, a count and an export agree.
fn found(daybook: &TestDaybook, filter: &str) -> String {
    // The exports below are entries too, in a category that none of these has but one.
    let filter = &match filter.contains("until=") {
        true => filter.to_owned(),
        false => format!("{filter}&until={}", newest_of_ours(daybook)),
    };
    let page = daybook.page(&format!("after_seq=0&{filter}"));
    let ids = each(&page, "id").concat();
    let count = daybook.get(&format!("{ACTIVITY}/count?{filter}")).ok();
    assert_eq!(count["count"], ids.len(), "{filter}");
    let export = daybook
        .get(&format!("{ACTIVITY}/export?format=json&{filter}"))
        .ok();
    assert_eq!(export, page["items"], "{filter}");
    ids
}

#[test]
fn every_filter_narrows_as_it_says() {
    let daybook = varied();
    for (filter, ids) in [
        ("", "abcd"),
        ("category=auth", "a"),
        ("category=auth,device", "ab"),
        ("category=device&category=auth", "ab"),
        ("category=auth%2Csystem&category=auth", "ad"),
        ("severity=warning,error", "ab"),
        ("severity=info", "cd"),
        ("action=device.lost", "b"),
        ("action=device.*", "bc"),
        ("action=device*", "bcd"),
        ("action=device.%2A", "bc"),
        ("action=*", "abcd"),
        ("action=nothing.*", ""),
        ("actor=Zo%C3%AB+M%C3%BCller", "a"),
        ("actor=Zo%c3%ab%20M%c3%bcller", "a"),
        ("actor=a%2Bb", "b"),
        ("actor=a+b", "c"),
        ("actor=a%2Cb%26c%3Dd", "d"),
        ("actor=A%2BB", ""),
        ("entity_type=lamp", "bc"),
        ("entity_id=x/y%20z", "b"),
        ("entity_id=x%2Fy+z", "b"),
        ("entity_type=lamp&entity_id=100", "c"),
        ("q=PASSWORD", "a"),
        ("q=%25", "a"),
        ("q=_", "b"),
        ("q=snake", "bd"),
        ("q=snake_case", "b"),
        ("q=%C3%84nderung", "c"),
        ("q=%C3%A4nderung", ""),
        ("q='quoted'%20%5C", "d"),
        ("q=*", ""),
        (
            "category=entity&q=percent&severity=info&action=device.*&actor=a+b",
            "c",
        ),
        ("not_category=auth,system", "bc"),
        ("not_severity=info", "ab"),
        ("not_severity=info&not_severity=error", "a"),
        ("not_actor=a+b&not_actor=a%2Bb", "ad"),
        ("not_action=device.*", "ad"),
        ("not_action=device.lost&not_action=device", "ac"),
        ("not_entity_type=lamp", "ad"),
        ("not_entity_id=100", "abd"),
        ("action=device*&not_action=device.*", "d"),
        ("category=device&not_category=device", ""),
        ("since=1h", "abcd"),
        ("until=1h", ""),
        ("since=7d&until=1h", ""),
        ("since=2000-01-01T00:00:00Z", "abcd"),
        ("until=2000-01-01T02:00:00%2B02:00", ""),
        ("since=9999-12-31T23:59:59.999999Z", ""),
    ] {
        assert_eq!(found(&daybook, filter), ids, "{filter}");
    }
}

#[test]
fn a_moment_of_an_entry_is_within_its_own_bounds() {
    let daybook = varied();
    let ts = daybook.entry("b")["ts"].as_str().unwrap().to_owned();
    let all = found(&daybook, &format!("since={ts}&until={ts}"));
    // One commit is one moment or several; the entry itself is always among them.
    assert!(all.contains('b'), "{all}");
}

#[test]
fn a_bad_value_is_refused_by_its_parameter() {
    let daybook = varied();
    for (filter, name) in [
        ("category=no%20pe", "category"),
        ("category=auth,", "category"),
        ("category=", "category"),
        ("category=Auth", "category"),
        ("severity=fatal", "severity"),
        ("severity=info,,error", "severity"),
        ("actor=", "actor"),
        ("actor=a&actor=b", "actor"),
        ("action=a*b", "action"),
        ("action=**", "action"),
        ("action=a%20b", "action"),
        ("action=%25", "action"),
        ("entity_type=&category=auth", "entity_type"),
        ("since=yesterday", "since"),
        ("since=24", "since"),
        ("since=-24h", "since"),
        ("since=2026-02-30T00:00:00Z", "since"),
        ("until=2026-01-01T00:00:00+02:00", "until"),
        ("until=2026-01-01", "until"),
        ("q=", "q"),
        ("q=a&q=b", "q"),
    ] {
        for below in ["", "/count", "/export?format=csv", "/audit/task/1"] {
            let join = if below.contains('?') { '&' } else { '?' };
            daybook
                .get(&format!("{ACTIVITY}{below}{join}{filter}"))
                .refuses(&[name]);
        }
    }
    for (name, most) in [
        ("actor", 256),
        ("entity_type", 64),
        ("entity_id", 256),
        ("q", 256),
    ] {
        let of = |n: usize| format!("{ACTIVITY}?{name}={}", "%C3%BC".repeat(n));
        assert_eq!(daybook.get(&of(most)).status, 200, "{name}");
        daybook.get(&of(most + 1)).refuses(&[name]);
    }
    let many = vec!["auth"; 65].join(",");
    daybook
        .get(&format!("{ACTIVITY}?category={many}"))
        .refuses(&["category"]);
}

#[test]
fn bytes_that_are_no_text_are_refused_and_not_guessed_at() {
    let daybook = varied();
    for (query, name) in [
        ("actor=%FF", "actor"),
        ("q=%C3", "q"),
        ("q=%ED%A0%80", "q"),
        ("entity_id=a%80b", "entity_id"),
        ("limit=%FE", "limit"),
        ("workspace_id=%C3%28", "workspace_id"),
    ] {
        daybook.get(&format!("{ACTIVITY}?{query}")).refuses(&[name]);
    }
    // A percent sign without its two digits means itself, as browsers have it.
    assert_eq!(found(&daybook, "q=100%+of"), "a");
}

#[test]
fn a_moment_far_away_is_no_crash() {
    let daybook = varied();
    for far in [
        "999999999y",
        "10000y",
        "18446744073709551615s",
        "584542046090y",
    ] {
        let status = daybook.get(&format!("{ACTIVITY}?since={far}")).status;
        assert!(status == 200 || status == 400, "{far}");
    }
    for at in [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2016-12-31T23:59:60Z",
    ] {
        let status = daybook.get(&format!("{ACTIVITY}?until={at}")).status;
        assert!(status == 200 || status == 400, "{at}");
    }
}

#[test]
fn several_wrong_parameters_are_told_together() {
    let daybook = varied();
    let answer = daybook.get(&format!("{ACTIVITY}?category=X&severity=y&colour=z"));
    answer.refuses(&["category", "severity", "colour"]);
    let detail = answer.json()["detail"].take();
    assert!(detail != Value::Null && detail.as_str().unwrap().contains("severity"));
}
