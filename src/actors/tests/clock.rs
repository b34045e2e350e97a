//! Clocks that are set: what holds a run back, what releases it, and what is recorded of them.

use super::*;

#[test]
fn a_run_that_would_remove_more_than_half_by_age_waits_until_it_is_confirmed() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 51).await;
        hands.pass(11 * DAY);
        kept.fill("default", 49).await;
        for _ in 0..2 {
            let status = kept.run().await;
            assert_eq!(status.halted, Some(Reason::MoreThanHalf));
        }
        assert_eq!(kept.count("default"), 100);
        assert_eq!(kept.own(), ["activity_log.prune_halted"], "recorded once");
        let dry = kept.keeper.dry_run(hands.now(), None).await.unwrap();
        assert_eq!((dry.removed, dry.halted), (51, Some(Reason::MoreThanHalf)));
        assert_eq!(kept.confirm().await.removed, 51);
        assert_eq!(*kept.keeper.view().halted.borrow(), None);
        kept.close().await;
    });
}

#[test]
fn exactly_half_is_not_more_than_half() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 50).await;
        hands.pass(11 * DAY);
        kept.fill("default", 50).await;
        assert_eq!(kept.run().await.removed, 50);
        kept.close().await;
    });
}

#[test]
fn a_clock_set_ten_years_ahead_removes_nothing() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.fill("default", 100).await;
        hands.pass(HOUR);
        hands.set_by(3_650 * DAY);
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        assert_eq!(kept.count("default"), 100);
        assert_eq!(
            kept.own(),
            ["server.clock_jumped", "activity_log.prune_halted"]
        );
        kept.close().await;
    });
}

#[test]
fn a_halt_survives_a_restart_and_is_not_recorded_again() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.fill("default", 100).await;
        hands.set_by(2 * HOUR);
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(
            *kept.keeper.view().halted.borrow(),
            Some(Reason::ClockJumped)
        );
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        let halted = kept.own().iter().filter(|a| a.ends_with("halted")).count();
        assert_eq!(halted, 1);
        kept.confirm().await;
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.run().await.halted, None);
        kept.close().await;
    });
}

/// A book of which a clock set ahead by 15 days would lose 40 of 100 entries: fewer than half.
async fn aged(folder: &Path, hands: &Arc<Hands>) -> Kept {
    let kept = Kept::open(folder, hands, base(90, 0)).await;
    kept.fill("default", 40).await;
    hands.pass(80 * DAY);
    kept.fill("default", 60).await;
    assert_eq!(kept.run().await.removed, 0);
    kept
}

#[test]
fn a_jump_that_was_noted_holds_back_the_first_run_after_a_restart() {
    law(|folder, hands| async move {
        let kept = aged(&folder, &hands).await;
        hands.set_by(15 * DAY);
        kept.keeper.note_clock(hands.now()).await;
        assert_eq!(kept.own(), ["server.clock_jumped"]);
        kept.close().await;
        for _ in 0..2 {
            let kept = Kept::open(&folder, &hands, base(90, 0)).await;
            let seen = *kept.keeper.view().halted.borrow();
            assert_eq!(seen, Some(Reason::ClockJumped));
            assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
            assert_eq!(kept.count("default"), 100);
            let own = ["server.clock_jumped", "activity_log.prune_halted"];
            assert_eq!(kept.own(), own, "each once");
            kept.close().await;
        }
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.confirm().await.removed, 40);
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.run().await.halted, None, "released for good");
        kept.close().await;
    });
}

#[test]
fn a_halt_that_an_older_book_remembers_holds_too() {
    law(|folder, hands| async move {
        let kept = aged(&folder, &hands).await;
        let act = Act::PutSetting {
            key: "pruner.halt".to_owned(),
            value: "\"clock_jumped\"".to_owned(),
        };
        let request = Request {
            acts: vec![act],
            entries: Vec::new(),
        };
        kept.writer.commit(request).await.unwrap();
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        assert_eq!(kept.own(), [""; 0], "it was recorded there");
        kept.close().await;
    });
}

#[test]
fn a_jump_that_comes_while_a_confirmed_run_goes_is_not_released_by_it() {
    law(|folder, hands| async move {
        let kept = aged(&folder, &hands).await;
        hands.pass(11 * DAY);
        let confirmed = kept.confirm();
        let jump = async {
            hands.set_by(2 * HOUR);
            kept.keeper.note_clock(hands.now()).await;
        };
        // The run has its plan made elsewhere, and the clock jumps while it waits for that.
        let (status, ()) = futures_util::future::join(confirmed, jump).await;
        assert_eq!(status.removed, 40);
        let standing = *kept.keeper.view().halted.borrow();
        assert_eq!(standing, Some(Reason::ClockJumped));
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        kept.close().await;
    });
}

#[test]
fn a_jump_that_the_book_cannot_take_now_is_told_it_later() {
    law(|folder, hands| async move {
        let room = Size {
            entries: 100,
            bytes: 8 << 20,
        };
        let kept = Kept::open_with(&folder, &hands, base(90, 0), room).await;
        let filling = kept.fill("default", 100);
        let jump = async {
            hands.set_by(2 * HOUR);
            kept.keeper.note_clock(hands.now()).await;
        };
        futures_util::future::join(filling, jump).await;
        assert_eq!(kept.own(), [""; 0], "there was no room");
        kept.keeper.note_clock(hands.now()).await;
        assert_eq!(kept.own(), ["server.clock_jumped"]);
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        kept.close().await;
    });
}

#[test]
fn a_clock_that_has_agreed_for_a_day_is_believed() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 100).await;
        hands.set_by(3_650 * DAY);
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        hands.pass(23 * HOUR);
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        hands.pass(HOUR);
        let status = kept.run().await;
        assert_eq!((status.removed, status.halted), (100, None));
        kept.close().await;
    });
}

#[test]
fn a_clock_that_jumps_again_waits_a_whole_day_again() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 100).await;
        hands.set_by(3_650 * DAY);
        kept.run().await;
        hands.pass(23 * HOUR);
        hands.set_by(2 * HOUR);
        kept.run().await;
        hands.pass(23 * HOUR);
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        kept.close().await;
    });
}

#[test]
fn a_run_after_a_changed_rule_is_not_held_back() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.fill("default", 90).await;
        hands.pass(11 * DAY);
        kept.fill("default", 10).await;
        assert_eq!(kept.run().await.removed, 0);
        kept.put(None, r#"{"max_days":10}"#).await.unwrap();
        let status = kept.run().await;
        assert_eq!((status.removed, status.halted), (90, None));
        kept.close().await;
        // The same, when the file has changed over a restart.
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.fill("a", 90).await;
        kept.keeper
            .change(None, Change::Forget, None)
            .await
            .unwrap();
        kept.run().await;
        kept.close().await;
        hands.pass(5 * DAY);
        let kept = Kept::open(&folder, &hands, base(4, 0)).await;
        assert_eq!(kept.run().await.halted, None);
        assert_eq!(kept.count("a"), 0);
        kept.close().await;
    });
}

#[test]
fn a_changed_rule_does_not_release_a_jumped_clock() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.fill("default", 100).await;
        hands.set_by(3_650 * DAY);
        kept.keeper.note_clock(hands.now()).await;
        kept.put(None, r#"{"max_days":80}"#).await.unwrap();
        assert_eq!(kept.run().await.halted, Some(Reason::ClockJumped));
        kept.close().await;
    });
}

#[test]
fn that_the_clock_is_behind_is_recorded_once_each_time() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        kept.fill("default", 1).await;
        for _ in 0..2 {
            hands.set_by(-2 * HOUR);
            kept.fill("default", 2).await;
            kept.fill("default", 2).await;
            hands.set_by(2 * HOUR + 1_000_000);
            kept.fill("default", 1).await;
        }
        assert_eq!(kept.own(), ["server.clock_behind"; 2]);
        let entries = kept.entries();
        assert!(entries.windows(2).all(|pair| pair[0].ts <= pair[1].ts));
        kept.close().await;
    });
}
