//! The power goes while entries are recorded. Whatever was acknowledged had reached the disk.

use crate::machine::{Mount, can};
use crate::support::book::{Ledger, rows};
use crate::support::daemon::{Daemon, Place};
use crate::support::load::Load;
use crate::support::say;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

const TRIALS: usize = 20;
const TOOLS: [&str; 3] = ["xfs_io", "mkfs.ext4", "mount"];

fn disk(law: &str) -> Option<Mount> {
    if !can(law, &TOOLS) {
        return None;
    }
    Mount::ext4(64 << 20)
        .map_err(|why| say(format_args!("SKIPPED: {law}: {why}")))
        .ok()
}

#[test]
fn an_acknowledged_entry_survives_a_power_cut() {
    let Some(disk) = disk("an_acknowledged_entry_survives_a_power_cut") else {
        return;
    };
    let place = Place::at(disk.path());
    let mut ledger = Ledger::default();
    let mut doubts = Vec::new();
    for trial in 0..TRIALS {
        let daemon = Daemon::start(&place);
        let load = Load::start(daemon.address, &format!("trial{trial}"), &doubts);
        load.reach(20 + 37 * (trial % 7));
        // Held still first: an answer on its way after the cut would be a false loss.
        daemon.signal(Signal::STOP);
        disk.cut_power();
        daemon.kill();
        doubts = ledger.note(load.finish());
        disk.come_back();
        let daemon = Daemon::start(&place);
        ledger.assert_kept(&rows(&place.book()));
        assert!(daemon.stop().success());
    }
    assert!(place.daybook(&["check"]).status().unwrap().success());
    println!("{TRIALS} power cuts, {} acknowledged, 0 lost", ledger.len());
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many of 50 rows, each committed and so acknowledged, are gone after a power cut.
fn lost_with(synchronous: &str, disk: &Mount, name: &str) -> i64 {
    const COMMITS: i64 = 50;
    let file = disk.path().join(name);
    let mut conn = open(&file);
    let pragmas = "PRAGMA journal_mode = WAL; CREATE TABLE t (n); PRAGMA wal_checkpoint(TRUNCATE)";
    conn.batch_execute(pragmas).unwrap();
    conn.batch_execute(&format!("PRAGMA synchronous = {synchronous}"))
        .unwrap();
    for n in 0..COMMITS {
        conn.batch_execute(&format!("INSERT INTO t VALUES ({n})"))
            .unwrap();
    }
    disk.cut_power();
    drop(conn);
    disk.come_back();
    let count: Count = diesel::sql_query("SELECT count(*) AS n FROM t")
        .get_result(&mut open(&file))
        .unwrap();
    COMMITS - count.n
}

fn open(file: &Path) -> SqliteConnection {
    SqliteConnection::establish(file.to_str().unwrap()).unwrap()
}

/// The control: were nothing ever lost here, the zero above would mean nothing.
#[test]
fn a_writer_that_does_not_sync_is_seen_to_lose() {
    let Some(disk) = disk("a_writer_that_does_not_sync_is_seen_to_lose") else {
        return;
    };
    let lost = |level: &str| -> Vec<i64> {
        (0..5)
            .map(|trial| lost_with(level, &disk, &format!("{level}{trial}.db")))
            .collect()
    };
    let (full, normal, off) = (lost("FULL"), lost("NORMAL"), lost("OFF"));
    println!("lost of 50 in each of 5 power cuts: FULL {full:?}, NORMAL {normal:?}, OFF {off:?}");
    assert!(full.iter().all(|lost| *lost == 0));
    assert!(normal.iter().any(|lost| *lost > 0));
    assert!(off.iter().any(|lost| *lost > 0));
}

/// A book that is being made when the power goes is made at the next start.
#[test]
fn a_power_cut_while_the_book_is_made_does_not_matter() {
    let Some(disk) = disk("a_power_cut_while_the_book_is_made_does_not_matter") else {
        return;
    };
    for trial in 0..10_u64 {
        let folder = disk.path().join(format!("{trial}"));
        std::fs::create_dir(&folder).unwrap();
        let place = Place::at(&folder);
        let daemon = Daemon::spawn(&place, place.serve());
        // Any moment of the start will do.
        std::thread::sleep(Duration::from_millis(3 * trial));
        daemon.signal(Signal::STOP);
        disk.cut_power();
        daemon.kill();
        disk.come_back();
        std::fs::create_dir_all(&folder).unwrap();
        assert!(Daemon::start(&place).stop().success());
    }
}
