//! Pruning a tenth of a large book while 64 senders record, through the actors that do it in the daemon: how long
//! the writer was blocked and the longest of them waited, how large the WAL grew, and whether the file is smaller in the end. Beside it
//! the same senders without a prune.

use super::{called, in_system};
use crate::Bench;
use crate::books::{Kind, Working};
use crate::disk::Watch;
use crate::raw::Connection;
use crate::report::Quantity::{
    BeyondSyncMillis, BlockedMillis, EntriesPerSecond, FileRatio, Millis, P99Ms, Removed,
    WalMebibytes, WorstMillis, WorstSyncMillis,
};
use crate::report::{Outcome, Promise, Report, Target, number};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::rows::{Row, Rows};
use crate::stats::Latencies;
use crate::subject::LogWriter;
use daybook::domain::NewEntry;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SENDERS: usize = 64;
const POOL: usize = 4_096;
const SAMPLE_WAL: Duration = Duration::from_millis(2);
const MIB: f64 = 1024.0 * 1024.0;

const PRUNED: &str = "64 senders, and a tenth is pruned";
const LEFT: &str = "64 senders, nothing is pruned";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, bench.entries)?;
    let keep = bench.entries - bench.entries / 10;
    let entries: &Vec<NewEntry> = &Rows::pool(4, POOL).iter().map(Row::new_entry).collect();
    let contestants = vec![
        Contestant::new(PRUNED, move || measured(plan, book, entries, Some(keep))),
        Contestant::new(LEFT, move || measured(plan, book, entries, None)),
    ];
    let promises = vec![
        Promise::never_over(PRUNED, BeyondSyncMillis, 50.0),
        Promise::never_over(PRUNED, WalMebibytes, 64.0),
        Promise::figure(PRUNED, FileRatio, Target::Below(1.0)),
        Promise::ratio(PRUNED, LEFT, WorstMillis, Target::None),
        Promise::ratio(PRUNED, LEFT, P99Ms, Target::None),
        Promise::ratio(PRUNED, LEFT, EntriesPerSecond, Target::None),
    ];
    let tenth = number((bench.entries / 10) as f64);
    let title = format!("prune {tenth} out of {}", called(bench.entries));
    contest_with(&title, plan, || Ok(()), contestants, promises).map(|report| vec![report])
}

/// What the senders lived through.
#[derive(Default)]
struct Seen {
    recorded: Cell<u64>,
    latencies: RefCell<Latencies>,
    worst: Cell<Duration>,
    over: Cell<bool>,
}

fn measured(plan: &Plan, book: &Working, entries: &[NewEntry], keep: Option<u64>) -> Outcome {
    book.renew()?;
    let path = book.path();
    let (size, held) = (bytes(path), rows(path)?);
    let seen = Rc::new(Seen::default());
    let wal = wal_of(path);
    let (took, blocked, worst_sync, wal_bytes) = in_system(async {
        let writer = LogWriter::start(path).await?;
        writer.settled().await?;
        let over = Arc::new(AtomicBool::new(false));
        let busy = writer.watched(Arc::clone(&over));
        let disk = Watch::start(&plan.scratch).map_err(|e| e.to_string())?;
        let largest = Rc::new(Cell::new(0));
        let watch = actix::spawn(sample(wal, Rc::clone(&largest), Rc::clone(&seen)));
        let senders: Vec<_> = (0..SENDERS)
            .map(|number| {
                let pool = entries.to_vec();
                let first = number * POOL / SENDERS;
                actix::spawn(send(writer.clone(), pool, first, Rc::clone(&seen)))
            })
            .collect();
        actix::clock::sleep(plan.warm_up).await;
        let began = Instant::now();
        match keep {
            Some(keep) => writer.keep_newest(keep).await?,
            None => actix::clock::sleep(plan.measure).await,
        }
        let took = began.elapsed();
        over.store(true, Ordering::Relaxed);
        seen.over.set(true);
        for sender in senders {
            sender.await.map_err(|e| e.to_string())??;
        }
        watch.await.map_err(|e| e.to_string())?;
        let worst_sync = disk.worst()?;
        let blocked = busy.join().map_err(|_| "the writer's watch broke")??;
        writer.close().await;
        Ok::<_, String>((took, blocked, worst_sync, largest.get()))
    })?;
    let recorded = seen.recorded.get();
    let removed = (held + recorded).saturating_sub(rows(path)?);
    if keep.is_some() && removed < held / 11 {
        return Err(format!("{removed} were pruned").into());
    }
    let (blocked, sync) = (millis(blocked), millis(worst_sync));
    let p99 = seen.latencies.borrow_mut().percentile(0.99);
    Ok(vec![
        (BlockedMillis, blocked),
        (WorstSyncMillis, sync),
        (BeyondSyncMillis, (blocked - 2.0 * sync).max(0.0)),
        (WorstMillis, millis(seen.worst.get())),
        (P99Ms, p99),
        (WalMebibytes, wal_bytes as f64 / MIB),
        (FileRatio, bytes(path) as f64 / size as f64),
        (Millis, millis(took)),
        (Removed, removed as f64),
        (
            EntriesPerSecond,
            recorded as f64 / (plan.warm_up + took).as_secs_f64(),
        ),
    ])
}

async fn send(
    writer: LogWriter,
    pool: Vec<NewEntry>,
    first: usize,
    seen: Rc<Seen>,
) -> Result<(), String> {
    for entry in pool.iter().cycle().skip(first) {
        if seen.over.get() {
            break;
        }
        let began = Instant::now();
        writer.record(entry.clone()).await?;
        let took = began.elapsed();
        seen.recorded.set(seen.recorded.get() + 1);
        seen.worst.set(seen.worst.get().max(took));
        seen.latencies.borrow_mut().note(took);
    }
    Ok(())
}

async fn sample(wal: PathBuf, largest: Rc<Cell<u64>>, seen: Rc<Seen>) {
    while !seen.over.get() {
        largest.set(largest.get().max(bytes(&wal)));
        actix::clock::sleep(SAMPLE_WAL).await;
    }
}

fn wal_of(book: &Path) -> PathBuf {
    let mut name = book.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

fn rows(path: &Path) -> Result<u64, String> {
    let connection = Connection::open(path)?;
    let count = connection.number("SELECT count(*) FROM activity_log")?;
    Ok(count.unsigned_abs())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
