//! A count is exact up to its cap and says so beyond it.

use crate::harness::*;
use daybook::domain::Count;

/// One that an index answers alone, one that looks at rows, and one that merges.
const FILTERS: [&[(&str, &str)]; 4] = [
    &[],
    &[("q", "entry")],
    &[("category", "entity,auth")],
    &[("actor", "anna"), ("q", "e")],
];

#[test]
fn a_count_is_exact_up_to_its_cap_and_capped_beyond() {
    every_backend(|book| {
        book.record(lines(20));
        book.record([line("entry").within("other")]);
        for parameters in FILTERS {
            let count = |cap| book.count(&own(), &filter(parameters), cap);
            let exact = |count| Count {
                count,
                capped: false,
                resume: None,
            };
            let capped = |count| Count {
                count,
                capped: true,
                resume: None,
            };
            assert_eq!(count(21), exact(20));
            assert_eq!(count(20), exact(20));
            assert_eq!(count(19), capped(19));
            assert_eq!(count(1), capped(1));
            assert_eq!(count(0), capped(0));
            assert_eq!(count(u64::MAX), exact(20));
        }
    });
}

#[test]
fn a_count_goes_on_where_its_stretch_was_used_up() {
    every_backend(|book| {
        book.record(lines(100));
        for parameters in FILTERS {
            let filter = filter(parameters);
            for scope in [own(), all()] {
                let part = book
                    .reader()
                    .count(&scope, &filter, None, 1_000, rows(10))
                    .unwrap();
                assert!(part.capped);
                assert!(part.resume.is_some_and(|seq| seq > 1));
                assert!((5..=20).contains(&part.count), "{part:?}");
                for stretch in [rows(1), rows(10), rows(99), rows(100)] {
                    assert_eq!(book.count_all(&scope, &filter, stretch), 100);
                }
            }
        }
    });
}

#[test]
fn a_count_of_nothing_is_nought_and_not_capped() {
    every_backend(|book| {
        book.record(lines(3));
        for parameters in [("q", "nowhere"), ("actor", "nobody"), ("action", "none.*")] {
            let count = book.count(&own(), &filter(&[parameters]), 10);
            assert_eq!((count.count, count.capped, count.resume), (0, false, None));
        }
    });
}
