//! The check of the whole book: is the file whole, does the order hold, is every entry one of ours.

use super::error::storage;
use super::floors::Floors;
use super::head::read_head;
use super::rows::EntryRow;
use super::schema::activity_log;
use crate::domain::{Head, Metadata, Seq, Stored, Timestamp};
use crate::storage::{CheckReport, StorageError};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Rows read at once.
const STEP: i64 = 2_000;
/// Problems told; a book with more than these has one cause.
const MOST_PROBLEMS: usize = 100;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

pub fn whole_book(
    conn: &mut SqliteConnection,
    progress: &mut dyn FnMut(u64),
) -> Result<CheckReport, StorageError> {
    let mut report = CheckReport::default();
    let findings: Vec<Finding> = diesel::sql_query("PRAGMA integrity_check(100)")
        .load(conn)
        .map_err(storage)?;
    let told = findings.into_iter().map(|finding| finding.integrity_check);
    report.problems.extend(told.filter(|text| text != "ok"));
    if !report.problems.is_empty() {
        return Ok(report);
    }
    let mut entries = Entries {
        head: read_head(conn)?,
        workspaces: Floors::read(conn)?.workspaces(),
        last: None,
        report,
    };
    let mut after: Seq = 0;
    loop {
        let rows: Vec<EntryRow> = activity_log::table
            .filter(activity_log::seq.gt(after))
            .order(activity_log::seq.asc())
            .limit(STEP)
            .select(EntryRow::as_select())
            .load(conn)
            .map_err(storage)?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in rows {
            entries.look_at(row);
        }
        progress(entries.report.entries);
        if entries.report.problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    Ok(entries.report)
}

struct Entries {
    head: Head,
    workspaces: Vec<String>,
    last: Option<(Seq, Timestamp)>,
    report: CheckReport,
}

impl Entries {
    fn look_at(&mut self, row: EntryRow) {
        self.report.entries += 1;
        match row.stored() {
            Ok(stored) => self.look_at_entry(&stored),
            Err(error) => self.report.problems.push(error.to_string()),
        }
    }

    fn look_at_entry(&mut self, stored: &Stored) {
        let Stored { seq, entry } = stored;
        let mut wrong = |what: String| self.report.problems.push(format!("entry {seq}: {what}"));
        if let Some((before, ts)) = self.last
            && ts > entry.ts
        {
            wrong(format!(
                "its ts {} is before that of entry {before}, {ts}",
                entry.ts
            ));
        }
        if *seq > self.head.last_seq || entry.ts > self.head.last_ts {
            wrong(format!(
                "it is beyond the head of the book, which stands at {} and {}",
                self.head.last_seq, self.head.last_ts
            ));
        }
        if !self
            .workspaces
            .iter()
            .any(|name| name == entry.workspace_id.as_str())
        {
            wrong(format!("its workspace {} is not known", entry.workspace_id));
        }
        let canonical = Metadata::new(entry.metadata.to_object());
        if canonical.as_ref().ok() != Some(&entry.metadata) {
            wrong("its metadata is not in the canonical form".to_owned());
        }
        self.last = Some((*seq, entry.ts));
    }
}
