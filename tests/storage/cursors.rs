//! How far an intake has read is kept together with the entries that it read up to there, or not at all.

use crate::harness::*;
use daybook::domain::Act;
use daybook::storage::{Request, StorageError};

fn put(name: &str, former: Option<&str>, value: &str) -> Act {
    Act::PutCursor {
        name: name.to_owned(),
        former: former.map(str::to_owned),
        value: value.to_owned(),
    }
}

fn with(act: Act, message: &str) -> Request {
    Request {
        acts: vec![act],
        ..request([line(message)])
    }
}

#[test]
fn a_cursor_comes_back_as_it_was_put_last_and_after_a_restart() {
    every_backend(|book| {
        let now = book.now;
        let group = [
            with(put("a", None, r#"{"n":1}"#), "one"),
            with(put("b", None, "5"), "two"),
            with(put("a", Some(r#"{"n":1}"#), r#"{"n":2}"#), "three"),
        ];
        book.writer().commit(now, &group).unwrap();
        for _ in 0..2 {
            let cursor = |name: &str| book.reader().cursor(name).unwrap();
            assert_eq!(cursor("a").as_deref(), Some(r#"{"n":2}"#));
            assert_eq!(cursor("b").as_deref(), Some("5"));
            assert_eq!(cursor("c"), None);
            book.reopen();
        }
    });
}

#[test]
fn a_cursor_stays_where_it_was_when_its_entries_are_not_recorded() {
    every_backend(|book| {
        let now = book.now;
        book.writer()
            .commit(now, &[with(put("a", None, "1"), "one")])
            .unwrap();
        book.backend().fail_at("broken");
        let failed = book
            .writer()
            .commit(now, &[with(put("a", Some("1"), "2"), "broken")]);
        assert!(failed.is_err());
        assert_eq!(book.reader().cursor("a").unwrap().as_deref(), Some("1"));
        book.writer()
            .commit(now, &[with(put("a", Some("1"), "3"), "whole")])
            .unwrap();
        assert_eq!(book.reader().cursor("a").unwrap().as_deref(), Some("3"));
    });
}

#[test]
fn what_goes_on_from_another_place_than_the_book_knows_is_refused_alone() {
    every_backend(|book| {
        let now = book.now;
        book.writer()
            .commit(now, &[with(put("a", None, "1"), "one")])
            .unwrap();
        for former in [None, Some("2")] {
            let refused = book
                .writer()
                .commit(now, &[with(put("a", former, "3"), "lost")]);
            let error = refused.unwrap_err();
            assert_eq!(error, StorageError::Moved("a".to_owned()));
            assert!(error.is_of_one() && !error.is_fatal());
        }
        assert_eq!(book.reader().cursor("a").unwrap().as_deref(), Some("1"));
        assert_eq!(book.seen(&all()).len(), 1);
    });
}
