//! Whose entries a changed rule lets go although they are more than half of the book: those of whoever it was changed
//! for, and nobody else's.

use super::*;
use crate::domain::retention::Retention;

const HELD: Option<Reason> = Some(Reason::MoreThanHalf);

/// Two workspaces whose entries are all too old, as a clock that is ahead has it; a run has seen them before.
async fn two(folder: &Path, hands: &Arc<Hands>) -> Kept {
    let kept = Kept::open(folder, hands, base(10, 0)).await;
    kept.fill("a", 100).await;
    kept.fill("b", 100).await;
    assert_eq!(
        kept.run().await,
        Status {
            oldest_kept: Some(kept.entries()[0].ts),
            ..Status::default()
        }
    );
    hands.pass(20 * DAY);
    kept
}

impl Kept {
    fn both(&self) -> (usize, usize) {
        (self.count("a"), self.count("b"))
    }

    async fn restart(self, folder: &Path) -> Self {
        let hands = Arc::clone(&self.hands);
        self.close().await;
        Self::open(folder, &hands, base(10, 0)).await
    }
}

#[test]
fn what_is_changed_for_a_workspace_releases_nothing_of_another() {
    law(|folder, hands| async move {
        let mut kept = two(&folder, &hands).await;
        for is_standing in [false, true] {
            for (workspace, text) in [
                ("nosuch", r#"{"enabled":true}"#),
                ("nosuch", r#"{"max_days":7}"#),
                ("b", r#"{"max_days":10}"#),
                ("b", r#"{"max_entries":150}"#),
            ] {
                if is_standing {
                    assert_eq!(kept.run().await.halted, HELD);
                }
                kept.put(Some(workspace), text).await.unwrap();
                kept = kept.restart(&folder).await;
                let status = kept.run().await;
                assert_eq!((status.removed, status.halted), (0, HELD), "{text}");
                assert_eq!(*kept.keeper.view().halted.borrow(), HELD);
                let forgotten = Change::Forget;
                let name = WorkspaceId::trusted(workspace);
                let change = kept.keeper.change(Some(name), forgotten, None);
                change.await.unwrap();
                assert_eq!(kept.run().await.halted, HELD);
            }
        }
        assert_eq!(kept.both(), (100, 100));
        let halted = kept.own().iter().filter(|a| a.ends_with("halted")).count();
        assert_eq!(halted, 1, "recorded once");
        assert_eq!(kept.confirm().await.removed, 200);
        kept.close().await;
    });
}

#[test]
fn a_workspace_whose_own_age_limit_was_changed_goes_alone_and_once() {
    for (is_standing, is_restarted) in [(false, false), (false, true), (true, false), (true, true)]
    {
        law(|folder, hands| async move {
            let mut kept = two(&folder, &hands).await;
            if is_standing {
                assert_eq!(kept.run().await.halted, HELD);
            }
            kept.put(Some("b"), r#"{"max_days":8}"#).await.unwrap();
            if is_restarted {
                kept = kept.restart(&folder).await;
            }
            let dry = async |name: &str| {
                let only = Some(WorkspaceId::trusted(name));
                kept.keeper.dry_run(hands.now(), only).await.unwrap().halted
            };
            assert_eq!((dry("a").await, dry("b").await), (HELD, None));
            let status = kept.run().await;
            assert_eq!((status.removed, status.halted), (100, HELD));
            assert_eq!(kept.both(), (100, 0));
            // What comes to be too old later was not meant.
            kept.fill("b", 100).await;
            hands.pass(20 * DAY);
            kept = kept.restart(&folder).await;
            let status = kept.run().await;
            assert_eq!((status.removed, status.halted), (0, HELD));
            assert_eq!(kept.both(), (100, 100));
            kept.close().await;
        });
    }
}

#[test]
fn a_limit_changed_for_the_book_releases_all_but_who_has_another_of_their_own() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.put(Some("b"), r#"{"max_days":10}"#).await.unwrap();
        kept.fill("a", 100).await;
        kept.fill("b", 100).await;
        assert_eq!(kept.run().await.removed, 0);
        hands.pass(100 * DAY);
        assert_eq!(kept.run().await.halted, HELD);
        kept.put(None, r#"{"max_days":80}"#).await.unwrap();
        // The two that say what was put go with a's, one of b's own stays with b's.
        assert_eq!(kept.run().await.halted, HELD);
        assert_eq!(kept.both(), (0, 100));
        kept.put(Some("b"), r#"{"max_days":9}"#).await.unwrap();
        assert_eq!(kept.run().await.halted, None);
        assert_eq!(kept.both(), (0, 0));
        assert_eq!(*kept.keeper.view().halted.borrow(), None);
        kept.close().await;
    });
}

#[test]
fn a_changed_limit_holds_nothing_back_that_would_go_without_it() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("a", 10).await;
        hands.pass(11 * DAY);
        kept.fill("b", 100).await;
        kept.put(Some("b"), r#"{"max_days":50}"#).await.unwrap();
        let status = kept.run().await;
        assert_eq!((status.removed, status.halted), (10, None));
        kept.close().await;
    });
}

#[test]
fn a_run_that_began_before_a_restore_says_nothing_of_the_restored_rules() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(10, 0)).await;
        kept.fill("default", 100).await;
        hands.pass(5 * DAY);
        // As a restore does it: other settings are in the book, and nobody said so.
        let put = Act::PutSetting {
            key: Retention::setting_key(None),
            value: r#"{"max_days":1}"#.to_owned(),
        };
        let request = Request {
            acts: vec![put],
            entries: Vec::new(),
        };
        kept.writer.commit(request).await.unwrap();
        let restored = async { kept.keeper.read_again(hands.now()).unwrap() };
        let (status, ()) = futures_util::future::join(kept.run(), restored).await;
        assert_eq!((status.removed, status.halted), (0, None));
        let status = kept.run().await;
        assert_eq!((status.removed, status.halted), (0, HELD));
        kept.close().await;
    });
}
