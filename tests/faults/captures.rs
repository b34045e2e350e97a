//! A capture that follows a file, through `kill -9` and rotations at any moment: each line is in the book once, in
//! its order. And what SIGHUP takes of captures.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use diesel::prelude::*;
use diesel::sql_types::Text;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions, rename};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const KILLS: usize = 12;

fn configure(place: &Place, text: &str) {
    std::fs::write(place.aside().join("daybook.toml"), text).unwrap();
}

fn followed(path: &Path) -> String {
    format!("[[captures]]\nname = \"app\"\nkind = \"file\"\npath = {path:?}\n")
}

#[derive(QueryableByName)]
struct Message {
    #[diesel(sql_type = Text)]
    message: String,
}

/// What the file brought into the book, in its order.
fn lines(book: &Path) -> Vec<String> {
    let url = format!("file:{}?mode=ro", book.display());
    let mut conn = SqliteConnection::establish(&url).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 5000")
        .execute(&mut conn)
        .unwrap();
    let of_file = "SELECT message FROM activity_log WHERE action = 'line.read' ORDER BY seq";
    let rows: Vec<Message> = diesel::sql_query(of_file).load(&mut conn).unwrap();
    rows.into_iter().map(|row| row.message).collect()
}

fn random(limit: u64) -> u64 {
    RandomState::new().build_hasher().finish() % limit
}

/// A program that logs, and reopens its file when it was rotated. It rotates by itself, now and then.
fn program(path: PathBuf, stop: Arc<AtomicBool>) -> usize {
    let open = || {
        let mut options = OpenOptions::new();
        options.append(true).create(true).open(&path).unwrap()
    };
    let (mut file, mut count, mut rotations): (File, _, usize) = (open(), 1, 0);
    while !stop.load(Ordering::Relaxed) {
        let text: String = (count..count + 50).map(|n| format!("line {n}\n")).collect();
        // In two pieces, so that a line is often half there.
        let (one, other) = text.split_at(text.len() / 2 + 1);
        file.write_all(one.as_bytes()).unwrap();
        file.write_all(other.as_bytes()).unwrap();
        count += 50;
        if random(150) == 0 {
            rotations += 1;
            for number in (1..rotations.min(90)).rev() {
                let at = |number: usize| path.with_extension(format!("log.{number}"));
                rename(at(number), at(number + 1)).unwrap();
            }
            rename(&path, path.with_extension("log.1")).unwrap();
            file = open();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    count
}

#[test]
fn each_line_of_a_file_is_in_the_book_once_through_kill_9_and_rotation_at_any_moment() {
    let place = Place::new();
    let path = place.aside().join("app.log");
    configure(&place, &followed(&path));
    // What is rotated away before anything was read is not looked for.
    std::fs::write(&path, "line 0\n").unwrap();
    let daemon = Daemon::start(&place);
    eventually("the first line", PATIENCE, || {
        (lines(&place.book()).len() == 1).then_some(())
    });
    let stop = Arc::new(AtomicBool::new(false));
    let program = {
        let (path, stop) = (path.clone(), Arc::clone(&stop));
        std::thread::spawn(move || program(path, stop))
    };
    daemon.kill();
    for _ in 0..KILLS {
        let daemon = Daemon::start(&place);
        let before = lines(&place.book()).len();
        eventually("something new in the book", PATIENCE, || {
            (lines(&place.book()).len() > before).then_some(())
        });
        std::thread::sleep(Duration::from_millis(random(120)));
        daemon.kill();
    }
    stop.store(true, Ordering::Relaxed);
    let count = program.join().unwrap();
    let daemon = Daemon::start(&place);
    eventually("the last line", PATIENCE, || {
        let last = format!("line {}", count - 1);
        (lines(&place.book()).last() == Some(&last)).then_some(())
    });
    let held = lines(&place.book());
    let wrong = held
        .iter()
        .enumerate()
        .find(|(n, line)| **line != format!("line {n}"));
    assert_eq!(wrong, None, "{} lines of {count}", held.len());
    assert_eq!(held.len(), count);
    assert!(daemon.stop().success());
    println!("{KILLS} kills, {count} lines, each in the book once");
}

fn captures(daemon: &Daemon<'_>) -> Vec<Value> {
    let listed = daemon.client().get("/api/v1/captures").unwrap().json();
    listed["items"].as_array().unwrap().clone()
}

fn standing(daemon: &Daemon<'_>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |item: &Value| (text(&item["name"]), text(&item["state"]));
    captures(daemon).iter().map(pair).collect()
}

fn stand(daemon: &Daemon<'_>, expected: &[(&str, &str)]) {
    let pair = |(name, state): &(&str, &str)| ((*name).to_owned(), (*state).to_owned());
    let expected: Vec<_> = expected.iter().map(pair).collect();
    eventually("the captures stand so", PATIENCE, || {
        (standing(daemon) == expected).then_some(())
    });
}

#[test]
fn a_reload_takes_captures_that_came_changed_and_went_and_leaves_the_others_alone() {
    let syslog = |name: &str, more: &str| {
        format!(
            "[[captures]]\nname = \"{name}\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\n{more}\n"
        )
    };
    let place = Place::new();
    configure(
        &place,
        &[syslog("a", ""), syslog("b", ""), syslog("c", "")].concat(),
    );
    let daemon = Daemon::start(&place);
    stand(
        &daemon,
        &[("a", "running"), ("b", "running"), ("c", "running")],
    );
    let of_a = captures(&daemon)[0]["listening"][1]
        .as_str()
        .unwrap()
        .to_owned();
    let kept = TcpStream::connect(of_a.strip_prefix("tcp://").unwrap()).unwrap();

    let changed = [
        syslog("a", ""),
        syslog("b", "workspace = \"other\"\n"),
        syslog("d", ""),
        syslog("e", "autostart = false\n"),
    ];
    configure(&place, &changed.concat());
    daemon.signal(Signal::HUP);
    stand(
        &daemon,
        &[
            ("a", "running"),
            ("b", "running"),
            ("d", "running"),
            ("e", "stopped"),
        ],
    );
    let now = captures(&daemon);
    assert_eq!(now[0]["listening"][1], json!(of_a), "it was not touched");
    assert_eq!(now[1]["workspace"], "other");
    (&kept).write_all(b"<13>still there\n").unwrap();
    eventually("the line of a kept connection", PATIENCE, || {
        let page = daemon
            .client()
            .get("/api/v1/activity?q=still")
            .unwrap()
            .json();
        (page["items"].as_array()?.len() == 1).then_some(())
    });

    configure(&place, "[[captures]]\nname = \"a\"\nkind = \"fax\"\n");
    daemon.signal(Signal::HUP);
    eventually("a broken file is refused", PATIENCE, || {
        place.told().contains("stays as it was").then_some(())
    });
    assert_eq!(standing(&daemon).len(), 4);
    assert_eq!(daemon.stop().code(), Some(0));
    configure(&place, "");
    let own = place
        .daybook(&["export", "--action", "capture.*", "--format", "ndjson"])
        .output()
        .unwrap();
    let own = String::from_utf8(own.stdout).unwrap();
    let ended = own
        .lines()
        .filter(|line| line.contains("capture.stopped"))
        .count();
    assert_eq!(ended, 2 + 3, "two at the reload, three at the end: {own}");
}
