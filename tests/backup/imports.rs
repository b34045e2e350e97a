//! `daybook import`.

use crate::harness::{Place, actions, messages, whole};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::Stdio;

/// Lines as an export has them, the times a second apart.
fn line(i: usize) -> Value {
    json!({
        "id": format!("al_{i:032x}"), "ts": format!("2026-01-01T00:{:02}:{:02}.000000Z", i / 60, i % 60),
        "category": "entity", "action": "task.created", "severity": "info", "actor": "anna",
        "entity_type": null, "entity_id": null, "entity_name": null, "message": format!("line {i}"),
        "metadata": {"i": i}, "workspace_id": "default", "ip_address": null, "user_agent": null
    })
}

fn write(place: &Place, name: &str, lines: impl IntoIterator<Item = Value>) {
    let text: String = lines.into_iter().map(|line| format!("{line}\n")).collect();
    fs::write(place.path(name), text).unwrap();
}

#[test]
fn export_and_import_and_export_give_the_same_bytes() {
    let source = Place::new();
    let daemon = source.serve(&[]);
    for body in [
        json!({"category": "auth", "action": "auth.login", "message": "ü “quoted” \\ \" and\ttab"}),
        json!({"category": "device", "action": "device.online", "message": "m", "severity": "error",
            "id": "my-own_id", "workspace_id": "other", "entity_type": "lamp", "entity_id": "7",
            "entity_name": "The lamp", "ip_address": "2001:db8::1", "user_agent": "x",
            "metadata": {"b": [1, 2.5, -0.0, null, {"x": "y"}], "a": 1e21, "password": "hunter2"}}),
        json!({"category": "system", "action": "x", "message": "dbk_abc_def"}),
    ] {
        assert_eq!(daemon.post("/api/v1/activity", &body).0, 201);
    }
    daemon.stop();
    let once = source.exported();
    assert!(once.lines().count() >= 3);
    let place = Place::new();
    fs::write(place.path("all.ndjson"), &once).unwrap();
    place.ok(&["import", "all.ndjson"]);
    let twice = place.exported();
    let (imported, record) = twice.split_at(once.len());
    assert_eq!(imported, once);
    assert!(record.contains("activity_log.imported") && record.lines().count() == 1);
    let third = place.exported();
    let exported = third.strip_prefix(&twice).unwrap();
    assert!(exported.contains("activity_log.exported") && exported.lines().count() == 1);
}

#[test]
fn imported_lines_keep_id_and_ts_and_get_new_numbers_in_another_history() {
    let place = Place::new();
    place.serve(&[]).stop();
    let (before, own) = whole(&place.book());
    write(&place, "all.ndjson", (0..100).map(line));
    place.ok(&["import", "all.ndjson"]);
    let (head, entries) = whole(&place.book());
    assert_ne!(head.epoch, before.epoch);
    let expected: Vec<String> = (0..100).map(|i| format!("line {i}")).collect();
    assert_eq!(messages(&entries[..100]), expected);
    assert_eq!(entries[7].entry.id.as_str(), format!("al_{:032x}", 7));
    assert_eq!(
        entries[7].entry.ts.to_string(),
        "2026-01-01T00:00:07.000000Z"
    );
    assert!(entries[0].seq > before.last_seq, "no number is given twice");
    let after: Vec<_> = own.iter().map(|stored| &stored.entry.id).collect();
    let moved: Vec<_> = entries[100..]
        .iter()
        .map(|stored| &stored.entry.id)
        .collect();
    assert_eq!(moved[..own.len()], after);
    assert_eq!(
        actions(&entries[100 + own.len()..]),
        ["activity_log.imported"]
    );
    assert_eq!(place.former_books(), [""; 0]);
}

#[test]
fn one_wrong_line_in_the_middle_refuses_all_and_names_line_and_field() {
    let place = Place::new();
    place.serve(&[]).stop();
    let before = whole(&place.book());
    let mut wrong: Vec<(&str, &str, Value)> = Vec::new();
    let mut changed = |field: &'static str, named: &'static str, value: Value| {
        let mut bad = line(5000);
        bad[field] = value;
        wrong.push((field, named, bad));
    };
    changed("message", "message", json!(""));
    changed("category", "category", json!("billing"));
    changed("action", "action", json!("has space"));
    changed("ts", "ts", json!("2025-01-01T00:00:00.000000Z"));
    changed("ts", "ts", json!("2999-01-01T00:00:00.000000Z"));
    changed("ts", "ts", json!("yesterday"));
    changed("id", "id", json!(format!("al_{:032x}", 17)));
    changed("id", "id", Value::Null);
    changed("colour", "colour", json!("red"));
    changed("metadata", "metadata", json!([]));
    for (field, named, bad) in wrong {
        let lines = (0..2500).map(line).map(|mut line| {
            line["ts"] = json!("2026-01-01T00:00:00.000000Z");
            line
        });
        let mut lines: Vec<Value> = lines.collect();
        let mut bad = bad;
        if field != "ts" {
            bad["ts"] = json!("2026-01-01T00:00:00.000000Z");
        }
        lines[2200] = bad;
        write(&place, "bad.ndjson", lines);
        let refused = place.run(&["import", "bad.ndjson"]);
        assert_eq!(refused.code, 65, "{field}: {refused:?}");
        assert!(
            refused.err.contains(&format!("line 2201: {named}: ")),
            "{refused:?}"
        );
        assert_eq!(whole(&place.book()), before, "{field}");
    }
    let left = place.files();
    assert!(
        !left.iter().any(|name| name.contains("importing")),
        "{left:?}"
    );
}

#[test]
fn a_time_that_is_not_right_is_set_right_only_when_told_to() {
    let place = Place::new();
    let mut lines: Vec<Value> = (0..10).map(line).collect();
    lines[4]["ts"] = json!("2025-06-01T00:00:00.000000Z");
    lines[9]["ts"] = json!("2999-01-01T00:00:00.000000Z");
    write(&place, "all.ndjson", lines);
    assert_eq!(place.run(&["import", "all.ndjson"]).code, 65);
    place.ok(&["import", "--restamp", "all.ndjson"]);
    let (_, entries) = whole(&place.book());
    let of = |i: usize| &entries[i].entry;
    assert_eq!(of(3).ts.to_string(), "2026-01-01T00:00:03.000000Z");
    assert_eq!(of(4).ts.to_string(), "2026-01-01T00:00:03.000001Z");
    let kept = |i: usize| of(i).metadata.to_object()["occurred_at"].clone();
    assert_eq!(kept(4), "2025-06-01T00:00:00.000000Z");
    assert_eq!(kept(9), "2999-01-01T00:00:00.000000Z");
    assert!(of(9).ts.to_string().as_str() < "2999");
    assert_eq!(of(5).ts.to_string(), "2026-01-01T00:00:05.000000Z");
}

#[test]
fn a_line_that_lies_ahead_moves_alone() {
    let ahead = || json!("2099-01-01T00:00:00.000000Z");
    for wrong in [&[4][..], &[0], &[0, 1, 4, 5, 9]] {
        let place = Place::new();
        let mut lines: Vec<Value> = (0..10).map(line).collect();
        wrong.iter().for_each(|i| lines[*i]["ts"] = ahead());
        write(&place, "all.ndjson", lines);
        assert_eq!(place.run(&["import", "all.ndjson"]).code, 65);
        let told = place.ok(&["import", "--restamp", "all.ndjson"]);
        assert!(told.contains(&format!("{} of them got another ts", wrong.len())));
        let (_, entries) = whole(&place.book());
        let first = (0..10).find(|i| !wrong.contains(i)).unwrap();
        for (i, stored) in entries[..10].iter().enumerate() {
            let entry = &stored.entry;
            // That of the last right one before it, or of the first where there is none.
            let right = (0..=i).rev().find(|i| !wrong.contains(i)).unwrap_or(first);
            assert_eq!(line(right)["ts"], entry.ts.to_string(), "{i} of {wrong:?}");
            let kept = entry.metadata.to_object().get("occurred_at").cloned();
            assert_eq!(kept, wrong.contains(&i).then(ahead), "{i} of {wrong:?}");
        }
    }
}

#[test]
fn where_nothing_but_lines_that_lie_ahead_is_known_they_are_now() {
    let place = Place::new();
    let mut ahead = line(0);
    ahead["ts"] = json!("2099-01-01T00:00:00.000000Z");
    write(&place, "all.ndjson", [ahead]);
    let before = daybook::actors::wall_clock()();
    place.ok(&["import", "--restamp", "all.ndjson"]);
    let (_, entries) = whole(&place.book());
    let now = entries[0].entry.ts;
    assert!(before <= now && now <= daybook::actors::wall_clock()());
}

#[test]
fn an_import_that_fails_makes_no_book() {
    let place = Place::new();
    let mut wrong = line(1);
    wrong["message"] = json!("");
    write(&place, "bad.ndjson", [line(0), wrong]);
    let refused = place.run(&["import", "bad.ndjson"]);
    assert_eq!(refused.code, 65, "{refused:?}");
    let mut left = place.files();
    left.retain(|name| name != "daybook.db.lock");
    assert_eq!(left, ["bad.ndjson"]);
}

#[test]
fn lines_are_imported_into_a_book_of_its_daemons_own_entries_only() {
    let place = Place::with(1);
    write(&place, "all.ndjson", (0..3).map(line));
    let refused = place.run(&["import", "all.ndjson"]);
    assert_eq!(refused.code, 73, "{refused:?}");
    assert_eq!(whole(&place.book()).1.len(), 1);
}

#[test]
fn an_import_waits_for_no_daemon() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    write(&place, "all.ndjson", (0..3).map(line));
    let refused = place.run(&["import", "all.ndjson"]);
    assert_eq!(refused.code, 75, "{refused:?}");
    assert!(refused.err.contains("stop it"), "{refused:?}");
    daemon.stop();
}

#[test]
fn what_the_book_holds_beside_its_entries_stays() {
    use daybook::domain::Act;
    use daybook::storage::{EntryWriter, Request, sqlite};
    let place = Place::new();
    let mut writer = sqlite::open_writer(&place.book()).unwrap();
    let act = Act::PutSetting {
        key: "retention".into(),
        value: "{\"max_days\":7}".into(),
    };
    let request = Request {
        acts: vec![act],
        entries: Vec::new(),
    };
    writer
        .commit(crate::harness::moment(0), &[request])
        .unwrap();
    writer.close().unwrap();
    drop(writer);
    write(&place, "all.ndjson", (0..3).map(line));
    place.ok(&["import", "all.ndjson"]);
    let bytes = fs::read(place.book()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("{\"max_days\":7}"));
}

#[test]
fn lines_come_from_standard_input_as_well() {
    let place = Place::new();
    let mut command = place.command();
    command.args(["import", "-"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}\r\n\n{}", line(0), line(1)).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"2 entries imported\n"));
    assert_eq!(whole(&place.book()).1.len(), 3);
}
