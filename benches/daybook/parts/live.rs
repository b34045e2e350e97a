//! Live events: what a message to one of a thousand sessions costs, and what a thousand sessions that never
//! read cost everybody else.

use super::{in_runtime, several, singles};
use crate::Bench;
use crate::books::{Kind, Working};
use crate::load::{self, Expect, Load, Requests, Sender};
use crate::process::Server;
use crate::report::Quantity::{
    EntriesPerSecond, GrownMebibytes, MedianMs, MessageCpuMicros, P99Ms, SessionKibibytes,
};
use crate::report::{Outcome, Promise, Report, Sample, Target};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::rows::{Row, Rows};
use crate::sockets::{self, Delivered};
use crate::stats::Latencies;
use crate::subject;
use std::rc::Rc;
use std::time::{Duration, Instant};

const SESSIONS: usize = 1_000;
const POOL: usize = 4_096;
/// Entries that one request records, so that one transaction brings them.
const TOGETHER: [usize; 2] = [1, 20];
/// More than the kernel takes for a session that does not read: bulks of a thousand entries.
const FILLING: usize = 8;
const BULK: usize = 1_000;
const CONNECTIONS: usize = 64;

const NOBODY: &str = "64 connections record, nobody follows";
const NOBODY_READS: &str = "64 connections record, 1000 sessions never read";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, 0)?;
    let rows = &Rows::pool(5, POOL);
    let followed = TOGETHER.map(|together| {
        Contestant::new(followed_name(together), move || {
            followed(plan, book, rows, together)
        })
    });
    let left = [(NOBODY, 0), (NOBODY_READS, SESSIONS)].map(|(name, sessions)| {
        Contestant::new(name, move || left_alone(plan, book, rows, sessions))
    });
    let contestants = followed.into_iter().chain(left).collect();
    let mut promises = Vec::new();
    for together in TOGETHER {
        let name = followed_name(together);
        promises.push(Promise::figure(&name, MessageCpuMicros, Target::Below(1.5)));
        let memory = match together {
            1 => Target::AtMost(16.0),
            _ => Target::None,
        };
        promises.push(Promise::figure(&name, SessionKibibytes, memory));
    }
    promises.push(Promise::ratio(
        NOBODY_READS,
        NOBODY,
        P99Ms,
        Target::AtMost(1.1),
    ));
    promises.push(Promise::ratio(
        NOBODY_READS,
        NOBODY,
        EntriesPerSecond,
        Target::None,
    ));
    promises.push(Promise::figure(
        NOBODY_READS,
        GrownMebibytes,
        Target::AtMost(4.0),
    ));
    let title = "live events to 1000 sessions";
    contest_with(title, plan, || book.renew(), contestants, promises).map(|report| vec![report])
}

fn followed_name(together: usize) -> String {
    let entries = match together {
        1 => "1 entry".into(),
        many => format!("{many} entries"),
    };
    format!("{entries} at a time to {}", several(SESSIONS, "session"))
}

fn start(plan: &Plan, book: &Working) -> Result<Server, String> {
    subject::start_server(book.ready()?, &plan.scratch.join("server.log"))
}

/// One request after the other, each when the one before has reached everybody.
fn followed(plan: &Plan, book: &Working, rows: &[Row], together: usize) -> Outcome {
    let server = start(plan, book)?;
    let requests = bulks(rows, together);
    let sample = in_runtime(async {
        let mut sender = Sender::connect(server.address, requests, accepted(together)).await?;
        // What the first requests of all leave behind is no session's.
        for _ in 0..20 {
            sender.once().await.map_err(|e| e.to_string())?;
        }
        let before = server.resident()?;
        let delivered = Rc::new(Delivered::default());
        sockets::read_all(sockets::open(server.address, SESSIONS).await?, &delivered);
        // The hello of each.
        let mut goal = SESSIONS as u64;
        delivered.reach(goal).await?;
        let each = (SESSIONS * together) as u64;
        let (mut latencies, mut messages) = (Latencies::default(), 0);
        let (end, cpu) = (Instant::now() + plan.measure, server.cpu());
        while Instant::now() < end {
            let began = Instant::now();
            sender.once().await.map_err(|e| e.to_string())?;
            goal += each;
            delivered.reach(goal).await?;
            latencies.note(began.elapsed());
            messages += each;
        }
        let cpu = (server.cpu() - cpu).as_secs_f64() * 1e6;
        let grown = (server.resident()? - before) * 1024.0;
        Ok(vec![
            (MessageCpuMicros, cpu / messages as f64),
            (SessionKibibytes, grown / SESSIONS as f64),
            (MedianMs, latencies.percentile(0.5)),
            (P99Ms, latencies.percentile(0.99)),
        ])
    })?;
    server.stop()?;
    Ok(sample)
}

/// Recording beside sessions that take what a socket takes by itself, and then nothing.
fn left_alone(plan: &Plan, book: &Working, rows: &[Row], sessions: usize) -> Outcome {
    let server = start(plan, book)?;
    let filling = bulks(rows, BULK);
    let empty = server.resident()?;
    let (held, before) = in_runtime(async {
        let held = sockets::open_narrow(server.address, sessions).await?;
        let mut sender = Sender::connect(server.address, filling, accepted(BULK)).await?;
        for _ in 0..FILLING {
            sender.once().await.map_err(|e| e.to_string())?;
        }
        quiet(&server).await;
        // Beyond its runtime a socket is only held; nobody reads it there either.
        let held: Result<Vec<_>, _> = held.into_iter().map(sockets::Session::park).collect();
        Ok((held.map_err(|e| e.to_string())?, server.resident()?))
    })?;
    let load = Load {
        address: server.address,
        connections: CONNECTIONS,
        requests: singles(rows),
        expect: accepted(1),
        warm_up: plan.warm_up,
        measure: plan.measure,
    };
    // Twice: the first time is what recording itself comes to need.
    load::run(&load, || server.cpu())?;
    let between = server.resident()?;
    let mut tally = load::run(&load, || server.cpu())?.tally;
    let grown = server.resident()? - between;
    drop(held);
    server.stop()?;
    let mut sample: Sample = vec![
        (EntriesPerSecond, tally.done / plan.measure.as_secs_f64()),
        (MedianMs, tally.latencies.percentile(0.5)),
        (P99Ms, tally.latencies.percentile(0.99)),
        (GrownMebibytes, grown),
    ];
    if sessions > 0 {
        let each = (before - empty) * 1024.0 / sessions as f64;
        sample.push((SessionKibibytes, each));
    }
    Ok(sample)
}

/// Until the server has done what it can for those who do not read.
async fn quiet(server: &Server) {
    const LOOK: Duration = Duration::from_millis(200);
    let mut before = Duration::MAX;
    while server.cpu() != before {
        before = server.cpu();
        tokio::time::sleep(LOOK).await;
    }
}

fn bulks(rows: &[Row], together: usize) -> Requests {
    if together == 1 {
        return singles(rows);
    }
    super::bulks(rows, together)
}

fn accepted(together: usize) -> Expect {
    match together {
        1 => Expect {
            status: 201,
            holds: "",
        },
        _ => Expect {
            status: 200,
            holds: "\"rejected\":[]",
        },
    }
}
