//! Pruning: the oldest go, by age, by number or both, step by step, each workspace on its own.

use crate::harness::*;
use daybook::domain::{EntryId, Position, Seq};

/// Ten entries, ten microseconds apart.
fn ten(book: &mut Book) {
    for i in 1..=10 {
        book.record_at(at(i * 10), line("x").with_id(&format!("id{i}")));
    }
}

#[test]
fn by_age_what_is_older_goes_and_what_is_as_old_stays() {
    every_backend(|book| {
        ten(book);
        let removed = book.prune(Some(at(40)), None, 100);
        assert_eq!((removed.removed, removed.more), (3, false));
        assert_eq!(book.seen(&own()), (4..=10).collect::<Vec<Seq>>());
        assert_eq!(book.prune(Some(at(40)), None, 100).removed, 0);
        assert_eq!(book.prune(Some(at(0)), None, 100).removed, 0);
    });
}

#[test]
fn by_number_the_newest_stay() {
    every_backend(|book| {
        ten(book);
        assert_eq!(book.prune(None, Some(10), 100).removed, 0);
        assert_eq!(book.prune(None, Some(4), 100).removed, 6);
        assert_eq!(book.seen(&own()), [7, 8, 9, 10]);
        assert_eq!(book.prune(None, Some(4), 100).removed, 0);
        assert_eq!(book.prune(None, Some(u64::MAX), 100).removed, 0);
        assert_eq!(book.prune(None, None, 100).removed, 0);
    });
}

#[test]
fn by_both_what_either_rule_does_not_keep_goes() {
    every_backend(|book| {
        ten(book);
        assert_eq!(book.prune(Some(at(30)), Some(9), 100).removed, 2);
        assert_eq!(book.seen(&own())[0], 3);
        assert_eq!(book.prune(Some(at(40)), Some(2), 100).removed, 6);
        assert_eq!(book.seen(&own()), [9, 10]);
    });
}

#[test]
fn a_step_removes_at_most_its_limit_and_says_that_more_is_left() {
    every_backend(|book| {
        ten(book);
        let mut left = Vec::new();
        loop {
            let step = book.prune(Some(at(80)), None, 3);
            assert!(step.removed <= 3);
            left.push(book.seen(&own()).len());
            if !step.more {
                break;
            }
        }
        assert_eq!(left, [7, 4, 3]);
    });
}

#[test]
fn what_was_pruned_is_found_by_nothing() {
    every_backend(|book| {
        ten(book);
        book.prune(None, Some(3), 100);
        assert_eq!(
            book.reader().entry(&own(), &EntryId::trusted("id7")),
            Ok(None)
        );
        assert!(
            book.reader()
                .entry(&own(), &EntryId::trusted("id8"))
                .unwrap()
                .is_some()
        );
        let page = book.page(&all(), &everything(), Position::Before(8), 5);
        assert_eq!((page.items.len(), page.next_before_seq), (0, None));
        assert_eq!(book.reader().info().unwrap().first_seq, Some(8));
    });
}

#[test]
fn each_workspace_is_pruned_on_its_own() {
    every_backend(|book| {
        for i in 1..=6 {
            book.record_at(at(i), line("x").within("other"));
            book.record_at(at(i), line("x"));
        }
        assert_eq!(book.prune(None, Some(2), 100).removed, 4);
        assert_eq!(book.seen(&own()), [10, 12]);
        assert_eq!(book.seen(&only("other")), [1, 3, 5, 7, 9, 11]);
        assert_eq!(book.prune(Some(at(100)), None, 100).removed, 2);
        assert_eq!(book.seen(&all()), [1, 3, 5, 7, 9, 11]);
    });
}

#[test]
fn a_workspace_that_is_not_in_the_book_has_nothing_to_prune() {
    every_backend(|book| {
        book.record([line("x").within("other")]);
        assert_eq!(book.prune(Some(at(100)), Some(0), 100), Default::default());
        assert_eq!(book.seen(&all()), [1]);
    });
}

#[test]
fn what_a_clear_took_away_counts_as_nothing_that_is_kept() {
    every_backend(|book| {
        ten(book);
        book.clear(&own());
        book.record(lines(3));
        // The record of the clear and three more; the ten still lie in the store.
        assert_eq!(book.prune(None, Some(2), 100).removed, 2);
        assert_eq!(book.seen(&own()), [13, 14]);
        assert_eq!(book.sweep(), 10);
        assert_eq!(book.seen(&own()), [13, 14]);
        assert_eq!(book.seen(&all()), [13, 14]);
    });
}

#[test]
fn what_a_rule_does_not_keep_is_known_before_it_goes() {
    every_backend(|book| {
        ten(book);
        book.record_at(at(100), line("x").within("other"));
        let of = |before, keep| {
            let own = daybook::domain::WorkspaceId::default_workspace();
            let found = book
                .reader()
                .prunable(&only(own.as_str()), before, keep)
                .unwrap();
            let kept = found.oldest_kept.map(|ts| ts.micros() - at(0).micros());
            (found.upto, found.entries, found.by_age, found.held, kept)
        };
        assert_eq!(of(None, None), (0, 0, 0, 10, Some(10)));
        assert_eq!(of(Some(at(40)), None), (3, 3, 3, 10, Some(40)));
        assert_eq!(of(None, Some(4)), (6, 6, 0, 10, Some(70)));
        assert_eq!(of(Some(at(40)), Some(4)), (6, 6, 3, 10, Some(70)));
        assert_eq!(of(Some(at(80)), Some(4)), (7, 7, 7, 10, Some(80)));
        assert_eq!(of(Some(at(1_000)), None), (11, 10, 10, 10, None));
    });
}

#[test]
fn the_last_step_alone_commits_the_record_and_tells_it_the_sum() {
    every_backend(|book| {
        ten(book);
        let mut record = request([line("pruned").did("activity_log.pruned")]);
        let step = daybook::storage::PruneStep {
            workspace: daybook::domain::WorkspaceId::default_workspace(),
            upto: 7,
            limit: 4,
        };
        let first = book.writer().prune(at(200), &step, Some(&record)).unwrap();
        assert_eq!((first.removed, first.more), (4, true));
        assert_eq!(book.seen(&own()), (5..=10).collect::<Vec<Seq>>());
        record.entries[0].add_to("removed", first.removed);
        let last = book.writer().prune(at(200), &step, Some(&record)).unwrap();
        assert_eq!((last.removed, last.more), (3, false));
        assert_eq!(book.seen(&own()), [8, 9, 10, 11]);
        let page = book.page(&own(), &everything(), Position::Newest, 1);
        assert_eq!(page.items[0].entry.metadata.as_str(), r#"{"removed":7}"#);
    });
}

#[test]
fn settings_are_found_by_their_key_and_below_it() {
    every_backend(|book| {
        let put = |key: &str| daybook::domain::Act::PutSetting {
            key: key.to_owned(),
            value: "1".to_owned(),
        };
        let keys = ["r", "r/a", "r/b", "r-", "r0", "ra", "s"];
        let request = daybook::storage::Request {
            acts: keys.map(put).to_vec(),
            entries: Vec::new(),
        };
        book.writer().commit(at(0), &[request]).unwrap();
        let found: Vec<String> = book
            .reader()
            .settings("r")
            .unwrap()
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(found, ["r", "r/a", "r/b"]);
    });
}
