//! Workspaces do not see each other; `*` sees all.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::workspace::MOST_WORKSPACES;
use daybook::domain::{Act, EntryId, Position, Timestamp, Title, Workspace, WorkspaceId};
use daybook::storage::{Request, StorageError};

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

fn workspace(name: &str) -> Workspace {
    Workspace {
        name: WorkspaceId::trusted(name),
        title: None,
        created: None,
        archived: None,
    }
}

fn put(book: &mut Book, workspace: Workspace) {
    let (now, acts) = (book.now, vec![Act::PutWorkspace(Box::new(workspace))]);
    let entries = Vec::new();
    let group = [Request { acts, entries }];
    book.writer().commit(now, &group).unwrap();
}

fn held(book: &Book) -> Vec<Workspace> {
    let held = book.reader().holdings(&all(), None, 100).unwrap();
    held.into_iter().map(|held| held.workspace).collect()
}

#[test]
fn what_is_said_of_a_workspace_stays_whatever_happens_to_its_entries() {
    every_backend(|book| {
        let created: Option<Timestamp> = Some(at(0));
        let told = Workspace {
            title: Some(Title::parse("Acme").unwrap()),
            archived: Some(at(7)),
            created,
            ..workspace("a")
        };
        book.record(lines(5).map(|line| line.within("a")));
        put(book, told.clone());
        let default = Workspace {
            created: Some(at(9)),
            ..workspace("default")
        };
        book.now = at(9);
        book.clear(&only("a"));
        assert_eq!(held(book), [told.clone(), default.clone()]);
        book.sweep();
        book.reopen();
        assert_eq!(held(book), [told.clone(), default]);
        assert_eq!(book.reader().archived().unwrap(), [told.name]);
        put(book, workspace("a"));
        assert_eq!(book.reader().archived().unwrap(), []);
        let now = Workspace {
            created,
            ..workspace("a")
        };
        assert_eq!(held(book)[0], now, "when it came into being is not changed");
    });
}

#[test]
fn what_takes_no_entries_takes_none_and_refuses_all_of_their_sender() {
    every_backend(|book| {
        book.record(lines(2).map(|line| line.within("a")));
        let archived = Some(at(0));
        put(
            book,
            Workspace {
                archived,
                ..workspace("a")
            },
        );
        let gone: [fn(&mut Book); 5] = [
            |_| {},
            |book| assert_eq!(book.prune_of("a", None, Some(0), 1).removed, 1),
            |book| assert_eq!(book.clear(&only("a")), 1),
            |book| assert_eq!(book.sweep(), 1),
            Book::reopen,
        ];
        for happens in gone {
            happens(book);
            let now = book.now;
            let mixed = request([line("other"), line("late").within("a")]);
            let refused = book.writer().commit(now, &[mixed]).unwrap_err();
            assert_eq!(refused, StorageError::Archived(WorkspaceId::trusted("a")));
            assert!(refused.is_of_one() && !refused.is_fatal());
        }
        // The entry of the clear.
        assert_eq!(book.seen(&all()), [3]);
        // What the daemon says of the book itself, as that it was pruned.
        let own = line("pruned").of("system").did("activity_log.pruned");
        book.record([own.within("a")]);
        assert_eq!(book.seen(&only("a")), [4]);
        put(book, workspace("a"));
        book.record([line("again").within("a")]);
        assert_eq!(book.seen(&only("a")), [4, 5]);
    });
}

#[test]
fn there_are_so_many_workspaces_and_no_more() {
    every_backend(|book| {
        let named = |n: usize| line("x").within(&format!("w{n}"));
        book.record((0..MOST_WORKSPACES).map(named));
        let now = book.now;
        let one_more = request([named(0), named(MOST_WORKSPACES)]);
        let refused = book.writer().commit(now, &[one_more]).unwrap_err();
        assert_eq!(refused, StorageError::TooManyWorkspaces);
        book.record([named(0)]);
    });
}

#[test]
fn workspaces_are_listed_by_name_and_part_by_part() {
    every_backend(|book| {
        book.record(["b", "a", "c"].map(|name| line("x").within(name)));
        let names = |scope: &Scope, after: Option<&str>, limit| {
            let after = after.map(WorkspaceId::trusted);
            let held = book
                .reader()
                .holdings(scope, after.as_ref(), limit)
                .unwrap();
            let names = held.into_iter().map(|held| held.workspace.name);
            names.map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&all(), None, 2), ["a", "b"]);
        assert_eq!(names(&all(), Some("b"), 2), ["c"]);
        assert_eq!(names(&only("b"), None, 9), ["b"]);
        assert_eq!(names(&only("nowhere"), None, 9), [""; 0]);
    });
}
