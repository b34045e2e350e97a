//! SIGTERM while 64 connections record and a hundred sessions are open, again and again: how long until the
//! daemon is gone, and whether every acknowledged entry is in the book.

use super::{in_runtime, several, singles};
use crate::Bench;
use crate::books::{Kind, Working};
use crate::load::{self, Expect, Requests};
use crate::process::{Server, Stopped};
use crate::raw::Connection;
use crate::report::Quantity::{Lost, Millis, WorstMillis};
use crate::report::{Outcome, Promise, Report, Target};
use crate::rounds::{Contestant, Plan, contest};
use crate::rows::Rows;
use crate::sockets::{self, Delivered};
use crate::stats::median;
use crate::subject;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const STOPS: usize = 100;
const QUICK_STOPS: usize = 10;
const CONNECTIONS: usize = 64;
const SESSIONS: usize = 100;
/// How long it is loaded before it is told to stop; each stop comes at another moment of the load.
const LOADED: Duration = Duration::from_millis(100);
const STAGGER: Duration = Duration::from_millis(7);

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, 0)?;
    let requests = &singles(&Rows::pool(6, 4_096));
    let stops = if bench.quick { QUICK_STOPS } else { STOPS };
    let in_a_round = stops.div_ceil(plan.rounds);
    let name = format!(
        "SIGTERM, {}, {}",
        several(CONNECTIONS, "connection"),
        several(SESSIONS, "session")
    );
    let promises = vec![
        Promise::never_over(&name, WorstMillis, 10_000.0),
        Promise::never_over(&name, Lost, 0.0),
        Promise::figure(&name, Millis, Target::None),
    ];
    let contestant = Contestant::new(name, move || stops_of(plan, book, requests, in_a_round));
    let title = format!("stop under load, {} times", in_a_round * plan.rounds);
    contest(&title, plan, vec![contestant], promises).map(|report| vec![report])
}

fn stops_of(plan: &Plan, book: &Working, requests: &Requests, stops: usize) -> Outcome {
    let (mut millis, mut lost) = (Vec::new(), 0);
    for stop in 0..stops {
        let path = book.ready()?;
        let server = subject::start_server(path, &plan.scratch.join("server.log"))?;
        let loaded = LOADED + STAGGER * u32::try_from(stop % 20).unwrap_or(0);
        let (acknowledged, stopped) = stopped_under_load(server, requests, loaded)?;
        if !stopped.in_order {
            return Err("it did not end in order; see server.log".to_owned().into());
        }
        if acknowledged == 0 {
            return Err("nothing was recorded before the signal".to_owned().into());
        }
        lost += acknowledged.saturating_sub(recorded(path)?);
        millis.push(stopped.took.as_secs_f64() * 1e3);
    }
    let worst = millis.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        (Millis, median(&millis).unwrap_or(f64::NAN)),
        (WorstMillis, worst),
        (Lost, lost as f64),
    ])
}

/// How many entries were acknowledged, and how it ended.
fn stopped_under_load(
    server: Server,
    requests: &Requests,
    loaded: Duration,
) -> Result<(u64, Stopped), String> {
    let created = Expect {
        status: 201,
        holds: "",
    };
    in_runtime(async {
        let delivered = Rc::new(Delivered::default());
        sockets::read_all(sockets::open(server.address, SESSIONS).await?, &delivered);
        delivered.reach(SESSIONS as u64).await?;
        let acknowledged = Rc::new(Cell::new(0));
        let senders = load::connect(server.address, CONNECTIONS, requests, created).await?;
        let senders: Vec<_> = senders
            .into_iter()
            .map(|sender| {
                let acknowledged = Rc::clone(&acknowledged);
                tokio::task::spawn_local(sender.until_refused(acknowledged))
            })
            .collect();
        tokio::time::sleep(loaded).await;
        let stopped = tokio::task::spawn_blocking(move || server.stop()).await;
        let stopped = stopped.map_err(|e| e.to_string())??;
        for sender in senders {
            sender.await.map_err(|e| e.to_string())?;
        }
        Ok((acknowledged.get(), stopped))
    })
}

/// What the senders recorded; the daemon's own entries come from no client.
fn recorded(book: &Path) -> Result<u64, String> {
    let connection = Connection::open(book)?;
    let sql = "SELECT count(*) FROM activity_log WHERE user_agent IS NOT NULL AND message LIKE '% minutes of work %'";
    connection.number(sql).map(i64::unsigned_abs)
}
