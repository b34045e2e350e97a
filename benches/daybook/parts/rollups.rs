//! What the roll-ups cost recording: the same senders and the same transactions with them and without.

use super::writer::drive;
use super::{called, in_system, several};
use crate::Bench;
use crate::books::{Kind, Working};
use crate::report::Quantity::{CpuMicros, EntriesPerSecond};
use crate::report::{Outcome, Promise, Report, Sample, Target};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::rows::{Row, Rows};
use crate::subject::{Rolls, Store, WriterAlone};
use daybook::domain::NewEntry;
use daybook::storage::Request;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

const POOL: usize = 4_096;
/// So many senders or rows a transaction, and how much slower they may be, as a part of the rate.
const COSTS: [(usize, f64); 2] = [(64, 0.15), (512, 0.05)];
const BOTH: [Rolls; 2] = [Rolls::Never, Rolls::Kept];

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, 0)?;
    let entries: &Vec<NewEntry> = &Rows::pool(1, POOL).iter().map(Row::new_entry).collect();
    let (mut contestants, mut promises) = (Vec::new(), Vec::new());
    for (many, most) in COSTS {
        for rolls in BOTH {
            contestants.push(Contestant::new(sent_name(many, rolls), move || {
                sent(plan, book, entries, many, rolls)
            }));
        }
        for rolls in BOTH {
            contestants.push(Contestant::new(stored_name(many, rolls), move || {
                stored(plan, book, entries, many, rolls)
            }));
        }
        for name in [sent_name, stored_name] {
            let (with, without) = (name(many, Rolls::Kept), name(many, Rolls::Never));
            let ratio = |quantity, target| Promise::ratio(&with, &without, quantity, target);
            promises.push(ratio(EntriesPerSecond, Target::AtLeast(1.0 - most)));
            promises.push(ratio(CpuMicros, Target::AtMost(1.0 + most)));
        }
    }
    let title = format!("what roll-ups cost, {}", called(0));
    let renew = || book.renew();
    contest_with(&title, plan, renew, contestants, promises).map(|report| vec![report])
}

fn sent_name(senders: usize, rolls: Rolls) -> String {
    format!(
        "LogWriter, {}, {}",
        several(senders, "sender"),
        rolls.name()
    )
}

fn stored_name(rows: usize, rolls: Rolls) -> String {
    let rows = several(rows, "row");
    format!("the store, {rows} a transaction, {}", rolls.name())
}

/// Through the actor, by so many who each wait for their answer.
fn sent(
    plan: &Plan,
    book: &Working,
    entries: &[NewEntry],
    senders: usize,
    rolls: Rolls,
) -> Outcome {
    let pool = Rc::new(entries.to_vec());
    let path = book.ready()?;
    let (acknowledged, mut sample, cpu) = in_system(async {
        let writer = Rc::new(WriterAlone::start(path, rolls).await?);
        let sender = {
            let writer = Rc::clone(&writer);
            move |number: usize| {
                let (writer, entry) = (Rc::clone(&writer), pool[number % POOL].clone());
                async move { writer.record(entry).await }
            }
        };
        let before = cpu_of(ClockId::ProcessCPUTime);
        let sent = drive(plan, senders, sender).await;
        let cpu = cpu_of(ClockId::ProcessCPUTime) - before;
        writer.close().await;
        sent.map(|(acknowledged, sample)| (acknowledged, sample, cpu))
    })?;
    sample.push((CpuMicros, micros(cpu) / acknowledged as f64));
    Ok(sample)
}

/// Without the actor: nothing but transactions.
fn stored(plan: &Plan, book: &Working, entries: &[NewEntry], rows: usize, rolls: Rolls) -> Outcome {
    let path = book.ready()?;
    Ok(in_transactions(plan, path, entries, rows, rolls)?)
}

fn in_transactions(
    plan: &Plan,
    book: &Path,
    entries: &[NewEntry],
    rows: usize,
    rolls: Rolls,
) -> Result<Sample, String> {
    let requests: Vec<Request> = entries
        .iter()
        .map(|entry| Request {
            entries: vec![entry.clone()],
            ..Request::default()
        })
        .collect();
    let mut store = Store::open_with(book, rolls)?;
    let (mut recorded, mut groups) = (0, requests.chunks_exact(rows).cycle());
    let (began, cpu) = (Instant::now(), cpu_of(ClockId::ThreadCPUTime));
    while began.elapsed() < plan.measure {
        groups.next().map_or(Ok(()), |group| store.commit(group))?;
        recorded += rows;
    }
    let cpu = cpu_of(ClockId::ThreadCPUTime) - cpu;
    let rate = recorded as f64 / began.elapsed().as_secs_f64();
    Ok(vec![
        (EntriesPerSecond, rate),
        (CpuMicros, micros(cpu) / recorded as f64),
    ])
}

fn cpu_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
