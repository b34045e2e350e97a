//! Devices are kept with all that is known of them, and change together with their entries.

use crate::harness::*;
use daybook::domain::device::{Check, CheckKind, Source, State};
use daybook::domain::{Act, Device, DeviceId};
use daybook::storage::Request;
use std::collections::BTreeMap;

fn device(id: &str) -> Device {
    Device {
        id: DeviceId::trusted(id),
        name: "Küche 💡".into(),
        given_name: Some("Kitchen".into()),
        kind: Some("_wled._tcp".into()),
        host: Some("kitchen.local".into()),
        addresses: vec!["10.0.0.1".into(), "fe80::1".into()],
        port: Some(65_535),
        txt: BTreeMap::from([("mac".into(), "\u{fffd}\"'".into())]),
        source: Source::Mdns,
        state: State::Lost,
        first_seen: at(1),
        last_seen: Some(at(2)),
        ignored: true,
        check: Some(Check {
            kind: Some(CheckKind::Http),
            path: Some("/".into()),
            ..Check::default()
        }),
    }
}

fn commit(book: &mut Book, act: Act) {
    let (acts, entries) = (vec![act], Vec::new());
    let (now, group) = (book.now, [Request { acts, entries }]);
    book.writer().commit(now, &group).unwrap();
}

#[test]
fn a_device_is_there_after_a_restart_as_it_was() {
    every_backend(|book| {
        let bare = Device {
            given_name: None,
            kind: None,
            host: None,
            addresses: Vec::new(),
            port: None,
            txt: BTreeMap::new(),
            source: Source::Reported,
            state: State::Unknown,
            last_seen: None,
            ignored: false,
            check: None,
            ..device("a")
        };
        commit(book, Act::PutDevice(Box::new(device("b"))));
        commit(book, Act::PutDevice(Box::new(bare.clone())));
        for _ in 0..2 {
            assert_eq!(
                book.reader().devices().unwrap(),
                [bare.clone(), device("b")]
            );
            book.reopen();
        }
        commit(
            book,
            Act::PutDevice(Box::new(Device {
                port: None,
                ..device("b")
            })),
        );
        assert_eq!(book.reader().devices().unwrap()[1].port, None);
        for _ in 0..2 {
            let id = DeviceId::trusted("b");
            commit(book, Act::RemoveDevice { id });
            assert_eq!(
                book.reader().devices().unwrap(),
                std::slice::from_ref(&bare)
            );
        }
    });
}

#[test]
fn a_device_is_kept_together_with_its_entry_or_not_at_all() {
    let backend = Sqlite::new();
    let mut writer = backend.writer();
    let mut commit = |message: &str, id: &str| {
        let request = Request {
            acts: vec![Act::PutDevice(Box::new(device(id)))],
            entries: vec![line(message).checked()],
        };
        writer.commit(at(0), &[request])
    };
    commit("a message", "a").unwrap();
    backend.fail_at("poison");
    assert!(commit("poison", "b").is_err());
    assert_eq!(backend.reader().devices().unwrap(), [device("a")]);
}
