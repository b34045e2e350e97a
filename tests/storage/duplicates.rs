//! The same id again in the same workspace records nothing new and answers with the first one.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{EntryId, Receipt};

fn first(receipt: &Receipt) -> Receipt {
    Receipt {
        duplicate: true,
        ..receipt.clone()
    }
}

#[test]
fn the_same_id_again_answers_with_the_first_ones_number_and_time() {
    every_backend(|book| {
        let receipt = book.record_at(at(5), line("first").with_id("once"));
        assert!(!receipt.duplicate);
        book.record(lines(3));
        let again = book.record_at(at(900), line("second").with_id("once"));
        assert_eq!(again, first(&receipt));
        book.reopen();
        let again = book.record_at(at(999), line("third").with_id("once"));
        assert_eq!(again, first(&receipt));
        let held = book.reader().entry(&own(), &receipt.id).unwrap().unwrap();
        assert_eq!(held.entry.message, "first");
        assert_eq!(book.seen(&own()), [1, 2, 3, 4]);
    });
}

#[test]
fn the_same_id_in_another_workspace_is_another_entry() {
    every_backend(|book| {
        let here = book.record([line("here").with_id("same")]).remove(0);
        let there = book
            .record([line("there").with_id("same").within("other")])
            .remove(0);
        assert_eq!((here.seq, there.seq, there.duplicate), (1, 2, false));
        let id = EntryId::trusted("same");
        let held = |scope: &Scope| {
            book.reader()
                .entry(scope, &id)
                .unwrap()
                .unwrap()
                .entry
                .message
        };
        assert_eq!(held(&own()), "here");
        assert_eq!(held(&only("other")), "there");
    });
}

#[test]
fn the_same_id_twice_within_one_group_is_recorded_once() {
    every_backend(|book| {
        let now = book.now;
        let group = [
            request([line("a").with_id("x"), line("b").with_id("x")]),
            request([line("c"), line("d").with_id("x")]),
        ];
        let receipts = book.writer().commit(now, &group).unwrap();
        let told: Vec<_> = receipts
            .concat()
            .iter()
            .map(|r| (r.seq, r.duplicate))
            .collect();
        assert_eq!(told, [(1, false), (1, true), (2, false), (1, true)]);
        assert_eq!(book.seen(&own()), [1, 2]);
    });
}

#[test]
fn an_id_that_a_clear_took_away_is_recorded_anew() {
    every_backend(|book| {
        book.record([line("before").with_id("x"), line("other")]);
        book.clear(&own());
        let anew = book.record([line("after").with_id("x")]).remove(0);
        assert_eq!((anew.seq, anew.duplicate), (4, false));
        let again = book.record([line("after").with_id("x")]).remove(0);
        assert_eq!(again, first(&anew));
        book.sweep();
        let held = book.reader().entry(&own(), &anew.id).unwrap().unwrap();
        assert_eq!((held.seq, held.entry.message.as_str()), (4, "after"));
        assert_eq!(book.seen(&own()), [3, 4]);
    });
}

#[test]
fn an_id_that_a_prune_took_away_is_recorded_anew() {
    every_backend(|book| {
        book.record([line("before").with_id("x"), line("other")]);
        assert_eq!(book.prune(None, Some(1), 10).removed, 1);
        let anew = book.record([line("after").with_id("x")]).remove(0);
        assert_eq!((anew.seq, anew.duplicate), (3, false));
    });
}
