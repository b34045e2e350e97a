//! Histograms: how many entries there were when, by severity. Buckets are whole spans of one grain, so by
//! time alone nothing but the tail is walked.

use super::asked::Asked;
use super::bisect;
use super::error::storage;
use super::facts::FactRow;
use super::floors::Floors;
use super::hints::of_workspace;
use super::rolled::{self, Spans};
use super::rollup::read_rolled;
use super::rows::timestamp;
use super::schema::activity_log;
use super::tally::Grain;
use crate::access::Scope;
use crate::domain::buckets::{DAY, Grid, HOUR, moment_of};
use crate::domain::{
    Bucket, Dimension, Filter, Histogram, HistogramRequest, Seq, Severity, Timestamp, limits,
};
use crate::storage::{StorageError, Stretch};
use diesel::prelude::*;

pub fn histogram(
    conn: &mut SqliteConnection,
    scope: &Scope,
    filter: &Filter,
    request: HistogramRequest,
    stretch: Stretch,
) -> Result<Histogram, StorageError> {
    let (first, last) = range(conn, scope, filter, request.now)?;
    let grid = Grid::over(first, last, request.buckets);
    let whole_buckets = Filter {
        since: Some(moment_of(grid.start)),
        until: Some(moment_of(grid.end()).minus_micros(1)),
        ..filter.clone()
    };
    let asked = Asked::read(conn, scope, &whole_buckets)?;
    let mut counts = Counts::over(grid);
    let left_off = if contradicts_itself(filter) {
        None
    } else if filter.is_by_time_alone() {
        counts.all(conn, &asked, stretch)?
    } else {
        let search = asked.search(0, Seq::MAX, stretch);
        search.sample(conn, limits::SUMMARY_MATCHES, |row| counts.look_at(row))?
    };
    Ok(Histogram {
        since: moment_of(grid.start),
        until: moment_of(grid.end()),
        bucket_seconds: grid.width.unsigned_abs() * 60,
        buckets: counts.buckets,
        capped: left_off.is_some(),
        from_seq: left_off.unwrap_or(asked.from),
    })
}

/// Nothing is from a moment on and up to an earlier one.
fn contradicts_itself(filter: &Filter) -> bool {
    filter
        .since
        .zip(filter.until)
        .is_some_and(|(since, until)| since > until)
}

/// From where to where, as asked or as far as the book goes.
fn range(
    conn: &mut SqliteConnection,
    scope: &Scope,
    filter: &Filter,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), StorageError> {
    let last = match filter.until {
        Some(until) => until,
        None => match bisect::ends(conn)? {
            Some((_, last)) => now.max(time_of(conn, last)?),
            None => now,
        },
    };
    let first = match filter.since {
        Some(since) => since,
        None => match oldest(conn, scope)? {
            Some(seq) => time_of(conn, seq)?.min(last),
            None => last,
        },
    };
    Ok((first, last))
}

/// The first entry of the scope.
fn oldest(conn: &mut SqliteConnection, scope: &Scope) -> Result<Option<Seq>, StorageError> {
    let floors = Floors::within(conn, scope)?;
    let mut oldest: Option<Seq> = None;
    for name in floors.names_in(scope) {
        let own: Option<Seq> = activity_log::table
            .filter(of_workspace(&name))
            .filter(activity_log::seq.gt(floors.of(&name)))
            .select(diesel::dsl::min(activity_log::seq))
            .get_result(conn)
            .map_err(storage)?;
        oldest = oldest.into_iter().chain(own).min();
    }
    Ok(oldest)
}

fn time_of(conn: &mut SqliteConnection, seq: Seq) -> Result<Timestamp, StorageError> {
    let ts: String = activity_log::table
        .find(seq)
        .select(activity_log::ts)
        .first(conn)
        .map_err(storage)?;
    timestamp(&ts)
}

struct Counts {
    grid: Grid,
    buckets: Vec<Bucket>,
}

impl Counts {
    fn over(grid: Grid) -> Self {
        let empty = |index| Bucket {
            start: moment_of(grid.bucket_start(index)),
            counts: [0; 3],
        };
        Self {
            grid,
            buckets: (0..grid.count).map(empty).collect(),
        }
    }

    /// The tail, and what is known of all before it.
    fn all(
        &mut self,
        conn: &mut SqliteConnection,
        asked: &Asked,
        stretch: Stretch,
    ) -> Result<Option<Seq>, StorageError> {
        let tail = asked.search(read_rolled(conn)? + 1, Seq::MAX, stretch);
        let left_off = tail.sample(conn, usize::MAX - 1, |row| self.look_at(row))?;
        if left_off.is_some() {
            return Ok(left_off);
        }
        let grain = match self.grid.width {
            DAY.. => Grain::Day,
            HOUR.. => Grain::Hour,
            _ => Grain::Minute,
        };
        let spans = Spans {
            grain,
            start: self.grid.start,
            end: self.grid.end(),
        };
        for workspace in &asked.workspaces {
            for (start, severity, count) in rolled::severities(conn, workspace, spans)? {
                self.add(start, &severity, count.unsigned_abs());
            }
        }
        Ok(None)
    }

    fn look_at(&mut self, row: &FactRow) {
        let Some(facts) = row.facts() else { return };
        if let Some(severity) = facts.values[Dimension::Severity as usize] {
            self.add(facts.minute, severity, 1);
        }
    }

    fn add(&mut self, minute: i64, severity: &str, count: u64) {
        let index = self.grid.index_of(minute);
        let bucket = index.and_then(|index| self.buckets.get_mut(index));
        if let Some((bucket, severity)) = bucket.zip(Severity::parse(severity)) {
            bucket.counts[severity as usize] += count;
        }
    }
}
