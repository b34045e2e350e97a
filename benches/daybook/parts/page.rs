//! A page of 50 through the reader inside the process: the latest and deep ones, unfiltered and by each
//! dimension that has an index.

use super::called;
use crate::Bench;
use crate::books::Kind;
use crate::raw_book::RawPages;
use crate::report::Quantity::{MedianMs, P99Ms};
use crate::report::{Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, Plan, contest};
use crate::rows::{self, Dice, known};
use crate::stats::Latencies;
use crate::subject::Reader;
use daybook::domain::filter::ActionPattern;
use daybook::domain::{Category, Filter, Position, Severity};
use std::path::Path;
use std::time::Instant;

const SIZE: usize = 50;

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let mut promises = Vec::new();
    let mut contestants = Vec::new();
    let (small, larger) = (bench.entries, bench.large.then_some(bench.entries * 10));
    for size in bench.read_sizes() {
        let path = bench.shelf.kept(Kind::Daybook, size)?;
        let of_book = path.clone();
        contestants.push(Contestant::new(raw_name(size), move || {
            raw(plan, &of_book, size)
        }));
        for (what, filter) in filters() {
            for depth in [Depth::Latest, Depth::Deep] {
                let (name, path, filter) = (name(size, what, depth), path.clone(), filter.clone());
                promises.push(Promise::figure(&name, MedianMs, Target::Below(2.0)));
                contestants.push(Contestant::new(name, move || {
                    pages(plan, &path, &filter, depth, size)
                }));
            }
        }
    }
    if let Some(larger) = larger {
        promises.extend(filters().iter().flat_map(|(what, _)| {
            [Depth::Latest, Depth::Deep].map(|depth| {
                let (of, to) = (name(larger, what, depth), name(small, what, depth));
                Promise::ratio(&of, &to, MedianMs, Target::AtMost(1.5))
            })
        }));
    }
    let title = format!("page of {SIZE}, inside the process");
    contest(&title, plan, contestants, promises).map(|report| vec![report])
}

#[derive(Clone, Copy)]
enum Depth {
    Latest,
    Deep,
}

impl Depth {
    /// Deep is anywhere in the older half, as long as a rare filter still finds a page below it.
    fn position(self, dice: &mut Dice, size: u64) -> Position {
        match self {
            Self::Latest => Position::Newest,
            Self::Deep => {
                let seq = size * 3 / 10 + dice.below(size * 2 / 10 + 1);
                Position::Before(i64::try_from(seq).unwrap_or(i64::MAX))
            }
        }
    }
}

fn filters() -> Vec<(&'static str, Filter)> {
    let entity = known::ENTITY;
    vec![
        ("unfiltered", Filter::default()),
        (
            "by category",
            Filter {
                categories: vec![Category::trusted(known::CATEGORY)],
                ..Filter::default()
            },
        ),
        (
            "by severity",
            Filter {
                severities: vec![Severity::Error],
                ..Filter::default()
            },
        ),
        (
            "by actor",
            Filter {
                actor: Some(rows::actor(known::ACTOR)),
                ..Filter::default()
            },
        ),
        (
            "by a rare actor",
            Filter {
                actor: Some(known::RARE_ACTOR.into()),
                ..Filter::default()
            },
        ),
        (
            "by action",
            Filter {
                action: Some(ActionPattern::Exact(known::ACTION.into())),
                ..Filter::default()
            },
        ),
        (
            "by entity",
            Filter {
                entity_type: Some(rows::entity_type(entity).into()),
                entity_id: Some(rows::entity_id(entity)),
                ..Filter::default()
            },
        ),
    ]
}

fn name(size: u64, what: &str, depth: Depth) -> String {
    let depth = match depth {
        Depth::Latest => "latest",
        Depth::Deep => "deep",
    };
    format!("{}: {depth}, {what}", called(size))
}

fn raw_name(size: u64) -> String {
    format!("{}: raw SQLite, deep, unfiltered", called(size))
}

fn pages(plan: &Plan, path: &Path, filter: &Filter, depth: Depth, size: u64) -> Outcome {
    let reader = Reader::open(path)?;
    let mut dice = Dice(size);
    timed(plan, || {
        let page = reader.page(filter, depth.position(&mut dice, size))?;
        Ok(page.items.len())
    })
}

fn raw(plan: &Plan, path: &Path, size: u64) -> Outcome {
    let mut pages = RawPages::open(path)?;
    let mut dice = Dice(size);
    timed(plan, || {
        let before = match Depth::Deep.position(&mut dice, size) {
            Position::Before(seq) | Position::After(seq) => seq,
            Position::Newest => i64::MAX,
        };
        pages.page(before, SIZE as i64)
    })
}

/// Many contestants and short requests: a quarter of the usual time holds thousands of them.
fn timed(plan: &Plan, mut ask: impl FnMut() -> Result<usize, String>) -> Outcome {
    let mut latencies = Latencies::default();
    for _ in 0..20 {
        ask()?;
    }
    let end = Instant::now() + plan.measure / 4;
    while Instant::now() < end {
        let began = Instant::now();
        let items = ask()?;
        latencies.note(began.elapsed());
        if items != SIZE {
            return Err(format!("a page of {items} where {SIZE} match").into());
        }
    }
    Ok(vec![
        (MedianMs, latencies.percentile(0.5)),
        (P99Ms, latencies.percentile(0.99)),
    ])
}
