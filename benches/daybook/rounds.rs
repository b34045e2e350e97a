//! Rounds: every contestant takes its turn in each, the order is rotated, and the disk is measured first.

use crate::disk;
use crate::report::{Failure, Line, Outcome, Promise, Report, say};
use std::path::PathBuf;
use std::time::Duration;

/// How long everything takes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub rounds: usize,
    /// What one contestant gets in a round.
    pub measure: Duration,
    /// What it gets before that to get going.
    pub warm_up: Duration,
    pub disk: Duration,
    pub scratch: PathBuf,
    /// Whose name does not hold this has no turn.
    pub only: Option<String>,
}

impl Plan {
    fn has_a_turn(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|text| name.contains(text))
    }
}

pub struct Contestant<'a> {
    name: String,
    run: Box<dyn FnMut() -> Outcome + 'a>,
}

impl<'a> Contestant<'a> {
    pub fn new(name: impl Into<String>, run: impl FnMut() -> Outcome + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// Rounds of nothing but the contestants.
pub fn contest(
    title: &str,
    plan: &Plan,
    contestants: Vec<Contestant<'_>>,
    promises: Vec<Promise>,
) -> Result<Report, String> {
    contest_with(title, plan, || Ok(()), contestants, promises)
}

/// Rounds that each begin with `prepare`: with a book as it was at the start, say.
pub fn contest_with(
    title: &str,
    plan: &Plan,
    mut prepare: impl FnMut() -> Result<(), String>,
    mut contestants: Vec<Contestant<'_>>,
    mut promises: Vec<Promise>,
) -> Result<Report, String> {
    contestants.retain(|contestant| plan.has_a_turn(&contestant.name));
    promises.retain(|promise| promise.names().all(|name| plan.has_a_turn(name)));
    let mut lines: Vec<Line> = contestants
        .iter()
        .map(|contestant| Line {
            name: contestant.name.clone(),
            rounds: Vec::new(),
        })
        .collect();
    let mut fdatasync = Vec::new();
    for round in 0..plan.rounds {
        say(&format!("{title}: round {} of {}", round + 1, plan.rounds));
        prepare()?;
        match disk::fdatasync_rate(&plan.scratch, plan.disk) {
            Ok(rate) => fdatasync.push(rate),
            Err(error) => say(&format!("the disk could not be measured: {error}")),
        }
        for place in 0..contestants.len() {
            let turn = (place + round) % contestants.len();
            let outcome = match lines[turn].rounds.last() {
                // Once it could not run, it will not later.
                Some(Err(failure)) => Err(failure.clone()),
                _ => (contestants[turn].run)(),
            };
            if let Err(Failure::Broke(reason)) = &outcome {
                say(&format!("{} broke: {reason}", lines[turn].name));
            }
            lines[turn].rounds.push(outcome);
        }
    }
    Ok(Report {
        title: title.into(),
        fdatasync,
        lines,
        promises,
    })
}
