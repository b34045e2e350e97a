//! A file that is no book of ours, or a damaged one: the daemon says what it found and what to do, and leaves
//! everything as it was.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::load::{Load, line};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Every file of a folder, by name, with its bytes.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, std::fs::read(file.path()).unwrap_or_default())
    });
    files.collect()
}

/// `serve` refuses with `code`, says all of `said`, and changes nothing. No other command does better.
fn assert_refused(place: &Place, code: i32, said: &[&str]) {
    let before = contents(place.folder());
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["export"],
        &["check"],
    ] {
        let output = place.daybook(command).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {told}");
        for text in said {
            assert!(told.contains(text), "{command:?}: {told}");
        }
        assert!(told.contains(place.book().to_str().unwrap()), "{told}");
    }
    let after = contents(place.folder());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "bytes have changed");
}

/// A book with a few thousand entries, in order and closed.
pub fn a_book() -> Place {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let load = Load::start(daemon.address, "old", &[]);
    load.reach(1_000);
    load.finish();
    assert!(daemon.stop().success());
    // Empty, and sometimes left: the last connection that closes takes them away, if it is the one that
    // writes. A WAL without its index would be given one by whoever looks at it.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.folder().join(format!("daybook.db{suffix}")));
    }
    place
}

fn change(place: &Place, sql: &str) {
    let mut conn = SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
    conn.batch_execute(sql).unwrap();
}

#[test]
fn a_text_file_is_left_alone() {
    let place = Place::new();
    std::fs::write(place.book(), "Dear diary,\n".repeat(500)).unwrap();
    assert_refused(
        &place,
        65,
        &["is not an SQLite file", "Set storage.url to another file"],
    );
}

#[test]
fn a_directory_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.book()).unwrap();
    assert_refused(&place, 65, &["is not a file", "Set storage.url to a file"]);
}

#[test]
fn a_link_that_leads_nowhere_is_left_alone_and_where_it_leads_is_said() {
    let place = Place::new();
    let to = place.aside().join("elsewhere.db");
    std::os::unix::fs::symlink(&to, place.book()).unwrap();
    assert_refused(&place, 65, &["is a link to", to.to_str().unwrap()]);
    assert!(!to.exists());
    // With a book there it is one, with its WAL beside it.
    let real = a_book();
    std::fs::copy(real.book(), &to).unwrap();
    assert!(Daemon::start(&place).stop().success());
}

#[test]
fn the_file_of_another_program_is_left_alone() {
    let place = Place::new();
    change(
        &place,
        "CREATE TABLE moz_places (url TEXT); INSERT INTO moz_places VALUES ('x')",
    );
    assert_refused(
        &place,
        65,
        &["another program", "moz_places", "another file"],
    );
}

#[test]
fn a_book_of_a_newer_version_is_left_alone() {
    let place = a_book();
    change(
        &place,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')",
    );
    assert_refused(&place, 65, &["newer Daybook", "29991231000001"]);
}

#[test]
fn a_book_without_one_of_its_tables_is_damaged_and_left_alone() {
    for table in ["activity_log", "book", "__diesel_schema_migrations"] {
        let place = a_book();
        change(&place, &format!("DROP TABLE {table}"));
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(place.folder().join(format!("daybook.db{suffix}")));
        }
        assert_refused(
            &place,
            65,
            &["is damaged", table, "restore the last backup"],
        );
    }
}

#[derive(QueryableByName)]
struct Root {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    page: i64,
}

#[test]
fn a_start_that_meets_damage_says_so_and_does_not_panic() {
    let whole = a_book();
    for table in [
        "sign_ins",
        "device",
        "automation",
        "automation_position",
        "automation_delivery",
    ] {
        let place = Place::new();
        std::fs::copy(whole.book(), place.book()).unwrap();
        let mut conn = SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
        let query = format!("SELECT rootpage AS page FROM sqlite_schema WHERE name = '{table}'");
        let root: Root = diesel::sql_query(query).get_result(&mut conn).unwrap();
        drop(conn);
        let mut bytes = std::fs::read(place.book()).unwrap();
        let page = usize::try_from(root.page - 1).unwrap() * 4096;
        bytes[page..page + 4096].fill(0x55);
        std::fs::write(place.book(), &bytes).unwrap();
        let refused = Daemon::start_as(&place, place.serve()).err().unwrap();
        let told = &refused.told;
        assert_eq!(refused.status.code(), Some(65), "{table}: {told}");
        for said in ["the book is damaged", "daybook check", "last backup"] {
            assert!(told.contains(said), "{table}: {told}");
        }
        for not_said in ["panicked", "reactor"] {
            assert!(!told.contains(not_said), "{table}: {told}");
        }
    }
}

/// On one processor the writer answers before the actors beside it are served for the first time.
#[test]
fn a_start_that_fails_after_the_actors_were_started_does_not_panic() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let given = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| given.is_set(*cpu));
    one.set(first.unwrap());
    // Of this test's own thread, and so of what it starts.
    sched_setaffinity(None, &one).unwrap();
    let place = a_book();
    change(
        &place,
        "CREATE TRIGGER no BEFORE INSERT ON activity_log BEGIN SELECT RAISE(ABORT, 'made up'); END",
    );
    for _ in 0..10 {
        let refused = Daemon::start_as(&place, place.serve()).err().unwrap();
        let told = &refused.told;
        assert_eq!(refused.status.code(), Some(70), "{told}");
        assert!(told.contains("made up"), "{told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}

/// What somebody does with another program while a daemon keeps the book, or while none does.
const FOREIGN: &str = "PRAGMA busy_timeout = 5000; INSERT INTO activity_log (id, ts, category, action, severity, \
     actor, message, workspace_id) SELECT 'foreign', ts, category, action, severity, actor, message, workspace_id \
     FROM activity_log LIMIT 1";

#[test]
fn a_book_that_another_program_wrote_into_ends_its_daemon_and_is_not_written_any_more() {
    let place = Place::new();
    let mut daemon = Daemon::start(&place);
    let mut client = daemon.client();
    assert_eq!(
        client
            .post("application/json", &line("own"))
            .unwrap()
            .status,
        201
    );
    change(&place, FOREIGN);
    let answer = client.post("application/json", &line("refused"));
    assert!(answer.is_err(), "answered: {answer:?}");
    let (status, told) = (daemon.ended(PATIENCE), place.told());
    assert_eq!(status.code(), Some(65), "{told}");
    for said in ["the book is damaged", "another program", "daybook check"] {
        assert!(told.contains(said), "{told}");
    }
    let before = contents(place.folder());
    let refused = Daemon::start_as(&place, place.serve()).err().unwrap();
    assert_eq!(refused.status.code(), Some(65), "{refused:?}");
    for said in [
        "entries above the book's head",
        "another program wrote into it",
        "Restore a backup",
        "`daybook export`",
    ] {
        assert!(refused.told.contains(said), "{refused:?}");
    }
    assert!(before == contents(place.folder()), "bytes have changed");
    let check = place.daybook(&["check"]).output().unwrap();
    let told = String::from_utf8_lossy(&check.stdout);
    assert_eq!(check.status.code(), Some(1), "{told}");
    assert!(told.contains("another program wrote it"), "{told}");
    // What the daemon recorded is not lost with it.
    let export = place.daybook(&["export", "--format", "ndjson"]).output();
    let held = String::from_utf8(export.unwrap().stdout).unwrap();
    assert!(
        held.contains("\"own\"") && !held.contains("\"foreign\""),
        "{held}"
    );
}

#[test]
fn a_daemon_whose_lock_was_taken_away_does_not_go_on_beside_another() {
    let place = Place::new();
    let mut first = Daemon::start(&place);
    let lock = place.folder().join("daybook.db.lock");
    std::fs::remove_file(&lock).unwrap();
    let (status, told) = (first.ended(PATIENCE), place.told());
    assert_eq!(status.code(), Some(75), "{told}");
    let said = format!("{} was taken away", lock.display());
    assert!(told.contains(&said), "{told}");
    // Another file of that name is no better.
    drop(first);
    let mut second = Daemon::start(&place);
    std::fs::rename(&lock, place.aside().join("lock")).unwrap();
    std::fs::write(&lock, "").unwrap();
    assert_eq!(second.ended(PATIENCE).code(), Some(75), "{}", place.told());
}

#[test]
fn a_book_that_was_cut_is_left_alone() {
    for part in [2, 3, 10] {
        let place = a_book();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(place.book())
            .unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length / part).unwrap();
        assert_refused(&place, 65, &["damaged", "backup"]);
    }
}

#[test]
fn a_book_whose_beginning_was_written_over_is_left_alone() {
    let place = a_book();
    let mut bytes = std::fs::read(place.book()).unwrap();
    bytes[..4096].fill(0x55);
    std::fs::write(place.book(), &bytes).unwrap();
    assert_refused(&place, 65, &["is not an SQLite file"]);
}

#[test]
fn a_book_whose_schema_was_written_over_is_left_alone() {
    let place = a_book();
    let mut bytes = std::fs::read(place.book()).unwrap();
    bytes[100..4096].fill(0x55);
    std::fs::write(place.book(), &bytes).unwrap();
    assert_refused(&place, 65, &["damaged"]);
}

/// Damage in the middle is not looked for at the start; `check` finds it, and no answer is made of it.
#[test]
fn damage_in_the_middle_is_found_by_check_and_never_answered_as_entries() {
    let place = a_book();
    let mut bytes = std::fs::read(place.book()).unwrap();
    let (from, to) = (bytes.len() / 4096 / 3 * 4096, bytes.len() / 4096 / 2 * 4096);
    bytes[from..to].fill(0x55);
    std::fs::write(place.book(), &bytes).unwrap();
    let check = place.daybook(&["check"]).output().unwrap();
    assert!(matches!(check.status.code(), Some(1 | 65)), "{check:?}");
    let export = place
        .daybook(&["export", "--format", "ndjson"])
        .output()
        .unwrap();
    assert!(!export.status.success(), "{:?}", export.status);
    assert!(!String::from_utf8_lossy(&export.stdout).contains("UUUU"));
}
