//! What facets and histograms say of how much of the book they cover.

use crate::harness::*;
use crate::rollups::{DAY, MINUTE, fill, rolling};
use daybook::domain::buckets::{Grid, moment_of};
use daybook::domain::{BucketCount, Dimension, Filter, HistogramRequest};

#[test]
fn under_a_filter_the_newest_matches_are_covered_and_it_says_from_where() {
    let mut book = rolling(1_000);
    for part in 0..12 {
        book.now = at(part * 60 * MINUTE);
        book.record(lines(1_000));
    }
    let filter = filter(&[("actor", "anna")]);
    let facets = book.reader().facets(&own(), &filter, unhurried()).unwrap();
    assert_eq!((facets.capped, facets.from_seq), (true, 2_001));
    assert_eq!(facets.of(Dimension::Actor)[0].count, 10_000);
    let request = HistogramRequest {
        buckets: BucketCount::default(),
        now: book.now,
    };
    let histogram = book
        .reader()
        .histogram(&own(), &filter, request, unhurried())
        .unwrap();
    assert_eq!((histogram.capped, histogram.from_seq), (true, 2_001));
    let sum: u64 = histogram
        .buckets
        .iter()
        .flat_map(|bucket| bucket.counts)
        .sum();
    assert_eq!(sum, 10_000);
}

#[test]
fn where_a_stretch_is_used_up_facets_say_from_where_on_they_count() {
    let book = &mut rolling(1);
    fill(book.writer());
    // All of it within one hour more, so that it must be walked.
    for i in 0..300 {
        book.record_at(at(3 * DAY + i), line("late").by("carla"));
    }
    let filter = Filter {
        since: Some(at(0)),
        until: Some(at(3 * DAY + 250)),
        ..Filter::default()
    };
    let facets = book.reader().facets(&own(), &filter, rows(100)).unwrap();
    assert!(facets.capped);
    let counted: u64 = facets
        .of(Dimension::Severity)
        .iter()
        .map(|own| own.count)
        .sum();
    assert_eq!(counted, (281 - facets.from_seq + 1) as u64);
}

#[test]
fn facets_list_the_most_frequent_fifty_and_look_at_ten_thousand_values() {
    let book = &mut rolling(1);
    book.record((0..60).map(|i| line("x").by(&format!("a{i:02}"))));
    book.record([line("x").by("a59")]);
    let facets = |book: &Book| {
        book.reader()
            .facets(&own(), &everything(), unhurried())
            .unwrap()
    };
    let some = facets(book);
    assert_eq!((some.of(Dimension::Actor).len(), some.capped), (50, false));
    assert_eq!(some.of(Dimension::Actor)[0].value, "a59");
    for part in 0..6 {
        book.record((0..2_000).map(|i| line("x").by(&format!("b{part}.{i}"))));
    }
    assert!(facets(book).capped);
}

#[test]
fn a_histogram_of_nothing_has_empty_buckets() {
    let book = rolling(1);
    let request = HistogramRequest {
        buckets: BucketCount::default(),
        now: at(0),
    };
    let of = |filter: &Filter| {
        book.reader()
            .histogram(&own(), filter, request, unhurried())
            .unwrap()
    };
    assert_eq!(of(&everything()).buckets.len(), 1);
    let day = Filter {
        since: Some(at(-DAY)),
        ..Filter::default()
    };
    let histogram = of(&day);
    let grid = Grid::over(at(-DAY), at(0), BucketCount::default());
    assert_eq!(histogram.since, moment_of(grid.start));
    assert_eq!(
        (histogram.bucket_seconds, histogram.buckets.len()),
        (1_800, 49)
    );
    assert!(
        histogram
            .buckets
            .iter()
            .all(|bucket| bucket.counts == [0; 3])
    );
}
