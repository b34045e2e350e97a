//! The laws of retention, of the Recorder, of Discovery and of the LogWriter's bad days, over a real book and with clocks
//! that go as the test says. Here is what all of them share.

mod backups;
mod bad_days;
mod changed_rules;
mod clock;
mod devices;
mod live;
mod recorder;
mod runs;
mod settings;

use super::halt::Reason;
use super::keeper::{Change, How, Keeper, NotChanged, Parts, Status, remembered};
use super::queue::Size;
use super::{Clocks, Recorder, Writer};
use crate::access::{Origin, Principal, Privacy, Scope};
use crate::config::Settings;
use crate::domain::clock::Moment;
use crate::domain::retention::{Base, Rule, Source};
use crate::domain::{
    Act, Draft, Entity, Entry, Filter, NewEntry, PageRequest, PageSize, Position, Timestamp,
    WorkspaceId,
};
use crate::storage::{Address, EntryReader, Request, Stretch};
use crate::telemetry::Metrics;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_790_000_000_000_000;

/// Both clocks, as microseconds since the test began.
#[derive(Default)]
struct Hands {
    wall: AtomicI64,
    passed: AtomicI64,
}

impl Hands {
    /// As time passes: both go.
    fn pass(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
        self.passed.fetch_add(micros, Ordering::SeqCst);
    }

    /// As somebody sets the clock.
    fn set_by(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
    }

    fn now(&self) -> Moment {
        Moment {
            wall: Timestamp::from_micros(START + self.wall.load(Ordering::SeqCst)),
            passed: Duration::from_micros(self.passed.load(Ordering::SeqCst) as u64),
        }
    }
}

/// A book with its writer, its keeper and its recorder.
struct Kept {
    hands: Arc<Hands>,
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    keeper: Keeper,
    recorder: Recorder,
    metrics: Metrics,
}

const ROOM: Size = Size {
    entries: 5_000,
    bytes: 8 << 20,
};

impl Kept {
    async fn open(folder: &Path, hands: &Arc<Hands>, base: Base) -> Self {
        Self::open_with(folder, hands, base, ROOM).await
    }

    async fn open_with(folder: &Path, hands: &Arc<Hands>, base: Base, room: Size) -> Self {
        let address = format!("sqlite://{}", folder.join("daybook.db").display());
        let address = Address::parse(&address).unwrap();
        let store = address.open_writer().unwrap();
        let reader = address.open_reader(2).unwrap();
        let metrics = Metrics::new("0", SystemTime::now());
        let of_clocks = Arc::clone(hands);
        let clocks: Clocks = Arc::new(move || of_clocks.now());
        let wall = Arc::clone(&clocks);
        let wall = Arc::new(move || wall().wall);
        let writer = Writer::start(store, wall, room, metrics.clone(), None);
        let writer = writer.await.unwrap();
        let retention = remembered(reader.as_ref(), base).unwrap();
        let retention = watch::Sender::new(Arc::new(retention));
        let rules = Settings::default().activity.rules(Privacy::default());
        let recorder = Recorder::new(
            writer.clone(),
            retention.subscribe(),
            Arc::new(rules),
            Arc::default(),
            watch::Sender::default().subscribe(),
            metrics.clone(),
        );
        let keeper = Keeper::open(Parts {
            writer: writer.clone(),
            reader: Arc::clone(&reader),
            recorder: recorder.clone(),
            retention,
            clocks,
        });
        Self {
            hands: Arc::clone(hands),
            writer,
            reader,
            keeper: keeper.unwrap(),
            recorder,
            metrics,
        }
    }

    /// So many entries of a workspace, at this moment.
    async fn fill(&self, workspace: &str, n: usize) {
        let entries = (0..n).map(|_| entry(workspace)).collect();
        let outcomes = self.writer.record(entries).await.unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
    }

    async fn run(&self) -> Status {
        self.keeper
            .run_once(self.hands.now(), How::Due)
            .await
            .unwrap()
    }

    async fn confirm(&self) -> Status {
        let how = How::Confirmed(None, None);
        self.keeper.run_once(self.hands.now(), how).await.unwrap()
    }

    async fn put(&self, workspace: Option<&str>, text: &str) -> Result<u32, NotChanged> {
        let object = serde_json::from_str(text).unwrap();
        let workspace = workspace.map(WorkspaceId::trusted);
        let held = self
            .keeper
            .change(workspace, Change::Put(object), None)
            .await?;
        Ok(held.rule.max_days)
    }

    /// All that is in the book, the oldest first, up to 500.
    fn entries(&self) -> Vec<Entry> {
        let page = PageRequest {
            position: Position::Newest,
            size: PageSize::new(500).unwrap(),
        };
        let scope = Scope::for_the_daemon();
        let found = self
            .reader
            .page(&scope, &Filter::default(), page, Stretch::default())
            .unwrap();
        found.items.into_iter().rev().map(|s| s.entry).collect()
    }

    /// The actions of the daemon's own, the oldest first.
    fn own(&self) -> Vec<String> {
        let entries = self.entries().into_iter();
        let own = entries.filter(|entry| entry.category.as_str() == "system");
        own.map(|entry| entry.action.to_string()).collect()
    }

    fn count(&self, workspace: &str) -> usize {
        let of = |entry: &Entry| {
            entry.workspace_id.as_str() == workspace && entry.category.as_str() == "entity"
        };
        self.entries().iter().filter(|entry| of(entry)).count()
    }

    async fn close(self) {
        self.writer.heartbeat().await.unwrap();
        self.writer.close().await;
        let problems = self.reader.check(&mut |_| {}).unwrap().problems;
        assert_eq!(problems, [""; 0]);
    }
}

fn base(max_days: u32, max_entries: u64) -> Base {
    Base {
        enabled: true,
        rule: Rule {
            max_days,
            max_entries,
        },
        locked: false,
        sources: [Source::File; 3],
    }
}

fn entry(workspace: &str) -> NewEntry {
    let rules = Settings::default().activity.rules(Privacy::default());
    let draft = Entity::task("1").by("anna").within(workspace).created();
    draft.check(&rules).unwrap()
}

/// Holds a law in a folder of its own, within an actix system.
fn law<F: Future<Output = ()>>(law: impl FnOnce(std::path::PathBuf, Arc<Hands>) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    actix::System::new().block_on(law(path, Arc::default()));
}
