//! What a part prints: a line for each contestant, then a line for each promise, with PASS or MISS beside it.

use crate::stats::{median, spread};
use std::fmt::Write as _;
use std::io::Write as _;

/// What was measured of a contestant in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    EntriesPerSecond,
    RequestsPerSecond,
    MedianMs,
    P99Ms,
    CpuMicros,
    Millis,
    WorstMillis,
    Requests,
    MegabytesPerSecond,
    Mebibytes,
    /// Of a message to one session.
    MessageCpuMicros,
    SessionKibibytes,
    /// Since a moment at which all was as full as it gets.
    GrownMebibytes,
    WorstSyncMillis,
    /// The longest that the writer was busy with something else.
    BlockedMillis,
    /// The same, less twice the slowest fdatasync of the same time.
    BeyondSyncMillis,
    WalMebibytes,
    /// What the book's file came to, of what it was.
    FileRatio,
    Removed,
    Lost,
    /// Lost, and not said to be.
    Uncounted,
}

impl Quantity {
    fn heading(self) -> &'static str {
        match self {
            Self::EntriesPerSecond => "entries/s",
            Self::RequestsPerSecond => "requests/s",
            Self::MedianMs => "p50 ms",
            Self::P99Ms => "p99 ms",
            Self::CpuMicros => "CPU us/entry",
            Self::Millis => "ms",
            Self::WorstMillis => "worst ms",
            Self::Requests => "requests",
            Self::MegabytesPerSecond => "MB/s",
            Self::Mebibytes => "MiB",
            Self::MessageCpuMicros => "CPU us/message",
            Self::SessionKibibytes => "KiB/session",
            Self::GrownMebibytes => "MiB grown",
            Self::WorstSyncMillis => "worst fdatasync ms",
            Self::BlockedMillis => "blocked ms",
            Self::BeyondSyncMillis => "ms beyond 2 fdatasync",
            Self::WalMebibytes => "WAL MiB",
            Self::FileRatio => "file/before",
            Self::Removed => "removed",
            Self::Lost => "lost",
            Self::Uncounted => "uncounted",
        }
    }
}

pub type Sample = Vec<(Quantity, f64)>;

/// Why a contestant has no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It cannot run here; nothing is wrong with what is measured.
    Skipped(String),
    /// It did not do what it was asked to.
    Broke(String),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Broke(reason)
    }
}

pub type Outcome = Result<Sample, Failure>;

/// A contestant and its outcome in each round.
pub struct Line {
    pub name: String,
    pub rounds: Vec<Outcome>,
}

impl Line {
    fn values(&self, quantity: Quantity) -> Vec<f64> {
        (0..self.rounds.len())
            .filter_map(|round| self.value(round, quantity))
            .collect()
    }

    fn value(&self, round: usize, quantity: Quantity) -> Option<f64> {
        let sample = self.rounds.get(round)?.as_ref().ok()?;
        sample
            .iter()
            .find(|(held, _)| *held == quantity)
            .map(|(_, value)| *value)
    }

    fn failure(&self) -> Option<&Failure> {
        self.rounds
            .iter()
            .find_map(|outcome| outcome.as_ref().err())
    }

    pub fn broke(&self) -> bool {
        matches!(self.failure(), Some(Failure::Broke(_)))
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
    /// Worth knowing, promised to nobody.
    None,
}

impl Target {
    fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
            Self::Below(limit) => Some(value < limit),
            Self::None => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
            Self::Below(limit) => format!("< {limit}"),
            Self::None => String::new(),
        }
    }
}

/// A line of the second table: a figure, or the ratio of two taken in the same round.
pub struct Promise {
    of: String,
    to: Option<String>,
    quantity: Quantity,
    target: Target,
    /// Held in every round and not only in the middle one.
    always: bool,
}

impl Promise {
    pub fn ratio(of: &str, to: &str, quantity: Quantity, target: Target) -> Self {
        Self {
            of: of.into(),
            to: Some(to.into()),
            quantity,
            target,
            always: false,
        }
    }

    /// Whose figures it is about.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.of.as_str()).chain(self.to.as_deref())
    }

    pub fn figure(of: &str, quantity: Quantity, target: Target) -> Self {
        Self {
            of: of.into(),
            to: None,
            quantity,
            target,
            always: false,
        }
    }

    /// What no round may go over.
    pub fn never_over(of: &str, quantity: Quantity, most: f64) -> Self {
        Self {
            always: true,
            ..Self::figure(of, quantity, Target::AtMost(most))
        }
    }

    fn verdict(&self, values: &[f64]) -> &'static str {
        let judged = if self.always {
            spread(values).map(|(_, highest)| highest)
        } else {
            median(values)
        };
        match judged.map(|value| self.target.is_met(value)) {
            None => "no figure",
            Some(None) => "",
            Some(Some(true)) => "PASS",
            Some(Some(false)) => "MISS",
        }
    }

    fn text(&self) -> String {
        let of = format!("{} of {}", self.quantity.heading(), self.of);
        match &self.to {
            Some(to) => format!("{of} / {to}"),
            None => of,
        }
    }

    /// Ratios are taken within a round, where the disk was the same for both, and only then is the median.
    fn values(&self, lines: &[Line]) -> Vec<f64> {
        let find = |name: &str| lines.iter().find(|line| line.name == name);
        let Some(of) = find(&self.of) else {
            return Vec::new();
        };
        let Some(to) = &self.to else {
            return of.values(self.quantity);
        };
        let Some(to) = find(to) else {
            return Vec::new();
        };
        (0..of.rounds.len())
            .filter_map(|round| {
                let base = to.value(round, self.quantity)?;
                let ratio = of.value(round, self.quantity)? / base;
                ratio.is_finite().then_some(ratio)
            })
            .collect()
    }
}

/// What one part found on one book.
pub struct Report {
    pub title: String,
    /// The disk's rate at the start of each round.
    pub fdatasync: Vec<f64>,
    pub lines: Vec<Line>,
    pub promises: Vec<Promise>,
}

impl Report {
    pub fn broke(&self) -> bool {
        self.lines.iter().any(Line::broke)
    }

    pub fn print(&self) {
        say(&self.text());
    }

    /// The promises alone, for the end of a long run.
    pub fn print_promises(&self) {
        let mut out = self.title.clone();
        self.promises_table(&mut out);
        say(&out);
    }

    fn text(&self) -> String {
        let mut out = format!("\n== {} ==\n", self.title);
        let rates: Vec<String> = self.fdatasync.iter().map(|rate| number(*rate)).collect();
        if let Some(rate) = median(&self.fdatasync) {
            let (median, rounds) = (number(rate), rates.join(" "));
            let _ = writeln!(out, "fdatasync/s: {median} (by round: {rounds})");
        }
        self.lines_table(&mut out);
        self.promises_table(&mut out);
        out
    }

    fn lines_table(&self, out: &mut String) {
        let quantities = self.quantities();
        let wide = width(self.lines.iter().map(|line| line.name.as_str()));
        let _ = write!(
            out,
            "\n{:wide$}",
            "median of the rounds (lowest to highest)"
        );
        for quantity in &quantities {
            let _ = write!(out, "  {:>26}", quantity.heading());
        }
        out.push('\n');
        for line in &self.lines {
            let _ = write!(out, "{:wide$}", line.name);
            match line.failure() {
                Some(Failure::Skipped(reason)) => {
                    let _ = write!(out, "  SKIPPED: {reason}");
                }
                Some(Failure::Broke(reason)) => {
                    let _ = write!(out, "  BROKE: {reason}");
                }
                None => {
                    for quantity in &quantities {
                        let _ = write!(out, "  {:>26}", cell(&line.values(*quantity)));
                    }
                }
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
    }

    fn promises_table(&self, out: &mut String) {
        if self.promises.is_empty() {
            return;
        }
        let texts: Vec<String> = self.promises.iter().map(Promise::text).collect();
        let wide = width(texts.iter().map(String::as_str));
        out.push('\n');
        for (promise, text) in self.promises.iter().zip(&texts) {
            let values = promise.values(&self.lines);
            let verdict = promise.verdict(&values);
            let (held, target) = (cell(&values), promise.target.text());
            let row = format!("{text:wide$}  {held:>26}  {target:>8}  {verdict}");
            out.push_str(row.trim_end());
            out.push('\n');
        }
    }

    /// In the order in which the contestants name them.
    fn quantities(&self) -> Vec<Quantity> {
        let mut named = Vec::new();
        for sample in self
            .lines
            .iter()
            .flat_map(|line| line.rounds.iter().flatten())
        {
            for (quantity, _) in sample {
                if !named.contains(quantity) {
                    named.push(*quantity);
                }
            }
        }
        named
    }
}

/// Prints at once, so that a long run shows where it is.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever read this may have gone away; there is nobody left to tell.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(40)
}

fn cell(values: &[f64]) -> String {
    match (median(values), spread(values)) {
        (Some(median), Some((low, high))) => {
            format!("{} ({} to {})", number(median), number(low), number(high))
        }
        _ => "-".into(),
    }
}

/// Three figures, and thousands in groups.
pub fn number(value: f64) -> String {
    if value >= 1000.0 {
        let digits = format!("{value:.0}");
        let first = digits.len() % 3;
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && index % 3 == first {
                out.push(',');
            }
            out.push(digit);
        }
        out
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else if value >= 0.1 || value == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}
