//! Counts, facets and histograms are what the entries come to, whatever was rolled up when, and whatever
//! became of the book in between.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::{
    BucketCount, Category, Dimension, Entry, Filter, HistogramRequest, Position, Seq, Severity,
    Timestamp, WorkspaceId,
};
use daybook::storage::{EntryReader, EntryWriter, PruneStep, sqlite};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// A book that rolls up after so many entries.
struct Rolling {
    files: Sqlite,
    roll_at: u64,
}

impl Backend for Rolling {
    fn writer(&self) -> Box<dyn EntryWriter> {
        Box::new(sqlite::open_writer_that_rolls(&self.files.file(), self.roll_at).unwrap())
    }

    fn reader(&self) -> Box<dyn EntryReader> {
        self.files.reader()
    }

    fn fail_at(&self, message: &str) {
        self.files.fail_at(message);
    }
}

pub fn rolling(roll_at: u64) -> Book {
    let files = Sqlite::new();
    Book::of(Box::new(Rolling { files, roll_at }))
}

/// What happens to a book.
#[derive(Debug, Clone)]
enum Step {
    Record(Vec<Line>, i64),
    Repeat,
    Clear(&'static str),
    Sweep(usize),
    Prune(&'static str, Option<i64>, Option<u64>, usize),
    Reopen,
}

fn entry() -> impl Strategy<Value = Line> {
    let kinds = (
        select(&["auth", "device", "entity"]),
        select(&["a.b", "a.c", "task.done", "x"]),
        select(&Severity::ALL),
        select(&["anna", "Anna", "b%"]),
        select(&["default", "default", "a"]),
    );
    let entity = prop::option::of(select(&["t", "u"]));
    (kinds, entity).prop_map(|((category, action, severity, actor, workspace), entity)| {
        let made = line("x")
            .of(category)
            .did(action)
            .severity(severity.as_str())
            .by(actor)
            .within(workspace);
        match entity {
            Some(kind) => made.on(kind, "1"),
            None => made,
        }
    })
}

/// From none to some days, back by some too.
fn later() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => Just(0),
        2 => -5 * MINUTE..10 * MINUTE,
        2 => 0..5 * 60 * MINUTE,
        1 => 0..3 * DAY,
        1 => (0..3i64).prop_map(|n| n * 60 * MINUTE),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let age = prop::option::of(0..4 * DAY);
    let keep = prop::option::of(0..12u64);
    prop_oneof![
        9 => (prop::collection::vec(entry(), 1..8), later()).prop_map(|(lines, later)| Step::Record(lines, later)),
        1 => Just(Step::Repeat),
        1 => select(&["default", "a", "*"]).prop_map(Step::Clear),
        1 => (1..6usize).prop_map(Step::Sweep),
        2 => (select(&["default", "a"]), age, keep, 1..9usize)
            .prop_map(|(name, age, keep, limit)| Step::Prune(name, age, keep, limit)),
        1 => Just(Step::Reopen),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let moment = || {
        prop::option::of(prop_oneof![
            (-10..6 * DAY).prop_map(at),
            (0..200i64).prop_map(|hours| at(hours * 60 * MINUTE)),
            (0..3000i64).prop_map(|minutes| at(minutes * MINUTE).minus_micros(1)),
        ])
    };
    let other = prop_oneof![
        3 => Just(None),
        1 => select(&["auth", "entity"]).prop_map(Some),
    ];
    (moment(), moment(), other, any::<bool>()).prop_map(|(since, until, category, is_actor)| {
        let mut filter = Filter {
            since,
            until,
            ..Filter::default()
        };
        if let Some(category) = category {
            filter.categories = vec![Category::trusted(category), Category::trusted("device")];
            filter.actor = is_actor.then(|| "anna".to_owned());
        }
        filter
    })
}

/// What the book must hold, kept by plain means.
#[derive(Default)]
struct Model(Vec<(Seq, Entry)>);

impl Model {
    fn take(&mut self, book: &mut Book, step: Step) {
        match step {
            Step::Record(lines, later) => {
                book.now = book.now.minus_micros(-later);
                self.record(book, lines);
            }
            Step::Repeat => {
                let twice = || line("x").with_id("twice");
                let held = self
                    .0
                    .iter()
                    .any(|(_, e)| e.id.as_str() == "twice" && e.workspace_id.as_str() == "default");
                if held {
                    assert!(book.record([twice()])[0].duplicate);
                } else {
                    self.record(book, vec![twice()]);
                }
            }
            Step::Clear(name) => self.clear(book, &only(name)),
            Step::Sweep(limit) => drop(book.writer().sweep(limit).unwrap()),
            Step::Prune(name, age, keep, limit) => self.prune(book, name, age, keep, limit),
            Step::Reopen => book.reopen(),
        }
    }

    fn record(&mut self, book: &mut Book, lines: Vec<Line>) {
        let receipts = book.record(lines.clone());
        for (line, receipt) in lines.into_iter().zip(receipts) {
            self.0
                .push((receipt.seq, line.checked().recorded(&receipt)));
        }
    }

    fn clear(&mut self, book: &mut Book, scope: &Scope) {
        let held = self.0.len();
        self.0
            .retain(|(_, entry)| !scope.covers(&entry.workspace_id));
        assert_eq!(book.clear(scope), (held - self.0.len()) as u64);
        let newest = book.page(&own(), &everything(), Position::Newest, 1);
        let stored = newest.items.into_iter().next().unwrap();
        self.0.push((stored.seq, stored.entry));
    }

    fn prune(
        &mut self,
        book: &mut Book,
        name: &str,
        age: Option<i64>,
        keep: Option<u64>,
        limit: usize,
    ) {
        let workspace = WorkspaceId::trusted(name);
        let before = age.map(|age| book.now.minus_micros(age));
        let of = |entry: &Entry| entry.workspace_id == workspace;
        let held = self.0.iter().filter(|(_, entry)| of(entry)).count();
        let too_many = keep.map_or(0, |keep| held.saturating_sub(keep as usize));
        let (mut at, mut gone) = (0, 0);
        self.0.retain(|(_, entry)| {
            if !of(entry) {
                return true;
            }
            at += 1;
            let goes = at <= too_many || before.is_some_and(|before| entry.ts < before);
            gone += usize::from(goes);
            !goes || gone > limit
        });
        let found = book
            .reader()
            .prunable(&only(workspace.as_str()), before, keep)
            .unwrap();
        let step = PruneStep {
            workspace,
            upto: found.upto,
            limit,
        };
        let now = book.now;
        book.writer().prune(now, &step, None).unwrap();
    }

    fn matching(&self, scope: &Scope, filter: &Filter) -> Vec<&Entry> {
        let fits = |entry: &&Entry| scope.covers(&entry.workspace_id) && filter.matches(entry);
        self.0.iter().map(|(_, entry)| entry).filter(fits).collect()
    }

    fn holds(&self, book: &Book, scope: &Scope, filter: &Filter, most: usize) {
        let matching = self.matching(scope, filter);
        let stretch = unhurried();
        let count = book.count(scope, filter, 1_000_000);
        assert_eq!((count.count, count.capped), (matching.len() as u64, false));
        assert_eq!(
            book.count_all(scope, filter, rows(3)),
            matching.len() as u64
        );
        self.facets_hold(book, scope, filter, &matching);
        let all = Filter::default();
        let of_scope = |(_, entry): &&(Seq, Entry)| scope.covers(&entry.workspace_id);
        let seqs: Vec<Seq> = self
            .0
            .iter()
            .filter(of_scope)
            .map(|(seq, _)| *seq)
            .collect();
        assert_eq!(self.matching(scope, &all).len(), seqs.len());
        book.holds(scope, &seqs);
        let request = HistogramRequest {
            buckets: BucketCount::new(most).unwrap(),
            now: book.now,
        };
        let histogram = book
            .reader()
            .histogram(scope, filter, request, stretch)
            .unwrap();
        let snapped = Filter {
            since: Some(histogram.since),
            until: Some(histogram.until.minus_micros(1)),
            ..filter.clone()
        };
        let impossible = filter.since.zip(filter.until).is_some_and(|(a, b)| a > b);
        let mut expected = BTreeMap::<Timestamp, [u64; 3]>::new();
        for entry in self
            .matching(scope, &snapped)
            .into_iter()
            .filter(|_| !impossible)
        {
            let width = histogram.bucket_seconds as i64 * 1_000_000;
            let index = (entry.ts.micros() - histogram.since.micros()) / width;
            let start = histogram.since.minus_micros(-index * width);
            expected.entry(start).or_default()[entry.severity as usize] += 1;
        }
        assert!((1..=most).contains(&histogram.buckets.len()));
        for bucket in &histogram.buckets {
            let own = expected.remove(&bucket.start).unwrap_or_default();
            assert_eq!(bucket.counts, own, "{}", bucket.start);
        }
        assert!(expected.is_empty(), "{expected:?} {histogram:?}");
        assert!(!histogram.capped);
        // Nothing that matches is outside, and what was asked for is inside.
        assert_eq!(
            self.matching(
                scope,
                &Filter {
                    since: filter.since.or(snapped.since),
                    until: filter.until.or(snapped.until),
                    ..filter.clone()
                }
            )
            .len(),
            matching.len()
        );
        assert!(filter.since.is_none_or(|since| histogram.since <= since));
        assert!(impossible || filter.until.is_none_or(|until| histogram.until > until));
    }

    fn facets_hold(&self, book: &Book, scope: &Scope, filter: &Filter, matching: &[&Entry]) {
        let facets = book.reader().facets(scope, filter, unhurried()).unwrap();
        assert!(!facets.capped);
        for dimension in Dimension::ALL {
            let mut expected = BTreeMap::<&str, u64>::new();
            for entry in matching {
                if let Some(value) = value_of(entry, dimension) {
                    *expected.entry(value).or_default() += 1;
                }
            }
            let mut expected: Vec<_> = expected.into_iter().collect();
            expected.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
            let told = facets
                .of(dimension)
                .iter()
                .map(|own| (own.value.as_str(), own.count));
            assert_eq!(
                told.collect::<Vec<_>>(),
                expected,
                "{dimension:?} {filter:?}"
            );
        }
    }
}

fn value_of(entry: &Entry, dimension: Dimension) -> Option<&str> {
    match dimension {
        Dimension::Severity => Some(entry.severity.as_str()),
        Dimension::Category => Some(entry.category.as_str()),
        Dimension::Action => Some(entry.action.as_str()),
        Dimension::Actor => Some(&entry.actor),
        Dimension::EntityType => entry.entity_type.as_deref(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_facets_and_histograms_are_what_the_entries_come_to(
        steps in prop::collection::vec(step(), 1..25),
        asked in prop::collection::vec((filters(), select(&["default", "a", "*"]), select(&[1, 7, 60, 500])), 10),
        roll_at in select(&[1, 3, 8, 1_000]),
    ) {
        let mut book = rolling(roll_at);
        let mut model = Model::default();
        for step in steps {
            model.take(&mut book, step);
        }
        for (filter, name, most) in &asked {
            model.holds(&book, &only(name), filter, *most);
        }
        for name in ["default", "a", "*"] {
            model.holds(&book, &only(name), &everything(), 60);
        }
        // The book is checked when it is dropped, its roll-ups too.
    }
}

/// Thirty entries over three days.
pub fn fill(writer: &mut dyn EntryWriter) {
    for i in 0..30 {
        let made = line("x").by(["anna", "ben"][i % 2]).on("task", "1");
        writer
            .commit(at(i as i64 * DAY / 10), &[request([made])])
            .unwrap();
    }
}

fn problems(reader: &dyn EntryReader) -> Vec<String> {
    reader.check(&mut |_| {}).unwrap().problems
}

#[test]
fn a_crash_at_any_moment_leaves_roll_ups_that_are_right() {
    let files = Sqlite::new();
    let mut writer = sqlite::open_writer_that_rolls(&files.file(), 4).unwrap();
    for i in 0..12 {
        // Each time another: readers may still be about to close their file when their pool is gone.
        let other = Sqlite::new();
        writer
            .commit(at(i * DAY / 4), &[request(lines(3))])
            .unwrap();
        // What a power cut would leave: the file and its WAL as they are now.
        for suffix in ["", "-wal"] {
            let name = format!("daybook.db{suffix}");
            std::fs::copy(files.directory().join(&name), other.directory().join(&name)).unwrap();
        }
        let mut again = sqlite::open_writer_that_rolls(&other.file(), 4).unwrap();
        again.commit(at(i * DAY / 4), &[request(lines(1))]).unwrap();
        let reader = other.reader();
        assert_eq!(problems(&*reader), Vec::<String>::new());
        let all_of = reader.facets(&own(), &everything(), unhurried()).unwrap();
        assert_eq!(all_of.of(Dimension::Actor)[0].count, (i as u64 + 1) * 3 + 1);
    }
}

#[test]
fn a_commit_that_fails_rolls_nothing_up() {
    let mut book = rolling(2);
    book.backend().fail_at("poison");
    book.record(lines(3));
    let now = book.now;
    for _ in 0..2 {
        assert!(
            book.writer()
                .commit(now, &[request([line("poison")])])
                .is_err()
        );
    }
    book.record(lines(1));
    assert_eq!(book.count(&own(), &everything(), 100).count, 4);
}

#[test]
fn a_roll_up_that_someone_changed_is_found_and_named() {
    for (sql, expected) in [
        (
            "UPDATE rollup SET count = count + 1 WHERE grain = 0 AND dimension = 3 AND value = 'ben'",
            "workspace default: the roll-up of actor ben over all time says 15, but there are 14",
        ),
        (
            "DELETE FROM rollup WHERE grain = 0 AND dimension = 4",
            "workspace default: the roll-up of entity_type task over all time says 0, but there are 29",
        ),
        (
            "INSERT INTO rollup VALUES ('a', 2, 1, 60, 'auth', 7)",
            "workspace a: the roll-up of category auth in the hour from 1970-01-01T01:00:00.000000Z says 7, but there are 0",
        ),
    ] {
        let files = Sqlite::new();
        fill(&mut sqlite::open_writer_that_rolls(&files.file(), 1).unwrap());
        files.execute(sql);
        assert_eq!(problems(&*files.reader()), [expected]);
    }
}

#[test]
fn a_book_without_roll_ups_gets_them_when_it_is_opened() {
    let files = Sqlite::new();
    let mut writer = sqlite::open_writer(&files.file()).unwrap();
    for part in 0..12 {
        writer
            .commit(at(part * DAY), &[request(lines(2_000))])
            .unwrap();
    }
    drop(writer);
    files.execute("DELETE FROM rollup; UPDATE book SET rolled_seq = 0");
    let mut writer = sqlite::open_writer(&files.file()).unwrap();
    writer.commit(at(13 * DAY), &[request(lines(1))]).unwrap();
    let reader = files.reader();
    assert_eq!(problems(&*reader), Vec::<String>::new());
    // A stretch of nothing finds no more than a tail.
    let count = reader
        .count(&own(), &everything(), None, u64::MAX, rows(5_000))
        .unwrap();
    assert_eq!((count.count, count.capped), (24_001, false));
}
