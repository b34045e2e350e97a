//! `make bench`: what the daybook reaches, side by side with what it is held against, in one run.
//!
//! Programs and no timed tests: each part prints its medians, the ratios and whether each promise was kept.
//! A missed promise fails nothing; a program that broke makes the exit code 1. `benches/README.md` says how
//! to read it.

mod alone;
mod books;
mod disk;
mod fastapi;
mod load;
mod parts;
mod process;
mod raw;
mod raw_book;
mod report;
mod rounds;
mod rows;
mod sockets;
mod stats;
mod subject;

use books::Shelf;
use clap::{Args, Parser, Subcommand};
use report::{Report, say};
use rounds::Plan;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Measures the daybook side by side with what it is held against.")]
struct Cli {
    #[command(subcommand)]
    part: Part,
    #[command(flatten)]
    options: Options,
    /// What cargo tells every benchmark.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Args)]
struct Options {
    /// Half a second for each contestant instead of two.
    #[arg(long, global = true)]
    quick: bool,
    /// Every contestant takes so many turns.
    #[arg(long, global = true, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// What a contestant gets in a round, in seconds.
    #[arg(long, global = true)]
    seconds: Option<f64>,
    /// The large book, in entries.
    #[arg(long, global = true, default_value_t = 1_000_000)]
    entries: u64,
    /// Pages and searches in a book ten times as large as well.
    #[arg(long, global = true)]
    large: bool,
    /// Only contestants whose name holds this text, and the promises between them; for a profiler, say.
    #[arg(long, global = true, value_name = "TEXT")]
    only: Option<String>,
    /// Leave the FastAPI server out.
    #[arg(long, global = true)]
    no_fastapi: bool,
    /// Where books, logs and the Python environment are kept; several gigabytes with --large.
    #[arg(long, global = true, default_value = "target/bench")]
    dir: PathBuf,
}

#[derive(Subcommand, Clone)]
enum Part {
    /// The LogWriter inside the process, against SQLite through its C API.
    Writer,
    /// Recording over HTTP, against the C API, an ungrouped server and FastAPI.
    Http,
    /// What it costs to know a key.
    Auth,
    /// A page of 50, with and without filters.
    Page,
    /// A text that no message holds, to the end of the book.
    Search,
    /// The whole book as CSV over HTTP, against the sqlite3 command line.
    Export,
    /// From start to ready, and the memory of a daemon that has nothing to do.
    Start,
    /// Counts, facets and histograms, with and without filters, in two sizes of book.
    Summary,
    /// What the roll-ups cost recording.
    Rollups,
    /// Pruning a tenth of the book while 64 senders record.
    Prune,
    /// One entry to 1000 live sessions, and 1000 sessions that never read.
    Live,
    /// SIGTERM under load, 100 times (10 with --quick).
    Stop,
    /// Syslog at 20,000 lines a second for a while (10 s), and as fast as it goes.
    Captures,
    /// Every part.
    All,
    /// The server that commits each entry on its own; started by the others.
    #[command(hide = true)]
    ServeAlone {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        book: PathBuf,
    },
}

/// A part, run on every book that it is about.
type RunPart = fn(&Bench) -> Result<Vec<Report>, String>;

/// What every part is given.
pub struct Bench {
    plan: Plan,
    shelf: Shelf,
    entries: u64,
    large: bool,
    quick: bool,
    fastapi: bool,
}

impl Bench {
    fn new(options: &Options) -> Result<Self, String> {
        let fail = |e: std::io::Error| format!("{}: {e}", options.dir.display());
        std::fs::create_dir_all(&options.dir).map_err(fail)?;
        let scratch = options.dir.canonicalize().map_err(fail)?;
        let seconds = options
            .seconds
            .unwrap_or(if options.quick { 0.5 } else { 2.0 });
        let share =
            |part: f64| Duration::try_from_secs_f64(seconds * part).map_err(|e| e.to_string());
        Ok(Self {
            plan: Plan {
                rounds: options.rounds.into(),
                measure: share(1.0)?,
                warm_up: share(0.25)?,
                disk: share(1.0)?,
                scratch: scratch.clone(),
                only: options.only.clone(),
            },
            shelf: Shelf::new(&scratch),
            entries: options.entries,
            large: options.large,
            quick: options.quick,
            fastapi: !options.no_fastapi,
        })
    }

    /// The sizes of books that are written to.
    fn sizes(&self) -> [u64; 2] {
        [0, self.entries]
    }

    /// The sizes of books that are read.
    fn read_sizes(&self) -> Vec<u64> {
        let larger = self.large.then_some(self.entries * 10);
        std::iter::once(self.entries).chain(larger).collect()
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.part {
        Part::ServeAlone { listen, book } => alone::serve(listen, book)
            .map(|()| true)
            .map_err(|e| e.to_string()),
        part => Bench::new(&cli.options).map(|bench| measure(&bench, &part)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Answers whether every program did what it was asked to.
fn measure(bench: &Bench, part: &Part) -> bool {
    say(&machine());
    let run: &[RunPart] = match part {
        Part::Writer => &[parts::writer::run],
        Part::Http => &[parts::http::run],
        Part::Auth => &[parts::auth::run],
        Part::Page => &[parts::page::run],
        Part::Search => &[parts::search::run],
        Part::Export => &[parts::export::run],
        Part::Start => &[parts::start::run],
        Part::Summary => &[parts::summary::run],
        Part::Rollups => &[parts::rollups::run],
        Part::Prune => &[parts::prune::run],
        Part::Live => &[parts::live::run],
        Part::Stop => &[parts::stop::run],
        Part::Captures => &[parts::captures::run],
        Part::All => &[
            parts::writer::run,
            parts::http::run,
            parts::auth::run,
            parts::page::run,
            parts::search::run,
            parts::export::run,
            parts::start::run,
            parts::summary::run,
            parts::rollups::run,
            parts::prune::run,
            parts::live::run,
            parts::stop::run,
            parts::captures::run,
        ],
        Part::ServeAlone { .. } => &[],
    };
    let mut reports = Vec::new();
    let mut whole = true;
    for part in run {
        // A part that broke keeps none of the others from being measured.
        match part(bench) {
            Ok(of_part) => {
                of_part.iter().for_each(Report::print);
                reports.extend(of_part);
            }
            Err(error) => {
                say(&format!("bench: {error}"));
                whole = false;
            }
        }
    }
    if run.len() > 1 {
        say("== every promise ==\n");
        reports.iter().for_each(Report::print_promises);
    }
    whole && !reports.iter().any(Report::broke)
}

/// Figures without the machine that they were taken on say nothing.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{processors} processors, {}, SQLite {} (synchronous=FULL, WAL) in all that is compared but what \
         brings its own",
        std::env::consts::ARCH,
        raw::version()
    )
}
