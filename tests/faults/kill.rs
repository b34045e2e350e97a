//! `kill -9` at any moment: whatever was acknowledged is in the book, exactly once.

use crate::child;
use crate::support::book::{Ledger, assert_in_order, own, rows, sent};
use crate::support::daemon::{Daemon, Place};
use crate::support::load::{Load, line};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const UNDER_LOAD: u32 = 50;
const AT_THE_START: u32 = 10;

/// A random moment below `limit`.
fn random(limit: Duration) -> Duration {
    let number = RandomState::new().build_hasher().finish();
    Duration::from_micros(number % limit.as_micros() as u64)
}

/// One life: what was left in doubt is sent again, then more, until the kill.
fn live_and_die(place: &Place, life: u32, ledger: &mut Ledger, doubts: &[String]) -> Vec<String> {
    let daemon = Daemon::start(place);
    ledger.assert_kept(&rows(&place.book()));
    let load = Load::start(daemon.address, &format!("life{life}"), doubts);
    load.reach(1);
    std::thread::sleep(random(Duration::from_millis(100)));
    daemon.kill();
    ledger.note(load.finish())
}

#[test]
fn an_acknowledged_entry_survives_kill_9_at_any_moment() {
    let place = Place::new();
    let mut ledger = Ledger::default();
    let (mut doubts, mut doubted) = (Vec::new(), 0);
    for life in 0..UNDER_LOAD {
        if life % (UNDER_LOAD / AT_THE_START) == 0 {
            let starting = Daemon::spawn(&place, place.serve());
            std::thread::sleep(random(Duration::from_millis(60)));
            starting.kill();
        }
        doubts = live_and_die(&place, life, &mut ledger, &doubts);
        doubted += doubts.len();
    }
    let daemon = Daemon::start(&place);
    let rows = rows(&place.book());
    ledger.assert_kept(&rows);
    let told = own(&rows);
    let count = |action: &str| told.iter().filter(|own| **own == action).count();
    // A start that was killed before it was recorded leaves nothing that could be unclean.
    let (starts, unclean) = (count("server.started"), count("server.unclean_shutdown"));
    assert_eq!((unclean, told.len()), (starts - 1, starts + unclean));
    assert!(starts > UNDER_LOAD as usize, "{starts} starts");
    assert!(daemon.stop().success());
    let check = place.daybook(&["check"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");
    assert!(ledger.len() > 1_000, "only {} entries", ledger.len());
    println!(
        "{UNDER_LOAD} kills under load and {AT_THE_START} at the start: {} acknowledged, {} in the book, \
         {doubted} in doubt and sent again, 0 lost",
        ledger.len(),
        rows.len()
    );
}

/// The control: were this not to lose, the zero above would mean nothing.
#[test]
fn a_writer_that_answers_before_it_commits_is_seen_to_lose() {
    let place = Place::new();
    let mut losses = Vec::new();
    for life in 0..5 {
        let command = place.daybook_under(child::command("premature"), &[]);
        let daemon = Daemon::start_as(&place, command).unwrap();
        let load = Load::start(daemon.address, &format!("life{life}"), &[]);
        load.reach(20);
        daemon.kill();
        let mut ledger = Ledger::default();
        ledger.note(load.finish());
        let daemon = Daemon::start(&place);
        losses.push((ledger.lost(&rows(&place.book())).len(), ledger.len()));
        daemon.kill();
    }
    println!("lost of acknowledged, by life: {losses:?}");
    assert!(losses.iter().any(|(lost, _)| *lost > 0), "{losses:?}");
}

const SENT: [&str; 3] = ["one", "two", "three"];

/// What a kill or a power cut may leave beside the book: a WAL that ends anywhere, an index of another moment.
#[test]
fn wherever_the_wal_was_cut_off_the_book_opens_with_what_is_whole() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    // The schema is in the book's own file, and the entries in the WAL.
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&place);
    let mut client = daemon.client();
    for id in SENT {
        client.post("application/json", &line(id)).unwrap();
    }
    daemon.kill();
    let beside = |suffix: &str| place.folder().join(format!("daybook.db{suffix}"));
    let book = std::fs::read(beside("")).unwrap();
    let (wal, index) = (
        std::fs::read(beside("-wal")).unwrap(),
        std::fs::read(beside("-shm")).unwrap(),
    );
    let zeros = vec![0; index.len()];
    let indexes: [Option<&[u8]>; 5] = [
        Some(&index),
        Some(&index[..3]),
        Some(&[]),
        Some(&zeros),
        None,
    ];
    for length in [
        0,
        1,
        31,
        32,
        33,
        100,
        32 + 24 + 4096,
        wal.len() / 2,
        wal.len() - 1,
        wal.len(),
    ] {
        for index in indexes {
            std::fs::write(beside(""), &book).unwrap();
            std::fs::write(beside("-wal"), &wal[..length]).unwrap();
            let _ = std::fs::remove_file(beside("-shm"));
            if let Some(bytes) = index {
                std::fs::write(beside("-shm"), bytes).unwrap();
            }
            let what = format!(
                "a WAL of {length} bytes, an index of {:?}",
                index.map(<[u8]>::len)
            );
            let daemon = Daemon::start_as(&place, place.serve());
            let daemon = daemon.unwrap_or_else(|refused| panic!("{what}: {refused:?}"));
            let rows = rows(&place.book());
            assert_in_order(&rows);
            let held: Vec<&str> = sent(&rows).iter().map(|row| row.id.as_str()).collect();
            assert!(SENT.starts_with(&held), "{what}: {held:?}");
            assert_eq!(held == SENT, length == wal.len(), "{what}");
            // The killed daemon had recorded its start first of all.
            let (before, after) = (&own(&rows)[..2], &own(&rows)[2..]);
            assert_eq!(before, ["server.started", "server.shutting_down"]);
            let killed = [
                "server.started",
                "server.unclean_shutdown",
                "server.started",
            ];
            let none = ["server.started"];
            assert!(
                after == killed || after == none && held.is_empty(),
                "{what}: {after:?}"
            );
            assert!(daemon.stop().success());
        }
    }
}

#[test]
fn after_a_kill_the_book_goes_on_where_it_was() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let mut client = daemon.client();
    let first = client
        .post("application/json", &line("first"))
        .unwrap()
        .json();
    let epoch = client.get("/api/v1/system/info").unwrap().json()["epoch"].clone();
    daemon.kill();

    let daemon = Daemon::start(&place);
    let mut client = daemon.client();
    let again = client.post("application/json", &line("first")).unwrap();
    assert_eq!(again.status, 200);
    let again = again.json();
    assert_eq!((&again["seq"], &again["ts"]), (&first["seq"], &first["ts"]));
    assert_eq!(again["duplicate"], true);
    let next = client
        .post("application/json", &line("next"))
        .unwrap()
        .json();
    let rows = rows(&place.book());
    assert_in_order(&rows);
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    let expected = [
        "server.started",
        "lamp.switched",
        "server.unclean_shutdown",
        "server.started",
        "lamp.switched",
    ];
    assert_eq!(actions, expected);
    assert_eq!((&first["seq"], &next["seq"]), (&2.into(), &5.into()));
    assert!(next["ts"].as_str() > first["ts"].as_str());
    let info = client.get("/api/v1/system/info").unwrap().json();
    assert!(epoch.is_string());
    assert_eq!(info["epoch"], epoch);
}
