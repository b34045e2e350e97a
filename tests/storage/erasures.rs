//! Somebody who is erased is seen by no reader from the commit on, and is nowhere in the store at the end.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{
    BucketCount, Dimension, Draft, EntryId, Filter, HistogramRequest, Position, Seq, Stored,
};
use daybook::storage::Erased;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

const GONE: &str = "[erased]";

impl Book {
    fn erase(&mut self, scope: &Scope, actor: &str) -> Erased {
        let now = self.now;
        let record = request([line("erased").by("root").did("activity_log.erased")]);
        self.writer().erase(now, scope, actor, &record).unwrap()
    }

    /// To the end; answers how many entries held a name.
    fn finish(&mut self, limit: usize) -> u64 {
        let mut blanked = 0;
        for _ in 0..100_000 {
            let step = self.writer().erase_rows(limit).unwrap();
            blanked += step.blanked;
            if !step.more {
                return blanked;
            }
        }
        panic!("the erasure comes to no end");
    }
}

/// An entry that holds `name` in every field that may.
fn named_everywhere(name: &str) -> Line {
    let mut line = line(&format!("made by {name}, for himself"))
        .by(name)
        .on("user", name);
    line.0.entity_name = Some(format!("{name} himself"));
    line.0.ip_address = Some("192.0.2.7".into());
    line.0.user_agent = Some(format!("cli of {name}"));
    let object = json!({"who": name, "deep": [{name: {"x": format!("({name})")}}], "n": 1});
    line.0.metadata = object.as_object().cloned();
    line
}

/// What is left of it, field by field.
fn assert_blank(stored: &Stored) {
    let entry = &stored.entry;
    let blank = Some(GONE);
    assert_eq!(entry.actor, GONE);
    assert_eq!(
        (entry.entity_id.as_deref(), entry.entity_name.as_deref()),
        (blank, blank)
    );
    assert_eq!(
        (entry.ip_address.as_deref(), entry.user_agent.as_deref()),
        (blank, blank)
    );
    assert_eq!(entry.message, GONE);
    let metadata = r#"{"deep":[{"[erased]":{"x":"[erased]"}}],"n":1,"who":"[erased]"}"#;
    assert_eq!(entry.metadata.as_str(), metadata);
    assert_eq!(entry.entity_type.as_deref(), Some("user"));
}

fn actors(book: &Book, scope: &Scope) -> Vec<(String, u64)> {
    let facets = book
        .reader()
        .facets(scope, &everything(), rows(1_000_000))
        .unwrap();
    let values = &facets.values[Dimension::Actor as usize];
    values
        .iter()
        .map(|value| (value.value.clone(), value.count))
        .collect()
}

#[test]
fn every_field_is_blank_at_once_and_before_any_row_was_rewritten() {
    every_backend(|book| {
        book.record([named_everywhere("zoe").with_id("one"), line("of anna")]);
        let erased = book.erase(&own(), "zoe");
        assert_eq!(
            erased,
            Erased {
                entries: 1,
                upto: 2
            }
        );
        for _ in 0..2 {
            let seen = book.page(&own(), &everything(), Position::Newest, 10);
            assert_eq!(seen.items.len(), 3);
            assert_blank(&seen.items[2]);
            assert_eq!(seen.items[2].entry.id, EntryId::trusted("one"));
            assert_blank(
                &book
                    .reader()
                    .entry(&own(), &EntryId::trusted("one"))
                    .unwrap()
                    .unwrap(),
            );
            assert_blank(&book.export(&own(), &everything(), 2)[0]);
            for (name, value) in [
                ("actor", "zoe"),
                ("entity_id", "zoe"),
                ("q", "zoe"),
                ("q", "himself"),
            ] {
                let asked = filter(&[(name, value)]);
                assert_eq!(
                    book.up(&own(), &asked, 2, rows(1_000_000)),
                    NONE,
                    "{name}={value}"
                );
                assert_eq!(book.count(&own(), &asked, 10).count, 0);
            }
            for (name, value) in [("actor", GONE), ("entity_id", GONE), ("q", "erased]")] {
                let asked = filter(&[
                    (name, value),
                    ("not_actor", "zoe"),
                    ("not_entity_id", "zoe"),
                ]);
                assert_eq!(
                    book.down(&own(), &asked, 2, rows(1_000_000)),
                    [1],
                    "{name}={value}"
                );
            }
            let expected =
                [(GONE, 1), ("anna", 1), ("root", 1)].map(|(name, n)| (name.to_owned(), n));
            assert_eq!(actors(book, &own()), expected);
            book.finish(1);
        }
        // The record of it says how many, and names nobody.
        let record = book
            .page(&own(), &everything(), Position::Newest, 1)
            .items
            .remove(0);
        assert_eq!(
            record.entry.metadata.as_str(),
            r#"{"entries":1,"upto_seq":2}"#
        );
    });
}

#[test]
fn what_the_same_actor_does_later_is_another_matter() {
    every_backend(|book| {
        book.record([line("a").by("zoe")]);
        book.erase(&own(), "zoe");
        book.record([named_everywhere("zoe")]);
        let by_name = filter(&[("actor", "zoe")]);
        assert_eq!(book.up(&own(), &by_name, 5, rows(1_000)), [3]);
        book.finish(1);
        assert_eq!(book.up(&own(), &by_name, 5, rows(1_000)), [3]);
        assert_eq!(book.erase(&own(), "zoe").entries, 1);
        assert_eq!(book.up(&own(), &by_name, 5, rows(1_000)), NONE);
        book.finish(100);
    });
}

#[test]
fn a_workspace_is_erased_from_alone_and_all_of_them_together() {
    every_backend(|book| {
        let in_each = ["default", "a", "b"].map(|name| line("x").by("zoe").within(name));
        book.record(in_each);
        assert_eq!(book.erase(&only("a"), "zoe").entries, 1);
        let by_name = filter(&[("actor", "zoe")]);
        assert_eq!(book.up(&all(), &by_name, 5, rows(1_000)), [1, 3]);
        book.finish(100);
        assert_eq!(book.up(&all(), &by_name, 5, rows(1_000)), [1, 3]);
        assert_eq!(book.erase(&all(), "zoe").entries, 2);
        assert_eq!(book.up(&all(), &by_name, 5, rows(1_000)), NONE);
        assert_eq!(book.erase(&only("nobody"), "zoe").entries, 0);
    });
}

#[test]
fn an_erasure_goes_on_after_a_restart_and_prunes_and_clears_pass_it_by() {
    every_backend(|book| {
        book.record((0..60).map(|i| line("x").by(if i % 2 == 0 { "zoe" } else { "bob" })));
        book.erase(&own(), "zoe");
        assert!(book.writer().erase_rows(10).unwrap().more);
        book.reopen();
        assert_eq!(book.writer().erasures().len(), 1);
        assert_eq!(
            book.count(&own(), &filter(&[("actor", "zoe")]), 100).count,
            0
        );
        book.prune(None, Some(20), 1_000);
        assert_eq!(actors(book, &own())[0], ("bob".to_owned(), 10));
        assert_eq!(actors(book, &own())[1], (GONE.to_owned(), 9));
        book.clear(&own());
        assert!(book.writer().erase_rows(7).unwrap().more);
        book.sweep();
        book.finish(10);
        assert!(book.writer().erasures().is_empty());
        assert!(!book.writer().erase_rows(10).unwrap().more);
    });
}

/// The bytes that a copy of the whole directory holds of a name.
fn found(store: &Sqlite, name: &str) -> Vec<String> {
    let files = std::fs::read_dir(store.directory())
        .unwrap()
        .map(|file| file.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        memchr::memmem::find(&bytes, name.as_bytes()).is_some()
    };
    let found = files.filter(holds);
    found
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn no_byte_of_the_name_is_left_in_the_file_or_beside_it() {
    const NAME: &str = "Zoë-Quux@example.org";
    let store = Sqlite::new();
    let mut writer = daybook::storage::sqlite::open_writer_that_rolls(&store.file(), 64).unwrap();
    let reader = daybook::storage::sqlite::open_reader(&store.file(), 1).unwrap();
    use daybook::storage::{EntryReader, EntryWriter};
    // Names between the names, so that pages of the indexes are split, and long texts, so that some overflow.
    for i in 0..120_i64 {
        let lines = (0..25).map(|j| match (i * 7 + j) % 3 {
            0 => named_everywhere(NAME),
            1 => line(&format!("long {} {NAME}", "x".repeat(3_900)))
                .by(&format!("u{}", (i * 31 + j) % 97)),
            _ => line("else").by("eve"),
        });
        writer
            .commit(at(i * 40_000_000), &[request(lines)])
            .unwrap();
    }
    let workspace = daybook::domain::WorkspaceId::default_workspace();
    let upto = reader
        .prunable(&only(workspace.as_str()), None, Some(2_500))
        .unwrap()
        .upto;
    let step = daybook::storage::PruneStep {
        workspace,
        upto,
        limit: 10_000,
    };
    writer.prune(at(0), &step, None).unwrap();
    assert!(
        !found(&store, NAME).is_empty(),
        "the control: it is there before"
    );
    let record = request([line("erased")]);
    writer.erase(at(0), &own(), NAME, &record).unwrap();
    while writer.erase_rows(50).unwrap().more {}
    assert_eq!(found(&store, NAME), [""; 0]);
    assert_eq!(found(&store, "Quux"), [""; 0]);
    assert_eq!(reader.check(&mut |_| {}).unwrap().problems, [""; 0]);
    drop(reader);
    writer.close().unwrap();
    assert_eq!(found(&store, NAME), [""; 0]);
}

#[test]
fn a_reader_in_the_way_holds_up_the_last_step_alone() {
    use diesel::connection::SimpleConnection;
    let store = Sqlite::new();
    let path = store.file();
    let mut book = Book::of(Box::new(store));
    book.record([named_everywhere("zoe")]);
    let mut slow: diesel::SqliteConnection =
        diesel::Connection::establish(path.to_str().unwrap()).unwrap();
    slow.batch_execute("BEGIN; SELECT * FROM activity_log")
        .unwrap();
    book.erase(&own(), "zoe");
    for _ in 0..20 {
        book.writer().erase_rows(10).unwrap();
    }
    let step = book.writer().erase_rows(10).unwrap();
    assert!(step.more && step.held_up);
    book.record(lines(3));
    slow.batch_execute("COMMIT").unwrap();
    book.finish(10);
}

// Random books, held against a model

const NAMES: [&str; 4] = ["zoe", "al", "bob", "eve"];
const WORKSPACES: [&str; 2] = ["default", "b"];
const TEXTS: [&str; 6] = ["", "already here", "al's", "by zoe", "bob and zoe", "joe"];

#[derive(Debug, Clone)]
enum Doing {
    Record(Vec<(usize, usize, usize, usize)>),
    Erase(Option<usize>, usize),
    Step(usize),
}

fn doing() -> impl Strategy<Value = Doing> {
    let entry = (
        0..NAMES.len(),
        0..WORKSPACES.len(),
        0..TEXTS.len(),
        0..24_usize,
    );
    prop_oneof![
        3 => prop::collection::vec(entry, 1..12).prop_map(Doing::Record),
        1 => (prop::option::of(0..WORKSPACES.len()), 0..NAMES.len()).prop_map(|(w, n)| Doing::Erase(w, n)),
        2 => (1..9_usize).prop_map(Doing::Step),
    ]
}

fn random_line(&(name, workspace, text, kind): &(usize, usize, usize, usize)) -> Line {
    let (name, text) = (NAMES[name], TEXTS[text]);
    let mut line = line(&format!("x {text}"))
        .by(name)
        .within(WORKSPACES[workspace]);
    let Draft {
        entity_type,
        entity_id,
        entity_name,
        metadata,
        ip_address,
        severity,
        ..
    } = &mut line.0;
    if kind % 3 == 1 {
        (*entity_type, *entity_id) = (Some("user".into()), Some(NAMES[kind % 4].into()));
    }
    if kind % 3 == 2 {
        *entity_name = Some(NAMES[(kind / 3) % 4].into());
    }
    if kind % 4 == 2 {
        *metadata = json!({"k": [text, name], "n": 1}).as_object().cloned();
    }
    if kind % 5 == 0 {
        *ip_address = Some("192.0.2.1".into());
        *severity = Some("error".into());
    }
    line
}

/// Names of the random books are words, so that words are all that the model knows.
fn names(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| word == name)
}

fn forget(stored: &mut Stored, name: &str) {
    let entry = &mut stored.entry;
    let gone = || Some(GONE.to_owned());
    if entry.actor == name {
        entry.actor = GONE.into();
        entry.ip_address = entry.ip_address.take().and_then(|_| gone());
    }
    if entry.entity_id.as_deref() == Some(name) || entry.entity_name.as_deref() == Some(name) {
        entry.entity_id = entry.entity_id.take().and_then(|_| gone());
        entry.entity_name = entry.entity_name.take().and_then(|_| gone());
    }
    if names(&entry.message, name) {
        entry.message = GONE.into();
    }
    let mut object = entry.metadata.to_object();
    if let Some(items) = object.get_mut("k").and_then(|k| k.as_array_mut()) {
        for item in items
            .iter_mut()
            .filter(|item| names(item.as_str().unwrap(), name))
        {
            *item = GONE.into();
        }
    }
    entry.metadata = daybook::domain::Metadata::new(object).unwrap();
}

/// Every question, asked of the book and of the model.
fn assert_as_the_model(book: &Book, model: &[Stored]) {
    let filters: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![("actor", "zoe")],
        vec![("actor", "al")],
        vec![("actor", GONE)],
        vec![("entity_id", "bob")],
        vec![("entity_id", GONE)],
        vec![("entity_type", "user"), ("entity_id", "al")],
        vec![("entity_type", "user"), ("entity_id", GONE)],
        vec![("q", "zoe")],
        vec![("q", "ERASED")],
        vec![("q", "x")],
        vec![("severity", "error"), ("actor", "bob")],
        vec![("action", "task.*"), ("q", "al")],
    ];
    for scope in [own(), only("b"), all()] {
        for parameters in &filters {
            let asked = filter(parameters);
            let fits =
                |one: &&Stored| scope.covers(&one.entry.workspace_id) && asked.matches(&one.entry);
            let expected: Vec<&Stored> = model.iter().filter(fits).collect();
            let seqs: Vec<Seq> = expected.iter().map(|one| one.seq).collect();
            let exported = book.export(&scope, &asked, 3);
            assert_eq!(
                exported.iter().collect::<Vec<_>>(),
                expected,
                "{parameters:?}"
            );
            assert_eq!(book.up(&scope, &asked, 4, rows(5)), seqs, "{parameters:?}");
            let mut down = book.down(&scope, &asked, 3, rows(1_000));
            down.reverse();
            assert_eq!(down, seqs, "{parameters:?}");
            assert_eq!(
                book.count_all(&scope, &asked, rows(7)),
                seqs.len() as u64,
                "{parameters:?}"
            );
            assert_summaries(book, &scope, &asked, &expected);
        }
    }
}

fn assert_summaries(book: &Book, scope: &Scope, asked: &Filter, expected: &[&Stored]) {
    let facets = book.reader().facets(scope, asked, rows(1_000_000)).unwrap();
    let mut counts = BTreeMap::<String, u64>::new();
    expected
        .iter()
        .for_each(|one| *counts.entry(one.entry.actor.clone()).or_default() += 1);
    let told = &facets.values[Dimension::Actor as usize];
    let told: BTreeMap<_, _> = told
        .iter()
        .map(|value| (value.value.clone(), value.count))
        .collect();
    assert_eq!(told, counts);
    let request = HistogramRequest {
        buckets: BucketCount::default(),
        now: book.now,
    };
    let histogram = book
        .reader()
        .histogram(scope, asked, request, unhurried())
        .unwrap();
    let sum: u64 = histogram
        .buckets
        .iter()
        .flat_map(|bucket| bucket.counts)
        .sum();
    assert_eq!(sum, expected.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_readers_see_is_what_a_model_says_before_and_after_the_rows_follow(
        doings in prop::collection::vec(doing(), 1..14)
    ) {
        every_backend(|book| {
            let mut model: Vec<Stored> = Vec::new();
            for doing in &doings {
                match doing {
                    Doing::Record(entries) => {
                        book.now = book.now.successor();
                        let lines: Vec<Line> = entries.iter().map(random_line).collect();
                        let receipts = book.record(lines.clone());
                        model.extend(lines.into_iter().zip(receipts).map(|(line, receipt)| Stored {
                            seq: receipt.seq,
                            entry: line.checked().recorded(&receipt),
                        }));
                    }
                    Doing::Erase(workspace, name) => {
                        let scope = workspace.map_or_else(all, |place| only(WORKSPACES[place]));
                        let name = NAMES[*name];
                        let of = |one: &&mut Stored| scope.covers(&one.entry.workspace_id);
                        let before = model.iter_mut().filter(of);
                        let entries = before.filter(|one| one.entry.actor == name).count();
                        let upto = model.last().map_or(0, |last| last.seq);
                        assert_eq!(book.erase(&scope, name), Erased { entries: entries as u64, upto });
                        model.iter_mut().filter(of).for_each(|one| forget(one, name));
                        let record = book.page(&all(), &everything(), Position::Newest, 1).items;
                        model.extend(record);
                    }
                    Doing::Step(limit) => {
                        book.writer().erase_rows(*limit).unwrap();
                    }
                }
            }
            assert_as_the_model(book, &model);
            book.reopen();
            book.finish(5);
            assert_as_the_model(book, &model);
        });
    }
}
