//! A real book in a directory of its own, with a writer and a reader, over every backend there is.

pub use crate::line::*;
use daybook::access::{Principal, Scope};
use daybook::domain::{
    Count, Filter, Holding, Page, PageRequest, PageSize, Position, Receipt, Seq, Stored, Timestamp,
    WorkspaceId,
};
use daybook::storage::{EntryReader, EntryWriter, PruneStep, Removed, Request, Stretch, sqlite};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A store that can hold one book.
pub trait Backend {
    fn writer(&self) -> Box<dyn EntryWriter>;
    fn reader(&self) -> Box<dyn EntryReader>;
    /// From now on the store itself fails at an entry with this message.
    fn fail_at(&self, message: &str);
}

/// Holds the law over a fresh book of every backend.
pub fn every_backend(law: impl Fn(&mut Book)) {
    let backends: [Box<dyn Backend>; 1] = [Box::new(Sqlite::new())];
    for backend in backends {
        law(&mut Book::of(backend));
    }
}

pub struct Sqlite {
    directory: tempfile::TempDir,
}

impl Sqlite {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self) -> PathBuf {
        self.directory().join("daybook.db")
    }

    /// A connection that knows nothing of us.
    pub fn raw(&self) -> diesel::SqliteConnection {
        diesel::Connection::establish(self.file().to_str().unwrap()).unwrap()
    }

    /// What someone else does to the file.
    pub fn execute(&self, sql: &str) {
        diesel::connection::SimpleConnection::batch_execute(&mut self.raw(), sql).unwrap();
    }
}

impl Backend for Sqlite {
    fn writer(&self) -> Box<dyn EntryWriter> {
        Box::new(sqlite::open_writer(&self.file()).unwrap())
    }

    fn reader(&self) -> Box<dyn EntryReader> {
        Box::new(sqlite::open_reader(&self.file(), 2).unwrap())
    }

    fn fail_at(&self, message: &str) {
        self.execute(&format!(
            "CREATE TRIGGER fail_at BEFORE INSERT ON activity_log WHEN NEW.message = '{message}'
             BEGIN SELECT RAISE(ABORT, 'the store fails here'); END"
        ));
    }
}

/// One that is looked at beside its book.
impl Backend for std::rc::Rc<Sqlite> {
    fn writer(&self) -> Box<dyn EntryWriter> {
        (**self).writer()
    }

    fn reader(&self) -> Box<dyn EntryReader> {
        (**self).reader()
    }

    fn fail_at(&self, message: &str) {
        (**self).fail_at(message);
    }
}

/// What is open of a book.
struct Faces {
    writer: Box<dyn EntryWriter>,
    reader: Box<dyn EntryReader>,
}

pub struct Book {
    backend: Box<dyn Backend>,
    faces: Option<Faces>,
    /// The wall clock, which stands still unless a test moves it.
    pub now: Timestamp,
}

impl Book {
    pub fn of(backend: Box<dyn Backend>) -> Self {
        let mut book = Self {
            backend,
            faces: None,
            now: at(0),
        };
        book.open();
        book
    }

    fn open(&mut self) {
        let writer = self.backend.writer();
        let reader = self.backend.reader();
        self.faces = Some(Faces { writer, reader });
    }

    /// As a restart of the daemon does it.
    pub fn reopen(&mut self) {
        self.writer().close().unwrap();
        self.faces = None;
        self.open();
    }

    pub fn writer(&mut self) -> &mut dyn EntryWriter {
        &mut *self.faces.as_mut().unwrap().writer
    }

    pub fn reader(&self) -> &dyn EntryReader {
        &*self.faces.as_ref().unwrap().reader
    }

    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Commits these in one transaction.
    pub fn record(&mut self, entries: impl IntoIterator<Item = Line>) -> Vec<Receipt> {
        let (now, group) = (self.now, [request(entries)]);
        self.writer().commit(now, &group).unwrap().remove(0)
    }

    pub fn record_at(&mut self, now: Timestamp, line: Line) -> Receipt {
        self.now = now;
        self.record([line]).remove(0)
    }

    pub fn clear(&mut self, scope: &Scope) -> u64 {
        let now = self.now;
        let record = request([line("cleared").did("activity_log.cleared")]);
        self.writer().clear(now, scope, &record).unwrap()
    }

    pub fn prune(&mut self, before: Option<Timestamp>, keep: Option<u64>, limit: usize) -> Removed {
        self.prune_of("default", before, keep, limit)
    }

    pub fn prune_of(
        &mut self,
        workspace: &str,
        before: Option<Timestamp>,
        keep: Option<u64>,
        limit: usize,
    ) -> Removed {
        let workspace = WorkspaceId::trusted(workspace);
        let found = self
            .reader()
            .prunable(&only(workspace.as_str()), before, keep)
            .unwrap();
        let step = PruneStep {
            workspace,
            upto: found.upto,
            limit,
        };
        let now = self.now;
        let removed = self.writer().prune(now, &step, None).unwrap();
        assert_eq!(removed.removed, found.entries.min(limit as u64));
        removed
    }

    /// Sweeps until nothing is left to sweep; answers how many rows went.
    pub fn sweep(&mut self) -> u64 {
        let mut removed = 0;
        loop {
            let step = self.writer().sweep(100).unwrap();
            removed += step.removed;
            if !step.more {
                return removed;
            }
        }
    }

    pub fn page(&self, scope: &Scope, filter: &Filter, position: Position, size: usize) -> Page {
        let page = PageRequest {
            position,
            size: PageSize::new(size).unwrap(),
        };
        let stretch = unhurried();
        self.reader().page(scope, filter, page, stretch).unwrap()
    }

    pub fn count(&self, scope: &Scope, filter: &Filter, cap: u64) -> Count {
        let stretch = unhurried();
        self.reader()
            .count(scope, filter, None, cap, stretch)
            .unwrap()
    }

    /// Every match, from the newest down, page by page.
    pub fn down(&self, scope: &Scope, filter: &Filter, size: usize, stretch: Stretch) -> Vec<Seq> {
        self.walk(scope, filter, Position::Newest, size, stretch)
    }

    /// Every match, from the oldest up, page by page.
    pub fn up(&self, scope: &Scope, filter: &Filter, size: usize, stretch: Stretch) -> Vec<Seq> {
        self.walk(scope, filter, Position::After(0), size, stretch)
    }

    fn walk(
        &self,
        scope: &Scope,
        filter: &Filter,
        mut position: Position,
        size: usize,
        stretch: Stretch,
    ) -> Vec<Seq> {
        let mut seqs = Vec::new();
        for _ in 0..MOST_PAGES {
            let size = PageSize::new(size).unwrap();
            let request = PageRequest { position, size };
            let page = self.reader().page(scope, filter, request, stretch).unwrap();
            seqs.extend(page.items.iter().map(|item| item.seq));
            position = match (page.next_before_seq, page.next_after_seq) {
                (Some(seq), None) => Position::Before(seq),
                (None, Some(seq)) => Position::After(seq),
                (None, None) => return seqs,
                both => panic!("a page goes on in one direction, not in both: {both:?}"),
            };
        }
        panic!("the pages come to no end");
    }

    /// Counts to the end, going on wherever a stretch was used up.
    pub fn count_all(&self, scope: &Scope, filter: &Filter, stretch: Stretch) -> u64 {
        let (mut sum, mut below) = (0, None);
        for _ in 0..MOST_PAGES {
            let reader = self.reader();
            let part = reader
                .count(scope, filter, below, u64::MAX, stretch)
                .unwrap();
            assert_eq!(part.capped, part.resume.is_some());
            sum += part.count;
            below = part.resume;
            if below.is_none() {
                return sum;
            }
        }
        panic!("the count comes to no end");
    }

    /// The whole export, in parts of `limit`.
    pub fn export(&self, scope: &Scope, filter: &Filter, limit: usize) -> Vec<Stored> {
        let upto = self.reader().head().unwrap().last_seq;
        let (mut items, mut after) = (Vec::new(), 0);
        for _ in 0..MOST_PAGES {
            let part = self
                .reader()
                .export(scope, filter, after, upto, limit)
                .unwrap();
            assert!(part.items.len() <= limit);
            items.extend(part.items);
            match part.next {
                Some(next) => after = next,
                None => return items,
            }
        }
        panic!("the export comes to no end");
    }

    pub fn export_seqs(&self, scope: &Scope, filter: &Filter, limit: usize) -> Vec<Seq> {
        let items = self.export(scope, filter, limit);
        items.into_iter().map(|item| item.seq).collect()
    }

    /// What a caller sees of the book at all, in each way of asking; all of them must agree.
    pub fn seen(&self, scope: &Scope) -> Vec<Seq> {
        let all = Filter::default();
        let seqs = self.up(scope, &all, 7, unhurried());
        assert_eq!(self.export_seqs(scope, &all, 5), seqs);
        assert_eq!(self.count(scope, &all, 1_000_000).count, seqs.len() as u64);
        let page = self.page(scope, &all, Position::Newest, 1);
        assert_eq!(page.newest_seq, seqs.last().copied());
        self.holds(scope, &seqs);
        seqs
    }

    /// What is said of the workspaces of a scope is what it has.
    pub fn holds(&self, scope: &Scope, seqs: &[Seq]) {
        let held = self.reader().holdings(scope, None, usize::MAX).unwrap();
        let ends = |end: fn(&Holding) -> Option<(Seq, Timestamp)>| {
            held.iter().filter_map(end).map(|(seq, _)| seq).collect()
        };
        let (oldest, newest): (Vec<Seq>, Vec<Seq>) =
            (ends(|held| held.oldest), ends(|held| held.newest));
        let entries: u64 = held.iter().map(|held| held.entries).sum();
        assert_eq!(entries, seqs.len() as u64, "{held:?}");
        assert_eq!(oldest.iter().min(), seqs.first(), "{held:?}");
        assert_eq!(newest.iter().max(), seqs.last(), "{held:?}");
    }
}

/// No entries at all.
pub const NONE: [Seq; 0] = [];

/// More pages than any test needs.
const MOST_PAGES: usize = 200_000;

impl Drop for Book {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut report = self.reader().check(&mut |_| {}).unwrap();
        let ours = "the trigger fail_at is none of Daybook's";
        report.problems.retain(|problem| problem != ours);
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

/// So many microseconds after the moment at which the tests begin.
pub fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + micros)
}

/// A stretch of so many rows and all the time it takes.
/// As far as a stretch goes, however slow the machine is.
pub fn unhurried() -> Stretch {
    rows(Stretch::default().rows)
}

pub fn rows(rows: u64) -> Stretch {
    Stretch {
        rows,
        time: Duration::from_secs(3600),
    }
}

pub fn everything() -> Filter {
    Filter::default()
}

/// The default workspace.
pub fn own() -> Scope {
    only("default")
}

pub fn only(workspace: &str) -> Scope {
    Scope::of(&Principal::anonymous(), Some(workspace)).unwrap()
}

/// All workspaces.
pub fn all() -> Scope {
    only("*")
}

/// A filter as a query gives it.
pub fn filter(parameters: &[(&str, &str)]) -> Filter {
    Filter::from_parameters(parameters.iter().copied(), at(0), &rules()).unwrap()
}

pub fn request(entries: impl IntoIterator<Item = Line>) -> Request {
    Request {
        acts: Vec::new(),
        entries: entries.into_iter().map(Line::checked).collect(),
    }
}
