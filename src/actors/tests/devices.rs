//! Discovery: it is there again after a panic, with what the book holds; what is not in the book is not there.

use super::*;
use crate::actors::discovery::{Break, Doing, List, NotDone, Parts as Watching, Says, Wanted};
use crate::actors::{Devices, EventHub, Refusal};
use crate::domain::device::{NewDevice, Sighting};
use crate::mdns::protocol::Said;

fn watching(kept: &Kept) -> Watching {
    let hands = Arc::clone(&kept.hands);
    Watching {
        writer: kept.writer.clone(),
        reader: Arc::clone(&kept.reader),
        recorder: kept.recorder.clone(),
        hub: EventHub::new(
            &kept.reader.head().unwrap(),
            Duration::from_secs(1),
            Arc::default(),
        )
        .start_alone(),
        clocks: Arc::new(move || hands.now()),
        settings: Settings::default().discovery,
        listening: Vec::new(),
    }
}

fn lamp() -> Doing {
    Doing::Add(NewDevice {
        address: "192.0.2.1".into(),
        name: Some("Lamp".into()),
        kind: None,
        port: None,
        check: None,
    })
}

async fn names(devices: &Devices) -> Result<Vec<String>, NotDone> {
    let wanted = Wanted {
        limit: 10,
        ..Wanted::default()
    };
    let listed = devices.ask(List(wanted)).await?.devices.into_iter();
    Ok(listed.map(|one| one.device.name).collect())
}

#[test]
fn what_watches_the_devices_is_there_again_after_a_panic() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let devices = Devices::start(watching(&kept)).unwrap();
        devices.run(lamp(), None).await.unwrap();
        // Whoever broke it hears no answer.
        assert!(devices.ask(Break).await.is_err());
        let again = async {
            loop {
                match names(&devices).await {
                    Ok(names) => return names,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let again = tokio::time::timeout(Duration::from_secs(20), again).await;
        assert_eq!(again.unwrap(), ["Lamp"]);
        devices.run(lamp(), None).await.unwrap();
        assert_eq!(kept.reader.devices().unwrap().len(), 2);
        kept.close().await;
    });
}

#[test]
fn what_was_not_committed_was_not_done() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let devices = Devices::start(watching(&kept)).unwrap();
        let added = devices.run(lamp(), None).await.unwrap();
        let id = added.shown.unwrap().device.id;
        kept.writer.close().await;
        let refused = devices.run(lamp(), None).await.err();
        assert!(
            matches!(
                refused,
                Some(NotDone::Refused(Refusal::Stopping | Refusal::Storage(_)))
            ),
            "{refused:?}"
        );
        assert!(devices.run(Doing::Remove(id), None).await.is_err());
        assert_eq!(names(&devices).await.unwrap(), ["Lamp"]);
    });
}

/// A lamp that says where it is.
fn at(address: &str) -> Says {
    Says(Said::Found(Sighting {
        instance: "Kitchen._wled._tcp.local.".into(),
        kind: "_wled._tcp".into(),
        host: "kitchen.local.".into(),
        addresses: vec![address.into()],
        port: 80,
        txt: Default::default(),
    }))
}

#[test]
fn a_device_that_is_to_be_found_elsewhere_is_recorded_as_changed_with_what_of_it() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(0, 0)).await;
        let devices = Devices::start(watching(&kept)).unwrap();
        for address in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
            devices.ask(at(address)).await.unwrap();
        }
        let recorded = async {
            loop {
                let entries = kept.entries();
                if entries.len() >= 2 {
                    return entries;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let recorded = tokio::time::timeout(Duration::from_secs(20), recorded).await;
        let recorded = recorded.expect("both are recorded");
        let actions: Vec<_> = recorded.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["device.discovered", "device.changed"]);
        let changed = &recorded[1];
        assert_eq!(changed.category.as_str(), "device");
        let metadata = changed.metadata.to_object();
        assert_eq!(metadata["changed"], serde_json::json!(["addresses"]));
        assert_eq!(changed.entity_id, recorded[0].entity_id);
        let held = kept.reader.devices().unwrap();
        assert_eq!(held[0].addresses, ["192.0.2.2"]);
        kept.close().await;
    });
}
