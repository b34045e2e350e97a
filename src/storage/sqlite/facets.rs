//! Facets: how many entries have which value. By time alone most of it is known from the roll-ups, under
//! any other filter the newest matches are looked at in one pass.

use super::asked::Asked;
use super::bisect;
use super::facts::FactRow;
use super::rolled::{self, Parts, Spans};
use super::tally::Grain;
use crate::domain::buckets::moment_of;
use crate::domain::{Dimension, Facets, Seq, ValueCount, limits};
use crate::storage::{StorageError, Stretch};
use diesel::prelude::*;
use std::collections::HashMap;
use std::time::Instant;

pub fn facets(
    conn: &mut SqliteConnection,
    asked: &Asked,
    is_by_time_alone: bool,
    stretch: Stretch,
) -> Result<Facets, StorageError> {
    let mut gathered = Gathered::default();
    let left_off = if is_by_time_alone {
        gathered.all(conn, asked, stretch)?
    } else {
        let search = asked.search(0, Seq::MAX, stretch);
        search.sample(conn, limits::SUMMARY_MATCHES, |row| gathered.look_at(row))?
    };
    Ok(Facets {
        capped: left_off.is_some() || gathered.is_overfull,
        from_seq: left_off.unwrap_or(asked.from),
        values: gathered.counts.map(most_frequent),
    })
}

#[derive(Default)]
struct Gathered {
    counts: [HashMap<String, u64>; 5],
    /// There were more values than are looked at.
    is_overfull: bool,
}

impl Gathered {
    /// The newest first; answers from where on everything is counted when that is not all.
    fn all(
        &mut self,
        conn: &mut SqliteConnection,
        asked: &Asked,
        stretch: Stretch,
    ) -> Result<Option<Seq>, StorageError> {
        let deadline = Instant::now().checked_add(stretch.time);
        let parts = Parts::of(conn, asked, Seq::MAX, Grain::Hour)?;
        let left_off = self.walk(conn, asked, parts.newer, stretch)?;
        if left_off.is_some() {
            return Ok(left_off);
        }
        for spans in parts.spans {
            self.known(conn, asked, spans)?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return left_off_at(conn, asked, spans);
            }
        }
        self.walk(conn, asked, parts.older, stretch)
    }

    fn walk(
        &mut self,
        conn: &mut SqliteConnection,
        asked: &Asked,
        (from, below): (Seq, Seq),
        stretch: Stretch,
    ) -> Result<Option<Seq>, StorageError> {
        let search = asked.search(from, below, stretch);
        search.sample(conn, usize::MAX - 1, |row| self.look_at(row))
    }

    fn known(
        &mut self,
        conn: &mut SqliteConnection,
        asked: &Asked,
        spans: Spans,
    ) -> Result<(), StorageError> {
        for workspace in &asked.workspaces {
            for dimension in Dimension::ALL {
                for (value, count) in rolled::values(conn, workspace, dimension, spans)? {
                    self.add(dimension, &value, count.unsigned_abs());
                }
            }
        }
        Ok(())
    }

    fn look_at(&mut self, row: &FactRow) {
        let Some(facts) = row.facts() else { return };
        for (dimension, value) in Dimension::ALL.into_iter().zip(facts.values) {
            if let Some(value) = value {
                self.add(dimension, value, 1);
            }
        }
    }

    fn add(&mut self, dimension: Dimension, value: &str, count: u64) {
        let counts = &mut self.counts[dimension as usize];
        if let Some(held) = counts.get_mut(value) {
            *held += count;
        } else if counts.len() < limits::FACET_DISTINCT {
            counts.insert(value.to_owned(), count);
        } else {
            self.is_overfull = true;
        }
    }
}

/// Where the spans that were counted begin, unless nothing is left before them.
fn left_off_at(
    conn: &mut SqliteConnection,
    asked: &Asked,
    spans: Spans,
) -> Result<Option<Seq>, StorageError> {
    if spans.grain == Grain::Total {
        return Ok(None);
    }
    let from = bisect::first_from(conn, moment_of(spans.start))?;
    Ok(Some(from).filter(|from| *from > asked.from))
}

fn most_frequent(counts: HashMap<String, u64>) -> Vec<ValueCount> {
    let mut values: Vec<ValueCount> = counts
        .into_iter()
        .map(|(value, count)| ValueCount { value, count })
        .collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(limits::FACET_VALUES);
    values
}
