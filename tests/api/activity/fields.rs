//! What a field of an entry may say, at the edge of every limit.

use crate::client::{JSON, entry, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};

/// Takes the one, and refuses the other by the field's name.
fn edge(daybook: &TestDaybook, field: &str, taken: Value, refused: Value) {
    let answer = daybook.record(&entry_with(json!({field: taken})));
    assert_eq!(answer.status, 201, "{field}: {}", answer.text());
    let id = answer.json()["id"].take();
    let page = daybook.page("workspace_id=*&limit=1");
    assert_eq!(page["items"][0]["id"], id);
    assert_eq!(page["items"][0][field], taken, "{field}");
    daybook
        .record(&entry_with(json!({field: refused})))
        .refuses(&[field]);
}

#[test]
fn every_limit_holds_at_its_edge_and_is_counted_in_characters() {
    let daybook = TestDaybook::start();
    for (field, most, character) in [
        ("id", 64, "a"),
        ("action", 128, "b"),
        ("workspace_id", 64, "w"),
        ("actor", 256, "ü"),
        ("entity_type", 64, "類"),
        ("entity_id", 256, "💡"),
        ("entity_name", 256, "\u{10ffff}"),
        ("message", 4096, "💡"),
        ("ip_address", 64, ":"),
        ("user_agent", 512, "é"),
    ] {
        let of = |n: usize| Value::from(character.repeat(n));
        edge(&daybook, field, of(most), of(most + 1));
    }
}

#[test]
fn metadata_is_bounded_in_its_encoded_size_and_in_its_depth() {
    let daybook = TestDaybook::start();
    let sized = |n: usize| json!({"a": "x".repeat(n - r#"{"a":""}"#.len())});
    edge(&daybook, "metadata", sized(16 * 1024), sized(16 * 1024 + 1));
    let deep = |n: usize| {
        let text = format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
        serde_json::from_str::<Value>(&text).unwrap()
    };
    edge(&daybook, "metadata", deep(31), deep(32));
}

#[test]
fn an_entry_is_bounded_as_it_comes_in() {
    let daybook = TestDaybook::start();
    let padded = |n: usize| {
        let entry = entry().to_string();
        let (start, end) = entry.split_at(entry.len() - 1);
        format!("{start}{}{end}", " ".repeat(n - entry.len()))
    };
    assert_eq!(daybook.post(&[JSON], padded(64 * 1024)).status, 201);
    daybook
        .post(&[JSON], padded(64 * 1024 + 1))
        .refuses(&["entry"]);
}

#[test]
fn what_the_book_gives_may_not_be_said() {
    let daybook = TestDaybook::start();
    for field in ["ts", "seq"] {
        for value in [json!(1), json!("2026-01-01T00:00:00Z"), json!(null)] {
            daybook
                .record(&entry_with(json!({field: value})))
                .refuses(&[field]);
        }
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn what_is_no_field_is_refused_by_its_name() {
    let daybook = TestDaybook::start();
    for field in [
        "colour",
        "Message",
        "",
        " ",
        "__proto__",
        "💡",
        "entity",
        "$where",
    ] {
        daybook
            .record(&entry_with(json!({field: "x"})))
            .refuses(&[field]);
    }
}

#[test]
fn a_value_of_another_type_is_refused_by_its_field() {
    let daybook = TestDaybook::start();
    let texts = [
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
    ];
    for field in texts {
        for value in [
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!(1.5),
            json!(["x"]),
        ] {
            daybook
                .record(&entry_with(json!({field: value})))
                .refuses(&[field]);
        }
    }
    for value in [json!(1), json!("{}"), json!([]), json!(false)] {
        daybook
            .record(&entry_with(json!({"metadata": value})))
            .refuses(&["metadata"]);
    }
    for whole in ["1", "null", "\"x\"", "true", "1.5"] {
        daybook.post(&[JSON], whole).refuses(&["entry"]);
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn a_field_given_twice_is_refused() {
    let daybook = TestDaybook::start();
    let twice = r#"{"category":"auth","action":"a","message":"m","actor":"x","actor":"y"}"#;
    daybook.post(&[JSON], twice).refuses(&["actor"]);
}

#[test]
fn what_is_required_is_named_when_it_is_missing() {
    let daybook = TestDaybook::start();
    daybook
        .post(&[JSON], "{}")
        .refuses(&["category", "action", "message"]);
    for field in ["category", "action", "message", "actor"] {
        daybook
            .record(&entry_with(json!({field: ""})))
            .refuses(&[field]);
    }
}

#[test]
fn a_category_is_one_of_the_five_or_of_the_owners() {
    let daybook = TestDaybook::with("[activity]\nextra_categories = ['billing']");
    for category in ["auth", "device", "entity", "capture", "system", "billing"] {
        let answer = daybook.record(&entry_with(json!({"category": category})));
        assert_eq!(answer.status, 201, "{category}");
    }
    for category in ["Auth", "auth ", "other", "*", "auth,device"] {
        daybook
            .record(&entry_with(json!({"category": category})))
            .refuses(&["category"]);
    }
}

#[test]
fn a_word_that_is_a_route_is_no_id() {
    let daybook = TestDaybook::start();
    let words = [
        "count",
        "facets",
        "histogram",
        "export",
        "settings",
        "audit",
        "prune",
        "by-actor",
    ];
    for id in words
        .into_iter()
        .chain(["", "a b", "ä", "a/b", "a.b", "%41"])
    {
        daybook
            .record(&entry_with(json!({"id": id})))
            .refuses(&["id"]);
    }
}

#[test]
fn control_characters_are_refused_in_what_is_looked_up_and_replaced_in_what_is_read() {
    let daybook = TestDaybook::start();
    for control in ["\u{0}", "\u{7}", "\n", "\u{1b}", "\u{7f}", "\u{85}"] {
        for field in [
            "id",
            "action",
            "actor",
            "entity_type",
            "entity_id",
            "workspace_id",
        ] {
            let value = format!("a{control}b");
            daybook
                .record(&entry_with(json!({field: value})))
                .refuses(&[field]);
        }
        let text = format!("a{control}b");
        let said = entry_with(json!({"id": "x", "message": text, "entity_name": text}));
        let id = format!("x{:x}", control.chars().next().unwrap() as u32);
        daybook.record(&entry_with(json!({
            "id": id, "message": said["message"], "entity_name": said["entity_name"]
        })));
        let kept = daybook.entry(&id);
        assert_eq!(kept["message"], "a\u{fffd}b");
        assert_eq!(kept["entity_name"], "a\u{fffd}b");
    }
}

#[test]
fn metadata_is_kept_in_its_canonical_form() {
    let daybook = TestDaybook::start();
    let body = r#"{"id":"m","category":"auth","action":"a","message":"m",
        "metadata":{"z":1,"a":{"y":-0.0,"b":"x\u0000"},"z":2,"big":18446744073709551615,"e":1e3}}"#;
    daybook.post(&[JSON], body).ok();
    let page = daybook.get("/api/v1/activity/m").text();
    let canonical = "\"metadata\":{\"a\":{\"b\":\"x\u{fffd}\",\"y\":0.0},\"big\":18446744073709551615,\"e\":1000.0,\"z\":2}";
    assert!(page.contains(canonical), "{page}");
}

#[test]
fn sql_and_markup_come_back_as_they_were_sent() {
    let daybook = TestDaybook::start();
    let hostile = [
        "'; DROP TABLE activity_log; --",
        "\" OR 1=1 --",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "../../etc/hosts",
        "%00%27",
        "\\u0027",
        "Robert'); DROP TABLE activity_log;--",
        "=cmd|' /C calc'!A0",
        "%s%n",
        "\u{202e}rtl",
        "a\u{300}\u{301}",
    ];
    for (n, text) in hostile.iter().enumerate() {
        let said = json!({
            "id": format!("h{n}"), "category": "entity", "action": "a", "actor": text,
            "entity_type": text, "entity_id": text, "entity_name": text, "message": text,
            "metadata": {*text: text}, "ip_address": text, "user_agent": text
        });
        daybook.record(&said).ok();
        let kept = daybook.entry(&format!("h{n}"));
        for (key, value) in said.as_object().unwrap() {
            assert_eq!(&kept[key], value, "{key}");
        }
    }
    assert_eq!(daybook.count(), hostile.len() as u64);
}
