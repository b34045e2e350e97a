//! What a run removes and what it says.

use super::*;

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
