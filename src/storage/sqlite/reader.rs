//! The reading face: a pool of read-only connections. Each call sees one state of the book.

use super::bisect;
use super::check;
use super::connection::{self, Reader, Readers};
use super::error::storage;
use super::floors::Floors;
use super::head::read_head;
use super::plan::{Plan, plan};
use super::rows::EntryRow;
use super::schema::activity_log;
use super::search::Search;
use crate::access::Scope;
use crate::domain::{Count, EntryId, Filter, Head, Page, PageRequest, Position, Seq, Stored};
use crate::storage::{BookInfo, CheckReport, EntryReader, ExportPart, StorageError, Stretch};
use diesel::connection::SimpleConnection;
use diesel::dsl::max;
use diesel::prelude::*;
use std::path::PathBuf;

pub struct SqliteReader {
    pool: Readers,
    path: PathBuf,
}

impl SqliteReader {
    pub fn new(pool: Readers, path: PathBuf) -> Self {
        Self { pool, path }
    }

    /// One state of the book for all that `work` reads.
    fn snapshot<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut conn: Reader = connection::reader(&self.pool)?;
        conn.batch_execute("BEGIN").map_err(storage)?;
        let done = work(&mut conn);
        let ended = conn.batch_execute("COMMIT").map_err(storage);
        if ended.is_err() {
            let _ = conn.batch_execute("ROLLBACK");
        }
        done.and_then(|value| ended.map(|()| value))
    }
}

/// What a filter comes to in one state of the book.
struct Asked {
    floors: Floors,
    plan: Plan,
    /// From here on, up to but without `below`.
    from: Seq,
    below: Seq,
}

impl Asked {
    fn read(
        conn: &mut SqliteConnection,
        scope: &Scope,
        filter: &Filter,
    ) -> Result<Self, StorageError> {
        let floors = Floors::read(conn)?;
        let mut from = floors.first_in(scope);
        let mut below = 1;
        if let Some((first, last)) = bisect::ends(conn)? {
            from = from.max(first);
            below = last + 1;
        }
        if let Some(since) = filter.since {
            from = from.max(bisect::first_from(conn, since)?);
        }
        if let Some(until) = filter.until {
            below = below.min(bisect::first_from(conn, until.successor())?);
        }
        let plan = plan(conn, scope, filter, &floors)?;
        Ok(Self {
            floors,
            plan,
            from,
            below,
        })
    }

    fn search(&self, from: Seq, below: Seq, stretch: Stretch) -> Search<'_> {
        Search::new(
            &self.plan,
            self.from.max(from),
            self.below.min(below),
            stretch,
        )
    }
}

impl EntryReader for SqliteReader {
    fn head(&self) -> Result<Head, StorageError> {
        self.snapshot(read_head)
    }

    fn info(&self) -> Result<BookInfo, StorageError> {
        let size = |suffix: &str| {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |meta| meta.len())
        };
        let bytes = size("") + size("-wal");
        self.snapshot(|conn| {
            Ok(BookInfo {
                head: read_head(conn)?,
                first_seq: bisect::ends(conn)?.map(|(first, _)| first),
                bytes,
                engine: format!("SQLite {}", connection::sqlite_version()),
            })
        })
    }

    fn page(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: PageRequest,
        stretch: Stretch,
    ) -> Result<Page, StorageError> {
        let size = page.size.get();
        self.snapshot(|conn| {
            let asked = Asked::read(conn, scope, filter)?;
            // One more than asked for tells whether there is a next page.
            let (found, down) = match page.position {
                Position::Newest => (
                    asked.search(0, Seq::MAX, stretch).down(conn, size + 1)?,
                    true,
                ),
                Position::Before(seq) => {
                    (asked.search(0, seq, stretch).down(conn, size + 1)?, true)
                }
                Position::After(seq) => {
                    let from = seq.saturating_add(1);
                    (
                        asked.search(from, Seq::MAX, stretch).up(conn, size + 1)?,
                        false,
                    )
                }
            };
            let more = found.rows.len() > size;
            let items = stored(found.rows.into_iter().take(size))?;
            let last = items.last().map(|item| item.seq);
            let next = if more { last } else { found.resume };
            Ok(Page {
                next_before_seq: next.filter(|_| down),
                // `resume` is the first that was not looked at; a page goes on above what was.
                next_after_seq: next
                    .filter(|_| !down)
                    .map(|seq| if more { seq } else { seq - 1 }),
                newest_seq: newest(conn, scope, &asked.floors)?,
                epoch: read_head(conn)?.epoch,
                items,
            })
        })
    }

    fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        below: Option<Seq>,
        cap: u64,
        stretch: Stretch,
    ) -> Result<Count, StorageError> {
        self.snapshot(|conn| {
            let asked = Asked::read(conn, scope, filter)?;
            asked
                .search(0, below.unwrap_or(Seq::MAX), stretch)
                .count(conn, cap)
        })
    }

    fn entry(&self, scope: &Scope, id: &EntryId) -> Result<Option<Stored>, StorageError> {
        self.snapshot(|conn| {
            let floors = Floors::read(conn)?;
            for name in floors.names_in(scope) {
                let row: Option<EntryRow> = activity_log::table
                    .filter(activity_log::workspace_id.eq(&name))
                    .filter(activity_log::id.eq(id.as_str()))
                    .filter(activity_log::seq.gt(floors.of(&name)))
                    .select(EntryRow::as_select())
                    .first(conn)
                    .optional()
                    .map_err(storage)?;
                if let Some(row) = row {
                    return row.stored().map(Some);
                }
            }
            Ok(None)
        })
    }

    fn export(
        &self,
        scope: &Scope,
        filter: &Filter,
        after: Seq,
        upto: Seq,
        limit: usize,
    ) -> Result<ExportPart, StorageError> {
        self.snapshot(|conn| {
            let asked = Asked::read(conn, scope, filter)?;
            let (from, below) = (after.saturating_add(1), upto.saturating_add(1));
            let found = asked
                .search(from, below, Stretch::default())
                .up(conn, limit)?;
            let full = found.rows.len() == limit;
            let items = stored(found.rows)?;
            let next = if full {
                items.last().map(|item| item.seq)
            } else {
                found.resume.map(|seq| seq - 1)
            };
            Ok(ExportPart { items, next })
        })
    }

    fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<CheckReport, StorageError> {
        let mut conn = connection::reader(&self.pool)?;
        check::whole_book(&mut conn, progress)
    }
}

fn stored(rows: impl IntoIterator<Item = EntryRow>) -> Result<Vec<Stored>, StorageError> {
    rows.into_iter().map(EntryRow::stored).collect()
}

/// The newest number in the scope, whatever else was asked.
fn newest(
    conn: &mut SqliteConnection,
    scope: &Scope,
    floors: &Floors,
) -> Result<Option<Seq>, StorageError> {
    if scope.workspace().is_none() && floors.cleared_in(scope).is_empty() {
        return Ok(bisect::ends(conn)?.map(|(_, last)| last));
    }
    let mut newest = None;
    for name in floors.names_in(scope) {
        let of_workspace: Option<Seq> = activity_log::table
            .filter(activity_log::workspace_id.eq(&name))
            .filter(activity_log::seq.gt(floors.of(&name)))
            .select(max(activity_log::seq))
            .get_result(conn)
            .map_err(storage)?;
        newest = newest.max(of_workspace);
    }
    Ok(newest)
}
