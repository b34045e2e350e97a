//! What the schedule of backups does of itself, on a shelf of its own.

use super::*;
use crate::actors::backups::{Backups, Failing, Schedule, Shelf, Work};
use crate::domain::BackupName;

const EVERY: i64 = HOUR;

/// The work of the schedule, on the book of `kept`, that keeps two.
fn scheduled(kept: &Kept, folder: &Path) -> Work {
    let book = folder.join("daybook.db");
    let address = Address::parse(&format!("sqlite://{}", book.display())).unwrap();
    let hands = Arc::clone(&kept.hands);
    Work {
        shelf: Shelf::new(&folder.join("shelf"), &book),
        address,
        writer: kept.writer.clone(),
        reader: Arc::clone(&kept.reader),
        recorder: kept.recorder.clone(),
        schedule: Schedule {
            every: Some(Duration::from_micros(EVERY as u64)),
            keep: 2,
        },
        clock: Arc::new(move || hands.now().wall),
        metrics: kept.metrics.clone(),
    }
}

fn held(work: &Work) -> Vec<BackupName> {
    let backups = work.shelf.list().unwrap();
    backups.into_iter().map(|backup| backup.name).collect()
}

#[test]
fn backups_that_a_clock_which_was_ahead_made_push_out_none_of_the_others() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        let work = scheduled(&kept, &folder);
        let look = async || {
            let status = work.run_once(hands.now().wall).await;
            assert_eq!(status.failed, None);
            (status.made, status.removed.len())
        };
        hands.set_by(3_650 * DAY);
        let mut ahead = Vec::new();
        for _ in 0..2 {
            ahead.extend(look().await.0);
            hands.pass(EVERY);
        }
        hands.set_by(-3_650 * DAY);
        let (first, removed) = look().await;
        assert_eq!((first.is_some(), removed), (true, 0));
        assert_eq!(look().await, (None, 0), "it stays, and stands for the hour");
        for removed in [0, 1, 1] {
            hands.pass(EVERY);
            let (made, gone) = look().await;
            assert_eq!((made.is_some(), gone), (true, removed));
            let held = held(&work);
            assert_eq!(held[..2], [ahead[1].clone(), ahead[0].clone()]);
            assert_eq!(Some(&held[2]), made.as_ref(), "the newest of the others");
        }
        assert_eq!(held(&work).len(), 4);
        kept.close().await;
    });
}

#[test]
fn what_a_scheduled_backup_left_that_was_cut_short_goes_at_the_start_and_before_the_next() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        let work = scheduled(&kept, &folder);
        let shelf = folder.join("shelf");
        let left = [
            "daybook-20260101T000000.000000Z-scheduled.db.part",
            "daybook-20260101T000000.000000Z-scheduled.db.part-journal",
        ];
        let others = [
            "daybook-20260101T000000.000000Z.db.part",
            "daybook-20260101T000000.000000Z-scheduled.db",
            "mine-scheduled.db.part",
            "notes.part",
        ];
        std::fs::create_dir(&shelf).unwrap();
        let lay = || {
            for name in left.iter().chain(&others) {
                std::fs::write(shelf.join(name), "what there is of it").unwrap();
            }
        };
        let there = |names: &[&str]| {
            let there = names.iter().filter(|name| shelf.join(name).exists());
            there.count()
        };
        lay();
        assert!(work.run_once(hands.now().wall).await.made.is_some());
        assert_eq!((there(&left), there(&others)), (0, others.len()));
        lay();
        let began = std::time::Instant::now();
        let actor = Backups::start(work, Vec::new());
        while there(&left) > 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "they stay");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(there(&others), others.len());
        drop(actor);
        kept.close().await;
    });
}

#[test]
fn a_schedule_that_cannot_be_kept_is_recorded_once_each_time_with_where_and_why() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        let work = scheduled(&kept, &folder);
        let shelf = folder.join("shelf");
        let mut failing = Failing::default();
        for series in 1..=2 {
            std::fs::write(&shelf, "no folder").unwrap();
            let mut tries = 0;
            for _ in 0..=14 {
                tries += u64::from(work.look(&mut failing).await.failed.is_some());
            }
            assert_eq!(tries, 4, "each waits longer");
            assert_eq!(kept.metrics.backups_failed.get(), series * tries);
            let own = kept.own();
            let failed = own.iter().filter(|action| *action == "backup.failed");
            assert_eq!(failed.count() as u64, series, "{own:?}");
            let said = kept.entries().pop().unwrap();
            assert_eq!(said.severity, crate::domain::Severity::Error);
            let reason = said.metadata.to_object()["reason"].to_string();
            assert!(reason.contains(shelf.to_str().unwrap()), "{reason}");
            assert!(reason.contains("Not a directory"), "{reason}");
            std::fs::remove_file(&shelf).unwrap();
            while work.look(&mut failing).await.made.is_none() {}
            std::fs::remove_dir_all(&shelf).unwrap();
        }
        kept.close().await;
    });
}
