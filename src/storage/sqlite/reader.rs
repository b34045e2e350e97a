//! The reading face: a pool of read-only connections. Each call sees one state of the book.

use super::asked::Asked;
use super::automations;
use super::bisect;
use super::board;
use super::check;
use super::connection;
use super::copy;
use super::cursors;
use super::devices;
use super::erasures::Erasures;
use super::error::storage;
use super::facets;
use super::floors::Floors;
use super::head::read_head;
use super::hints::of_workspace;
use super::histogram;
use super::keys;
use super::readers::{Reader, Readers};
use super::retention;
use super::rolled;
use super::rows::EntryRow;
use super::schema::activity_log;
use super::sign_ins;
use super::workspaces;
use crate::access::Scope;
use crate::domain::board::{Kind, Owner};
use crate::domain::{
    Count, Device, EntryId, Facets, Filter, Head, Histogram, HistogramRequest, Holding, Key, Page,
    PageRequest, Position, Seq, SignIn, Stored, Timestamp, WorkspaceId,
};
use crate::storage::{
    BookInfo, CheckReport, Copied, EntryReader, ExportPart, KeptAutomations, Prunable,
    StorageError, Stretch,
};
use diesel::connection::SimpleConnection;
use diesel::dsl::max;
use diesel::prelude::*;
use std::path::Path;

pub struct SqliteReader {
    readers: Readers,
}

impl SqliteReader {
    pub fn new(readers: Readers) -> Self {
        Self { readers }
    }

    /// One state of the book for all that `work` reads.
    fn snapshot<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut conn: Reader = self.readers.get()?;
        conn.batch_execute("BEGIN").map_err(storage)?;
        let done = work(&mut conn);
        let ended = conn.batch_execute("COMMIT").map_err(storage);
        if ended.is_err() {
            let _ = conn.batch_execute("ROLLBACK");
        }
        done.and_then(|value| ended.map(|()| value))
    }
}

impl EntryReader for SqliteReader {
    fn head(&self) -> Result<Head, StorageError> {
        self.snapshot(read_head)
    }

    fn info(&self) -> Result<BookInfo, StorageError> {
        let size = |suffix: &str| {
            let mut name = self.readers.path().as_os_str().to_owned();
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
            let head = read_head(conn)?;
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
            let mut items = found.rows;
            items.truncate(size);
            let last = items.last().map(|item| item.seq);
            let next = if more { last } else { found.resume };
            Ok(Page {
                next_before_seq: next.filter(|_| down),
                // `resume` is the first that was not looked at; a page goes on above what was.
                next_after_seq: next
                    .filter(|_| !down)
                    .map(|seq| if more { seq } else { seq - 1 }),
                newest_seq: newest(conn, scope, &asked.floors)?,
                upto: head.last_seq,
                epoch: head.epoch,
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
            let below = below.unwrap_or(Seq::MAX);
            if filter.is_by_time_alone() {
                return rolled::count(conn, &asked, below, cap, stretch);
            }
            asked.search(0, below, stretch).count(conn, cap)
        })
    }

    fn facets(
        &self,
        scope: &Scope,
        filter: &Filter,
        stretch: Stretch,
    ) -> Result<Facets, StorageError> {
        self.snapshot(|conn| {
            let asked = Asked::read(conn, scope, filter)?;
            facets::facets(conn, &asked, filter.is_by_time_alone(), stretch)
        })
    }

    fn histogram(
        &self,
        scope: &Scope,
        filter: &Filter,
        request: HistogramRequest,
        stretch: Stretch,
    ) -> Result<Histogram, StorageError> {
        self.snapshot(|conn| histogram::histogram(conn, scope, filter, request, stretch))
    }

    fn entry(&self, scope: &Scope, id: &EntryId) -> Result<Option<Stored>, StorageError> {
        self.snapshot(|conn| {
            let floors = Floors::within(conn, scope)?;
            let erasures = Erasures::of(conn, scope)?;
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
                    let mut stored = row.stored()?;
                    erasures.blank(&mut stored);
                    return Ok(Some(stored));
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
            let items = found.rows;
            let next = if full {
                items.last().map(|item| item.seq)
            } else {
                found.resume.map(|seq| seq - 1)
            };
            Ok(ExportPart { items, next })
        })
    }

    fn prunable(
        &self,
        scope: &Scope,
        before: Option<Timestamp>,
        keep: Option<u64>,
    ) -> Result<Prunable, StorageError> {
        let Some(workspace) = scope.workspace() else {
            return Err(StorageError::Other("a rule is of one workspace".into()));
        };
        self.snapshot(|conn| retention::prunable(conn, workspace, before, keep))
    }

    fn workspaces(&self) -> Result<Vec<WorkspaceId>, StorageError> {
        self.snapshot(|conn| {
            let names = Floors::read(conn)?.workspaces();
            Ok(names.into_iter().map(WorkspaceId::trusted).collect())
        })
    }

    fn holdings(
        &self,
        scope: &Scope,
        after: Option<&WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StorageError> {
        self.snapshot(|conn| workspaces::holdings(conn, scope, after, limit))
    }

    fn archived(&self) -> Result<Vec<WorkspaceId>, StorageError> {
        self.snapshot(workspaces::archived)
    }

    fn settings(&self, key: &str) -> Result<Vec<(String, String)>, StorageError> {
        self.snapshot(|conn| retention::settings(conn, key))
    }

    fn keys(&self) -> Result<Vec<Key>, StorageError> {
        self.snapshot(keys::all)
    }

    fn sign_ins(&self) -> Result<Vec<SignIn>, StorageError> {
        self.snapshot(sign_ins::all)
    }

    fn devices(&self) -> Result<Vec<Device>, StorageError> {
        self.snapshot(devices::all)
    }

    fn cursor(&self, name: &str) -> Result<Option<String>, StorageError> {
        self.snapshot(|conn| cursors::of(conn, name))
    }

    fn board(&self, owner: &Owner, kind: Kind) -> Result<Vec<(String, String)>, StorageError> {
        self.snapshot(|conn| board::of(conn, owner, kind))
    }

    fn automations(&self) -> Result<KeptAutomations, StorageError> {
        self.snapshot(automations::all)
    }

    fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<CheckReport, StorageError> {
        let mut conn = self.readers.get()?;
        check::whole_book(&mut conn, progress)
    }

    fn copy_to(&self, to: &Path) -> Result<Copied, StorageError> {
        let _token = self.readers.token()?;
        copy::whole_book(self.readers.path(), to)
    }

    fn suspend(&self) -> Result<(), StorageError> {
        self.readers.suspend()
    }

    fn resume(&self) -> Result<(), StorageError> {
        self.readers.resume()
    }
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
            .filter(of_workspace(&name))
            .filter(activity_log::seq.gt(floors.of(&name)))
            .select(max(activity_log::seq))
            .get_result(conn)
            .map_err(storage)?;
        newest = newest.max(of_workspace);
    }
    Ok(newest)
}
