//! Counts, facets and histograms over HTTP, unfiltered in two sizes of book and under every kind of filter. The
//! books have as long a tail that is not rolled up as there can be.

use super::{called, with_a_tail};
use crate::Bench;
use crate::books::{Kind, Working};
use crate::process::Server;
use crate::report::Quantity::{MedianMs, P99Ms};
use crate::report::{Outcome, Promise, Report, Target, number};
use crate::rounds::{Contestant, Plan, contest};
use crate::rows::{self, known};
use crate::stats::Latencies;
use crate::subject;
use std::time::Instant;

/// What may be asked of a book, and how its answer begins.
const KINDS: [(&str, &str); 3] = [
    ("count", "{\"count\":"),
    ("facets", "{\"facets\":"),
    ("histogram", "{\"since\":"),
];
/// How much larger the one book is than the other.
const TIMES: u64 = 10;
/// Milliseconds.
const MOST: f64 = 50.0;

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let sizes = [bench.entries / TIMES, bench.entries];
    let served = sizes.map(|size| served(bench, size));
    let [small, large] = served;
    let (small, large) = (&small?, &large?);
    let (mut contestants, mut promises) = (Vec::new(), Vec::new());
    for (kind, begins) in KINDS {
        let named = |size: u64| format!("{}: {kind}, unfiltered", called(size));
        for (size, (server, _)) in sizes.into_iter().zip([small, large]) {
            contestants.push(Contestant::new(named(size), move || {
                asked(plan, server, kind, begins, "")
            }));
        }
        promises.push(Promise::figure(
            &named(sizes[1]),
            MedianMs,
            Target::Below(MOST),
        ));
        let (of, to) = (named(sizes[1]), named(sizes[0]));
        promises.push(Promise::ratio(&of, &to, MedianMs, Target::Below(2.0)));
    }
    for (kind, begins) in KINDS {
        for (what, query) in filters() {
            let name = format!("{}: {kind}, {what}", called(sizes[1]));
            promises.push(Promise::figure(&name, MedianMs, Target::Below(MOST)));
            contestants.push(Contestant::new(name, move || {
                asked(plan, &large.0, kind, begins, &query)
            }));
        }
    }
    let title = format!(
        "count, facets, histogram, out of {}",
        number(bench.entries as f64)
    );
    contest(&title, plan, contestants, promises).map(|report| vec![report])
}

fn served(bench: &Bench, size: u64) -> Result<(Server, Working), String> {
    let book = bench
        .shelf
        .working_named(Kind::Daybook, size, &format!("summary-{size}"))?;
    let log = bench.plan.scratch.join(format!("summary-{size}.log"));
    let server = subject::start_server(book.path(), &log)?;
    with_a_tail(&server)?;
    Ok((server, book))
}

fn filters() -> Vec<(&'static str, String)> {
    let entity = known::ENTITY;
    let (kind, id) = (rows::entity_type(entity), rows::entity_id(entity));
    vec![
        ("by category", format!("category={}", known::CATEGORY)),
        ("by severity", "severity=error".into()),
        ("by severities", "severity=error,warning".into()),
        ("by actor", format!("actor={}", rows::actor(known::ACTOR))),
        ("by action prefix", "action=task.*".into()),
        ("by entity", format!("entity_type={kind}&entity_id={id}")),
        (
            "by a text that is rare",
            format!("q={}", known::NO_SUCH_TEXT),
        ),
        (
            "by a text that is common",
            format!("q={}", known::COMMON_TEXT),
        ),
    ]
}

/// One question, again and again on one connection.
fn asked(plan: &Plan, server: &Server, kind: &str, begins: &str, query: &str) -> Outcome {
    let url = format!("http://{}/api/v1/activity/{kind}?{query}", server.address);
    let agent = ureq::Agent::new_with_defaults();
    let ask = || -> Result<(), String> {
        let mut answer = agent.get(&url).call().map_err(|e| format!("{url}: {e}"))?;
        let text = answer
            .body_mut()
            .read_to_string()
            .map_err(|e| e.to_string())?;
        let is_one = text.starts_with(begins);
        is_one
            .then_some(())
            .ok_or_else(|| format!("{url}: not the answer expected: {text}"))
    };
    ask()?;
    let mut latencies = Latencies::default();
    let end = Instant::now() + plan.measure / 4;
    while Instant::now() < end {
        let began = Instant::now();
        ask()?;
        latencies.note(began.elapsed());
    }
    Ok(vec![
        (MedianMs, latencies.percentile(0.5)),
        (P99Ms, latencies.percentile(0.99)),
    ])
}
