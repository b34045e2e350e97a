//! Automations: what is put comes back, after a restart too; what is removed goes with all that was its.

use crate::harness::*;
use daybook::domain::Act;
use daybook::domain::automation::Delivery;
use daybook::storage::{KeptAutomations, Request};

fn delivery(id: &str, rule: &str) -> Delivery {
    Delivery {
        id: id.into(),
        rule: rule.into(),
        made: at(1),
        seqs: vec![3, 5, 8],
        count: 9,
        attempts: 2,
        next: at(7),
    }
}

fn rule(name: &str, json: &str) -> Act {
    Act::PutRule {
        name: name.into(),
        rule: json.into(),
    }
}

fn standing(name: &str) -> Act {
    Act::PutStanding {
        name: name.into(),
        standing: format!("{{\"of\":\"{name}\"}}"),
    }
}

fn commit(book: &mut Book, acts: Vec<Act>) {
    let entries = Vec::new();
    let (now, group) = (book.now, [Request { acts, entries }]);
    book.writer().commit(now, &group).unwrap();
}

fn kept(book: &Book) -> KeptAutomations {
    book.reader().automations().unwrap()
}

#[test]
fn what_automations_keep_comes_back_and_after_a_restart() {
    every_backend(|book| {
        assert_eq!(kept(book), KeptAutomations::default());
        let put = |one: Delivery| Act::PutDelivery(Box::new(one));
        let again = Delivery {
            attempts: 3,
            ..delivery("d1", "a")
        };
        commit(
            book,
            vec![
                rule("a", "{}"),
                standing("a"),
                put(delivery("d1", "a")),
                put(delivery("d2", "b")),
                put(again.clone()),
                Act::ReadUpTo { seq: 4 },
                Act::ReadUpTo { seq: 9 },
            ],
        );
        let held = KeptAutomations {
            rules: vec![("a".into(), "{}".into())],
            standings: vec![("a".into(), "{\"of\":\"a\"}".into())],
            position: Some(9),
            deliveries: vec![again, delivery("d2", "b")],
        };
        assert_eq!(kept(book), held);
        book.reopen();
        assert_eq!(kept(book), held);
    });
}

#[test]
fn a_rule_goes_with_how_it_stands_and_what_it_had_to_tell() {
    every_backend(|book| {
        let put = |id, rule| Act::PutDelivery(Box::new(delivery(id, rule)));
        let both = vec![
            rule("a", "{}"),
            rule("b", "{}"),
            standing("a"),
            standing("b"),
            put("d1", "a"),
            put("d2", "b"),
            put("d3", "b"),
        ];
        commit(book, both);
        let name = || "a".to_owned();
        let id = "d3".to_owned();
        commit(
            book,
            vec![Act::RemoveRule { name: name() }, Act::RemoveDelivery { id }],
        );
        let held = kept(book);
        assert_eq!(held.rules, [("b".into(), "{}".into())]);
        assert_eq!(held.standings.len(), 1);
        assert_eq!(held.deliveries, [delivery("d2", "b")]);
    });
}

#[test]
fn a_rule_that_looks_for_who_is_erased_goes_with_him() {
    every_backend(|book| {
        let of = |workspace: &str, filters: &str| {
            format!(r#"{{"workspace":"{workspace}","filters":{filters}}}"#)
        };
        let named = of("default", r#"{"actor":["zoe"]}"#);
        let said = of("*", r#"{"q":["by zoe"]}"#);
        let another = of("default", r#"{"actor":["zoes"],"action":["zoe.*"]}"#);
        commit(
            book,
            vec![
                rule("named", &named),
                rule("said", &said),
                rule("another", &another),
            ],
        );
        let record = request([line("erased").did("activity_log.erased")]);
        let now = book.now;
        book.writer().erase(now, &all(), "zoe", &record).unwrap();
        assert_eq!(kept(book).rules, [("another".into(), another)]);
    });
}
