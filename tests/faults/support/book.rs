//! The book as it lies on the disk, read with plain SQL and none of our reading code, and what is wrong with
//! it when it is held against what was acknowledged.

use super::load::{Ack, Report};
use daybook::domain::Emitted;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashMap;
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub ts: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Text)]
    pub metadata: String,
}

impl Row {
    /// What the daemon recorded of its own life.
    fn is_own(&self) -> bool {
        let is = |own: &Emitted| own.category() == self.category && own.action() == self.action;
        Emitted::ALL.iter().any(is)
    }
}

/// What was sent, without what the daemon recorded of its own life.
pub fn sent(rows: &[Row]) -> Vec<&Row> {
    rows.iter().filter(|row| !row.is_own()).collect()
}

/// What the daemon recorded of its own life, by its actions.
pub fn own(rows: &[Row]) -> Vec<&str> {
    let own = rows.iter().filter(|row| row.is_own());
    own.map(|row| row.action.as_str()).collect()
}

/// All entries of the file, in the order of `seq`.
pub fn rows(book: &Path) -> Vec<Row> {
    let mut conn =
        SqliteConnection::establish(&format!("file:{}?mode=ro", book.display())).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 5000")
        .execute(&mut conn)
        .unwrap();
    diesel::sql_query(
        "SELECT seq, id, ts, category, action, metadata FROM activity_log ORDER BY seq",
    )
    .load(&mut conn)
    .unwrap()
}

/// Those of clients that name their entries; what the daemon records itself is not among them.
pub fn named_rows(book: &Path) -> Vec<Row> {
    let mut rows = rows(book);
    rows.retain(|row| !row.id.starts_with("al_"));
    rows
}

/// Everything that was ever acknowledged to a client.
#[derive(Debug, Default)]
pub struct Ledger {
    acks: Vec<Ack>,
}

impl Ledger {
    /// Takes over what was acknowledged, and gives back what is in doubt.
    pub fn note(&mut self, report: Report) -> Vec<String> {
        self.acks.extend(report.acks);
        report.doubts
    }

    pub fn len(&self) -> usize {
        self.acks.len()
    }

    pub fn lost<'a>(&'a self, rows: &[Row]) -> Vec<&'a Ack> {
        let held: HashMap<&str, i64> = rows.iter().map(|row| (row.id.as_str(), row.seq)).collect();
        let is_there = |ack: &&Ack| match (held.get(ack.id.as_str()), ack.seq) {
            (Some(seq), Some(told)) => *seq == told,
            (held, _) => held.is_some(),
        };
        self.acks.iter().filter(|ack| !is_there(ack)).collect()
    }

    /// Every acknowledged entry is there, once, under the `seq` that was told; and the order is whole.
    pub fn assert_kept(&self, rows: &[Row]) {
        let lost = self.lost(rows);
        assert!(
            lost.is_empty(),
            "{} of {} lost: {lost:?}",
            lost.len(),
            self.len()
        );
        assert_in_order(rows);
    }
}

/// `seq` is 1, 2, 3 and so on, `ts` does not step back, and no id is there twice.
pub fn assert_in_order(rows: &[Row]) {
    for (place, row) in rows.iter().enumerate() {
        assert_eq!(row.seq, place as i64 + 1, "a hole before {row:?}");
    }
    for pair in rows.windows(2) {
        assert!(pair[0].ts <= pair[1].ts, "ts steps back: {pair:?}");
    }
    let ids: std::collections::HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "an id is there twice");
}
