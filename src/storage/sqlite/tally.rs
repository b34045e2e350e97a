//! The tally: entries counted in memory, by workspace, span of time, dimension and value. The writer keeps
//! one of what it committed since the last roll; the check makes one of the whole book.

use crate::access::Scope;
use crate::domain::buckets::{DAY, HOUR, minute_of};
use crate::domain::{Dimension, NewEntry, Receipt};
use std::collections::{BTreeMap, HashMap};

/// How long the spans are that are counted together; the numbers stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    Total,
    Day,
    Hour,
    Minute,
}

impl Grain {
    pub const ALL: [Self; 4] = [Self::Total, Self::Day, Self::Hour, Self::Minute];
}

/// What is counted of one entry.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub workspace: &'a str,
    pub minute: i64,
    /// In the order of `Dimension::ALL`.
    pub values: [Option<&'a str>; 5],
}

/// Which count it is, as the file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a> {
    pub workspace: &'a str,
    pub grain: Grain,
    pub dimension: usize,
    pub start: i64,
    pub value: &'a str,
}

#[derive(Debug, Default)]
pub struct Tally {
    workspaces: HashMap<Box<str>, OfWorkspace>,
}

/// Counts by value. Every entry of a busy book comes by here, and of most dimensions there are few values,
/// which are compared faster than hashed.
#[derive(Debug, Default)]
struct Values {
    few: Vec<(Box<str>, i64)>,
    more: HashMap<Box<str>, i64>,
}

/// Values that are looked through one by one.
const FEW: usize = 8;

impl Values {
    /// Without an allocation for a value that is known.
    fn count(&mut self, value: &str) {
        let known = self.few.iter_mut().find(|(held, _)| **held == *value);
        if let Some((_, count)) = known {
            *count += 1;
        } else if self.few.len() < FEW {
            self.few.push((value.into(), 1));
        } else if let Some(count) = self.more.get_mut(value) {
            *count += 1;
        } else {
            self.more.insert(value.into(), 1);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        let few = self.few.iter().map(|(value, count)| (&**value, *count));
        few.chain(self.more.iter().map(|(value, count)| (&**value, *count)))
    }
}

/// By hour and, for severities, by minute; the rest is sums of these.
#[derive(Debug, Default)]
struct OfWorkspace {
    entries: u64,
    hours: BTreeMap<i64, [Values; 5]>,
    minutes: BTreeMap<i64, Values>,
}

impl Tally {
    pub fn add(&mut self, facts: Facts<'_>) {
        if let Some(own) = self.workspaces.get_mut(facts.workspace) {
            return own.add(facts);
        }
        let own = self.workspaces.entry(facts.workspace.into());
        own.or_default().add(facts);
    }

    /// What a commit brought into the book.
    pub fn add_committed<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a NewEntry>,
        receipts: impl IntoIterator<Item = &'a Receipt>,
    ) {
        for (entry, receipt) in entries.into_iter().zip(receipts) {
            if !receipt.duplicate {
                self.add(facts_of(entry, receipt));
            }
        }
    }

    pub fn entries(&self) -> u64 {
        self.workspaces.values().map(|own| own.entries).sum()
    }

    pub fn entries_of(&self, workspace: &str) -> u64 {
        self.workspaces.get(workspace).map_or(0, |own| own.entries)
    }

    /// What was cleared.
    pub fn forget(&mut self, scope: &Scope) {
        match scope.workspace() {
            Some(one) => drop(self.workspaces.remove(one.as_str())),
            None => self.workspaces.clear(),
        }
    }

    /// Every count, those of days and of all time included.
    pub fn each<E>(&self, mut take: impl FnMut(Key<'_>, i64) -> Result<(), E>) -> Result<(), E> {
        for (name, own) in &self.workspaces {
            own.each(name, &mut take)?;
        }
        Ok(())
    }
}

fn facts_of<'a>(entry: &'a NewEntry, receipt: &Receipt) -> Facts<'a> {
    Facts {
        workspace: entry.workspace_id().as_str(),
        minute: minute_of(receipt.ts),
        values: [
            Some(entry.severity().as_str()),
            Some(entry.category().as_str()),
            Some(entry.action().as_str()),
            Some(entry.actor()),
            entry.entity_type(),
        ],
    }
}

impl OfWorkspace {
    fn add(&mut self, facts: Facts<'_>) {
        self.entries += 1;
        let hour = self.hours.entry(floor(facts.minute, HOUR)).or_default();
        for (values, value) in hour.iter_mut().zip(facts.values) {
            if let Some(value) = value {
                values.count(value);
            }
        }
        if let Some(severity) = facts.values[Dimension::Severity as usize] {
            self.minutes
                .entry(facts.minute)
                .or_default()
                .count(severity);
        }
    }

    fn each<E>(
        &self,
        workspace: &str,
        take: &mut impl FnMut(Key<'_>, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        for dimension in 0..Dimension::ALL.len() {
            let hours = || {
                self.hours
                    .iter()
                    .map(|(at, values)| (*at, &values[dimension]))
            };
            let mut tell = |grain, spans: BTreeMap<(i64, &str), i64>| {
                spans.into_iter().try_for_each(|((start, value), count)| {
                    let key = Key {
                        workspace,
                        grain,
                        dimension,
                        start,
                        value,
                    };
                    take(key, count)
                })
            };
            tell(Grain::Total, sums(hours().map(|(_, values)| (0, values))))?;
            let by_day = hours().map(|(at, values)| (floor(at, DAY), values));
            tell(Grain::Day, sums(by_day))?;
            tell(Grain::Hour, sums(hours()))?;
            if dimension == Dimension::Severity as usize {
                let minutes = self.minutes.iter().map(|(at, values)| (*at, values));
                tell(Grain::Minute, sums(minutes))?;
            }
        }
        Ok(())
    }
}

/// In the order of the file's key.
fn sums<'a>(parts: impl Iterator<Item = (i64, &'a Values)>) -> BTreeMap<(i64, &'a str), i64> {
    let mut sums = BTreeMap::new();
    for (start, values) in parts {
        for (value, count) in values.iter() {
            *sums.entry((start, value)).or_default() += count;
        }
    }
    sums
}

/// The beginning of the span of `width` minutes that a minute is in.
pub fn floor(minute: i64, width: i64) -> i64 {
    minute - minute.rem_euclid(width)
}
