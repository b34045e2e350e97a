//! The reading half of the roll-ups: what of a range of time they know, and what beside them must be
//! walked: the tail that is not rolled up yet, and the parts of a span at either end.

use super::asked::Asked;
use super::bisect;
use super::error::storage;
use super::rollup::read_rolled;
use super::schema::rollup;
use super::tally::{Grain, floor};
use crate::domain::buckets::{DAY, HOUR, moment_of};
use crate::domain::{Count, Dimension, Seq, limits};
use crate::storage::{StorageError, Stretch};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

/// Whole days looked up at once, so that a long range can be left off in between.
const DAYS_AT_ONCE: i64 = 32;

/// Spans of one grain that begin from `start` on and before `end`, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    pub grain: Grain,
    pub start: i64,
    pub end: i64,
}

/// All time is one span, which begins with 0.
const ALL_TIME: Spans = Spans {
    grain: Grain::Total,
    start: 0,
    end: 1,
};

/// A range of numbers in three parts, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// To walk: what is not rolled up, or ends within a span.
    pub newer: (Seq, Seq),
    /// Known, the newest spans first.
    pub spans: Vec<Spans>,
    /// To walk: what begins within a span.
    pub older: (Seq, Seq),
}

impl Parts {
    /// Of what was asked for below `below`, with nothing finer than `finest`.
    pub fn of(
        conn: &mut SqliteConnection,
        asked: &Asked,
        below: Seq,
        finest: Grain,
    ) -> Result<Self, StorageError> {
        let (since, below) = (asked.since, asked.below.min(below));
        let rolled = read_rolled(conn)?;
        if asked.is_all_time && below == asked.below {
            return Ok(Self {
                newer: ((rolled + 1).clamp(since, below.max(since)), below),
                spans: vec![ALL_TIME],
                older: (since, since),
            });
        }
        let width = if finest == Grain::Minute { 1 } else { HOUR };
        let Some(whole) = Whole::within(conn, since, below, width)? else {
            return Ok(Self {
                newer: (since, below),
                spans: Vec::new(),
                older: (since, since),
            });
        };
        Ok(Self {
            newer: ((rolled + 1).clamp(whole.from, whole.below), below),
            spans: spans(whole.start, whole.end, finest),
            older: (since, whole.from),
        })
    }
}

/// The spans that a range of numbers holds whole, as minutes and as numbers.
struct Whole {
    start: i64,
    end: i64,
    from: Seq,
    below: Seq,
}

impl Whole {
    fn within(
        conn: &mut SqliteConnection,
        since: Seq,
        below: Seq,
        width: i64,
    ) -> Result<Option<Self>, StorageError> {
        let Some((first, last)) = bisect::times_within(conn, since, below)? else {
            return Ok(None);
        };
        let span = |moment| floor(crate::domain::buckets::minute_of(moment), width);
        let mut number = |minute| bisect::first_from(conn, moment_of(minute));
        let (mut start, mut end) = (span(first), span(last) + width);
        let (mut from, mut upto) = (number(start)?, number(end)?);
        if from < since {
            start += width;
            from = number(start)?;
        }
        if upto > below {
            end -= width;
            upto = number(end)?;
        }
        Ok((start < end).then_some(Self {
            start,
            end,
            from,
            below: upto,
        }))
    }
}

/// The same minutes in the fewest spans, none finer than `finest`, the newest first.
fn spans(start: i64, end: i64, finest: Grain) -> Vec<Spans> {
    let mut spans = Vec::new();
    split(start, end, Grain::Day, finest, &mut spans);
    spans
}

fn split(start: i64, end: i64, grain: Grain, finest: Grain, spans: &mut Vec<Spans>) {
    if start >= end {
        return;
    }
    let (width, finer) = match grain {
        Grain::Total | Grain::Day => (DAY, Grain::Hour),
        Grain::Hour => (HOUR, Grain::Minute),
        Grain::Minute => (1, Grain::Minute),
    };
    if grain == finest {
        spans.push(Spans { grain, start, end });
        return;
    }
    let (whole, upto) = (-floor(-start, width), floor(end, width));
    if whole >= upto {
        return split(start, end, finer, finest, spans);
    }
    split(upto, end, finer, finest, spans);
    let mut end = upto;
    while end > whole {
        let part = (end - DAYS_AT_ONCE * width).max(whole);
        spans.push(Spans {
            grain,
            start: part,
            end,
        });
        end = part;
    }
    split(start, whole, finer, finest, spans);
}

type Rows<'a> = rollup::BoxedQuery<'a, Sqlite>;

fn rows<'a>(workspace: &'a str, dimension: Dimension, spans: Spans) -> Rows<'a> {
    rollup::table
        .filter(rollup::workspace_id.eq(workspace))
        .filter(rollup::grain.eq(spans.grain as i64))
        .filter(rollup::dimension.eq(dimension as i64))
        .filter(rollup::start.ge(spans.start))
        .filter(rollup::start.lt(spans.end))
        .into_boxed()
}

/// Each value and how many entries have it, span by span. Of all time no more values than are listed.
pub fn values(
    conn: &mut SqliteConnection,
    workspace: &str,
    dimension: Dimension,
    spans: Spans,
) -> Result<Vec<(String, i64)>, StorageError> {
    let mut rows = rows(workspace, dimension, spans);
    if spans.grain == Grain::Total {
        rows = rows.limit(limits::FACET_DISTINCT as i64 + 1);
    }
    rows.select((rollup::value, rollup::count))
        .load(conn)
        .map_err(storage)
}

/// Each span's beginning, severity and how many entries.
pub fn severities(
    conn: &mut SqliteConnection,
    workspace: &str,
    spans: Spans,
) -> Result<Vec<(i64, String, i64)>, StorageError> {
    rows(workspace, Dimension::Severity, spans)
        .select((rollup::start, rollup::value, rollup::count))
        .load(conn)
        .map_err(storage)
}

/// Counts by time alone, on the way down: the newest part is walked, then comes what is known, then the
/// oldest part.
pub fn count(
    conn: &mut SqliteConnection,
    asked: &Asked,
    below: Seq,
    cap: u64,
    stretch: Stretch,
) -> Result<Count, StorageError> {
    let parts = Parts::of(conn, asked, below, Grain::Minute)?;
    let walk = |(from, below)| asked.search(from, below, stretch);
    let newer = walk(parts.newer).count(conn, cap)?;
    if newer.capped {
        return Ok(newer);
    }
    let mut count = newer.count;
    for spans in parts.spans {
        for workspace in &asked.workspaces {
            let known = values(conn, workspace, Dimension::Severity, spans)?;
            count += known.iter().map(|(_, n)| n).sum::<i64>().unsigned_abs();
        }
    }
    if count > cap {
        return Ok(Count {
            count: cap,
            capped: true,
            resume: None,
        });
    }
    let older = walk(parts.older).count(conn, cap - count)?;
    Ok(Count {
        count: count + older.count,
        ..older
    })
}
