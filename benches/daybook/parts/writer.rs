//! Recording inside the process: the LogWriter with many senders, raw SQLite with as many rows a transaction,
//! and an actor that commits each message on its own.

use super::{called, in_system, several};
use crate::Bench;
use crate::alone::Recorder;
use crate::books::{Kind, Working};
use crate::raw_book::RawBook;
use crate::report::Quantity::{EntriesPerSecond, MedianMs, P99Ms};
use crate::report::{Outcome, Promise, Report, Sample, Target};
use crate::rounds::{Contestant, Plan, contest_with};
use crate::rows::{Row, Rows};
use crate::stats::{Tally, Window};
use crate::subject::{LogWriter, Store};
use daybook::domain::NewEntry;
use daybook::storage::Request;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// What is compared stands side by side, so that the disk has little time to change between the two.
const ORDER: [What; 12] = [
    What::Raw(1),
    What::Grouped(1),
    What::Alone(1),
    What::Grouped(8),
    What::Raw(64),
    What::Grouped(64),
    What::Store,
    What::Raw(512),
    What::Grouped(512),
    What::Ungrouped(512),
    What::Alone(512),
    What::Raw(1000),
];

#[derive(Clone, Copy)]
enum What {
    /// So many rows a transaction.
    Raw(usize),
    /// So many senders.
    Grouped(usize),
    /// As many, each with a transaction for each of its messages, through the product's store.
    Ungrouped(usize),
    /// The same through the C API.
    Alone(usize),
    Store,
}

/// What a transaction of the store alone holds.
const STORED: usize = 512;
/// More than a transaction holds, so that neighbours differ; few enough to stay in the cache.
const POOL: usize = 4096;

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    bench
        .sizes()
        .into_iter()
        .map(|size| on_book(bench, size))
        .collect()
}

fn on_book(bench: &Bench, size: u64) -> Result<Report, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, size)?;
    let rows = &Rows::pool(1, POOL);
    let entries: &Vec<NewEntry> = &rows.iter().map(Row::new_entry).collect();
    let contestants = ORDER.map(|what| {
        Contestant::new(what.name(), move || match what {
            What::Raw(together) => raw(plan, book, rows, together),
            What::Grouped(senders) => {
                Ok(book.measured(|path| grouped(plan, path, entries, senders))?)
            }
            What::Ungrouped(senders) => {
                Ok(book.measured(|path| ungrouped(plan, path, entries, senders))?)
            }
            What::Alone(senders) => Ok(book.measured(|path| alone(plan, path, rows, senders))?),
            What::Store => Ok(book.measured(|path| stored(plan, path, entries))?),
        })
    });
    let title = format!("writer, {}", called(size));
    contest_with(
        &title,
        plan,
        || book.renew(),
        contestants.into(),
        promises(),
    )
}

fn promises() -> Vec<Promise> {
    let ratio = |of: What, to: What, target| {
        Promise::ratio(&of.name(), &to.name(), EntriesPerSecond, target)
    };
    use What::{Alone, Grouped, Raw, Store, Ungrouped};
    vec![
        ratio(Grouped(512), Raw(512), Target::AtLeast(0.7)),
        ratio(Grouped(512), Ungrouped(512), Target::AtLeast(6.0)),
        ratio(Grouped(512), Alone(512), Target::None),
        ratio(Store, Raw(512), Target::None),
        ratio(Grouped(64), Raw(64), Target::None),
        ratio(Grouped(1), Alone(1), Target::None),
        ratio(Grouped(1), Raw(1), Target::None),
    ]
}

impl What {
    fn name(self) -> String {
        match self {
            Self::Raw(together) => {
                format!("raw SQLite, {} a transaction", several(together, "row"))
            }
            Self::Grouped(senders) => format!("LogWriter, {}", several(senders, "sender")),
            Self::Ungrouped(senders) => {
                let senders = several(senders, "sender");
                format!("one transaction per message, {senders}")
            }
            Self::Alone(senders) => {
                let senders = several(senders, "sender");
                format!("one transaction per message through the C API, {senders}")
            }
            Self::Store => {
                let rows = several(STORED, "row");
                format!("the store without its actor, {rows} a transaction")
            }
        }
    }
}

/// A prepared statement in a loop, so many rows a transaction.
pub fn raw(plan: &Plan, book: &Working, rows: &[Row], together: usize) -> Outcome {
    Ok(book.measured(|path| {
        let mut book = RawBook::open(path)?;
        let mut pool = rows.iter().cycle();
        one_after_another(plan, together, || {
            book.commit(pool.by_ref().take(together)).map(drop)
        })
    })?)
}

/// The same through the product's store, without actors and senders: what is lost between raw SQLite and
/// this is lost in storage, the rest on the way there.
fn stored(plan: &Plan, book: &Path, entries: &[NewEntry]) -> Result<(u64, Sample), String> {
    let requests: Vec<Request> = entries
        .iter()
        .map(|entry| Request {
            entries: vec![entry.clone()],
            ..Request::default()
        })
        .collect();
    let mut store = Store::open(book)?;
    let mut groups = requests.chunks_exact(STORED).cycle();
    one_after_another(plan, STORED, || {
        groups.next().map_or(Ok(()), |group| store.commit(group))
    })
}

/// Transactions without a pause between them.
fn one_after_another(
    plan: &Plan,
    together: usize,
    mut commit: impl FnMut() -> Result<(), String>,
) -> Result<(u64, Sample), String> {
    let window = Window::after(plan.warm_up, plan.measure);
    let mut tally = Tally::default();
    loop {
        let began = Instant::now();
        if began >= window.end {
            break;
        }
        commit()?;
        tally.note(window, began, Instant::now());
    }
    let rate = tally.done * together as f64 / plan.measure.as_secs_f64();
    Ok((
        tally.acknowledged * together as u64,
        vec![(EntriesPerSecond, rate)],
    ))
}

fn grouped(
    plan: &Plan,
    book: &Path,
    entries: &[NewEntry],
    senders: usize,
) -> Result<(u64, Sample), String> {
    let pool: Rc<Vec<NewEntry>> = Rc::new(entries.to_vec());
    in_system(async {
        let writer = LogWriter::start(book).await?;
        let sender = {
            let writer = Rc::new(writer.clone());
            move |number: usize| {
                let (writer, entry) = (Rc::clone(&writer), pool[number % POOL].clone());
                async move { writer.record(entry).await }
            }
        };
        let sent = drive(plan, senders, sender).await;
        writer.close().await;
        sent
    })
}

fn ungrouped(
    plan: &Plan,
    book: &Path,
    entries: &[NewEntry],
    senders: usize,
) -> Result<(u64, Sample), String> {
    one_by_one(plan, Recorder::ungrouped, book, entries, senders)
}

fn alone(plan: &Plan, book: &Path, rows: &[Row], senders: usize) -> Result<(u64, Sample), String> {
    one_by_one(plan, Recorder::raw, book, rows, senders)
}

fn one_by_one<T: Clone + Send + 'static>(
    plan: &Plan,
    start: impl FnOnce(&Path) -> Recorder<T>,
    book: &Path,
    pool: &[T],
    senders: usize,
) -> Result<(u64, Sample), String> {
    let pool: Rc<Vec<T>> = Rc::new(pool.to_vec());
    in_system(async {
        let recorder = start(book);
        let sender = move |number: usize| {
            let (recorder, what) = (recorder.clone(), pool[number % POOL].clone());
            async move { recorder.record(what).await.map(drop) }
        };
        drive(plan, senders, sender).await
    })
}

/// So many senders, each waiting for its answer before it sends again.
pub async fn drive<S, F>(plan: &Plan, senders: usize, send: S) -> Result<(u64, Sample), String>
where
    S: Fn(usize) -> F + Clone + 'static,
    F: Future<Output = Result<(), String>> + 'static,
{
    let window = Window::after(plan.warm_up, plan.measure);
    let tasks: Vec<_> = (0..senders)
        .map(|number| actix::spawn(one_sender(window, number * POOL / senders, send.clone())))
        .collect();
    let mut tally = Tally::default();
    for task in tasks {
        tally.add(task.await.map_err(|e| e.to_string())??);
    }
    let sample = vec![
        (EntriesPerSecond, tally.done / plan.measure.as_secs_f64()),
        (MedianMs, tally.latencies.percentile(0.5)),
        (P99Ms, tally.latencies.percentile(0.99)),
    ];
    Ok((tally.acknowledged, sample))
}

async fn one_sender<S, F>(window: Window, first: usize, send: S) -> Result<Tally, String>
where
    S: Fn(usize) -> F,
    F: Future<Output = Result<(), String>>,
{
    let mut tally = Tally::default();
    for next in first.. {
        let began = Instant::now();
        if began >= window.end {
            break;
        }
        send(next).await?;
        tally.note(window, began, Instant::now());
    }
    Ok(tally)
}
