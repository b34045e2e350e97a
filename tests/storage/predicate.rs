//! The predicate of the domain and what storage answers are the same, over random entries and filters.

use crate::harness::*;
use daybook::access::Scope;
use daybook::domain::filter::{ActionPattern, Except, Text};
use daybook::domain::{Category, Entry, Filter, Seq, Severity};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const WORKSPACES: [&str; 3] = ["default", "a", "b"];
const CATEGORIES: [&str; 3] = ["auth", "device", "entity"];
const ACTORS: [&str; 3] = ["anna", "Anna", "b%"];
const ACTIONS: [&str; 5] = [
    "task.created",
    "task.done",
    "task",
    "user.made",
    "task.createdX",
];
const MESSAGES: [&str; 7] = ["", "A_b", "a%B", r"a\b", "äÄ", "aab", "\u{212a}k"];

/// What happens to a book.
#[derive(Debug, Clone)]
enum Step {
    Record(Vec<Line>, i64),
    Clear(&'static str),
    Sweep(usize),
    Prune(&'static str, u64),
}

fn entry() -> impl Strategy<Value = Line> {
    let words = prop::collection::vec(select(&MESSAGES), 1..3);
    let kinds = (
        select(&CATEGORIES),
        select(&ACTIONS),
        select(&Severity::ALL),
        select(&ACTORS),
    );
    let entity = prop::option::of((select(&["t", "u"]), select(&["1", "2"])));
    (words, kinds, entity, 0..8u8, select(&WORKSPACES)).prop_map(
        |(words, (category, action, severity, actor), entity, shape, workspace)| {
            let made = line(&format!("x{}", words.concat()))
                .of(category)
                .did(action)
                .severity(severity.as_str())
                .by(actor)
                .within(workspace);
            let Some((kind, id)) = entity else {
                return made;
            };
            let mut made = made.on(kind, id);
            if shape == 0 {
                made.0.entity_id = None;
            } else if shape == 1 {
                made.0.entity_type = None;
            }
            made
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(entry(), 1..8), -2..9i64).prop_map(|(lines, later)| Step::Record(lines, later)),
        1 => select(&["default", "a", "b", "*"]).prop_map(Step::Clear),
        1 => (0..5usize).prop_map(Step::Sweep),
        1 => (select(&WORKSPACES), 0..10u64).prop_map(|(name, keep)| Step::Prune(name, keep)),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let some = |values: &'static [&'static str]| {
        prop::option::weighted(0.25, select(values).prop_map(str::to_owned))
    };
    let categories = prop_oneof![2 => Just(vec![]), 1 => subsequence(&CATEGORIES, 1..=3)];
    let severities = prop_oneof![2 => Just(vec![]), 1 => subsequence(&Severity::ALL, 1..=3)];
    let action = prop::option::weighted(
        0.4,
        prop_oneof![
            select(&ACTIONS).prop_map(|action| ActionPattern::Exact(action.to_owned())),
            select(&["t", "task", "task.", "task.created", "z", "user.made"])
                .prop_map(|prefix| ActionPattern::Prefix(prefix.to_owned())),
        ],
    );
    let moment = || prop::option::weighted(0.2, (-3..90i64).prop_map(at));
    let text = prop::option::weighted(
        0.4,
        select(&["a", "A", "_", "%", r"\", "ä", "k", "b", "a_", "a\0", "xx"]),
    );
    let entity = (some(&["t", "u"]), some(&["1", "2"]));
    let pattern = || {
        prop_oneof![
            select(&ACTIONS).prop_map(|action| ActionPattern::Exact(action.to_owned())),
            select(&["t", "task.", "z"]).prop_map(|text| ActionPattern::Prefix(text.to_owned())),
        ]
    };
    let few = |values: &'static [&'static str]| {
        let one = select(values).prop_map(str::to_owned);
        prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(one, 1..3)]
    };
    let except = (
        prop_oneof![3 => Just(vec![]), 1 => subsequence(&CATEGORIES, 1..=2)],
        prop_oneof![3 => Just(vec![]), 1 => subsequence(&Severity::ALL, 1..=2)],
        few(&ACTORS),
        prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(pattern(), 1..3)],
        (few(&["t", "u"]), few(&["1", "2"])),
    );
    let except = except.prop_map(
        |(categories, severities, actors, actions, (entity_types, entity_ids))| Except {
            categories: categories.into_iter().map(Category::trusted).collect(),
            severities,
            actors,
            actions,
            entity_types,
            entity_ids,
        },
    );
    let except = prop_oneof![1 => Just(Except::default()), 1 => except];
    (
        categories,
        severities,
        some(&ACTORS),
        action,
        entity,
        (moment(), moment()),
        text,
        except,
    )
        .prop_map(
            |(
                categories,
                severities,
                actor,
                action,
                (entity_type, entity_id),
                (since, until),
                text,
                except,
            )| Filter {
                categories: categories.into_iter().map(Category::trusted).collect(),
                severities,
                actor,
                action,
                entity_type,
                entity_id,
                since,
                until,
                text: text.map(Text::new),
                except,
            },
        )
}

/// What the book must hold, kept by plain means.
#[derive(Default)]
struct Model(Vec<(Seq, Entry)>);

impl Model {
    fn record(&mut self, book: &mut Book, lines: Vec<Line>) {
        let receipts = book.record(lines.clone());
        for (line, receipt) in lines.into_iter().zip(receipts) {
            let entry = line.checked().recorded(&receipt);
            self.0.push((receipt.seq, entry));
        }
    }

    fn take(&mut self, book: &mut Book, step: Step) {
        match step {
            Step::Record(lines, later) => {
                book.now = book.now.minus_micros(-later);
                self.record(book, lines);
            }
            Step::Clear(name) => {
                let scope = only(name);
                self.0
                    .retain(|(_, entry)| !scope.covers(&entry.workspace_id));
                let record = request([line("cleared")]);
                let now = book.now;
                book.writer().clear(now, &scope, &record).unwrap();
                // The entry of the clear itself is in the default workspace.
                let newest = book.page(&own(), &everything(), daybook::domain::Position::Newest, 1);
                let stored = newest.items.into_iter().next().unwrap();
                self.0.push((stored.seq, stored.entry));
            }
            Step::Sweep(limit) => drop(book.writer().sweep(limit + 1).unwrap()),
            Step::Prune(name, keep) => {
                let workspace = daybook::domain::WorkspaceId::trusted(name);
                let of = |entry: &Entry| entry.workspace_id == workspace;
                let held = self.0.iter().filter(|(_, entry)| of(entry)).count();
                let mut gone = held.saturating_sub(keep as usize);
                self.0.retain(|(_, entry)| {
                    let goes = gone > 0 && of(entry);
                    gone -= usize::from(goes);
                    !goes
                });
                book.prune_of(name, None, Some(keep), 1_000);
            }
        }
    }

    fn matching(&self, scope: &Scope, filter: &Filter) -> Vec<Seq> {
        let fits = |entry: &Entry| scope.covers(&entry.workspace_id) && filter.matches(entry);
        let fitting = self.0.iter().filter(|(_, entry)| fits(entry));
        fitting.map(|(seq, _)| *seq).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn storage_answers_what_the_predicate_says(
        steps in prop::collection::vec(step(), 1..20),
        asked in prop::collection::vec((filters(), select(&["default", "a", "b", "*", "*"]), 1..9usize, 1..40u64), 12),
    ) {

        every_backend(|book| {
            let mut model = Model::default();
            for step in steps.clone() {
                model.take(book, step);
            }
            for (filter, name, size, looked_at) in &asked {
                let (scope, stretch) = (only(name), rows(*looked_at));
                let expected = model.matching(&scope, filter);
                assert_eq!(book.up(&scope, filter, *size, stretch), expected, "up, {filter:?}");
                let mut down = book.down(&scope, filter, *size, stretch);
                down.reverse();
                assert_eq!(down, expected, "down, {filter:?}");
                assert_eq!(book.export_seqs(&scope, filter, *size), expected, "export, {filter:?}");
                assert_eq!(book.count_all(&scope, filter, stretch), expected.len() as u64, "count, {filter:?}");
            }
        });
    }
}
