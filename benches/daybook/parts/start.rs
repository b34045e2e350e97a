//! From the start of the process to the first 200 of `/readyz`, and what is resident when nothing happens.

use super::called;
use crate::Bench;
use crate::books::{Kind, remove};
use crate::report::Quantity::{Mebibytes, Millis};
use crate::report::{Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, Plan, contest};
use crate::subject;
use std::path::Path;
use std::time::Duration;

/// After this a daemon that has nothing to do does nothing.
const SETTLE: Duration = Duration::from_secs(1);
const NO_BOOK: &str = "no book yet";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let large = &bench.shelf.working(Kind::Daybook, bench.entries)?;
    let (empty_name, large_name) = (called(0), called(bench.entries));
    let promises = [NO_BOOK, &empty_name, &large_name]
        .into_iter()
        .flat_map(|name| {
            [
                Promise::figure(name, Millis, Target::Below(150.0)),
                Promise::figure(name, Mebibytes, Target::Below(20.0)),
            ]
        })
        .collect();
    let new = plan.scratch.join("start.db");
    let empty = new.clone();
    let contestants = vec![
        Contestant::new(NO_BOOK, move || {
            remove(&new)?;
            started(plan, &new)
        }),
        Contestant::new(empty_name, move || {
            remove(&empty)?;
            drop(subject::open_writer(&empty)?);
            started(plan, &empty)
        }),
        Contestant::new(large_name, move || started(plan, large.ready()?)),
    ];
    let report = contest("start to ready, then idle", plan, contestants, promises)?;
    remove(&plan.scratch.join("start.db"))?;
    Ok(vec![report])
}

fn started(plan: &Plan, book: &Path) -> Outcome {
    let server = subject::start_server(book, &plan.scratch.join("server.log"))?;
    std::thread::sleep(SETTLE);
    let resident = server.resident()?;
    let took = server.took.as_secs_f64() * 1000.0;
    server.stop()?;
    Ok(vec![(Millis, took), (Mebibytes, resident)])
}
