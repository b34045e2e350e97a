//! The check of the whole book finds each kind of damage, and none in a book that is whole.

use crate::harness::*;
use daybook::domain::Timestamp;
use daybook::storage::{CheckReport, EntryReader, EntryWriter, sqlite};

fn book() -> (Sqlite, Box<dyn EntryReader>, Box<dyn EntryWriter>) {
    let backend = Sqlite::new();
    let mut writer = backend.writer();
    for moment in 1..=5 {
        let group = [request([line("x"), line("x").within("a")])];
        writer.commit(at(moment), &group).unwrap();
    }
    let reader = backend.reader();
    (backend, reader, writer)
}

fn check(reader: &dyn EntryReader) -> CheckReport {
    reader.check(&mut |_| {}).unwrap()
}

/// What the check says after someone did this to the file.
fn found_after(sql: &str) -> String {
    let (backend, ..) = book();
    backend.execute(sql);
    check(&*backend.reader()).problems.join("\n")
}

#[test]
fn an_intact_book_has_no_problems_and_is_counted() {
    let (_backend, reader, mut writer) = book();
    let mut told = Vec::new();
    let report = reader.check(&mut |entries| told.push(entries)).unwrap();
    assert_eq!(
        report,
        CheckReport {
            entries: 10,
            problems: vec![]
        }
    );
    assert_eq!(told, [10]);
    // Cleared and half swept, it is still whole.
    writer
        .clear(at(9), &all(), &request([line("cleared")]))
        .unwrap();
    writer.sweep(3).unwrap();
    assert!(check(&*reader).problems.is_empty());
}

#[test]
fn a_new_book_has_no_problems() {
    let backend = Sqlite::new();
    drop(sqlite::open_writer(&backend.file()).unwrap());
    assert_eq!(check(&*backend.reader()), CheckReport::default());
}

#[test]
fn a_time_out_of_order_is_found() {
    let earlier: Timestamp = at(0);
    let found = found_after(&format!(
        "UPDATE activity_log SET ts = '{earlier}' WHERE seq = 7"
    ));
    assert_eq!(
        found,
        format!(
            "entry 7: its ts {earlier} is before that of entry 6, {}",
            at(3)
        )
    );
}

#[test]
fn metadata_that_is_not_canonical_is_found() {
    for metadata in [
        "{\"b\":1,\"a\":2}",
        "{ }",
        "[]",
        "{\"a\":1,\"a\":1}",
        "{\"a\":-0.0}",
    ] {
        let found = found_after(&format!(
            "UPDATE activity_log SET metadata = '{metadata}' WHERE seq = 3"
        ));
        assert_eq!(
            found, "entry 3: its metadata is not in the canonical form",
            "{metadata}"
        );
    }
}

#[test]
fn what_is_not_json_or_not_a_time_or_not_a_severity_is_found() {
    for (column, value) in [
        ("metadata", "{"),
        ("ts", "yesterday"),
        ("severity", "fatal"),
    ] {
        let found = found_after(&format!(
            "UPDATE activity_log SET {column} = '{value}' WHERE seq = 3"
        ));
        assert!(found.contains("entry 3"), "{column}: {found}");
        assert_eq!(found.lines().count(), 1, "{column}: {found}");
    }
}

#[test]
fn an_entry_beyond_the_head_is_found() {
    let found = found_after("UPDATE book SET last_seq = 9");
    assert!(
        found.starts_with(
            "entry 10: it is above the head of the book, which stands at 9: another program"
        ),
        "{found}"
    );
    let found = found_after(&format!("UPDATE book SET last_ts = '{}'", at(4)));
    assert_eq!(found.lines().count(), 2);
    let found = found_after("UPDATE activity_log SET seq = -5 WHERE seq = 1");
    assert!(
        found.starts_with("entry -5: it is beyond the head of the book"),
        "{found}"
    );
}

#[test]
fn an_index_that_is_missing_or_another_and_a_strange_trigger_are_found() {
    let names = [
        "workspace",
        "category",
        "severity",
        "actor",
        "action",
        "entity",
    ];
    let drop_all = names.map(|name| format!("DROP INDEX activity_log_{name};"));
    let mut expected = names.map(|name| format!("the index activity_log_{name} is missing"));
    expected.sort();
    assert_eq!(found_after(&drop_all.concat()), expected.join("\n"));
    let another = "CREATE INDEX activity_log_actor ON activity_log (actor)";
    assert_eq!(
        found_after(&format!("DROP INDEX activity_log_actor; {another}")),
        format!("the index activity_log_actor is not as Daybook makes it: {another}")
    );
    assert_eq!(
        found_after("CREATE TRIGGER t AFTER INSERT ON activity_log BEGIN DELETE FROM setting; END"),
        "the trigger t is none of Daybook's"
    );
    assert_eq!(
        found_after("ALTER TABLE device ADD COLUMN x TEXT")
            .lines()
            .count(),
        1
    );
    // What somebody added for a question of his own is no damage.
    assert_eq!(
        found_after("CREATE INDEX x ON activity_log (user_agent); CREATE TABLE y (z)"),
        ""
    );
}

#[test]
fn an_entry_of_an_unknown_workspace_is_found() {
    let found = found_after("UPDATE activity_log SET workspace_id = 'ghost' WHERE seq = 3");
    assert_eq!(found, "entry 3: its workspace ghost is not known");
    let found = found_after("DELETE FROM workspace WHERE workspace_id = 'a'");
    assert_eq!(found.lines().count(), 5);
}

#[test]
fn an_entry_below_what_was_swept_is_found() {
    let found = found_after(
        "UPDATE workspace SET floor_seq = 4, swept_seq = 3 WHERE workspace_id = 'default'",
    );
    assert_eq!(
        found,
        "entry 1: its workspace default was emptied up to 3\nentry 3: its workspace default was emptied up to 3"
    );
}

#[test]
fn an_index_that_lacks_an_entry_is_found() {
    let found = found_after(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX activity_log_actor ON activity_log (workspace_id, category)'
         WHERE name = 'activity_log_actor';",
    );
    assert!(found.contains("activity_log_actor"), "{found}");
}

#[test]
fn a_check_of_a_book_that_is_being_written_finds_nothing_wrong() {
    let (_backend, reader, mut writer) = book();
    for _ in 0..3 {
        writer.commit(at(10), &[request(lines(1_500))]).unwrap();
    }
    let mut parts = 0;
    let report = reader.check(&mut |_| {
        parts += 1;
        if parts < 4 {
            writer.commit(at(20), &[request(lines(1_000))]).unwrap();
        }
    });
    let report = report.unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.entries, 7_510);
}
