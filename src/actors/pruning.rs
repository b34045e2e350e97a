//! One run of retention: what would go, and how it goes, in steps of a few milliseconds between which
//! whoever records has its turn.

use super::removal::Step;
use super::{Refusal, Writer};
use crate::access::Scope;
use crate::domain::retention::Retention;
use crate::domain::{NewEntry, Own, Timestamp, WorkspaceId};
use crate::storage::{EntryReader, Prunable, PruneStep, Request, StorageError};
use std::cell::Cell;
use std::time::Duration;

/// How long recording may wait for what one step removes, beside what the disk takes for any step.
const TARGET: Duration = Duration::from_millis(5);
const FIRST_LIMIT: usize = 200;
const LIMITS: (usize, usize) = (50, 2_000);
/// So that who was answered meanwhile can come again before the next step.
const PAUSE: Duration = Duration::from_millis(1);

/// What the rules in force do not keep at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub parts: Vec<(WorkspaceId, Prunable)>,
}

impl Plan {
    /// Of one workspace, or of all that the book knows.
    pub fn read(
        reader: &dyn EntryReader,
        retention: &Retention,
        only: Option<&WorkspaceId>,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let workspaces = match only {
            Some(name) => vec![name.clone()],
            None => reader.workspaces()?,
        };
        let mut parts = Vec::with_capacity(workspaces.len());
        for name in workspaces {
            let rule = retention.in_force(Some(&name)).rule;
            let Some(scope) = Scope::for_the_daemon().narrowed_to(&name) else {
                continue;
            };
            let found = reader.prunable(&scope, rule.before(now), rule.keep())?;
            parts.push((name, found));
        }
        Ok(Self { parts })
    }

    pub fn entries(&self) -> u64 {
        self.sum(|part| part.entries)
    }

    pub fn held(&self) -> u64 {
        self.sum(|part| part.held)
    }

    /// More than half of it would go by age alone.
    pub fn goes_by_half(&self) -> bool {
        self.by_age() * 2 > self.held()
    }

    pub fn by_age(&self) -> u64 {
        self.sum(|part| part.by_age)
    }

    pub fn oldest_kept(&self) -> Option<Timestamp> {
        self.parts
            .iter()
            .filter_map(|(_, part)| part.oldest_kept)
            .min()
    }

    fn sum(&self, of: impl Fn(&Prunable) -> u64) -> u64 {
        self.parts.iter().map(|(_, part)| of(part)).sum()
    }
}

/// How large a step may be, learnt from how long the last ones took. Making anything durable takes its time
/// on a slow disk, and many small steps would take it again and again; so what a step takes when it is as
/// small as it gets is not counted.
#[derive(Debug)]
pub struct Pace {
    limit: Cell<usize>,
    /// What any step takes.
    least: Cell<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            limit: Cell::new(FIRST_LIMIT),
            least: Cell::new(Duration::ZERO),
        }
    }
}

impl Pace {
    pub fn limit(&self) -> usize {
        self.limit.get()
    }

    /// Half way to what would have taken as long as it may, so that one slow write does not decide.
    pub fn learn(&self, took: Duration) {
        let limit = self.limit.get();
        if limit == LIMITS.0 || took < self.least.get() {
            self.least.set(took);
        }
        let took = (took - self.least.get()).as_micros().max(1);
        let fitting = limit as u128 * TARGET.as_micros() / took;
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        let next = limit.midpoint(fitting.min(limit * 2));
        self.limit.set(next.clamp(LIMITS.0, LIMITS.1));
    }
}

/// What carries a plan out.
pub struct Run<'a> {
    pub writer: &'a Writer,
    pub pace: &'a Pace,
    /// Somebody wants it to end.
    pub stopping: &'a Cell<bool>,
}

impl Run<'_> {
    /// Removes what the plan says and records it once, with the last step. Answers how many went.
    pub async fn prune(
        &self,
        plan: &Plan,
        record: Own,
        entry: &dyn Fn(Own) -> NewEntry,
    ) -> Result<u64, Refusal> {
        let so_far = |removed| so_far(entry(record.clone().with("removed", removed)));
        let parts: Vec<_> = plan
            .parts
            .iter()
            .filter(|(_, part)| part.entries > 0)
            .collect();
        let mut removed = 0;
        for (place, (workspace, part)) in parts.iter().enumerate() {
            let is_last = place + 1 == parts.len();
            loop {
                let step = PruneStep {
                    workspace: workspace.clone(),
                    upto: part.upto,
                    limit: self.pace.limit(),
                };
                let with_it = is_last.then(|| so_far(removed));
                let done = self.writer.prune(step, with_it).await;
                let done = match done {
                    Ok(done) => done,
                    Err(refusal) => {
                        self.record_a_part(removed, so_far);
                        return Err(refusal);
                    }
                };
                removed += done.removed;
                if !done.more {
                    break;
                }
                if self.stopping.get() {
                    self.record_a_part(removed, so_far);
                    return Ok(removed);
                }
                self.yield_after(done).await;
            }
        }
        Ok(removed)
    }

    /// A run that was cut short removed something all the same.
    fn record_a_part(&self, removed: u64, so_far: impl Fn(u64) -> Request) {
        if removed > 0
            && let Err(refusal) = self.writer.hand_over(so_far(removed))
        {
            log::warn!("that {removed} entries were pruned was not recorded: {refusal}");
        }
    }

    /// Deletes what clears left behind and gives the freed pages back, until there is nothing more.
    pub async fn sweep(&self) -> Result<u64, Refusal> {
        let mut removed = 0;
        loop {
            let done = self.writer.sweep(self.pace.limit()).await?;
            removed += done.removed;
            if !done.more || self.stopping.get() {
                return Ok(removed);
            }
            self.yield_after(done).await;
        }
    }

    /// Whoever records has a turn: what waits for the writer comes before the next step, as one group. A
    /// longer pause would let a busy book grow faster than it is pruned.
    async fn yield_after(&self, done: Step) {
        self.pace.learn(done.took);
        if self.writer.queue().held().entries > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What the run records, as far as it has come.
fn so_far(entry: NewEntry) -> Request {
    Request {
        acts: Vec::new(),
        entries: vec![entry],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_finds_what_fits_and_stays_within_its_bounds() {
        let pace = Pace::default();
        assert_eq!(pace.limit(), FIRST_LIMIT);
        // 10 microseconds for each entry: 500 fit.
        for _ in 0..50 {
            pace.learn(Duration::from_micros(10 * pace.limit() as u64));
        }
        assert!((450..=550).contains(&pace.limit()), "{}", pace.limit());
        pace.learn(Duration::from_secs(9));
        assert!(pace.limit() >= 200, "one slow write does not decide");
        for _ in 0..50 {
            pace.learn(Duration::ZERO);
        }
        assert_eq!(pace.limit(), LIMITS.1);
    }

    #[test]
    fn a_disk_that_is_slow_with_every_step_does_not_make_the_steps_small() {
        let pace = Pace::default();
        // 20 milliseconds for each step, and 20 microseconds for each entry.
        let step = |pace: &Pace| Duration::from_micros(20_000 + 20 * pace.limit() as u64);
        for _ in 0..200 {
            pace.learn(step(&pace));
        }
        let limit = pace.limit();
        assert!((200..=350).contains(&limit), "{limit}");
        assert!(step(&pace) < Duration::from_millis(28));
    }

    #[test]
    fn steps_that_grow_slow_grow_small() {
        let pace = Pace::default();
        for _ in 0..10 {
            // A millisecond for each entry, whatever the disk.
            pace.learn(Duration::from_millis(pace.limit() as u64));
        }
        assert!(pace.limit() <= 2 * LIMITS.0, "{}", pace.limit());
    }
}
