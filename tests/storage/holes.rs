//! An entry that was lost is missed by the check; one that was removed, or a number that was skipped, is not.

use crate::harness::*;
use daybook::domain::{Seq, WorkspaceId};
use daybook::storage::{Address, Imported, PruneStep};
use std::rc::Rc;

/// A book that `made` has written to.
fn book<T>(made: impl FnOnce(&mut Book) -> T) -> Rc<Sqlite> {
    let backend = Rc::new(Sqlite::new());
    with(&backend, made);
    backend
}

/// It is in order after that, too.
fn with<T>(backend: &Rc<Sqlite>, work: impl FnOnce(&mut Book) -> T) {
    let mut book = Book::of(Box::new(Rc::clone(backend)));
    work(&mut book);
    book.writer().close().unwrap();
}

fn problems(backend: &Sqlite) -> Vec<String> {
    backend.reader().check(&mut |_| {}).unwrap().problems
}

/// What the check says of entries after somebody took these out. That roll-ups miss them too is another matter.
fn lose(backend: &Sqlite, seqs: &[Seq]) -> Vec<String> {
    let seqs: Vec<String> = seqs.iter().map(Seq::to_string).collect();
    let seqs = seqs.join(",");
    backend.execute(&format!("DELETE FROM activity_log WHERE seq IN ({seqs})"));
    let mut problems = problems(backend);
    problems.retain(|problem| !problem.contains("the roll-up of"));
    problems
}

#[test]
fn an_entry_that_is_gone_is_missed_by_its_number() {
    for (gone, found) in [
        (&[4][..], &["entry 4 is missing"][..]),
        (&[1], &["entry 1 is missing"]),
        (&[7], &["entry 7 is missing, and the newest should be 7"]),
        (
            &[2, 5, 6],
            &["entry 2 is missing", "entries 5 to 6 are missing"],
        ),
        (
            &[4, 6, 7],
            &[
                "entry 4 is missing",
                "entries 6 to 7 are missing, and the newest should be 7",
            ],
        ),
        (
            &[1, 2, 3, 4, 5, 6, 7],
            &["entries 1 to 7 are missing, and the newest should be 7"],
        ),
    ] {
        let backend = book(|book| book.record(lines(7)));
        assert_eq!(problems(&backend), [""; 0]);
        assert_eq!(lose(&backend, gone), found, "{gone:?}");
    }
}

#[test]
fn an_entry_between_two_parts_of_the_check_is_missed_too() {
    let backend = book(|book| book.record(lines(4_500)));
    let found = lose(&backend, &[2_000, 2_001, 4_002]);
    assert_eq!(
        found,
        ["entries 2000 to 2001 are missing", "entry 4002 is missing"]
    );
}

/// A workspace whose entries stand between those of the default one.
fn interleaved(book: &mut Book) {
    book.record((0..20).map(|i| line("x").within(if i % 2 == 0 { "other" } else { "default" })));
}

#[test]
fn above_what_was_removed_an_entry_is_missed_by_its_number() {
    let pruned = book(|book| {
        interleaved(book);
        book.prune_of("other", None, Some(5), 100);
    });
    assert_eq!(
        lose(&pruned, &[10, 20]),
        [
            "entry 10 is missing",
            "entry 20 is missing, and the newest should be 20",
        ]
    );
    let cleared = book(|book| {
        interleaved(book);
        book.clear(&only("other"));
    });
    // Its rows wait for the sweep, and none is removed yet.
    assert_eq!(lose(&cleared, &[8]), ["entry 8 is missing"]);
    let empty = book(|book| {
        interleaved(book);
        book.clear(&only("nobody"));
    });
    assert_eq!(lose(&empty, &[8]), ["entry 8 is missing"]);
}

#[test]
fn among_what_was_removed_entries_are_missed_by_how_many_are_left() {
    for (lost, are) in [(&[8][..], "1 entry is"), (&[2, 8, 18], "3 entries are")] {
        let swept = book(|book| {
            interleaved(book);
            book.clear(&only("other"));
            assert_eq!(book.sweep(), 10);
        });
        let found = lose(&swept, lost);
        assert_eq!(
            found,
            [format!(
                "{are} missing among those up to 19, of which 9 should be left; others were removed there, so that \
                 their numbers cannot be said"
            )]
        );
    }
}

#[test]
fn what_was_removed_on_purpose_is_not_missed() {
    let backend = book(|book| {
        interleaved(book);
        book.record([line("x").with_id("again").within("third")]);
        book.clear(&only("third"));
        // It makes room for its like before the sweep comes to it.
        assert!(!book.record([line("x").with_id("again").within("third")])[0].duplicate);
        book.prune_of("other", Some(at(1)), Some(3), 4);
        book.prune_of("other", Some(at(1)), Some(3), 4);
        book.clear(&own());
        book.sweep();
        book.record(lines(10));
        let record = request([line("erased")]);
        book.writer().erase(at(5), &all(), "anna", &record).unwrap();
        while book.writer().erase_rows(3).unwrap().more {}
        book.backend().fail_at("poison");
        let group = [request([line("x")]), request([line("poison")])];
        assert!(book.writer().commit(at(6), &group).is_err());
        book.record(lines(2));
        book.prune(None, Some(1), 100);
    });
    backend.execute("DROP TRIGGER fail_at");
    assert_eq!(problems(&backend), [""; 0]);
    let newest = backend.reader().head().unwrap().last_seq;
    let found = lose(&backend, &[newest]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains(&format!("entry {newest} is missing")),
        "{found:?}"
    );
}

#[test]
fn what_goes_while_the_check_reads_is_not_missed() {
    let backend = book(|book| (0..350).for_each(|_| interleaved(book)));
    let mut writer = backend.writer();
    let mut parts = 0;
    let report = backend.reader().check(&mut |_| {
        parts += 1;
        let step = PruneStep {
            workspace: WorkspaceId::trusted("other"),
            upto: 6_000,
            limit: 900,
        };
        writer.prune(at(9), &step, None).unwrap();
        if parts == 2 {
            writer.clear(at(9), &own(), &request(lines(1))).unwrap();
        }
        writer.sweep(1_200).unwrap();
    });
    assert_eq!(report.unwrap().problems, [""; 0]);
    assert!(parts > 2, "{parts}");
}

/// The book gets another history, out of a copy that was made before `since` entries more were recorded.
fn restored(backend: &Sqlite, since: usize) {
    let copy = backend.directory().join("copy.db");
    backend.reader().copy_to(&copy).unwrap();
    let address = address(backend);
    let mut writer = backend.writer();
    if since > 0 {
        writer.commit(at(9), &[request(lines(since))]).unwrap();
    }
    let staged = address.stage(&copy).unwrap();
    let record = request([line("restored").of("system").did("backup.restored")]);
    writer.replace(at(9), &staged, &record, None).unwrap();
    writer.close().unwrap();
}

fn address(backend: &Sqlite) -> Address {
    Address::parse(&format!("sqlite://{}", backend.file().display())).unwrap()
}

#[test]
fn what_a_restore_skips_is_not_missed_and_what_is_beside_it_is() {
    let backend = book(|book| book.record(lines(5)));
    // 6 to 13, and 14 is the record; then 15 to 17, and 18.
    restored(&backend, 8);
    restored(&backend, 3);
    restored(&backend, 0);
    assert_eq!(problems(&backend), [""; 0]);
    assert_eq!(
        lose(&backend, &[5, 14, 18]),
        [
            "entry 5 is missing",
            "entry 14 is missing",
            "entry 18 is missing",
        ]
    );
}

#[test]
fn a_restored_book_that_is_pruned_or_cleared_misses_nothing() {
    let backend = book(interleaved);
    restored(&backend, 8);
    with(&backend, |book| book.prune_of("other", None, Some(2), 100));
    with(&backend, |book| book.record(lines(5)));
    with(&backend, |book| book.clear(&own()));
    with(&backend, |book| book.sweep());
}

#[test]
fn an_import_misses_nothing_of_what_it_replaced() {
    let backend = book(interleaved);
    let mut writer = backend.writer();
    let mut import = address(&backend).stage_import().unwrap();
    let of_old = |i| Imported {
        entry: line("of old").checked(),
        ts: at(i),
    };
    import.append(&[0, 1, 2].map(of_old)).unwrap();
    let staged = import.finish().unwrap();
    // More than the import brings, so that the numbers go on past these.
    writer.commit(at(3), &[request(lines(10))]).unwrap();
    let record = request([line("imported").of("system").did("activity_log.imported")]);
    writer.replace(at(9), &staged, &record, None).unwrap();
    writer.close().unwrap();
    assert_eq!(problems(&backend), [""; 0]);
    assert_eq!(lose(&backend, &[22]), ["entry 22 is missing"]);
}

#[test]
fn what_an_older_version_removed_or_skipped_is_not_missed() {
    let backend = book(|book| {
        interleaved(book);
        book.prune_of("other", None, Some(5), 100);
    });
    restored(&backend, 8);
    // As it was before it noted what is missing.
    backend.execute(&format!(
        "{} DELETE FROM __diesel_schema_migrations WHERE version = '20261121000012'",
        include_str!("../../migrations/sqlite/2026-11-21-000012_holes/down.sql")
    ));
    drop(backend.writer());
    assert_eq!(problems(&backend), [""; 0]);
    assert_eq!(
        lose(&backend, &[12, 20]),
        ["entry 12 is missing", "entry 20 is missing"]
    );
}
