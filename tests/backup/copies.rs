//! `daybook backup`.

use crate::harness::{Over, Place, actions, messages, whole};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_backup_is_a_whole_book_that_opens_by_itself() {
    let place = Place::with(50);
    place.ok(&["backup", "copy.db"]);
    let (book, mut entries) = whole(&place.book());
    let (copy, copied) = whole(&place.path("copy.db"));
    assert_eq!(actions(&entries[50..]), ["backup.created"]);
    entries.truncate(50);
    assert_eq!(copied, entries);
    assert_eq!((copy.last_seq, &copy.epoch), (50, &book.epoch));
    let mode = std::fs::metadata(place.path("copy.db"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let found: Vec<_> = place.files();
    assert!(
        !found.iter().any(|name| name.starts_with("copy.db.")),
        "{found:?}"
    );
}

#[test]
fn a_backup_overwrites_nothing_unless_told_to_and_never_the_book() {
    let place = Place::with(3);
    std::fs::write(place.path("there.db"), "precious").unwrap();
    let refused = place.run(&["backup", "there.db"]);
    assert_eq!(refused.code, 73, "{refused:?}");
    assert_eq!(std::fs::read(place.path("there.db")).unwrap(), b"precious");
    place.ok(&["backup", "--force", "there.db"]);
    assert_eq!(whole(&place.path("there.db")).1.len(), 3);
    for own in ["daybook.db", "daybook.db-wal", "./daybook.db.lock"] {
        let refused = place.run(&["backup", "--force", own]);
        assert_eq!(refused.code, 64, "{own}: {refused:?}");
    }
    assert_eq!(whole(&place.path("daybook.db")).1.len(), 3 + 1);
}

#[test]
fn a_backup_of_no_book_makes_none() {
    let place = Place::new();
    assert_eq!(place.run(&["backup", "copy.db"]).code, 65);
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_backup_beside_a_daemon_is_recorded_by_it() {
    let place = Place::with(5);
    let daemon = place.serve(&[]);
    assert_eq!(daemon.record("before").0, 201);
    place.ok(&["backup", "copy.db"]);
    let (_, copied) = whole(&place.path("copy.db"));
    assert!(messages(&copied).contains(&"before"));
    let (_, page) = daemon.get("/api/v1/activity?action=backup.created");
    assert_eq!(page["items"][0]["entity_id"], "copy.db");
    assert_eq!(page["items"][0]["category"], "system");
    daemon.stop();
}

#[test]
fn a_backup_under_load_is_consistent_and_whole() {
    let place = Place::with(200);
    let daemon = place.serve(&[]);
    let acknowledged = std::sync::atomic::AtomicU64::new(0);
    let done = std::sync::atomic::AtomicBool::new(false);
    use std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert_eq!(daemon.record("load").0, 201);
                    acknowledged.fetch_add(1, SeqCst);
                }
            });
        }
        let over = Over(&done);
        for copy in 0..5 {
            let before = acknowledged.load(SeqCst);
            let name = format!("copy{copy}.db");
            place.ok(&["backup", &name]);
            let (head, copied) = whole(&place.path(&name));
            assert!(
                copied.len() as u64 >= 200 + before,
                "what was acknowledged is in it"
            );
            // One moment: every number up to its last, without a hole.
            let seqs: Vec<i64> = copied.iter().map(|stored| stored.seq).collect();
            assert_eq!(seqs, (1..=head.last_seq).collect::<Vec<_>>());
        }
        drop(over);
    });
    assert!(acknowledged.load(SeqCst) > 0);
    daemon.stop();
}
