//! A search: it follows a plan within a range of `seq`, window by window, until it has what was asked
//! for, comes to an end, or has looked far enough. Then it says from where to go on.

use super::asked::Asked;
use super::erasures::Erasures;
use super::error::storage;
use super::plan::{Plan, Walk};
use super::rows::EntryRow;
use super::schema::activity_log;
use crate::domain::{Count, Filter, Seq, Stored};
use crate::storage::{StorageError, Stretch};
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use std::time::Instant;

/// Rows that one statement looks at when it must look at each of them: a few milliseconds.
const WINDOW: i64 = 16_384;
/// The same where an index is walked and each row is fetched from its own place in the file.
const SCATTERED: i64 = 2_048;
/// Of a window, for each walk of a merge.
const LEAST_SHARE: i64 = 64;

/// What a statement reads of a row that it comes past.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Its number, which an index holds too.
    Numbers,
    Rows,
}

pub struct Search<'a> {
    pub(super) plan: &'a Plan,
    pub(super) erasures: &'a Erasures,
    /// The plan finds more than what was asked for; this says what of it that is.
    pub(super) judge: Option<&'a Filter>,
    /// The range: from `from` on, up to but without `below`.
    from: Seq,
    below: Seq,
    deadline: Option<Instant>,
    rows_left: i64,
}

pub struct Found {
    pub rows: Vec<Stored>,
    /// Where nothing was looked at yet: below this on the way down, from this on the way up.
    pub resume: Option<Seq>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Down,
    Up,
}

impl<'a> Search<'a> {
    pub fn new(asked: &'a Asked, from: Seq, below: Seq, stretch: Stretch) -> Self {
        Self {
            plan: &asked.plan,
            erasures: &asked.erasures,
            judge: asked.judge.as_ref(),
            from,
            below,
            deadline: Instant::now().checked_add(stretch.time),
            rows_left: i64::try_from(stretch.rows).unwrap_or(i64::MAX),
        }
    }

    /// The newest `want` matches, the newest first.
    pub fn down(self, conn: &mut SqliteConnection, want: usize) -> Result<Found, StorageError> {
        self.run(conn, Way::Down, want)
    }

    /// The oldest `want` matches, the oldest first.
    pub fn up(self, conn: &mut SqliteConnection, want: usize) -> Result<Found, StorageError> {
        self.run(conn, Way::Up, want)
    }

    fn run(
        mut self,
        conn: &mut SqliteConnection,
        way: Way,
        want: usize,
    ) -> Result<Found, StorageError> {
        let mut rows = Vec::new();
        while let Some((from, below)) = self.next_window(conn, way)? {
            self.fetch(conn, way, from, below, want, &mut rows)?;
            self.pass(way, from, below, Reads::Rows);
            if rows.len() == want || self.is_spent() {
                break;
            }
        }
        let resume = (self.from < self.below).then_some(match way {
            Way::Down => self.below,
            Way::Up => self.from,
        });
        Ok(Found { rows, resume })
    }

    /// Counts matches on the way down, up to `cap`.
    pub fn count(mut self, conn: &mut SqliteConnection, cap: u64) -> Result<Count, StorageError> {
        let mut count = 0;
        // Always by windows: even an index that finds matches alone can hold millions of them.
        while let Some((from, below)) = self.window(conn, Way::Down, Reads::Numbers)? {
            for walk in &self.plan.walks {
                count += self.count_window(conn, walk, from, below)?;
            }
            if count > cap {
                return Ok(Count {
                    count: cap,
                    capped: true,
                    resume: None,
                });
            }
            self.pass(Way::Down, from, below, Reads::Numbers);
            if self.is_spent() {
                break;
            }
        }
        let resume = self.rest();
        Ok(Count {
            count,
            capped: resume.is_some(),
            resume,
        })
    }

    /// On the way down: nothing below this was looked at yet.
    pub fn rest(&self) -> Option<Seq> {
        (self.from < self.below).then_some(self.below)
    }

    pub fn is_spent(&self) -> bool {
        self.rows_left <= 0
            || self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// What is looked at next: all that is left when the walks find matches alone, else a window.
    fn next_window(
        &self,
        conn: &mut SqliteConnection,
        way: Way,
    ) -> Result<Option<(Seq, Seq)>, StorageError> {
        if self.from < self.below && self.plan.is_exact() && self.judge.is_none() {
            return Ok(Some((self.from, self.below)));
        }
        self.window(conn, way, Reads::Rows)
    }

    /// The part of what is left in which the walks come past so many rows together as one statement
    /// may look at.
    pub fn window(
        &self,
        conn: &mut SqliteConnection,
        way: Way,
        reads: Reads,
    ) -> Result<Option<(Seq, Seq)>, StorageError> {
        if self.from >= self.below {
            return Ok(None);
        }
        let (rows, walks) = (self.window_rows(reads), self.plan.walks.len().max(1));
        let share = (rows / walks as i64).max(LEAST_SHARE).min(rows);
        let (mut from, mut below) = (self.from, self.below);
        for walk in &self.plan.walks {
            let edge = self.edge(conn, walk, way, share)?;
            match (way, edge) {
                (Way::Down, Some(edge)) => from = from.max(edge),
                (Way::Up, Some(edge)) => below = below.min(edge + 1),
                (_, None) => {}
            }
        }
        Ok(Some((from, below)))
    }

    /// The number at which a walk has passed `rows` rows.
    fn edge(
        &self,
        conn: &mut SqliteConnection,
        walk: &Walk,
        way: Way,
        rows: i64,
    ) -> Result<Option<Seq>, StorageError> {
        match (walk, way) {
            (Walk::Seq, Way::Down) => Ok(Some(self.below - rows)),
            (Walk::Seq, Way::Up) => Ok(Some(self.from + rows - 1)),
            (walk, way) => nth(conn, walk, way, self.from, self.below, rows),
        }
    }

    fn count_window(
        &self,
        conn: &mut SqliteConnection,
        walk: &Walk,
        from: Seq,
        below: Seq,
    ) -> Result<u64, StorageError> {
        let rows = walk.rows(&self.plan.residual, from, below);
        if self.judge.is_some() {
            let mut judged = Vec::new();
            self.load(conn, ordered(rows, Way::Down), usize::MAX, &mut judged)?;
            return Ok(judged.len() as u64);
        }
        if self.plan.is_exact() {
            let count: i64 = rows.count().get_result(conn).map_err(storage)?;
            return Ok(count.unsigned_abs());
        }
        // A bare count of what a residual lets through may go by any index that holds its columns, from
        // end to end; with the order of a page it goes as the page goes.
        let seqs: Vec<Seq> = ordered(rows, Way::Down)
            .select(activity_log::seq)
            .load(conn)
            .map_err(storage)?;
        Ok(seqs.len() as u64)
    }

    pub fn pass(&mut self, way: Way, from: Seq, below: Seq, reads: Reads) {
        match way {
            Way::Down => self.below = from,
            Way::Up => self.from = below,
        }
        self.rows_left -= self.window_rows(reads);
    }

    /// A whole window, or what is left of the stretch. The deadline is looked at between two windows, so
    /// that none may take long.
    fn window_rows(&self, reads: Reads) -> i64 {
        let is_scattered = self.judge.is_some()
            || self.plan.walks != [Walk::Seq] && (reads == Reads::Rows || !self.plan.is_exact());
        self.rows_left
            .clamp(1, if is_scattered { SCATTERED } else { WINDOW })
    }

    /// Adds what the range holds, until `want` rows are there.
    fn fetch(
        &self,
        conn: &mut SqliteConnection,
        way: Way,
        from: Seq,
        below: Seq,
        want: usize,
        found: &mut Vec<Stored>,
    ) -> Result<(), StorageError> {
        let residual = &self.plan.residual;
        let limit = i64::try_from(want - found.len()).unwrap_or(i64::MAX);
        // How many of them are what was asked for is seen when they are judged.
        let limited = |rows: super::plan::Rows<'a>| match self.judge {
            None => rows.limit(limit),
            Some(_) => rows,
        };
        if let [only] = self.plan.walks.as_slice() {
            let rows = ordered(only.rows(residual, from, below), way);
            return self.load(conn, limited(rows), want, found);
        }
        // The numbers first, from the indexes alone; then only the rows that the merge keeps.
        let mut seqs: Vec<Seq> = Vec::new();
        for walk in &self.plan.walks {
            let rows = limited(ordered(walk.rows(residual, from, below), way));
            let of_walk: Vec<Seq> = rows.select(activity_log::seq).load(conn).map_err(storage)?;
            seqs.extend(of_walk);
        }
        seqs.sort_unstable_by(|a, b| if way == Way::Down { b.cmp(a) } else { a.cmp(b) });
        for seq in seqs {
            if found.len() == want {
                break;
            }
            found.extend(self.shown(row(conn, seq)?)?);
        }
        Ok(())
    }

    /// Adds these rows, until `want` are there.
    fn load(
        &self,
        conn: &mut SqliteConnection,
        rows: super::plan::Rows<'_>,
        want: usize,
        found: &mut Vec<Stored>,
    ) -> Result<(), StorageError> {
        let rows = rows
            .select(EntryRow::as_select())
            .load_iter::<EntryRow, DefaultLoadingMode>(conn)
            .map_err(storage)?;
        for row in rows {
            found.extend(self.shown(row.map_err(storage)?)?);
            if found.len() == want {
                break;
            }
        }
        Ok(())
    }

    /// What a reader sees of a row, if it is what was asked for.
    pub(super) fn shown(&self, row: EntryRow) -> Result<Option<Stored>, StorageError> {
        let mut stored = row.stored()?;
        self.erasures.blank(&mut stored);
        let fits = |filter: &Filter| filter.matches(&stored.entry);
        Ok(self.judge.is_none_or(fits).then_some(stored))
    }
}

/// One by one: for a list of numbers SQLite may think a scan of the whole table the better way.
fn row(conn: &mut SqliteConnection, seq: Seq) -> Result<EntryRow, StorageError> {
    activity_log::table
        .find(seq)
        .select(EntryRow::as_select())
        .get_result(conn)
        .map_err(storage)
}

fn ordered(rows: super::plan::Rows<'_>, way: Way) -> super::plan::Rows<'_> {
    match way {
        Way::Down => rows.order(activity_log::seq.desc()),
        Way::Up => rows.order(activity_log::seq.asc()),
    }
}

/// The number of the row that comes after `rows` others in a walk without its residual.
fn nth(
    conn: &mut SqliteConnection,
    walk: &Walk,
    way: Way,
    from: Seq,
    below: Seq,
    rows: i64,
) -> Result<Option<Seq>, StorageError> {
    let nothing_more = super::plan::Residual::default();
    ordered(walk.rows(&nothing_more, from, below), way)
        .offset(rows)
        .limit(1)
        .select(activity_log::seq)
        .first(conn)
        .optional()
        .map_err(storage)
}
