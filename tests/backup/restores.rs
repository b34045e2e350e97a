//! `daybook restore`.

use crate::harness::{Place, messages, whole};
use std::fs;

/// A book of 40 entries whose first 30 are in `copy.db`.
fn backed_up() -> Place {
    let place = Place::with(30);
    let reader = daybook::storage::sqlite::open_reader(&place.book(), 1).unwrap();
    use daybook::storage::EntryReader;
    reader.copy_to(&place.path("copy.db")).unwrap();
    drop(reader);
    place.record(30, 10);
    place
}

#[test]
fn a_restored_book_is_another_history_that_goes_on_past_both() {
    let place = backed_up();
    let (former, _) = whole(&place.book());
    let (copy, copied) = whole(&place.path("copy.db"));
    place.ok(&["restore", "--force", "copy.db"]);
    let (head, entries) = whole(&place.book());
    assert_eq!(entries[..30], copied[..]);
    assert_eq!(entries.len(), 31);
    let record = &entries[30];
    assert_eq!(record.entry.action.as_str(), "backup.restored");
    assert_eq!(record.entry.entity_id.as_deref(), Some("copy.db"));
    assert_eq!((record.seq, head.last_seq), (41, 41));
    assert!(head.last_ts >= former.last_ts && record.entry.ts == head.last_ts);
    assert!(head.epoch != former.epoch && head.epoch != copy.epoch);
    let kept = place.former_books();
    assert_eq!(kept.len(), 1);
    assert_eq!(whole(&place.path(&kept[0])).1.len(), 40);
}

#[test]
fn what_is_recorded_after_a_restore_has_a_number_that_was_never_given() {
    let place = backed_up();
    place.ok(&["restore", "--force", "copy.db"]);
    place.record(100, 1);
    let (_, entries) = whole(&place.book());
    let seqs: Vec<i64> = entries.iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs[29..], [30, 41, 42]);
}

#[test]
fn a_newer_book_is_not_overwritten_unless_told_to() {
    let place = backed_up();
    let before = whole(&place.book());
    let refused = place.run(&["restore", "copy.db"]);
    assert_eq!(refused.code, 73, "{refused:?}");
    assert!(refused.err.contains("--force"), "{refused:?}");
    assert_eq!(whole(&place.book()), before);
    assert_eq!(place.former_books(), [""; 0]);
}

#[test]
fn a_book_without_entries_of_anybodys_is_not_newer() {
    let source = backed_up();
    let place = Place::new();
    let daemon = place.serve(&[]);
    daemon.stop();
    fs::copy(source.path("copy.db"), place.path("copy.db")).unwrap();
    place.ok(&["restore", "copy.db"]);
    assert!(messages(&whole(&place.book()).1).contains(&"entry 29"));
}

#[test]
fn a_backup_is_restored_where_there_is_no_book() {
    let source = backed_up();
    let place = Place::new();
    fs::copy(source.path("copy.db"), place.path("copy.db")).unwrap();
    place.ok(&["restore", "copy.db"]);
    let (head, entries) = whole(&place.book());
    assert_eq!((head.last_seq, entries.len()), (31, 31));
}

#[test]
fn a_file_that_is_no_whole_book_is_refused_and_nothing_is_changed() {
    let place = backed_up();
    let copy = fs::read(place.path("copy.db")).unwrap();
    let mut damaged = copy.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0xa5);
    fs::write(place.path("truncated.db"), &copy[..copy.len() - 5000]).unwrap();
    fs::write(place.path("short.db"), &copy[..700]).unwrap();
    fs::write(place.path("damaged.db"), &damaged).unwrap();
    fs::write(
        place.path("text.db"),
        "this is a letter to my aunt, and no book",
    )
    .unwrap();
    fs::write(place.path("empty.db"), "").unwrap();
    foreign(&place.path("foreign.db"), "CREATE TABLE song (title TEXT)");
    fs::copy(place.path("copy.db"), place.path("newer.db")).unwrap();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    foreign(&place.path("newer.db"), newer);
    let before = whole(&place.book());
    let files = place.files();
    for name in [
        "truncated",
        "short",
        "damaged",
        "text",
        "empty",
        "foreign",
        "newer",
        "missing",
    ] {
        let refused = place.run(&["restore", "--force", &format!("{name}.db")]);
        assert_eq!(refused.code, 65, "{name}: {refused:?}");
        assert!(
            refused.err.contains("nothing was changed"),
            "{name}: {refused:?}"
        );
        assert_eq!(whole(&place.book()), before, "{name}");
        assert_eq!(place.files(), files, "{name}");
    }
}

/// What somebody else does to a file.
fn foreign(path: &std::path::Path, sql: &str) {
    use diesel::Connection;
    let mut raw = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut raw, sql).unwrap();
}

#[test]
fn a_book_that_a_daemon_keeps_is_never_replaced_under_it() {
    let place = backed_up();
    let daemon = place.serve(&[]);
    for arguments in [
        &["restore", "copy.db"][..],
        &["restore", "--force", "copy.db"],
    ] {
        let refused = place.run(arguments);
        assert_eq!(refused.code, 75, "{refused:?}");
    }
    assert_eq!(daemon.record("still here").0, 201);
    daemon.stop();
    assert!(messages(&whole(&place.book()).1).contains(&"still here"));
}

#[test]
fn a_book_that_cannot_be_read_is_put_aside_only_when_told_to() {
    let place = backed_up();
    fs::write(
        place.book(),
        "what a disk may leave of a book after a bad day",
    )
    .unwrap();
    assert_eq!(place.run(&["restore", "copy.db"]).code, 65);
    place.ok(&["restore", "--force", "copy.db"]);
    assert_eq!(whole(&place.book()).1.len(), 31);
    let kept = place.former_books();
    assert!(
        fs::read(place.path(&kept[0]))
            .unwrap()
            .starts_with(b"what a disk")
    );
}

#[test]
fn a_book_that_somebody_else_has_open_is_not_replaced() {
    let place = backed_up();
    use diesel::Connection;
    let mut other = diesel::SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
    let reading = "BEGIN; SELECT count(*) FROM activity_log";
    diesel::connection::SimpleConnection::batch_execute(&mut other, reading).unwrap();
    let refused = place.run(&["restore", "--force", "copy.db"]);
    assert_eq!(refused.code, 75, "{refused:?}");
    drop(other);
    assert_eq!(whole(&place.book()).1.len(), 40);
    place.ok(&["restore", "--force", "copy.db"]);
}

#[test]
fn a_backup_whose_index_contradicts_its_entries_is_refused() {
    let place = backed_up();
    let mut copy = fs::read(place.path("copy.db")).unwrap();
    // Only in an index the action follows the workspace.
    let held = b"defaulttask.created";
    let at = copy.windows(held.len()).position(|part| part == held);
    copy[at.unwrap() + 10] ^= 1;
    fs::write(place.path("lies.db"), copy).unwrap();
    let before = whole(&place.book());
    let refused = place.run(&["restore", "--force", "lies.db"]);
    assert_eq!(refused.code, 65, "{refused:?}");
    assert_eq!(whole(&place.book()), before);
}
