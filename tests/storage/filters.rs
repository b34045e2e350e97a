//! Each dimension of a filter narrows, alone and with others, however the book is asked.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{Filter, Seq};

/// Asks in every way, which must all agree.
fn found(book: &Book, filter: &Filter) -> Vec<Seq> {
    let seqs = book.up(&own(), filter, 3, rows(1_000));
    let mut down = book.down(&own(), filter, 2, rows(1_000));
    down.reverse();
    assert_eq!(down, seqs);
    assert_eq!(book.export_seqs(&own(), filter, 4), seqs);
    assert_eq!(book.count(&own(), filter, 100).count, seqs.len() as u64);
    assert_eq!(book.up(&all(), filter, 3, rows(1_000)), seqs);
    seqs
}

fn lamp_book(book: &mut Book) {
    book.record([
        line("Lamp found")
            .of("device")
            .did("device.found")
            .on("lamp", "1"),
        line("Lamp lost")
            .of("device")
            .did("device.lost")
            .severity("warning")
            .on("lamp", "1"),
        line("login").of("auth").did("auth.login").by("berta"),
        line("login failed")
            .of("auth")
            .did("auth.failed")
            .by("berta")
            .severity("error"),
        line("task made").did("task.created").on("task", "1"),
        line("task done")
            .did("task.done")
            .on("task", "2")
            .by("carl"),
    ]);
}

#[test]
fn each_dimension_narrows() {
    every_backend(|book| {
        lamp_book(book);
        let found = |name, value| found(book, &filter(&[(name, value)]));
        assert_eq!(found("category", "auth"), [3, 4]);
        assert_eq!(found("category", "auth,device"), [1, 2, 3, 4]);
        assert_eq!(found("category", "system"), NONE);
        assert_eq!(found("severity", "info"), [1, 3, 5, 6]);
        assert_eq!(found("severity", "error"), [4]);
        assert_eq!(found("severity", "error,warning"), [2, 4]);
        assert_eq!(found("severity", "error,info"), [1, 3, 4, 5, 6]);
        assert_eq!(found("severity", "error,warning,info"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(found("actor", "berta"), [3, 4]);
        assert_eq!(found("actor", "Berta"), NONE);
        assert_eq!(found("action", "task.created"), [5]);
        assert_eq!(found("action", "task.*"), [5, 6]);
        assert_eq!(found("action", "device.*"), [1, 2]);
        assert_eq!(found("action", "task"), NONE);
        assert_eq!(found("action", "nothing.*"), NONE);
        assert_eq!(found("entity_type", "lamp"), [1, 2]);
        assert_eq!(found("entity_id", "1"), [1, 2, 5]);
        assert_eq!(found("q", "LAMP"), [1, 2]);
        assert_eq!(found("q", "a"), [1, 2, 4, 5, 6]);
    });
}

#[test]
fn dimensions_narrow_together() {
    every_backend(|book| {
        lamp_book(book);
        let found = |parameters| found(book, &filter(parameters));
        assert_eq!(
            found(&[("entity_type", "lamp"), ("entity_id", "1")]),
            [1, 2]
        );
        assert_eq!(
            found(&[
                ("entity_type", "task"),
                ("entity_id", "1"),
                ("severity", "info")
            ]),
            [5]
        );
        assert_eq!(
            found(&[("category", "auth"), ("severity", "error,warning")]),
            [4]
        );
        assert_eq!(
            found(&[("actor", "berta"), ("action", "auth.*"), ("q", "fail")]),
            [4]
        );
        assert_eq!(
            found(&[("category", "device,entity"), ("actor", "anna")]),
            [1, 2, 5]
        );
        assert_eq!(found(&[("action", "task.*"), ("category", "auth")]), NONE);
        assert_eq!(
            found(&[
                ("severity", "info"),
                ("q", "o"),
                ("category", "auth,device")
            ]),
            [1, 3]
        );
    });
}

#[test]
fn wildcards_of_like_mean_themselves() {
    every_backend(|book| {
        book.record(
            [
                "100% done",
                "100 done",
                "a_b",
                "axb",
                r"c:\temp\x",
                "c:/temp",
                "%",
                r"\%",
            ]
            .map(line),
        );
        let found = |text| found(book, &filter(&[("q", text)]));
        assert_eq!(found("0% d"), [1]);
        assert_eq!(found("a_b"), [3]);
        assert_eq!(found("%"), [1, 7, 8]);
        assert_eq!(found(r"\"), [5, 8]);
        assert_eq!(found(r"\T"), [5]);
        assert_eq!(found(r"\%"), [8]);
        assert_eq!(found("_"), [3]);
        assert_eq!(found("%_%"), NONE);
        assert_eq!(found("done%"), NONE);
    });
}

#[test]
fn text_folds_ascii_letters_and_no_others() {
    every_backend(|book| {
        book.record(["Straße ÜBER Köln", "STRASSE über köln", "İstanbul ſ K"].map(line));
        let found = |text| found(book, &filter(&[("q", text)]));
        assert_eq!(found("sTRa"), [1, 2]);
        assert_eq!(found("straß"), [1]);
        assert_eq!(found("über"), [2]);
        assert_eq!(found("ÜbEr"), [1]);
        // The long s and the Kelvin sign fold to ASCII letters in Unicode, and must not here.
        assert_eq!(found("s k"), NONE);
        assert_eq!(found("i"), NONE);
        assert_eq!(found("\u{212a}"), NONE);
    });
}

#[test]
fn a_nul_in_a_text_is_in_no_message() {
    every_backend(|book| {
        book.record([line("ends with a")]);
        for text in ["a\0", "a\0b", "\0"] {
            assert_eq!(found(book, &filter(&[("q", text)])), NONE);
        }
    });
}

#[test]
fn since_and_until_include_their_moments() {
    every_backend(|book| {
        for micros in [10, 20, 20, 30] {
            book.record_at(at(micros), line("x"));
        }
        let found = |since, until| {
            let filter = Filter {
                since: Some(at(since)),
                until: Some(at(until)),
                ..everything()
            };
            found(book, &filter)
        };
        assert_eq!(found(20, 20), [2, 3]);
        assert_eq!(found(10, 30), [1, 2, 3, 4]);
        assert_eq!(found(11, 29), [2, 3]);
        assert_eq!(found(21, 29), NONE);
        assert_eq!(found(0, 9), NONE);
        assert_eq!(found(31, 99), NONE);
        assert_eq!(found(30, 10), NONE);
    });
}

#[test]
fn since_and_until_find_their_way_over_holes() {
    every_backend(|book| {
        for micros in 1..=20 {
            let workspace = if micros % 3 == 0 { "default" } else { "other" };
            book.record_at(at(micros * 10), line("x").within(workspace));
        }
        // What is left of `other` is scattered, and below 60 nothing of `default` is left.
        book.prune(Some(at(60)), None, 100);
        let found = |book: &Book, scope: &Scope, since, until| {
            let filter = Filter {
                since: Some(at(since)),
                until: Some(at(until)),
                ..everything()
            };
            book.up(scope, &filter, 2, rows(1_000))
        };
        assert_eq!(found(book, &own(), 0, 1_000), [6, 9, 12, 15, 18]);
        assert_eq!(found(book, &own(), 30, 90), [6, 9]);
        assert_eq!(found(book, &own(), 61, 89), NONE);
        assert_eq!(found(book, &all(), 20, 60), [2, 4, 5, 6]);
        book.clear(&only("other"));
        book.sweep();
        assert_eq!(found(book, &all(), 0, 60), [6]);
        assert_eq!(found(book, &all(), 91, 121), [12]);
    });
}

#[test]
fn a_value_given_twice_finds_its_entries_once() {
    every_backend(|book| {
        lamp_book(book);
        let mut doubled = filter(&[("category", "auth,device")]);
        doubled.categories.extend(doubled.categories.clone());
        assert_eq!(found(book, &doubled), [1, 2, 3, 4]);
        let mut doubled = filter(&[("severity", "error")]);
        doubled.severities = [doubled.severities[0]; 3].to_vec();
        assert_eq!(found(book, &doubled), [4]);
    });
}

#[test]
fn a_prefix_with_more_actions_than_can_be_merged_finds_them_all() {
    every_backend(|book| {
        for workspace in ["default", "other"] {
            book.record((0..100).map(|i| line("x").did(&format!("many.{i:03}")).within(workspace)));
        }
        book.record([
            line("x").did("other"),
            line("x").did("many").within("third"),
        ]);
        let many = filter(&[("action", "many.*")]);
        let expected: Vec<Seq> = (1..=100).collect();
        assert_eq!(book.up(&own(), &many, 9, rows(50)), expected);
        let expected: Vec<Seq> = (1..=200).collect();
        assert_eq!(book.up(&all(), &many, 9, rows(50)), expected);
        // Thirty actions in three workspaces are more walks than are merged.
        let some = filter(&[("action", "many.02*")]);
        let few: Vec<Seq> = (21..=30).chain(121..=130).collect();
        assert_eq!(book.up(&all(), &some, 9, rows(50)), few);
        assert_eq!(book.count(&all(), &many, 1_000).count, 200);
    });
}

#[test]
fn a_prefix_over_many_workspaces_finds_each_of_its_actions() {
    every_backend(|book| {
        for workspace in 0..40 {
            let workspace = format!("w{workspace}");
            book.record(
                ["task.created", "task.done", "user.made"]
                    .map(|action| line("x").did(action).within(&workspace)),
            );
        }
        let tasks = filter(&[("action", "task.*")]);
        let expected: Vec<Seq> = (1..=120).filter(|seq| seq % 3 != 0).collect();
        assert_eq!(book.up(&all(), &tasks, 50, rows(1_000)), expected);
        assert_eq!(book.count(&all(), &tasks, 1_000).count, 80);
        assert_eq!(book.export_seqs(&all(), &tasks, 7), expected);
    });
}
