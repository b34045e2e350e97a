//! The check of the whole book: is the file whole, does the order hold, is every entry one of ours, is none missing,
//! and do the roll-ups count what is there.

use super::blueprint;
use super::check_rollups;
use super::erasures::{self, Waiting};
use super::error::storage;
use super::floors::Floors;
use super::head::read_head;
use super::holes::{self, Holes};
use super::rows::EntryRow;
use super::schema::activity_log;
use crate::domain::{Head, Metadata, Seq, Stored, Timestamp};
use crate::storage::{CheckReport, StorageError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::ops::RangeInclusive;

/// Rows read at once.
const STEP: i64 = 2_000;
/// Problems told; a book with more than these has one cause.
const MOST_PROBLEMS: usize = 100;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    finding: String,
}

pub fn whole_book(
    conn: &mut SqliteConnection,
    progress: &mut dyn FnMut(u64),
) -> Result<CheckReport, StorageError> {
    let mut report = CheckReport {
        entries: 0,
        problems: file_problems(conn)?,
    };
    report.problems.extend(blueprint::problems(conn)?);
    let mut last = None;
    while report.problems.len() < MOST_PROBLEMS {
        // Each part sees one state of the book with the head of that state, since recording goes on.
        conn.batch_execute("BEGIN").map_err(storage)?;
        let part = Part::read(conn, last);
        let ended = conn.batch_execute("COMMIT").map_err(storage);
        let part = match part.and_then(|part| ended.map(|()| part)) {
            Err(StorageError::Corrupt(found)) => {
                report.problems.push(found);
                break;
            }
            other => other?,
        };
        if part.rows.is_empty() {
            part.look_at_the_end(&mut report.problems);
            break;
        }
        last = part.look_at(&mut report);
        progress(report.entries);
    }
    let room = MOST_PROBLEMS.saturating_sub(report.problems.len());
    let counted = holes::problem(conn).map(Vec::from_iter);
    for found in [counted, check_rollups::problems(conn, room)] {
        match found {
            Ok(found) => report.problems.extend(found),
            Err(StorageError::Corrupt(found)) => report.problems.push(found),
            Err(other) => return Err(other),
        }
    }
    Ok(report)
}

/// What SQLite itself finds wrong with the file.
fn file_problems(conn: &mut SqliteConnection) -> Result<Vec<String>, StorageError> {
    integrity_problems(conn, "integrity_check")
}

/// The findings of SQLite's `integrity_check`, or of its `quick_check`, which passes over the indexes.
pub fn integrity_problems(
    conn: &mut SqliteConnection,
    check: &str,
) -> Result<Vec<String>, StorageError> {
    // Up to a hundred of them, as is SQLite's own default.
    let query = format!("SELECT {check} AS finding FROM pragma_{check}");
    let findings: Result<Vec<Finding>, _> = diesel::sql_query(query).load(conn);
    match findings.map_err(storage) {
        Ok(findings) => {
            let told = findings.into_iter().map(|finding| finding.finding);
            Ok(told.filter(|text| text != "ok").collect())
        }
        // Too damaged for SQLite to go on looking.
        Err(StorageError::Corrupt(found)) => Ok(vec![found]),
        Err(other) => Err(other),
    }
}

/// The last entry that was looked at.
type Last = Option<(Seq, Timestamp)>;

/// Some rows and what they are held against.
struct Part {
    head: Head,
    floors: Floors,
    holes: Holes,
    erasures: Vec<Waiting>,
    rows: Vec<EntryRow>,
    last: Last,
}

impl Part {
    fn read(conn: &mut SqliteConnection, last: Last) -> Result<Self, StorageError> {
        Ok(Self {
            head: read_head(conn)?,
            floors: Floors::read(conn)?,
            holes: Holes::read(conn)?,
            erasures: erasures::waiting(conn)?,
            rows: activity_log::table
                .filter(activity_log::seq.gt(last.map_or(Seq::MIN, |(seq, _)| seq)))
                .order(activity_log::seq.asc())
                .limit(STEP)
                .select(EntryRow::as_select())
                .load(conn)
                .map_err(storage)?,
            last,
        })
    }

    fn look_at(mut self, report: &mut CheckReport) -> Last {
        for row in std::mem::take(&mut self.rows) {
            report.entries += 1;
            let seq = row.seq;
            let lost = self.lost_before(seq);
            let lost = lost.iter().map(holes::said);
            report.problems.extend(lost);
            match row.stored() {
                Ok(stored) => self.look_at_entry(&stored, &mut report.problems),
                Err(error) => {
                    report.problems.push(error.to_string());
                    let ts = self
                        .last
                        .map_or(Timestamp::from_micros(i64::MIN), |(_, ts)| ts);
                    self.last = Some((seq, ts));
                }
            }
        }
        self.last
    }

    /// The newest entry is the one that the head says.
    fn look_at_the_end(&self, problems: &mut Vec<String>) {
        let newest = self.head.last_seq;
        let lost = self.lost_before(newest + 1);
        let lost = lost.iter().map(holes::said);
        problems.extend(lost.map(|lost| format!("{lost}, and the newest should be {newest}")));
    }

    fn lost_before(&self, seq: Seq) -> Vec<RangeInclusive<Seq>> {
        let last = self.last.map_or(0, |(last, _)| last.max(0));
        self.holes.lost_in(last + 1..=seq - 1)
    }

    fn look_at_entry(&mut self, stored: &Stored, problems: &mut Vec<String>) {
        let Stored { seq, entry } = stored;
        let mut wrong = |what: String| problems.push(format!("entry {seq}: {what}"));
        if let Some((before, ts)) = self.last
            && ts > entry.ts
        {
            wrong(format!(
                "its ts {} is before that of entry {before}, {ts}",
                entry.ts
            ));
        }
        if *seq > self.head.last_seq {
            wrong(format!(
                "it is above the head of the book, which stands at {}: another program wrote it",
                self.head.last_seq
            ));
        } else if *seq < 1 || entry.ts > self.head.last_ts {
            wrong(format!(
                "it is beyond the head of the book, which stands at {} and {}",
                self.head.last_seq, self.head.last_ts
            ));
        }
        match self.floors.swept(entry.workspace_id.as_str()) {
            None => wrong(format!("its workspace {} is not known", entry.workspace_id)),
            Some(swept) if *seq <= swept => wrong(format!(
                "its workspace {} was emptied up to {swept}",
                entry.workspace_id
            )),
            Some(_) => {}
        }
        let canonical = Metadata::new(entry.metadata.to_object());
        if canonical.as_ref().ok() != Some(&entry.metadata) {
            wrong("its metadata is not in the canonical form".to_owned());
        }
        for one in self
            .erasures
            .iter()
            .filter(|one| !one.is_in_no_row() && *seq <= one.done)
        {
            if one.erasure.blank(&mut stored.clone()) {
                wrong("it still holds who was erased from it".to_owned());
            }
        }
        self.last = Some((*seq, entry.ts));
    }
}
