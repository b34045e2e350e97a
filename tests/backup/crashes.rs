//! A kill in the middle of a restore or an import leaves a book that opens: the old one or the new one.

use crate::harness::{Place, whole};
use daybook::storage::EntryReader;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The old book has 2100 entries, the backup the first 2000 of them.
fn backed_up() -> Place {
    let place = Place::with(2000);
    let reader = daybook::storage::sqlite::open_reader(&place.book(), 1).unwrap();
    reader.copy_to(&place.path("copy.db")).unwrap();
    reader.suspend().unwrap();
    place.record(2000, 100);
    place
}

#[test]
fn a_kill_in_the_middle_of_a_restore_leaves_the_old_book_or_the_new_one() {
    let source = backed_up();
    let (mut old, mut new) = (0, 0);
    for i in 0..40u64 {
        let place = Place::new();
        std::fs::copy(source.book(), place.book()).unwrap();
        std::fs::copy(source.path("copy.db"), place.path("copy.db")).unwrap();
        let mut command = place.command();
        command.args(["restore", "--force", "copy.db"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        // Each a little later, from before it begins to after it ends.
        std::thread::sleep(Duration::from_micros(i * 4000));
        let _ = child.kill();
        child.wait().unwrap();
        // The next start tidies up.
        drop(daybook::storage::sqlite::open_writer(&place.book()).unwrap());
        let (head, entries) = whole(&place.book());
        match (entries.len(), head.last_seq) {
            (2100, 2100) => old += 1,
            (2001, 2101) => new += 1,
            other => panic!("neither the old book nor the new one: {other:?}"),
        }
        let left = place.files();
        assert!(
            !left.iter().any(|name| name.contains("restoring")),
            "{left:?}"
        );
        // A second name of the book is not taken for a former one.
        for former in place.former_books() {
            assert_eq!(entries.len(), 2001);
            assert_eq!(whole(&place.path(&former)).1.len(), 2100);
        }
    }
    assert!(
        old > 0 && new > 0,
        "{old} old, {new} new: the kills came at one side only"
    );
}

/// A book with its daemon's own entries only, and 2000 lines to be imported into it.
fn to_be_filled() -> Place {
    let place = Place::new();
    place.serve(&[]).stop();
    let from = Place::with(2000);
    std::fs::write(place.path("all.ndjson"), from.exported()).unwrap();
    place
}

#[test]
fn a_kill_in_the_middle_of_an_import_leaves_the_old_book_or_the_new_one() {
    let source = to_be_filled();
    let own = whole(&source.book()).1.len();
    let another = || {
        let place = Place::new();
        for name in ["daybook.db", "all.ndjson"] {
            std::fs::copy(source.path(name), place.path(name)).unwrap();
        }
        place
    };
    let began = Instant::now();
    another().ok(&["import", "all.ndjson"]);
    let takes = began.elapsed();
    let (mut old, mut new) = (0, 0);
    for i in 0..40 {
        let place = another();
        let mut command = place.command();
        command.args(["import", "all.ndjson"]).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        // Each a little later, from before it begins to well after it ends.
        std::thread::sleep(takes * i / 26);
        let _ = child.kill();
        child.wait().unwrap();
        // The next start tidies up.
        drop(daybook::storage::sqlite::open_writer(&place.book()).unwrap());
        // Its own, the lines, and the one that says so; or its own as they were.
        match whole(&place.book()).1.len() {
            n if n == own => old += 1,
            n if n == 2000 + own + 1 => new += 1,
            other => panic!("neither the old book nor the new one: {other}"),
        }
        let left = place.files();
        assert!(
            !left.iter().any(|name| name.contains("importing")),
            "{left:?}"
        );
    }
    assert!(
        old > 0 && new > 0,
        "{old} old, {new} new: the kills came at one side only"
    );
}

#[test]
fn what_a_crash_left_goes_at_the_next_start_and_former_books_stay() {
    let place = backed_up();
    let former = place.path("daybook.db.before-restore-20260101T000000000000Z");
    std::fs::copy(place.path("copy.db"), &former).unwrap();
    // Between the two steps of an exchange the book has two names.
    let second = place.path("daybook.db.before-restore-20260102T000000000000Z");
    std::fs::hard_link(place.book(), &second).unwrap();
    for left in ["restoring", "restoring-wal", "importing", "importing-shm"] {
        std::fs::write(place.path(&format!("daybook.db.{left}")), "left").unwrap();
    }
    place.record(3000, 1);
    let mut names = place.files();
    names.retain(|name| name.starts_with("daybook.db."));
    assert_eq!(
        names,
        [
            "daybook.db.before-restore-20260101T000000000000Z",
            "daybook.db.lock"
        ]
    );
    assert_eq!(whole(&place.book()).1.len(), 2101);
}
