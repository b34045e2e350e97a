//! The Recorder: whose an entry is, and what becomes of one that cannot be taken.

use super::*;
use crate::actors::context::{Call, Context};
use crate::domain::{Emitted, entity_event};

fn as_who(label: &str) -> Context {
    let origin = Origin {
        ip_address: Some(format!("ip of {label}")),
        user_agent: None,
    };
    Context::of(
        Principal::of_workspace(label, WorkspaceId::trusted(label)),
        origin,
    )
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

#[test]
fn an_entry_that_is_made_on_behalf_of_a_call_names_it_and_the_call_knows_it() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let call = Call::new("DELETE", "/backups/{name}");
        let by = as_who("a").with_call(Arc::clone(&call));
        assert!(!call.has_entry());
        let event = || {
            entity_event(
                "backup",
                Emitted::BackupDeleted,
                "x.db",
                Some("The old one"),
            )
        };
        kept.recorder.record_event(event(), Some(&by));
        assert!(call.has_entry());
        kept.recorder.record_event(event(), None);
        let said = Entity::task("1").with("route", "by ship").created();
        by.scope(async { kept.recorder.record(said) }).await;
        kept.writer.commit(Request::default()).await.unwrap();
        let entries = kept.entries();
        let of = |n: usize| {
            let metadata: serde_json::Value =
                serde_json::from_str(entries[n].metadata.as_str()).unwrap();
            (entries[n].actor.clone(), metadata)
        };
        let route = |route: &str| serde_json::json!({"method": "DELETE", "route": route});
        let who = |name: &str| name.to_owned();
        let mut told: Vec<_> = (0..3).map(of).collect();
        told.sort_by_key(|(_, metadata)| metadata.to_string());
        assert_eq!(
            told,
            [
                (who("a"), route("/backups/{name}")),
                (who("a"), route("by ship")),
                (who("system"), serde_json::json!({})),
            ]
        );
        assert_eq!(entries[0].entity_name.as_deref(), Some("The old one"));
        kept.close().await;
    });
}
