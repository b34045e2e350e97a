//! Numbers that no entry in the file has, and why: what was removed, what was skipped when another history began.
//! The writer notes both in its own transactions; whatever else is missing was lost.

use super::error::storage;
use super::fixed::{self, Words};
use super::schema::{activity_log, book, skipped};
use super::transaction::Transaction;
use crate::domain::Seq;
use crate::storage::StorageError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::ops::RangeInclusive;

/// Each step of a prune comes by here.
struct NoteRemoved;

impl Words for NoteRemoved {
    const SQL: &'static str =
        "UPDATE book SET removed = removed + ?, removed_upto = max(removed_upto, ?)";
}

impl Transaction<'_> {
    /// So many entries were deleted from the file, the newest of them with the number `upto`.
    pub fn note_removed(&mut self, removed: usize, upto: Seq) -> Result<(), StorageError> {
        if removed == 0 {
            return Ok(());
        }
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        fixed::run_with(NoteRemoved, [removed, upto], self.conn)
    }

    /// The head goes on from `past`, where that is further; no entry gets the numbers up to there.
    pub fn skip_to(&mut self, past: Seq) -> Result<(), StorageError> {
        if past <= self.head.last_seq {
            return Ok(());
        }
        diesel::insert_into(skipped::table)
            .values((
                skipped::first_seq.eq(self.head.last_seq + 1),
                skipped::last_seq.eq(past),
            ))
            .execute(self.conn)
            .map_err(storage)?;
        self.head.last_seq = past;
        Ok(())
    }
}

/// What need not be in the file, as one state of the book says it.
pub struct Holes {
    removed: i64,
    /// At or below it what was removed and what was lost are told apart by their number alone.
    removed_upto: Seq,
    skipped: Vec<RangeInclusive<Seq>>,
}

impl Holes {
    pub fn read(conn: &mut SqliteConnection) -> Result<Self, StorageError> {
        let (removed, removed_upto) = book::table
            .select((book::removed, book::removed_upto))
            .first(conn)
            .map_err(storage)?;
        let skipped: Vec<(Seq, Seq)> = skipped::table
            .order(skipped::first_seq.asc())
            .load(conn)
            .map_err(storage)?;
        Ok(Self {
            removed,
            removed_upto,
            skipped: skipped
                .into_iter()
                .map(|(first, last)| first..=last)
                .collect(),
        })
    }

    /// What of these numbers, which no entry has, should be that of one.
    pub fn lost_in(&self, missing: RangeInclusive<Seq>) -> Vec<RangeInclusive<Seq>> {
        let mut from = (*missing.start()).max(self.removed_upto + 1);
        let mut lost = Vec::new();
        for skipped in &self.skipped {
            let until = (*skipped.start() - 1).min(*missing.end());
            if from <= until {
                lost.push(from..=until);
            }
            from = from.max(*skipped.end() + 1);
        }
        if from <= *missing.end() {
            lost.push(from..=*missing.end());
        }
        lost
    }

    /// How many of the numbers up to `removed_upto` should be those of entries.
    fn kept(&self) -> i64 {
        let skipped = self.skipped.iter().map(|skipped| {
            let last = (*skipped.end()).min(self.removed_upto);
            (last - *skipped.start() + 1).max(0)
        });
        self.removed_upto - self.removed - skipped.sum::<i64>()
    }
}

/// How many entries were lost from where others were removed, if any were.
pub fn problem(conn: &mut SqliteConnection) -> Result<Option<String>, StorageError> {
    conn.batch_execute("BEGIN").map_err(storage)?;
    let read = Holes::read(conn).and_then(|holes| {
        let held = activity_log::table
            .filter(activity_log::seq.between(1, holes.removed_upto))
            .count()
            .get_result::<i64>(conn);
        Ok((holes, held.map_err(storage)?))
    });
    let ended = conn.batch_execute("COMMIT").map_err(storage);
    let (holes, held) = read.and_then(|read| ended.map(|()| read))?;
    let (kept, upto) = (holes.kept(), holes.removed_upto);
    let lost = kept - held;
    let are = if lost == 1 { "entry is" } else { "entries are" };
    let found = format!(
        "{lost} {are} missing among those up to {upto}, of which {kept} should be left; others were removed there, so \
         that their numbers cannot be said"
    );
    Ok((lost > 0).then_some(found))
}

/// `entry 4 is missing`, `entries 4 to 6 are missing`.
pub fn said(lost: &RangeInclusive<Seq>) -> String {
    match (lost.start(), lost.end()) {
        (first, last) if first == last => format!("entry {first} is missing"),
        (first, last) => format!("entries {first} to {last} are missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_neither_removed_nor_skipped_was_lost() {
        let holes = Holes {
            removed: 3,
            removed_upto: 10,
            skipped: vec![6..=8, 21..=30, 41..=50],
        };
        assert_eq!(holes.lost_in(4..=9), []);
        assert_eq!(holes.lost_in(9..=11), [11..=11]);
        assert_eq!(holes.lost_in(21..=30), []);
        assert_eq!(holes.lost_in(20..=31), [20..=20, 31..=31]);
        assert_eq!(holes.lost_in(15..=60), [15..=20, 31..=40, 51..=60]);
        assert_eq!(holes.lost_in(25..=27), []);
        assert_eq!(holes.kept(), 4);
    }
}
