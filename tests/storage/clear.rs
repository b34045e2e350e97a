//! A clear takes effect at once for everyone; the rows behind it go later.

use crate::harness::*;
use daybook::domain::{EntryId, Seq};

#[test]
fn a_clear_empties_its_workspace_at_once_and_keeps_its_own_record() {
    every_backend(|book| {
        book.record(lines(10));
        book.record([
            line("x").with_id("mine"),
            line("x").with_id("theirs").within("other"),
        ]);
        assert_eq!(book.clear(&own()), 11);
        assert_eq!(book.seen(&own()), [13]);
        assert_eq!(book.seen(&only("other")), [12]);
        assert_eq!(book.seen(&all()), [12, 13]);
        let found = |id| book.reader().entry(&all(), &EntryId::trusted(id)).unwrap();
        assert_eq!(found("mine"), None);
        assert!(found("theirs").is_some());
        let by_index = filter(&[("actor", "anna")]);
        assert_eq!(book.up(&all(), &by_index, 5, rows(3)), [12, 13]);
        assert_eq!(book.count(&all(), &by_index, 100).count, 2);
    });
}

#[test]
fn a_clear_of_all_empties_every_workspace() {
    every_backend(|book| {
        for workspace in ["a", "b", "default"] {
            book.record(lines(5).map(|line| line.within(workspace)));
        }
        assert_eq!(book.clear(&all()), 15);
        assert_eq!(book.seen(&all()), [16]);
        assert_eq!(book.seen(&only("a")), NONE);
        assert_eq!(book.clear(&all()), 1);
        assert_eq!(book.seen(&all()), [17]);
    });
}

#[test]
fn a_sweep_deletes_what_a_clear_left_and_nothing_else() {
    every_backend(|book| {
        book.record(
            (0..250).map(|i| line("x").within(if i % 2 == 0 { "default" } else { "other" })),
        );
        assert_eq!(book.sweep(), 0);
        book.clear(&own());
        book.record(lines(5));
        let first = book.writer().sweep(100).unwrap();
        assert_eq!((first.removed, first.more), (100, true));
        let seen = book.seen(&all());
        assert_eq!(book.sweep(), 25);
        assert_eq!(book.sweep(), 0);
        assert_eq!(book.seen(&all()), seen);
        assert_eq!(seen.len(), 125 + 6);
    });
}

#[test]
fn a_sweep_goes_on_after_a_restart() {
    every_backend(|book| {
        book.record(lines(50));
        book.clear(&own());
        book.writer().sweep(20).unwrap();
        book.reopen();
        assert_eq!(book.seen(&own()), [51]);
        assert_eq!(book.seen(&all()), [51]);
        assert_eq!(book.sweep(), 30);
        assert_eq!(book.seen(&all()), [51]);
    });
}

#[test]
fn a_clear_upon_a_clear_counts_only_what_came_between() {
    every_backend(|book| {
        book.record(lines(10));
        assert_eq!(book.clear(&own()), 10);
        book.record(lines(2));
        assert_eq!(book.clear(&own()), 3);
        assert_eq!(book.seen(&own()), [14]);
        assert_eq!(book.sweep(), 13);
    });
}

#[test]
fn a_clear_of_a_workspace_that_is_not_in_the_book_removes_nothing() {
    every_backend(|book| {
        book.record(lines(3));
        assert_eq!(book.clear(&only("nobody")), 0);
        assert_eq!(book.seen(&own()), [1, 2, 3, 4]);
    });
}

#[test]
fn the_newest_number_is_found_however_much_was_cleared_above_it() {
    every_backend(|book| {
        book.record([line("old").within("other")]);
        book.record(lines(500));
        let now = book.now;
        let record = request([line("cleared").within("third")]);
        book.writer().clear(now, &own(), &record).unwrap();
        book.clear(&only("third"));
        book.clear(&own());
        let seqs: Vec<Seq> = book.seen(&all());
        assert_eq!(seqs, [1, 504]);
        assert_eq!(book.up(&all(), &everything(), 5, rows(10)), seqs);
        // Without the records of the clears, what lies highest in the store is none of the book's.
        book.prune(None, Some(0), 1_000);
        assert_eq!(book.seen(&all()), [1]);
    });
}
