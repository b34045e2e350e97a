//! A full disk: whoever writes is told so, whoever reads goes on, and it mends itself when there is room.

use crate::child;
use crate::machine::{Mount, can};
use crate::support::book::{Ledger, own, rows, sent};
use crate::support::client::Client;
use crate::support::daemon::{Daemon, Place};
use crate::support::load::{Load, line};
use crate::support::{eventually, say};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The promise is five seconds.
const RECOVERY: Duration = Duration::from_secs(5);

fn memory(law: &str, size: &str) -> Option<Mount> {
    if !can(law, &["mount"]) {
        return None;
    }
    Mount::memory(size)
        .map_err(|why| say(format_args!("SKIPPED: {law}: {why}")))
        .ok()
}

/// Takes all the room that is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).unwrap();
    for size in [65_536, 4_096, 1] {
        while file
            .write(&vec![7; size])
            .is_ok_and(|written| written == size)
        {}
    }
    path
}

/// The reserve was given up to record that the disk is full; what it left is room for a few more. An entry
/// that needs fewer pages may still find room after one that did not, so the ids are beside that of
/// `assert_full`, and several in a row are refused.
fn use_up(place: &Place, client: &mut Client) {
    let reserve = place.folder().join("daybook.db.reserve");
    let (mut number, mut in_a_row) = (0, 0);
    eventually("no room at all", Duration::from_secs(10), || {
        let was_held = reserve.exists();
        number += 1;
        let last = line(&format!("no-room-{number}"));
        let answer = client.post("application/json", &last).unwrap();
        let is_refused = answer.status == 507 && !was_held;
        in_a_row = if is_refused { in_a_row + 1 } else { 0 };
        (in_a_row == 10).then_some(())
    });
}

fn assert_full(place: &Place, client: &mut Client) {
    let refused = client.post("application/json", &line("no-room")).unwrap();
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(
        refused
            .head
            .contains("content-type: application/problem+json"),
        "{refused:?}"
    );
    assert_eq!(refused.json()["status"], 507);
    let ready = client.get("/readyz").unwrap();
    assert_eq!(ready.status, 503, "{ready:?}");
    assert_eq!(ready.json()["reason"], "no space is left for the book");
    assert!(
        place.told().contains("ERROR no space is left for the book"),
        "{}",
        place.told()
    );
    // Readers go on.
    let page = client
        .get("/api/v1/activity?limit=10&category=device")
        .unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!page.json()["items"].as_array().unwrap().is_empty());
    assert_eq!(client.get("/healthz").unwrap().status, 200);
}

/// Ready by itself: nobody has to write first.
fn assert_mends(place: &Place, client: &mut Client) {
    eventually("ready again", RECOVERY, || {
        (client.get("/readyz").unwrap().status == 200).then_some(())
    });
    assert!(
        place.told().contains("INFO  the book can be written again"),
        "{}",
        place.told()
    );
    assert_eq!(
        client
            .post("application/json", &line("room-again"))
            .unwrap()
            .status,
        201
    );
}

fn assert_nothing_lost(place: &Place, daemon: Daemon<'_>, ledger: &Ledger) {
    assert!(daemon.stop().success());
    let rows = rows(&place.book());
    ledger.assert_kept(&rows);
    assert!(
        rows.iter().all(|row| row.id != "no-room"),
        "what was refused is not there"
    );
    assert!(rows.iter().any(|row| row.id == "room-again"));
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

/// In the book, in the room that was kept for it. A daemon that is killed meanwhile may not come to it.
fn assert_recorded(place: &Place) {
    assert!(own(&rows(&place.book())).contains(&"server.storage_full"));
}

#[test]
fn a_disk_that_others_fill_is_told_survived_and_mended() {
    let law = "a_disk_that_others_fill_is_told_survived_and_mended";
    let Some(disk) = memory(law, "8m") else {
        return;
    };
    let place = Place::at(disk.path());
    let daemon = Daemon::start(&place);
    let mut ledger = Ledger::default();
    let load = Load::start(daemon.address, "load", &[]);
    load.reach(200);
    let ballast = fill(disk.path());
    let mut client = daemon.client();
    // The WAL has a little room within its last page and what a checkpoint gave it.
    eventually("a 507", Duration::from_secs(10), || {
        (client.get("/readyz").unwrap().status == 503).then_some(())
    });
    let report = load.finish();
    assert!(
        report.refusals.iter().all(|status| *status == 507),
        "{:?}",
        report.refusals
    );
    let refused = report.refusals.len();
    ledger.note(report);
    use_up(&place, &mut client);
    assert_full(&place, &mut client);
    std::fs::remove_file(ballast).unwrap();
    assert_mends(&place, &mut client);
    drop(client);
    assert_nothing_lost(&place, daemon, &ledger);
    assert_recorded(&place);
    println!(
        "{} acknowledged, {refused} requests refused with 507, 0 lost",
        ledger.len()
    );
}

#[test]
fn a_disk_that_the_book_itself_fills_is_no_other() {
    for size in ["2m", "3m", "4m"] {
        let Some(disk) = memory("a_disk_that_the_book_itself_fills_is_no_other", size) else {
            return;
        };
        let place = Place::at(disk.path());
        let daemon = Daemon::start(&place);
        let load = Load::start(daemon.address, "load", &[]);
        let mut client = daemon.client();
        eventually("the disk is full", Duration::from_secs(30), || {
            (client.get("/readyz").unwrap().status == 503).then_some(())
        });
        let mut ledger = Ledger::default();
        ledger.note(load.finish());
        use_up(&place, &mut client);
        assert_full(&place, &mut client);
        disk.resize("16m");
        assert_mends(&place, &mut client);
        drop(client);
        assert_nothing_lost(&place, daemon, &ledger);
        assert_recorded(&place);
        println!(
            "{size}: {} acknowledged until it was full, 0 lost",
            ledger.len()
        );
    }
}

/// The control: who answers before the commit, on a disk that others fill in the same way, has acknowledged what
/// is not there.
#[test]
fn who_answers_before_the_commit_is_seen_to_lose_on_a_full_disk() {
    let law = "who_answers_before_the_commit_is_seen_to_lose_on_a_full_disk";
    let Some(disk) = memory(law, "8m") else {
        return;
    };
    let place = Place::at(disk.path());
    assert!(Daemon::start(&place).stop().success());
    let mut premature = child::command("premature");
    let url = place.url();
    premature.env("DAYBOOK_STORAGE__URL", url);
    let daemon = Daemon::start_as(&place, premature).unwrap();
    let load = Load::start(daemon.address, "load", &[]);
    eventually("some in the book", Duration::from_secs(10), || {
        (sent(&rows(&place.book())).len() > 200).then_some(())
    });
    let ballast = fill(disk.path());
    eventually("a commit that failed", Duration::from_secs(10), || {
        place
            .told()
            .contains("on an `Err` value: Full")
            .then_some(())
    });
    let report = load.finish();
    assert!(report.refusals.is_empty(), "{:?}", report.refusals);
    let mut ledger = Ledger::default();
    ledger.note(report);
    daemon.kill();
    std::fs::remove_file(ballast).unwrap();
    let daemon = Daemon::start(&place);
    let lost = ledger.lost(&rows(&place.book())).len();
    say(format_args!(
        "{lost} of {} acknowledged are lost",
        ledger.len()
    ));
    assert!(0 < lost && lost < ledger.len(), "the law is seen to fail");
    assert!(daemon.stop().success());
}

/// And the same with room enough has nothing to refuse.
#[test]
fn with_room_enough_nothing_is_refused() {
    let Some(disk) = memory("with_room_enough_nothing_is_refused", "64m") else {
        return;
    };
    let place = Place::at(disk.path());
    let daemon = Daemon::start(&place);
    let load = Load::start(daemon.address, "load", &[]);
    load.reach(2_000);
    let report = load.finish();
    assert!(report.refusals.is_empty(), "{:?}", report.refusals);
    assert_eq!(daemon.client().get("/readyz").unwrap().status, 200);
}

#[test]
fn a_daemon_that_dies_on_a_full_disk_starts_anew_for_its_readers() {
    let law = "a_daemon_that_dies_on_a_full_disk_starts_anew_for_its_readers";
    let Some(disk) = memory(law, "8m") else {
        return;
    };
    let place = Place::at(disk.path());
    let daemon = Daemon::start(&place);
    let load = Load::start(daemon.address, "load", &[]);
    load.reach(200);
    let ballast = fill(disk.path());
    let mut client = daemon.client();
    eventually("full", Duration::from_secs(10), || {
        (client.get("/readyz").unwrap().status == 503).then_some(())
    });
    let mut ledger = Ledger::default();
    daemon.kill();
    ledger.note(load.finish());
    // It starts all the same, for its readers.
    let daemon = Daemon::start(&place);
    let mut client = daemon.client();
    let page = client.get("/api/v1/activity").unwrap();
    assert!(!page.json()["items"].as_array().unwrap().is_empty());
    // What the WAL held before is room now, but not for long.
    let load = Load::start(daemon.address, "second-life", &[]);
    eventually("full", Duration::from_secs(10), || {
        (client.get("/readyz").unwrap().status == 503).then_some(())
    });
    ledger.note(load.finish());
    use_up(&place, &mut client);
    assert_full(&place, &mut client);
    std::fs::remove_file(ballast).unwrap();
    assert_mends(&place, &mut client);
    drop(client);
    assert_nothing_lost(&place, daemon, &ledger);
}

/// Far more than a rule keeps, in bulks.
fn record_many(client: &mut Client, round: usize, bulks: usize) {
    for bulk in 0..bulks {
        let ids = (0..500).map(|n| line(&format!("r{round}-{bulk}-{n}")));
        let lines: Vec<String> = ids.collect();
        let told = client
            .post("application/x-ndjson", &lines.join("\n"))
            .unwrap();
        assert_eq!(told.json()["accepted"], 500, "{told:?}");
    }
}

#[test]
fn a_disk_that_fills_while_pruning_is_told_and_the_rest_goes_when_there_is_room() {
    let law = "a_disk_that_fills_while_pruning_is_told_and_the_rest_goes_when_there_is_room";
    let Some(disk) = memory(law, "48m") else {
        return;
    };
    let place = Place::at(disk.path());
    let mut serve = place.serve();
    serve.env("DAYBOOK_RETENTION__MAX_ENTRIES", "100");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let count = |client: &mut Client, what: &str| {
        let told = client.get(&format!("/api/v1/activity/{what}")).unwrap();
        assert_eq!(told.status, 200, "{told:?}");
        told.json()
    };
    let mut refused = 0;
    for round in 0..4 {
        let mut client = daemon.client();
        record_many(&mut client, round, 30);
        let before = count(&mut client, "count")["count"].as_u64().unwrap();
        let address = daemon.address;
        let pruning = std::thread::spawn(move || prune(address));
        // It has begun, so that the disk fills in its middle.
        eventually("some went", Duration::from_secs(20), || {
            (count(&mut client, "count")["count"].as_u64().unwrap() < before).then_some(())
        });
        let ballast = fill(disk.path());
        let told = pruning.join().unwrap();
        assert!([200, 507].contains(&told.0), "{told:?}");
        refused += usize::from(told.0 == 507);
        // Whatever went is whole, readers go on, and what counts say is what pages have.
        let left = count(&mut client, "count")["count"].as_u64().unwrap();
        let found = count(&mut client, "count?q=e&exact=true")["count"]
            .as_u64()
            .unwrap();
        assert!(
            found.abs_diff(left) <= 5 && left < before,
            "{found} {left} {before}"
        );
        std::fs::remove_file(ballast).unwrap();
        eventually("ready again", RECOVERY, || {
            (client.get("/readyz").unwrap().status == 200).then_some(())
        });
        let (status, text) = prune(address);
        assert_eq!(status, 200, "{text}");
        let left = count(&mut client, "count")["count"].as_u64().unwrap();
        assert!((100..=110).contains(&left), "the newest stay: {left}");
    }
    assert!(daemon.stop().success());
    assert!(place.daybook(&["check"]).status().unwrap().success());
    println!("the disk filled in the middle of 4 prunes, {refused} were refused with 507");
}

/// Status and body.
fn prune(address: std::net::SocketAddr) -> (u16, String) {
    let mut client = Client::connect(address).unwrap();
    let body = r#"{"confirm":true}"#;
    client
        .send(&format!(
            "POST /api/v1/activity/prune HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .unwrap();
    let told = client.answer().unwrap();
    (told.status, told.body)
}
