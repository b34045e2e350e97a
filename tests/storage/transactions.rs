//! Acts and entries of a group are one transaction: all of it, or nothing.

use crate::harness::*;
use daybook::domain::Act;
use daybook::storage::Request;

fn put(key: &str, value: &str) -> Act {
    Act::PutSetting {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn each_request_of_a_group_is_answered_in_its_order() {
    every_backend(|book| {
        let now = book.now;
        let group = [request(lines(2)), request(lines(0)), request(lines(3))];
        let receipts = book.writer().commit(now, &group).unwrap();
        let seqs: Vec<Vec<_>> = receipts
            .iter()
            .map(|of_request| of_request.iter().map(|r| r.seq).collect())
            .collect();
        assert_eq!(seqs, [vec![1, 2], vec![], vec![3, 4, 5]]);
    });
}

#[test]
fn a_group_that_fails_leaves_nothing() {
    every_backend(|book| {
        book.record(lines(2));
        let before = book.writer().head().clone();
        book.backend().fail_at("poison");
        let now = at(500);
        let group = [
            Request {
                acts: vec![put("kept", "1")],
                entries: request([line("good"), line("new workspace").within("new")]).entries,
            },
            request([line("fine"), line("poison").with_id("x")]),
        ];
        assert!(book.writer().commit(now, &group).is_err());
        assert_eq!(*book.writer().head(), before);
        assert_eq!(book.reader().head().unwrap(), before);
        assert_eq!(book.seen(&all()), [1, 2]);
        // The writer goes on as if it had not been, also with what came into being in between.
        let receipt = book.record_at(at(400), line("good").within("new").with_id("x"));
        assert_eq!(
            (receipt.seq, receipt.ts, receipt.duplicate),
            (3, at(400), false)
        );
        book.reopen();
        assert_eq!(book.seen(&only("new")), [3]);
    });
}

#[test]
fn a_clear_whose_record_fails_clears_nothing() {
    every_backend(|book| {
        book.record(lines(3));
        book.backend().fail_at("poison");
        let now = book.now;
        let record = request([line("poison")]);
        assert!(book.writer().clear(now, &all(), &record).is_err());
        assert_eq!(book.seen(&all()), [1, 2, 3]);
        assert_eq!(book.sweep(), 0);
        assert_eq!(book.seen(&own()), [1, 2, 3]);
    });
}

#[test]
fn a_probe_leaves_nothing_behind() {
    every_backend(|book| {
        book.record(lines(2));
        let before = book.writer().head().clone();
        book.writer().probe().unwrap();
        assert_eq!(*book.writer().head(), before);
        assert_eq!(book.reader().head().unwrap(), before);
        assert_eq!(book.seen(&all()), [1, 2]);
    });
}
