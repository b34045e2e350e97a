//! An export yields every match, the oldest first, over parts.

use crate::harness::*;
use daybook::domain::Seq;

#[test]
fn an_export_yields_every_match_in_order_whatever_the_size_of_its_parts() {
    every_backend(|book| {
        book.record((0..300).map(|i| line("x").by(if i % 3 == 0 { "berta" } else { "anna" })));
        let every: Vec<Seq> = (1..=300).collect();
        let third: Vec<Seq> = (1..=300).step_by(3).collect();
        for limit in [1, 7, 100, 300, 2_000] {
            assert_eq!(book.export_seqs(&own(), &everything(), limit), every);
            assert_eq!(
                book.export_seqs(&own(), &filter(&[("actor", "berta")]), limit),
                third
            );
            let looked_for = filter(&[("actor", "berta"), ("q", "X")]);
            assert_eq!(book.export_seqs(&all(), &looked_for, limit), third);
            let merged = filter(&[("category", "entity,auth")]);
            assert_eq!(book.export_seqs(&all(), &merged, limit), every);
        }
    });
}

#[test]
fn an_export_ends_where_the_book_stood() {
    every_backend(|book| {
        book.record(lines(10));
        let part = |after, upto| {
            let part = book
                .reader()
                .export(&own(), &everything(), after, upto, 4)
                .unwrap();
            let seqs: Vec<Seq> = part.items.iter().map(|item| item.seq).collect();
            (seqs, part.next)
        };
        assert_eq!(part(0, 6), (vec![1, 2, 3, 4], Some(4)));
        assert_eq!(part(4, 6), (vec![5, 6], None));
        assert_eq!(part(6, 6), (vec![], None));
        assert_eq!(part(0, Seq::MAX).1, Some(4));
        assert_eq!(part(Seq::MAX, Seq::MAX), (vec![], None));
    });
}

#[test]
fn an_export_goes_on_over_what_is_removed_meanwhile() {
    every_backend(|book| {
        book.record(lines(30));
        let first = book
            .reader()
            .export(&own(), &everything(), 0, 30, 10)
            .unwrap();
        book.prune(None, Some(15), 100);
        let rest = book
            .reader()
            .export(&own(), &everything(), first.next.unwrap(), 30, 100)
            .unwrap();
        let seqs: Vec<Seq> = rest.items.iter().map(|item| item.seq).collect();
        assert_eq!(seqs, (16..=30).collect::<Vec<Seq>>());
        assert_eq!(rest.next, None);
    });
}
