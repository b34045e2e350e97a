//! What SQLite makes of the statements that are really run: for each kind of filter, in one workspace and
//! in all, an index that serves the order too or a range of the rowid; never a sort, never the whole table.
//! With the statistics of ANALYZE in the file and without.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{EntryId, Filter, Position, Seq, WorkspaceId};
use daybook::storage::{EntryReader, EntryWriter, PruneStep, sqlite};
use diesel::connection::{InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    /// The statements that this thread ran, as diesel prints them.
    static RUN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn remember_statements() {
    set_default_instrumentation(|| {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                RUN.with_borrow_mut(|run| run.push(query.to_string()));
            }
        }))
    })
    .unwrap();
}

/// Walks of the index of this name, or of the rowid, within a range of numbers.
const RANGE: &str = "rowid>? AND rowid<?)";

/// What any question may come with: both ends of the book, a moment's place, the newest of a workspace,
/// the rows that a merge kept.
const BESIDES: [&str; 6] = [
    "SEARCH activity_log",
    "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid>?)",
    "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid<?)",
    "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH activity_log USING COVERING INDEX activity_log_workspace (workspace_id=? AND rowid>?)",
    "SEARCH activity_log USING COVERING INDEX activity_log_action (workspace_id=? AND action>?)",
];

const WALK: &str = "INTEGER PRIMARY KEY";

/// A filter, and the index that its walk goes by in one of several workspaces and in all.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const CASES: [Case; 18] = [
    (&[], "activity_log_workspace", WALK),
    (
        &[("since", "0s"), ("until", "2030-01-01T00:00:00Z")],
        "activity_log_workspace",
        WALK,
    ),
    (&[("q", "entry 77")], "activity_log_workspace", WALK),
    (&[("q", "nowhere")], "activity_log_workspace", WALK),
    (
        &[("category", "auth")],
        "activity_log_category",
        "activity_log_category",
    ),
    (
        &[("category", "auth,device")],
        "activity_log_category",
        "activity_log_category",
    ),
    (
        &[("severity", "error")],
        "activity_log_severity",
        "activity_log_severity",
    ),
    (
        &[("severity", "error,warning")],
        "activity_log_severity",
        "activity_log_severity",
    ),
    (&[("severity", "info")], "activity_log_workspace", WALK),
    (
        &[("severity", "info,error")],
        "activity_log_workspace",
        WALK,
    ),
    (
        &[("actor", "actor 7")],
        "activity_log_actor",
        "activity_log_actor",
    ),
    (
        &[("action", "task.done3")],
        "activity_log_action",
        "activity_log_action",
    ),
    (
        &[("action", "task.*")],
        "activity_log_action",
        "activity_log_action",
    ),
    (&[("action", "many.*")], "activity_log_workspace", WALK),
    (
        &[("entity_type", "task"), ("entity_id", "5")],
        "activity_log_entity",
        "activity_log_entity",
    ),
    (&[("entity_type", "task")], "activity_log_workspace", WALK),
    (&[("entity_id", "5")], "activity_log_workspace", WALK),
    (
        &[
            ("category", "auth"),
            ("actor", "actor 7"),
            ("severity", "info"),
            ("action", "task.*"),
            ("entity_id", "5"),
            ("q", "e"),
        ],
        "activity_log_actor",
        "activity_log_actor",
    ),
];

/// Three workspaces, some thousands of entries of every kind, unevenly spread.
fn fill(writer: &mut dyn EntryWriter) {
    for part in 0..20i64 {
        let entries = (0..200).map(|i| {
            let n = part * 200 + i;
            let made = line(&format!("entry {n}"))
                .within(["default", "default", "default", "a", "b"][(n % 5) as usize])
                .of(["entity", "entity", "entity", "device", "auth"][(n % 7 % 5) as usize])
                .severity(["info", "info", "info", "warning", "error"][(n % 11 % 5) as usize])
                .by(&format!("actor {}", n % 13));
            match n % 3 {
                0 => made.did(&format!("many.{}", n % 3_000)),
                1 => made
                    .did(&format!("task.done{}", n % 4))
                    .on("task", &format!("{}", n % 17)),
                _ => made.did("task.created").on("lamp", &format!("{}", n % 17)),
            }
        });
        writer.commit(at(part), &[request(entries)]).unwrap();
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The plan of a statement as it was run, with the values that it was run with.
fn explain(conn: &mut SqliteConnection, printed: &str) -> Vec<String> {
    let (sql, binds) = printed.rsplit_once(" -- binds: ").unwrap();
    // Printed as Rust prints them, which is JSON but for these two.
    let binds = binds
        .replace(r"\u{7f}", r"\u007f")
        .replace(r"\u{1}", r"\u0001");
    let binds: Vec<Value> = serde_json::from_str(&binds).unwrap();
    let mut query = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).into_boxed();
    for bind in binds {
        query = match bind {
            Value::String(text) => query.bind::<Text, _>(text),
            number => query.bind::<BigInt, _>(number.as_i64().unwrap()),
        };
    }
    let lines: Vec<Line> = query.load(conn).unwrap();
    lines.into_iter().map(|line| line.detail).collect()
}

/// The plans of all that `work` asks of the table of entries, each with a statement that it is of.
fn plans_of(backend: &Sqlite, work: impl FnOnce()) -> BTreeMap<String, String> {
    RUN.take();
    work();
    let run = RUN.take();
    let mut conn = backend.raw();
    let of_entries = run.iter().filter(|sql| sql.contains("FROM `activity_log`"));
    let with_sql = |sql: &String| {
        explain(&mut conn, sql).into_iter().map({
            let sql = sql.clone();
            move |plan| (plan, sql.clone())
        })
    };
    of_entries.flat_map(with_sql).collect()
}

/// Asks for one thing in every way.
fn ask(reader: &dyn EntryReader, scope: &Scope, filter: &Filter) {
    let page = |position| {
        let request = daybook::domain::PageRequest {
            position,
            size: Default::default(),
        };
        reader.page(scope, filter, request, rows(1_000)).unwrap();
    };
    let in_buckets = daybook::domain::HistogramRequest {
        buckets: Default::default(),
        now: at(1_000),
    };
    page(Position::Newest);
    page(Position::Before(2_000));
    page(Position::After(1_000));
    reader.count(scope, filter, None, 100, unhurried()).unwrap();
    reader.facets(scope, filter, unhurried()).unwrap();
    reader
        .histogram(scope, filter, in_buckets, unhurried())
        .unwrap();
    reader.export(scope, filter, 0, Seq::MAX, 2_000).unwrap();
}

fn hold(backend: &Sqlite) {
    let reader = sqlite::open_reader(&backend.file(), 2).unwrap();
    for (parameters, in_one, in_all) in CASES {
        let filter = filter(parameters);
        for (scope, index) in [(own(), in_one), (only("a"), in_one), (all(), in_all)] {
            let plans = plans_of(backend, || ask(&reader, &scope, &filter));
            let (walks, besides): (Vec<_>, Vec<_>) =
                plans.iter().partition(|(plan, _)| plan.ends_with(RANGE));
            let asked = format!("{parameters:?} in {scope:?}: {plans:#?}");
            assert!(!walks.is_empty(), "no walk: {asked}");
            for (walk, _) in walks {
                assert!(
                    walk.starts_with("SEARCH activity_log USING "),
                    "{walk}: {asked}"
                );
                assert!(
                    walk.contains(&format!("{index} (")),
                    "{walk} is not by {index}: {asked}"
                );
            }
            for (plan, _) in besides {
                assert!(BESIDES.contains(&plan.as_str()), "{plan}: {asked}");
            }
        }
    }
}

#[test]
fn each_kind_of_filter_is_found_by_its_index_in_its_order() {
    remember_statements();
    let backend = Sqlite::new();
    fill(&mut sqlite::open_writer(&backend.file()).unwrap());
    hold(&backend);
    backend.execute("ANALYZE");
    hold(&backend);
}

#[test]
fn what_is_removed_and_looked_up_is_found_without_a_scan() {
    remember_statements();
    let backend = Sqlite::new();
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    fill(&mut writer);
    for _ in ["without statistics", "with statistics"] {
        let plans = plans_of(&backend, || {
            let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
            let workspace = WorkspaceId::default_workspace();
            let found = reader.prunable(&own(), Some(at(3)), Some(1_000));
            let step = PruneStep {
                workspace,
                upto: found.unwrap().upto,
                limit: 100,
            };
            writer.prune(at(100), &step, None).unwrap();
            let record = request([line("cleared").with_id("cleared")]);
            writer.clear(at(100), &only("a"), &record).unwrap();
            writer.sweep(100).unwrap();
            reader.entry(&all(), &EntryId::trusted("cleared")).unwrap();
            reader.holdings(&all(), None, 100).unwrap();
        });
        assert!(plans.len() > 4, "{plans:#?}");
        for plan in plans.keys() {
            let by_index = plan.starts_with("SEARCH activity_log") && plan.contains("=?");
            let by_range = plan.ends_with("PRIMARY KEY (rowid>?)") || plan == "SEARCH activity_log";
            assert!(by_index || by_range, "{plan}: {plans:#?}");
            assert!(
                !plan.contains("INDEX activity_log_action"),
                "{plan}: {plans:#?}"
            );
        }
        backend.execute("ANALYZE");
        drop(writer);
        writer = sqlite::open_writer(&backend.file()).unwrap();
    }
}

/// What was run for one question, without the values that it was run with.
fn asked_of_the_store(work: impl FnOnce()) -> Vec<String> {
    RUN.take();
    work();
    let without_values = |sql: String| match sql.rsplit_once(" -- binds: ") {
        Some((sql, _)) => sql.to_owned(),
        None => sql,
    };
    RUN.take().into_iter().map(without_values).collect()
}

#[test]
fn what_is_another_workspaces_is_looked_for_exactly_as_what_is_nowhere() {
    remember_statements();
    let backend = Sqlite::new();
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    fill(&mut writer);
    let theirs = line("theirs").with_id("theirs").within("b");
    // Something comes after it: where the book ends is told by the numbers anyway.
    let theirs = request([theirs, line("the last"), line("of all")]);
    let seq = writer.commit(at(100), &[theirs]).unwrap()[0][0].seq;
    let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
    let entry = |id: &str| {
        asked_of_the_store(|| {
            let found = reader.entry(&only("a"), &EntryId::trusted(id)).unwrap();
            assert_eq!(found, None);
        })
    };
    assert!(!entry("theirs").is_empty());
    assert_eq!(entry("theirs"), entry("nowhere"));
    let page = |position| {
        asked_of_the_store(|| {
            let request = daybook::domain::PageRequest {
                position,
                size: Default::default(),
            };
            let filter = filter(&[("actor", "nobody")]);
            reader
                .page(&only("a"), &filter, request, rows(1_000))
                .unwrap();
        })
    };
    assert_eq!(page(Position::Before(seq)), page(Position::Before(seq + 1)));
    assert_eq!(page(Position::After(seq - 1)), page(Position::After(seq)));
    let trail = |id: &str| {
        let filter = filter(&[("entity_type", "lamp"), ("entity_id", id)]);
        asked_of_the_store(|| {
            let counted = reader.count(&only("nowhere"), &filter, None, 10, rows(1_000));
            assert_eq!(counted.unwrap().count, 0);
        })
    };
    assert_eq!(trail("5"), trail("no such lamp"));
}
