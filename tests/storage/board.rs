//! What principals arrange is each one's own, survives, and names nobody who was erased.

use crate::harness::*;
use daybook::domain::board::{Address, Kind, Owner};
use daybook::domain::{Act, WorkspaceId};
use daybook::storage::Request;

fn owner(workspace: Option<&str>, principal: &str) -> Owner {
    Owner {
        workspace: workspace.map(WorkspaceId::trusted),
        principal: principal.to_owned(),
    }
}

fn address(owner: &Owner, kind: Kind, id: &str) -> Box<Address> {
    Box::new(Address {
        owner: owner.clone(),
        kind,
        id: id.to_owned(),
    })
}

fn commit(book: &mut Book, act: Act) {
    let (acts, entries) = (vec![act], Vec::new());
    let (now, group) = (book.now, [Request { acts, entries }]);
    book.writer().commit(now, &group).unwrap();
}

fn put(book: &mut Book, owner: &Owner, kind: Kind, id: &str, value: &str) {
    let (at, value) = (address(owner, kind, id), value.to_owned());
    commit(book, Act::PutOnBoard { at, value });
}

fn ids(book: &Book, owner: &Owner, kind: Kind) -> Vec<String> {
    let held = book.reader().board(owner, kind).unwrap();
    held.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn what_one_arranged_is_there_after_a_restart_and_is_nobody_elses() {
    every_backend(|book| {
        let (of_all, of_a, of_b) = (
            owner(None, "ann"),
            owner(Some("a"), "ann"),
            owner(Some("b"), "ann"),
        );
        put(book, &of_all, Kind::View, "v2", r#"{"n":2}"#);
        put(book, &of_all, Kind::View, "v1", r#"{"n":1}"#);
        put(book, &of_a, Kind::View, "v3", "{}");
        put(book, &of_a, Kind::Layout, "me", "{}");
        for _ in 0..2 {
            let held = book.reader().board(&of_all, Kind::View).unwrap();
            let pair = |id: &str, value: &str| (id.to_owned(), value.to_owned());
            assert_eq!(held, [pair("v1", r#"{"n":1}"#), pair("v2", r#"{"n":2}"#)]);
            assert_eq!(ids(book, &of_a, Kind::View), ["v3"]);
            assert_eq!(ids(book, &of_a, Kind::Layout), ["me"]);
            assert_eq!(ids(book, &of_a, Kind::Widget), [""; 0]);
            assert_eq!(ids(book, &of_b, Kind::View), [""; 0]);
            assert_eq!(ids(book, &owner(None, "ben"), Kind::View), [""; 0]);
            book.reopen();
        }
    });
}

#[test]
fn what_is_put_again_replaces_and_what_is_taken_away_is_gone() {
    every_backend(|book| {
        let ann = owner(None, "ann");
        put(book, &ann, Kind::Layout, "me", "1");
        put(book, &ann, Kind::Layout, "me", "2");
        let held = book.reader().board(&ann, Kind::Layout).unwrap();
        assert_eq!(held, [("me".to_owned(), "2".to_owned())]);
        for _ in 0..2 {
            let at = address(&ann, Kind::Layout, "me");
            commit(book, Act::TakeOffBoard { at });
            assert_eq!(ids(book, &ann, Kind::Layout), [""; 0]);
        }
    });
}

#[test]
fn whoever_is_erased_leaves_no_layout_and_is_named_in_nobodys_view() {
    every_backend(|book| {
        let (ann, ben) = (owner(Some("a"), "ann"), owner(Some("a"), "ben"));
        let (other, all) = (owner(Some("b"), "ann"), owner(None, "olga"));
        put(book, &ann, Kind::Layout, "me", "{}");
        put(
            book,
            &ben,
            Kind::View,
            "hers",
            r#"{"filters":{"actor":["ann"]}}"#,
        );
        put(
            book,
            &ben,
            Kind::View,
            "his",
            r#"{"filters":{"actor":["ben"]}}"#,
        );
        put(book, &other, Kind::Layout, "me", "{}");
        put(book, &all, Kind::View, "hers", r#"{"name":"What ann did"}"#);
        book.writer()
            .erase(at(1), &only("a"), "ann", &Request::default())
            .unwrap();
        assert_eq!(ids(book, &ann, Kind::Layout), [""; 0]);
        assert_eq!(ids(book, &ben, Kind::View), ["his"]);
        assert_eq!(ids(book, &all, Kind::View), [""; 0]);
        assert_eq!(ids(book, &other, Kind::Layout), ["me"]);
    });
}
