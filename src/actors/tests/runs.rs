//! What a run removes and what it says.

use super::*;
use crate::actors::EventHub;
use crate::actors::pruner::{Pruner, RunNow, Stop};

#[test]
fn a_run_removes_what_is_too_old_and_records_it_once() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 30).await;
        kept.fill("a", 10).await;
        hands.pass(8 * DAY);
        kept.fill("default", 60).await;
        hands.pass(3 * DAY);
        let status = kept.run().await;
        assert_eq!((status.removed, status.halted), (40, None));
        assert_eq!((kept.count("default"), kept.count("a")), (60, 0));
        assert_eq!(kept.own(), ["activity_log.pruned"]);
        let said = kept.entries().pop().unwrap();
        let metadata = said.metadata.to_object();
        assert_eq!(metadata["removed"], 40);
        assert_eq!(said.actor, "system");
        assert_eq!(kept.run().await.removed, 0);
        assert_eq!(
            kept.own().len(),
            1,
            "a run that removes nothing says nothing"
        );
        kept.close().await;
    });
}

#[test]
fn limits_hold_for_each_workspace_on_its_own() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 100)).await;
        kept.fill("a", 150).await;
        kept.fill("b", 120).await;
        kept.put(Some("b"), r#"{"max_entries":110}"#).await.unwrap();
        // The entry of that setting is one of b's own.
        assert_eq!(kept.run().await.removed, 61);
        assert_eq!((kept.count("a"), kept.count("b")), (100, 109));
        kept.close().await;
    });
}

#[test]
fn a_large_run_goes_in_steps_and_is_one_entry() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 100)).await;
        for _ in 0..3 {
            kept.fill("default", 1_000).await;
        }
        assert_eq!(kept.run().await.removed, 2_900);
        assert_eq!(kept.own(), ["activity_log.pruned"]);
        let metadata = kept.entries().pop().unwrap().metadata.to_object();
        assert_eq!(metadata["removed"], 2_900);
        kept.close().await;
    });
}

#[test]
fn pruning_goes_on_while_recording_is_off() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 100)).await;
        kept.fill("default", 150).await;
        kept.put(None, r#"{"enabled":false}"#).await.unwrap();
        assert_eq!(kept.run().await.removed, 51);
        kept.close().await;
    });
}

#[test]
fn a_run_becomes_due_by_itself_once_an_interval() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 100)).await;
        let Kept {
            keeper,
            writer,
            reader,
            ..
        } = kept;
        let of_clocks = Arc::clone(&hands);
        let clocks: Clocks = Arc::new(move || of_clocks.now());
        let interval = Duration::from_secs(3_600);
        // From here on a timer waits only while something else is to be done.
        tokio::time::pause();
        let hub = EventHub::new(&reader.head().unwrap(), interval, Arc::default()).start_alone();
        let pruner = Pruner::new(keeper, hub.recipient(), clocks, interval).start();
        let held = || {
            let scope = Scope::for_the_daemon();
            let count = reader.count(&scope, &Filter::default(), None, 1_000, Stretch::default());
            count.unwrap().count
        };
        let first = RunNow {
            only: None,
            by: None,
        };
        assert_eq!(pruner.send(first).await.unwrap().unwrap().removed, 0);
        for _ in 0..2 {
            let entries = (0..150).map(|_| entry("default")).collect();
            writer.record(entries).await.unwrap();
            let before = held();
            // It looks at its clock often, and that shows no hour yet.
            tokio::time::sleep(interval * 3).await;
            assert_eq!(held(), before);
            hands.pass(HOUR);
            let began = std::time::Instant::now();
            while held() > 101 {
                assert!(began.elapsed() < Duration::from_secs(30), "{}", held());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        pruner.send(Stop).await.unwrap();
        writer.close().await;
    });
}
