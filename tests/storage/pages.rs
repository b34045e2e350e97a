//! Pages by number: each entry once, whatever happens meanwhile, and `null` only at the end.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{Filter, Position, Seq};
use daybook::storage::Stretch;
use std::time::Duration;

#[test]
fn pages_down_and_up_hold_each_of_a_thousand_of_one_microsecond_once() {
    every_backend(|book| {
        book.record(lines(1_000));
        let up: Vec<Seq> = (1..=1_000).collect();
        let down: Vec<Seq> = up.iter().rev().copied().collect();
        for size in [1, 7, 50, 333, 500] {
            assert_eq!(book.up(&own(), &everything(), size, unhurried()), up);
            assert_eq!(book.down(&own(), &everything(), size, unhurried()), down);
        }
    });
}

#[test]
fn pages_down_stay_as_they_were_while_writing_goes_on() {
    every_backend(|book| {
        book.record(lines(1_000));
        let (mut seqs, mut position) = (Vec::new(), Position::Newest);
        loop {
            let page = book.page(&own(), &everything(), position, 70);
            seqs.extend(page.items.iter().map(|item| item.seq));
            book.record(lines(30));
            match page.next_before_seq {
                Some(seq) => position = Position::Before(seq),
                None => break,
            }
        }
        assert_eq!(seqs, (1..=1_000).rev().collect::<Vec<Seq>>());
    });
}

#[test]
fn pages_up_go_on_into_what_is_written_meanwhile() {
    every_backend(|book| {
        book.record(lines(200));
        let (mut seqs, mut after) = (Vec::new(), 0);
        loop {
            let page = book.page(&own(), &everything(), Position::After(after), 70);
            seqs.extend(page.items.iter().map(|item| item.seq));
            if seqs.len() < 500 {
                book.record(lines(60));
            }
            match page.next_after_seq {
                Some(seq) => after = seq,
                None => break,
            }
        }
        let last = book.writer().head().last_seq;
        assert!(last >= 500);
        assert_eq!(seqs, (1..=last).collect::<Vec<Seq>>());
    });
}

#[test]
fn short_pages_go_on_to_the_end() {
    every_backend(|book| {
        book.record((0..500).map(|i| line(if i % 100 == 0 { "needle" } else { "hay" })));
        let needles = filter(&[("q", "needle")]);
        let no_time = Stretch {
            rows: 10,
            time: Duration::ZERO,
        };
        for stretch in [
            rows(1),
            rows(3),
            rows(64),
            rows(499),
            rows(500),
            rows(0),
            no_time,
        ] {
            assert_eq!(
                book.down(&own(), &needles, 2, stretch),
                [401, 301, 201, 101, 1]
            );
            assert_eq!(
                book.up(&all(), &needles, 2, stretch),
                [1, 101, 201, 301, 401]
            );
        }
    });
}

#[test]
fn a_short_page_says_where_to_go_on() {
    every_backend(|book| {
        book.record(lines(100));
        let nothing = filter(&[("q", "nowhere")]);
        let request = |position| daybook::domain::PageRequest {
            position,
            size: Default::default(),
        };
        let page = |position| {
            book.reader()
                .page(&own(), &nothing, request(position), rows(10))
                .unwrap()
        };
        let down = page(Position::Newest);
        assert!(down.items.is_empty());
        assert_eq!(
            (down.next_before_seq, down.next_after_seq),
            (Some(91), None)
        );
        let up = page(Position::After(0));
        assert!(up.items.is_empty());
        assert_eq!((up.next_before_seq, up.next_after_seq), (None, Some(10)));
    });
}

#[test]
fn a_page_that_is_full_to_the_end_is_the_last() {
    every_backend(|book| {
        book.record(lines(10));
        for (filter, size) in [(everything(), 10), (filter(&[("q", "entry")]), 10)] {
            let down = book.page(&own(), &filter, Position::Newest, size);
            assert_eq!((down.items.len(), down.next_before_seq), (10, None));
            let up = book.page(&own(), &filter, Position::After(0), size);
            assert_eq!((up.items.len(), up.next_after_seq), (10, None));
            let down = book.page(&own(), &filter, Position::Newest, size - 1);
            assert_eq!((down.items.len(), down.next_before_seq), (9, Some(2)));
            let up = book.page(&own(), &filter, Position::After(0), size - 1);
            assert_eq!((up.items.len(), up.next_after_seq), (9, Some(9)));
        }
    });
}

#[test]
fn a_page_beyond_either_end_is_empty_and_the_last() {
    every_backend(|book| {
        book.record(lines(10));
        for filter in [
            everything(),
            filter(&[("q", "entry")]),
            filter(&[("actor", "anna")]),
        ] {
            for position in [
                Position::Before(1),
                Position::Before(0),
                Position::Before(Seq::MIN),
                Position::After(10),
                Position::After(Seq::MAX),
            ] {
                let page = book.page(&own(), &filter, position, 5);
                assert!(page.items.is_empty(), "{position:?}");
                assert_eq!((page.next_before_seq, page.next_after_seq), (None, None));
                assert_eq!(page.newest_seq, Some(10));
            }
            assert_eq!(
                book.page(&own(), &filter, Position::Before(Seq::MAX), 5)
                    .items[0]
                    .seq,
                10
            );
            assert_eq!(
                book.page(&own(), &filter, Position::After(Seq::MIN), 5)
                    .items[0]
                    .seq,
                1
            );
        }
    });
}

#[test]
fn the_newest_number_is_that_of_the_scope_whatever_the_filter() {
    every_backend(|book| {
        book.record([line("a"), line("b"), line("c").within("other")]);
        let newest = |scope: &Scope, filter: &Filter| {
            book.page(scope, filter, Position::Before(1), 1).newest_seq
        };
        for filter in [
            everything(),
            filter(&[("q", "nowhere")]),
            filter(&[("until", "9h")]),
        ] {
            assert_eq!(newest(&own(), &filter), Some(2));
            assert_eq!(newest(&only("other"), &filter), Some(3));
            assert_eq!(newest(&only("nobody"), &filter), None);
            assert_eq!(newest(&all(), &filter), Some(3));
        }
    });
}

#[test]
fn a_page_names_the_epoch_of_the_book() {
    every_backend(|book| {
        book.record(lines(1));
        let epoch = book.page(&own(), &everything(), Position::Newest, 1).epoch;
        assert_eq!(epoch, book.writer().head().epoch);
        book.reopen();
        assert_eq!(epoch, book.writer().head().epoch);
        assert_eq!(epoch.as_str().len(), 36);
    });
}
