//! Numbers and times: in commit order, never back, never twice.

use crate::harness::*;
use daybook::domain::{Seq, Timestamp};

#[test]
fn numbers_follow_each_other_without_holes_also_for_duplicates() {
    every_backend(|book| {
        let mut seqs = Vec::new();
        for _ in 0..3 {
            let receipts = book.record([line("a"), line("b").with_id("same"), line("c")]);
            seqs.extend(receipts.iter().filter(|r| !r.duplicate).map(|r| r.seq));
        }
        assert_eq!(seqs, (1..=7).collect::<Vec<Seq>>());
        assert_eq!(book.writer().head().last_seq, 7);
        assert_eq!(book.reader().head().unwrap(), *book.writer().head());
    });
}

#[test]
fn a_number_is_never_used_twice_whatever_was_removed() {
    every_backend(|book| {
        book.record(lines(10));
        book.prune(None, Some(0), 100);
        assert_eq!(book.seen(&own()), NONE);
        assert_eq!(book.record(lines(1))[0].seq, 11);
        book.prune(None, Some(0), 100);
        book.reopen();
        assert_eq!(book.record(lines(1))[0].seq, 12);
        book.clear(&all());
        book.sweep();
        book.reopen();
        assert_eq!(book.record(lines(1))[0].seq, 14);
    });
}

#[test]
fn a_time_never_steps_back_when_the_clock_does() {
    every_backend(|book| {
        assert_eq!(book.record_at(at(100), line("a")).ts, at(100));
        assert_eq!(book.record_at(at(40), line("b")).ts, at(101));
        assert_eq!(book.record_at(at(50), line("c")).ts, at(102));
        assert_eq!(book.record_at(at(102), line("d")).ts, at(102));
        assert_eq!(book.record_at(at(103), line("e")).ts, at(103));
    });
}

#[test]
fn a_time_never_steps_back_across_a_restart_or_after_everything_was_removed() {
    every_backend(|book| {
        book.record_at(at(100), line("a"));
        book.reopen();
        assert_eq!(book.record_at(at(40), line("b")).ts, at(101));
        book.prune(None, Some(0), 100);
        book.reopen();
        assert_eq!(book.record_at(at(40), line("c")).ts, at(102));
        book.clear(&all());
        book.sweep();
        book.reopen();
        assert_eq!(book.record_at(at(40), line("d")).ts, at(104));
    });
}

#[test]
fn entries_of_one_group_share_its_moment() {
    every_backend(|book| {
        let receipts = book.record(lines(3));
        let times: Vec<Timestamp> = receipts.iter().map(|receipt| receipt.ts).collect();
        assert_eq!(times, [at(0); 3]);
    });
}
