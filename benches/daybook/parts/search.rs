//! A text that no message holds: request after request until the book's end, and how long the longest took.

use super::called;
use crate::Bench;
use crate::books::Kind;
use crate::raw_book::RawPages;
use crate::report::Quantity::{Millis, Requests, WorstMillis};
use crate::report::{Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, contest};
use crate::rows::known;
use crate::subject::Reader;
use daybook::domain::filter::Text;
use daybook::domain::{Category, Filter, Position};
use std::path::Path;
use std::time::{Duration, Instant};

/// A search that has not come to its end by then goes in circles.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let mut contestants = Vec::new();
    let mut promises = Vec::new();
    for size in bench.read_sizes() {
        let path = &bench.shelf.kept(Kind::Daybook, size)?;
        let raw_name = format!("{}: raw SQLite, one scan", called(size));
        let of_book = path.clone();
        contestants.push(Contestant::new(raw_name.clone(), move || raw(&of_book)));
        for (what, filter) in filters() {
            let (name, path) = (format!("{}: {what}", called(size)), path.clone());
            promises.push(Promise::never_over(&name, WorstMillis, 300.0));
            contestants.push(Contestant::new(name, move || to_the_end(&path, &filter)));
        }
        let plain = format!("{}: {}", called(size), filters()[0].0);
        promises.push(Promise::ratio(&plain, &raw_name, Millis, Target::None));
    }
    let title = "search for a text that is not there, to the end";
    contest(title, plan, contestants, promises).map(|report| vec![report])
}

fn filters() -> Vec<(&'static str, Filter)> {
    let text = Some(Text::new(known::NO_SUCH_TEXT));
    vec![
        (
            "text alone",
            Filter {
                text: text.clone(),
                ..Filter::default()
            },
        ),
        (
            "text within a category",
            Filter {
                text,
                categories: vec![Category::trusted(known::CATEGORY)],
                ..Filter::default()
            },
        ),
    ]
}

fn to_the_end(path: &Path, filter: &Filter) -> Outcome {
    let reader = Reader::open(path)?;
    let (began, mut worst, mut requests) = (Instant::now(), Duration::ZERO, 0_u32);
    let mut position = Position::Newest;
    loop {
        let asked = Instant::now();
        let page = reader.page(filter, position)?;
        worst = worst.max(asked.elapsed());
        requests += 1;
        if !page.items.is_empty() {
            return Err("found what is not there".to_owned().into());
        }
        match page.next_before_seq {
            Some(seq) => position = Position::Before(seq),
            None => break,
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("not at its end after {requests} requests").into());
        }
    }
    Ok(vec![
        (Millis, millis(began.elapsed())),
        (WorstMillis, millis(worst)),
        (Requests, f64::from(requests)),
    ])
}

fn raw(path: &Path) -> Outcome {
    let mut pages = RawPages::open(path)?;
    let began = Instant::now();
    let found = pages.scan(known::NO_SUCH_TEXT)?;
    let took = millis(began.elapsed());
    if found > 0 {
        return Err("found what is not there".to_owned().into());
    }
    Ok(vec![(Millis, took), (WorstMillis, took), (Requests, 1.0)])
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
