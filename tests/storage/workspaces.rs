//! Workspaces do not see each other; `*` sees all.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{EntryId, Position};

const FILTERS: [&[(&str, &str)]; 7] = [
    &[],
    &[("actor", "anna")],
    &[("category", "entity")],
    &[("action", "task.*")],
    &[("severity", "error")],
    &[("entity_type", "task"), ("entity_id", "1")],
    &[("q", "secret")],
];

#[test]
fn no_filter_shows_a_workspace_what_belongs_to_another() {
    every_backend(|book| {
        let one = |workspace| {
            line("secret")
                .severity("error")
                .on("task", "1")
                .within(workspace)
        };
        book.record(["a", "b", "a", "b", "b"].map(one));
        for parameters in FILTERS {
            let filter = filter(parameters);
            for (scope, expected) in [
                (only("a"), vec![1, 3]),
                (only("b"), vec![2, 4, 5]),
                (only("c"), vec![]),
                (only("A"), vec![]),
                (all(), vec![1, 2, 3, 4, 5]),
            ] {
                assert_eq!(book.up(&scope, &filter, 2, rows(2)), expected);
                assert_eq!(
                    book.count(&scope, &filter, 100).count,
                    expected.len() as u64
                );
                assert_eq!(book.export_seqs(&scope, &filter, 2), expected);
            }
        }
    });
}

#[test]
fn an_id_opens_only_the_entry_of_ones_own_workspace() {
    every_backend(|book| {
        book.record([
            line("a").with_id("only-a").within("a"),
            line("b").with_id("both").within("b"),
            line("a").with_id("both").within("a"),
        ]);
        let found = |scope: &Scope, id| {
            let found = book.reader().entry(scope, &EntryId::trusted(id)).unwrap();
            found.map(|stored| stored.seq)
        };
        assert_eq!(found(&only("a"), "only-a"), Some(1));
        assert_eq!(found(&only("b"), "only-a"), None);
        assert_eq!(found(&only("b"), "both"), Some(2));
        assert_eq!(found(&only("a"), "both"), Some(3));
        assert_eq!(found(&all(), "only-a"), Some(1));
        assert!(found(&all(), "both").is_some());
    });
}

#[test]
fn a_workspace_is_not_told_how_far_the_others_are() {
    every_backend(|book| {
        book.record([line("mine").within("a")]);
        book.record(lines(10).map(|line| line.within("b")));
        let page = book.page(&only("a"), &everything(), Position::After(0), 10);
        assert_eq!((page.newest_seq, page.next_after_seq), (Some(1), None));
    });
}
