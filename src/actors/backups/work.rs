//! What is done with backups, step by step, each with the entry that records it.

use super::failing::Failing;
use super::shelf::{Backup, Shelf, beyond};
use crate::actors::context::Context;
use crate::actors::{Clock, Recorder, Refusal, Writer, lifecycle};
use crate::domain::{BackupName, Emitted, Own, Timestamp, entity_event};
use crate::storage::{Address, Copied, EntryReader, Replaced, Request, Staged, StorageError};
use crate::telemetry::Metrics;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Who asked for it; the daemon itself when nobody did.
pub type By = Option<Context>;

/// Why something was not done. What was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("there is no such backup")]
    NoSuchBackup,
    #[error("the directory of the backups: {0}")]
    Directory(#[from] io::Error),
    #[error("{}: {cause}", to.display())]
    NotCopied { to: PathBuf, cause: StorageError },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the daemon is busy with another backup; try again")]
    Busy,
}

/// How often, and how many of those are kept.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// None: never by itself.
    pub every: Option<Duration>,
    pub keep: usize,
}

/// What one look at the schedule came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub made: Option<BackupName>,
    pub removed: Vec<BackupName>,
    pub failed: Option<String>,
}

/// Everything that the work needs; it keeps nothing of what it did.
pub struct Work {
    pub address: Address,
    pub shelf: Shelf,
    pub writer: Writer,
    pub reader: Arc<dyn EntryReader>,
    pub recorder: Recorder,
    pub schedule: Schedule,
    pub clock: Clock,
    pub metrics: Metrics,
}

impl Work {
    /// One look at the schedule, unless it waits since the last ones failed. That it fails is recorded once.
    pub async fn look(&self, failing: &mut Failing) -> Status {
        if failing.waits() {
            return Status::default();
        }
        let status = self.run_once((self.clock)()).await;
        let Some(why) = &status.failed else {
            failing.ended();
            return status;
        };
        failing.failed();
        self.metrics.backups_failed.inc();
        if !failing.is_recorded {
            failing.is_recorded = self.record(&None, failed(why)).await;
        }
        status
    }

    /// Makes a backup when the newest of the scheduled ones is old enough, and removes the oldest of them
    /// beyond what is kept.
    pub async fn run_once(&self, now: Timestamp) -> Status {
        let mut status = Status::default();
        if let Err(error) = self.keep_up(now, &mut status).await {
            log::error!("the scheduled backup: {error}");
            status.failed = Some(error.to_string());
        }
        status
    }

    async fn keep_up(&self, now: Timestamp, status: &mut Status) -> Result<(), NotDone> {
        let Some(every) = self.schedule.every else {
            return Ok(());
        };
        let backups = self.shelf.list()?;
        let mut latest = now;
        if is_due(&backups, now, every) {
            self.clear_parts();
            let made = self.make(now, true, &None).await?;
            // Its name may tell a later moment, where another had that one.
            latest = now.max(made.created_at);
            status.made = Some(made.name);
        }
        for name in beyond(&self.shelf.list()?, self.schedule.keep, latest) {
            self.delete(name.clone(), &None).await?;
            status.removed.push(name);
        }
        Ok(())
    }

    /// What a stop or a crash left of a scheduled backup: as large as the book, and in no list.
    pub fn clear_parts(&self) {
        if let Err(cause) = self.shelf.clear_parts() {
            log::warn!("what a backup that was cut short left is still there: {cause}");
        }
    }

    pub async fn create(&self, by: &By) -> Result<Backup, NotDone> {
        self.make((self.clock)(), false, by).await
    }

    async fn make(&self, now: Timestamp, scheduled: bool, by: &By) -> Result<Backup, NotDone> {
        let name = self.shelf.name_for(now, scheduled)?;
        let to = self.shelf.path(&name);
        let copied = self.reader.copy_to(&to);
        let copied = copied.map_err(|cause| NotDone::NotCopied { to, cause })?;
        self.record(by, created(name.as_str(), &copied)).await;
        let made = self.shelf.find(name)?;
        made.ok_or(NotDone::NoSuchBackup)
    }

    pub async fn delete(&self, name: BackupName, by: &By) -> Result<(), NotDone> {
        if !self.shelf.remove(name.clone())? {
            return Err(NotDone::NoSuchBackup);
        }
        let deleted = entity_event("backup", Emitted::BackupDeleted, name.as_str(), None);
        self.record(by, deleted).await;
        Ok(())
    }

    /// The entry that says so is the first of the new history.
    pub async fn restore(&self, name: BackupName, by: &By) -> Result<Replaced, NotDone> {
        let Some(backup) = self.shelf.find(name)? else {
            return Err(NotDone::NoSuchBackup);
        };
        let staged = self.address.stage(&self.shelf.path(&backup.name))?;
        let restored = restored(backup.name.as_str(), &staged);
        let record = Request {
            // The backup may be of a book that nobody ran with.
            acts: vec![lifecycle::is_running(true)],
            entries: vec![self.recorder.own_entry(restored, by.as_ref())],
        };
        let reader = Arc::clone(&self.reader);
        Ok(self.writer.replace(staged, record, reader).await?)
    }

    /// The file is there or gone whatever becomes of this, so a refusal is told and fails nothing. Whether it is in the
    /// book.
    async fn record(&self, by: &By, own: Own) -> bool {
        let entry = self.recorder.own_entry(own, by.as_ref());
        match self.writer.record(vec![entry]).await.as_deref() {
            Ok([Ok(_)]) => true,
            refused => {
                log::warn!("what was done with a backup was not recorded: {refused:?}");
                false
            }
        }
    }
}

/// The newest of the scheduled ones is old enough. One from the future shows that the clock was ahead, and
/// stands for nothing.
fn is_due(backups: &[Backup], now: Timestamp, every: Duration) -> bool {
    let mut scheduled = backups.iter().filter(|backup| backup.scheduled);
    let newest = scheduled.find(|backup| backup.created_at <= now);
    newest.is_none_or(|newest| {
        let age = now.micros().abs_diff(newest.created_at.micros());
        u128::from(age) >= every.as_micros()
    })
}

/// What is recorded of a schedule that cannot be kept.
fn failed(why: &str) -> Own {
    Emitted::BackupFailed
        .says(format!("The scheduled backup failed: {why}"))
        .with("reason", why)
}

/// What is recorded of a copy that was made.
pub fn created(name: &str, copied: &Copied) -> Own {
    entity_event("backup", Emitted::BackupCreated, name, None)
        .saying(format!("The book was copied to the backup {name}"))
        .with("bytes", copied.bytes)
        .with("last_seq", copied.head.last_seq)
}

/// What is recorded, in the restored book, of what it was restored from.
pub fn restored(name: &str, from: &Staged) -> Own {
    entity_event("backup", Emitted::BackupRestored, name, None)
        .saying(format!("The book was restored from the backup {name}"))
        .with("last_seq", from.head().last_seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seconds: &[i64], scheduled: bool) -> Vec<Backup> {
        let made = seconds.iter().map(|second| {
            let created_at = Timestamp::from_micros(second * 1_000_000);
            Backup {
                name: BackupName::made_at(created_at, scheduled),
                bytes: 1,
                created_at,
                scheduled,
            }
        });
        made.collect()
    }

    #[test]
    fn a_backup_is_due_when_the_newest_scheduled_one_is_old_enough() {
        let due = |backups: &[Backup], second: i64| {
            let now = Timestamp::from_micros(second * 1_000_000);
            is_due(backups, now, Duration::from_secs(60))
        };
        assert!(due(&[], 0));
        assert!(!due(&made(&[100, 10], true), 159));
        assert!(due(&made(&[100, 10], true), 160));
        assert!(due(&made(&[100], false), 101), "made by hand");
        assert!(due(&made(&[9_999, 10], true), 100), "from the future");
        assert!(!due(&made(&[9_999, 90], true), 100));
    }

    #[test]
    fn the_oldest_scheduled_ones_go_and_what_was_asked_for_stays() {
        let mut backups = made(&[50, 40, 30, 20], true);
        backups.extend(made(&[15, 5], false));
        let names = |seconds: &[i64]| -> Vec<BackupName> {
            made(seconds, true).into_iter().map(|b| b.name).collect()
        };
        let now = Timestamp::from_micros(60_000_000);
        assert_eq!(beyond(&backups, 2, now), names(&[20, 30]));
        assert_eq!(beyond(&backups, 4, now), names(&[]));
        // Two are from the future, and of those one is too many.
        let now = Timestamp::from_micros(30_000_000);
        assert_eq!(beyond(&backups, 1, now), names(&[20, 40]));
        assert_eq!(beyond(&backups, 2, now), names(&[]));
    }
}
