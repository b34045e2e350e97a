//! The clock of the machine is set back, under a daemon that runs and between two of them.

use crate::machine::can;
use crate::support::book::{Row, assert_in_order, own, rows, sent};
use crate::support::client::Client;
use crate::support::daemon::{Daemon, Place};
use crate::support::eventually;
use crate::support::load::line;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let mut found = folders
        .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
        .filter(|file| file.exists());
    found.next()
}

fn serve(place: &Place, library: &Path, time: &Path) -> Command {
    let mut command = place.serve();
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", time)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

fn now(client: &mut Client) -> String {
    let info = client.get("/api/v1/system/info").unwrap().json();
    info["now"].as_str().unwrap().to_owned()
}

fn record(client: &mut Client, id: &str) {
    assert_eq!(
        client.post("application/json", &line(id)).unwrap().status,
        201
    );
}

/// Written beside and renamed, so that nobody reads half of it.
fn set(time: &Path, text: &str) {
    let beside = time.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, time).unwrap();
}

fn occurred_at(row: &Row) -> Option<String> {
    let metadata: serde_json::Value = serde_json::from_str(&row.metadata).unwrap();
    metadata["occurred_at"].as_str().map(str::to_owned)
}

#[test]
fn a_clock_set_back_moves_neither_seq_nor_ts_back() {
    if !can(
        "a_clock_set_back_moves_neither_seq_nor_ts_back",
        &["faketime"],
    ) {
        return;
    }
    let library = library().expect("faketime brings its library");
    let place = Place::new();
    let time = place.aside().join("time");
    set(&time, "+0");
    let daemon = Daemon::start_as(&place, serve(&place, &library, &time)).unwrap();
    let mut client = daemon.client();
    record(&mut client, "before");
    let before = now(&mut client);
    set(&time, "-3600");
    eventually("the clock is back", Duration::from_secs(5), || {
        (now(&mut client) < before).then_some(())
    });
    record(&mut client, "back");
    drop(client);
    assert!(daemon.stop().success());

    let daemon = Daemon::start_as(&place, serve(&place, &library, &time)).unwrap();
    record(&mut daemon.client(), "back-and-started-anew");
    set(&time, "+60");
    let mut client = daemon.client();
    eventually("the clock is right", Duration::from_secs(5), || {
        (now(&mut client) > before).then_some(())
    });
    record(&mut client, "after");
    drop(client);
    assert!(daemon.stop().success());

    let rows = rows(&place.book());
    assert_in_order(&rows);
    let sent = sent(&rows);
    let wall: Vec<Option<String>> = sent.iter().map(|row| occurred_at(row)).collect();
    assert_eq!(
        (&wall[0], &wall[3]),
        (&None, &None),
        "where ts shows it nothing is added"
    );
    for wall in &wall[1..3] {
        let wall = wall.as_ref().expect("the wall time is kept");
        assert!(*wall < sent[0].ts, "{wall}");
    }
    assert_eq!(sent.len(), 4);
    let behind = own(&rows)
        .into_iter()
        .filter(|own| *own == "server.clock_behind");
    assert_eq!(behind.count(), 2, "once in each life");
    assert!(place.daybook(&["check"]).status().unwrap().success());
}
