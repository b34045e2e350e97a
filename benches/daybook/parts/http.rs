//! Recording over HTTP: the released daemon under a load generator, beside raw SQLite, beside a server that
//! commits each entry on its own, beside FastAPI and sqlite3.

use super::writer::raw;
use super::{bulks, called, several, singles};
use crate::Bench;
use crate::alone;
use crate::books::{Kind, Working};
use crate::fastapi::Python;
use crate::load::{self, Expect, Load, Requests};
use crate::process::Server;
use crate::report::Quantity::{CpuMicros, EntriesPerSecond, MedianMs, P99Ms, RequestsPerSecond};
use crate::report::{Failure, Outcome, Promise, Report, Sample, Target};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::rows::Rows;
use crate::subject;
use std::path::Path;
use std::rc::Rc;

const BULKS: [usize; 3] = [1, 2, 4];
const BULK: usize = 1000;
pub const POOL: usize = 4096;

const RAW_64: &str = "raw SQLite, 64 rows a transaction";
const RAW_1000: &str = "raw SQLite, 1000 rows a transaction";
const ALONE: &str = "one transaction per message, 1 connection";
const FASTAPI: &str = "FastAPI + sqlite3, 64 connections";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let python = if bench.fastapi {
        Python::prepare(&bench.plan.scratch)
    } else {
        Err("left out with --no-fastapi".into())
    };
    bench
        .sizes()
        .into_iter()
        .map(|size| on_book(bench, size, python.as_ref().map_err(String::as_str)))
        .collect()
}

fn on_book(bench: &Bench, size: u64, python: Result<&Python, &str>) -> Result<Report, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, size)?;
    let pool = &Rows::pool(2, POOL);
    let (singles, bulks) = (&singles(pool), &bulks(pool, BULK));
    let origins = match python {
        Ok(python) => Ok((python, bench.shelf.working(Kind::Origins, size)?)),
        Err(reason) => Err(reason.to_owned()),
    };
    let origins = &origins;
    let single = |connections| {
        Contestant::new(single_name(connections), move || {
            let shape = Shape::single(connections);
            served(plan, book, subject::start_server, shape, singles)
        })
    };
    let bulk = |connections| {
        Contestant::new(bulk_name(connections), move || {
            let shape = Shape::bulk(connections);
            served(plan, book, subject::start_server, shape, bulks)
        })
    };
    let fastapi = move || match origins {
        Ok((python, book)) => {
            let start = |path: &Path, log: &Path| python.start_server(path, log);
            served(plan, book, start, Shape::single(64), singles)
        }
        Err(reason) => Err(Failure::Skipped(reason.clone())),
    };
    let alone = move || served(plan, book, alone::start_server, Shape::single(1), singles);
    // What is compared stands side by side, so that the disk has little time to change between the two.
    let contestants = vec![
        Contestant::new(RAW_64, move || raw(plan, book, pool, 64)),
        single(64),
        Contestant::new(FASTAPI, fastapi),
        Contestant::new(ALONE, alone),
        single(1),
        bulk(1),
        bulk(2),
        Contestant::new(RAW_1000, move || raw(plan, book, pool, 1000)),
        bulk(4),
    ];
    let title = format!("http, {}", called(size));
    let renew = || {
        book.renew()?;
        origins.as_ref().map_or(Ok(()), |(_, book)| book.renew())
    };
    contest_with(&title, plan, renew, contestants, promises())
}

fn promises() -> Vec<Promise> {
    let rate = |of: String, to, target| Promise::ratio(&of, to, EntriesPerSecond, target);
    let mut promises = vec![
        rate(single_name(64), RAW_64, Target::AtLeast(0.6)),
        rate(single_name(64), FASTAPI, Target::AtLeast(6.0)),
        Promise::ratio(&single_name(64), FASTAPI, CpuMicros, Target::AtMost(0.1)),
        rate(single_name(1), ALONE, Target::AtLeast(0.9)),
    ];
    for connections in BULKS {
        promises.push(rate(bulk_name(connections), RAW_1000, Target::AtLeast(0.7)));
    }
    promises
}

fn single_name(connections: usize) -> String {
    format!("daybook, {}", several(connections, "connection"))
}

fn bulk_name(connections: usize) -> String {
    format!(
        "daybook, NDJSON of {BULK}, {}",
        several(connections, "connection")
    )
}

/// How the requests come, and how their answers look.
#[derive(Clone, Copy)]
pub struct Shape {
    connections: usize,
    entries: usize,
    expect: Expect,
}

impl Shape {
    pub fn single(connections: usize) -> Self {
        Self {
            connections,
            entries: 1,
            expect: Expect {
                status: 201,
                holds: "",
            },
        }
    }

    fn bulk(connections: usize) -> Self {
        Self {
            connections,
            entries: BULK,
            expect: Expect {
                status: 200,
                holds: "\"accepted\":1000,",
            },
        }
    }
}

/// Starts a server on the book, loads it, stops it, and counts what is in the book then.
pub fn served(
    plan: &Plan,
    book: &Working,
    start: impl FnOnce(&Path, &Path) -> Result<Server, String>,
    shape: Shape,
    requests: &Requests,
) -> Outcome {
    let sample = book.measured(|path| {
        let server = start(path, &plan.scratch.join("server.log"))?;
        let load = Load {
            address: server.address,
            connections: shape.connections,
            requests: Rc::clone(requests),
            expect: shape.expect,
            warm_up: plan.warm_up,
            measure: plan.measure,
        };
        let loaded = load::run(&load, || server.cpu())?;
        server.stop()?;
        let acknowledged = loaded.tally.acknowledged * shape.entries as u64;
        Ok((acknowledged, sample(loaded, plan, shape)))
    })?;
    Ok(sample)
}

fn sample(loaded: load::Loaded, plan: &Plan, shape: Shape) -> Sample {
    let (mut tally, seconds) = (loaded.tally, plan.measure.as_secs_f64());
    let entries = tally.done * shape.entries as f64;
    vec![
        (EntriesPerSecond, entries / seconds),
        (RequestsPerSecond, tally.done / seconds),
        (MedianMs, tally.latencies.percentile(0.5)),
        (P99Ms, tally.latencies.percentile(0.99)),
        (CpuMicros, loaded.metered.as_micros() as f64 / entries),
    ]
}
