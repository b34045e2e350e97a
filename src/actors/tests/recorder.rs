//! The Recorder: whose an entry is, and what becomes of one that cannot be taken.

use super::*;
use crate::actors::context::Context;

fn as_who(label: &str) -> Context {
    Context {
        principal: Principal::of_workspace(label, WorkspaceId::trusted(label)),
        origin: Origin {
            ip_address: Some(format!("ip of {label}")),
            user_agent: None,
        },
    }
}

#[test]
fn requests_that_interleave_on_one_worker_keep_each_its_principal() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let request = |label: &'static str| {
            let recorder = kept.recorder.clone();
            as_who(label).scope(async move {
                for _ in 0..20 {
                    recorder.record(Entity::task(label).created());
                    tokio::task::yield_now().await;
                }
            })
        };
        let outside = async {
            for _ in 0..20 {
                kept.recorder.record(Entity::task("system").created());
                tokio::task::yield_now().await;
            }
        };
        futures_util::future::join3(request("a"), request("b"), outside).await;
        kept.writer.commit(Request::default()).await.unwrap();
        let entries = kept.entries();
        assert_eq!(entries.len(), 60);
        for entry in &entries {
            assert_eq!(Some(&entry.actor), entry.entity_id.as_ref());
            let ip = (entry.actor != "system").then(|| format!("ip of {}", entry.actor));
            assert_eq!(entry.ip_address, ip);
        }
        let turns = entries
            .windows(2)
            .filter(|pair| pair[0].actor != pair[1].actor);
        assert!(turns.count() > 20, "they did interleave");
        kept.close().await;
    });
}

#[test]
fn any_thread_may_record_and_is_system_there() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let recorder = kept.recorder.clone();
        let thread = std::thread::spawn(move || recorder.record(Entity::task("1").created()));
        thread.join().unwrap();
        kept.writer.commit(Request::default()).await.unwrap();
        assert_eq!(kept.entries()[0].actor, "system");
        kept.close().await;
    });
}

#[test]
fn what_cannot_be_recorded_is_counted_and_troubles_nobody() {
    law(|folder, hands| async move {
        let room = Size {
            entries: 1,
            bytes: 10,
        };
        let kept = Kept::open_with(&folder, &hands, base(0, 0), room).await;
        kept.recorder.record(Draft::default());
        assert_eq!(kept.metrics.recorder_lost.get(), 1, "nothing is said");
        kept.recorder.record(Entity::task("1").created());
        assert_eq!(kept.metrics.recorder_lost.get(), 2, "there is no room");
        let recorder = kept.recorder.clone();
        let metrics = kept.metrics.clone();
        kept.close().await;
        recorder.record(Entity::task("1").created());
        assert_eq!(metrics.recorder_lost.get(), 3, "it is closed");
    });
}
