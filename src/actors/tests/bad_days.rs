//! A disk that is full, as the LogWriter sees it: a store that takes nothing while the reserve is there.

use crate::access::{Privacy, Scope};
use crate::actors::queue::Size;
use crate::actors::{Clock, Refusal, Writer};
use crate::config::Settings;
use crate::domain::{Entity, Filter, Head, PageRequest, PageSize, Position, Receipt, Timestamp};
use crate::storage::{Address, EntryWriter, PruneStep, Removed, Request, StorageError, Stretch};
use crate::telemetry::Metrics;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Full as long as the file is there.
struct FullWhile {
    inner: Box<dyn EntryWriter>,
    file: PathBuf,
}

impl EntryWriter for FullWhile {
    fn head(&self) -> &Head {
        self.inner.head()
    }

    fn commit(
        &mut self,
        now: Timestamp,
        group: &[Request],
    ) -> Result<Vec<Vec<Receipt>>, StorageError> {
        if self.file.exists() {
            return Err(StorageError::Full);
        }
        self.inner.commit(now, group)
    }

    fn prune(
        &mut self,
        _: Timestamp,
        _: &PruneStep,
        _: Option<&Request>,
    ) -> Result<Removed, StorageError> {
        Err(StorageError::Full)
    }

    fn clear(&mut self, _: Timestamp, _: &Scope, _: &Request) -> Result<u64, StorageError> {
        Err(StorageError::Full)
    }

    fn sweep(&mut self, _: usize) -> Result<Removed, StorageError> {
        Err(StorageError::Full)
    }

    fn probe(&mut self) -> Result<(), StorageError> {
        Err(StorageError::Full)
    }

    fn close(&mut self) -> Result<(), StorageError> {
        self.inner.close()
    }
}

#[test]
fn on_a_full_disk_the_reserve_is_given_up_to_say_so_and_nobody_is_told_a_lie() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("daybook.db").display());
    let address = Address::parse(&url).unwrap();
    actix::System::new().block_on(async {
        let reserve = address.reserve();
        let store = FullWhile {
            inner: address.open_writer().unwrap(),
            file: folder.path().join("daybook.db.reserve"),
        };
        let reader = address.open_reader(1).unwrap();
        let clock: Clock = Arc::new(|| Timestamp::from_micros(1));
        let size = Size {
            entries: 10,
            bytes: 1 << 20,
        };
        let metrics = Metrics::new("0", SystemTime::now());
        let writer = Writer::start(Box::new(store), clock, size, metrics, None);
        let writer = writer.await.unwrap();
        writer.keep_reserve(reserve).await.unwrap();
        assert!(folder.path().join("daybook.db.reserve").exists());
        let rules = Settings::default().activity.rules(Privacy::default());
        let entry = Entity::task("1").by("anna").created().check(&rules);
        let told = writer.record(vec![entry.unwrap()]).await.unwrap().remove(0);
        assert_eq!(told, Err(Refusal::Storage(StorageError::Full)));
        assert!(!folder.path().join("daybook.db.reserve").exists());
        let page = PageRequest {
            position: Position::Newest,
            size: PageSize::new(10).unwrap(),
        };
        let scope = Scope::for_the_daemon();
        let page = reader.page(&scope, &Filter::default(), page, Stretch::default());
        let items = page.unwrap().items;
        let actions: Vec<&str> = items.iter().map(|s| s.entry.action.as_str()).collect();
        assert_eq!(actions, ["server.storage_full"]);
        writer.close().await;
    });
}
