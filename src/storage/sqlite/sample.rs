//! A walk over the newest matches for what is counted of them, within a bounded stretch.

use super::error::storage;
use super::facts::FactRow;
use super::rows::EntryRow;
use super::schema::activity_log;
use super::search::{Reads, Search, Way};
use crate::domain::Seq;
use crate::storage::StorageError;
use diesel::prelude::*;

impl Search<'_> {
    /// Shows `look` at most `want` matches, the newest first. Answers from where on all were shown; `None`
    /// when that is everything.
    pub fn sample(
        mut self,
        conn: &mut SqliteConnection,
        want: usize,
        mut look: impl FnMut(&FactRow),
    ) -> Result<Option<Seq>, StorageError> {
        let mut left = want;
        while let Some((from, below)) = self.window(conn, Way::Down, Reads::Rows)? {
            let rows = self.facts_within(conn, from, below, left + 1)?;
            rows.iter().take(left).for_each(&mut look);
            if rows.len() > left {
                return Ok(Some(
                    left.checked_sub(1).map_or(below, |last| rows[last].seq),
                ));
            }
            left -= rows.len();
            self.pass(Way::Down, from, below, Reads::Rows);
            if self.is_spent() {
                break;
            }
        }
        Ok(self.rest())
    }

    /// The newest of a window, of all walks together.
    fn facts_within(
        &self,
        conn: &mut SqliteConnection,
        from: Seq,
        below: Seq,
        most: usize,
    ) -> Result<Vec<FactRow>, StorageError> {
        let mut found: Vec<FactRow> = Vec::new();
        for walk in &self.plan.walks {
            let rows = walk
                .rows(&self.plan.residual, from, below)
                .order(activity_log::seq.desc());
            if self.judge.is_some() {
                let rows = rows.select(EntryRow::as_select());
                for row in rows.load::<EntryRow>(conn).map_err(storage)? {
                    found.extend(self.shown(row)?.map(FactRow::of));
                }
                continue;
            }
            let rows = rows
                .limit(i64::try_from(most).unwrap_or(i64::MAX))
                .select(FactRow::as_select());
            found.append(&mut rows.load(conn).map_err(storage)?);
        }
        if self.plan.walks.len() > 1 {
            found.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
        }
        found.truncate(most);
        self.erasures.blank_facts(&mut found);
        Ok(found)
    }
}
