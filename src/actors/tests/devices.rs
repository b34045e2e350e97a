//! Discovery: it is there again after a panic, with what the book holds; what is not in the book is not there.

use super::*;
use crate::actors::discovery::{Break, Doing, List, NotDone, Parts as Watching, Wanted};
use crate::actors::{Devices, EventHub, Refusal};
use crate::domain::device::NewDevice;

fn watching(kept: &Kept) -> Watching {
    let hands = Arc::clone(&kept.hands);
    Watching {
        writer: kept.writer.clone(),
        reader: Arc::clone(&kept.reader),
        recorder: kept.recorder.clone(),
        hub: EventHub::new(&kept.reader.head().unwrap(), Duration::from_secs(1)).start_alone(),
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
