//! `daybook prune`, with a daemon and without: what it says, what it removes, how it ends.

use super::support::daemon::{Daemon, PATIENCE, Place};
use super::support::eventually;
use super::{daybook, told};
use daybook::domain::{Draft, Redact, Rules, Timestamp};
use daybook::storage::{Address, Request};
use serde_json::{Map, Value};
use std::path::Path;

struct NoSecrets;

impl Redact for NoSecrets {
    fn metadata(&self, _: &mut Map<String, Value>) {}

    fn holds_secret(&self, _: &str) -> bool {
        false
    }
}

/// A book of so many entries from 1970, and so many of now.
fn book(directory: &Path, old: usize, new: usize) {
    filled(&directory.join("b.db"), old, new);
}

pub fn filled(file: &Path, old: usize, new: usize) {
    let address = Address::parse(&format!("sqlite://{}", file.display()));
    let mut writer = address.unwrap().open_writer().unwrap();
    let rules = Rules {
        extra_categories: Vec::new(),
        redact: Box::new(NoSecrets),
    };
    let mut record = |now: Timestamp, n: usize| {
        let draft = || Draft {
            actor: Some("anna".into()),
            ..daybook::domain::Entity::task("1").created()
        };
        let entries = (0..n).map(|_| draft().check(&rules).unwrap()).collect();
        let request = Request {
            acts: Vec::new(),
            entries,
        };
        writer.commit(now, &[request]).unwrap();
    };
    record(Timestamp::from_micros(0), old);
    record(daybook::actors::wall_clock()(), new);
    writer.close().unwrap();
}

fn prune(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = daybook(directory);
    command.args(["prune", "--storage-url", "sqlite://b.db"]);
    told(&command.args(arguments).output().unwrap())
}

#[test]
fn it_prunes_by_itself_when_no_daemon_keeps_the_book() {
    let directory = tempfile::tempdir().unwrap();
    book(directory.path(), 40, 60);
    let (code, out, _) = prune(directory.path(), &["--dry-run"]);
    assert_eq!(
        (code, out.starts_with("40 entries would be removed")),
        (0, true),
        "{out}"
    );
    let (code, out, _) = prune(directory.path(), &[]);
    assert_eq!(
        (code, out.starts_with("40 entries removed")),
        (0, true),
        "{out}"
    );
    let (code, out, _) = prune(directory.path(), &[]);
    assert_eq!(
        (code, out.starts_with("0 entries removed")),
        (0, true),
        "{out}"
    );
}

#[test]
fn what_is_held_back_is_said_and_waits_for_a_confirmation() {
    let directory = tempfile::tempdir().unwrap();
    book(directory.path(), 60, 40);
    for arguments in [&[][..], &["--dry-run"]] {
        let (code, out, err) = prune(directory.path(), arguments);
        assert_eq!((code, err.as_str()), (1, ""), "{out}");
        assert!(out.contains("held back: more_than_half"), "{out}");
    }
    let (code, out, _) = prune(directory.path(), &["--confirm"]);
    assert_eq!(
        (code, out.starts_with("60 entries removed")),
        (0, true),
        "{out}"
    );
}

#[test]
fn a_book_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let (code, out, err) = prune(directory.path(), &[]);
    assert_eq!((code, out.as_str()), (65, ""));
    assert!(err.contains("does not exist"), "{err}");
    assert!(!directory.path().join("b.db").exists());
    assert_eq!(prune(directory.path(), &["--dry-run", "--confirm"]).0, 64);
}

#[test]
fn a_daemon_that_keeps_the_book_is_asked_to_prune_it() {
    let place = Place::new();
    let mut serve = place.serve();
    serve.env("DAYBOOK_RETENTION__MAX_ENTRIES", "100");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let line = r#"{"category":"entity","action":"task.created","message":"m"}"#;
    let lines = vec![line; 150].join("\n");
    let answer = daemon.client().post("application/x-ndjson", &lines);
    assert_eq!(answer.unwrap().json()["accepted"], 150);
    let oldest = || {
        let page = daemon.client().get("/api/v1/activity?after_seq=0&limit=1");
        page.unwrap().json()["seqs"][0].clone()
    };
    let prune = |arguments: &[&str]| {
        let mut command = place.daybook(&["prune"]);
        told(&command.args(arguments).output().unwrap())
    };
    // The daemon's own first entry is one of them.
    let (code, out, err) = prune(&["--dry-run"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("51 entries would be removed"), "{out}");
    assert_eq!(oldest(), 1, "a dry run removes nothing");
    // The call for the dry run leaves an entry as well, in its time.
    eventually("the entry of the call", PATIENCE, || {
        let page = daemon.client().get("/api/v1/activity?action=request.*");
        let items = page.unwrap().json()["items"].as_array()?.len();
        (items == 1).then_some(())
    });
    let (code, out, _) = prune(&["--confirm"]);
    assert_eq!(
        (code, out.starts_with("52 entries removed")),
        (0, true),
        "{out}"
    );
    assert_eq!(oldest(), 53);
    let page = daemon
        .client()
        .get("/api/v1/activity?action=activity_log.pruned");
    let page = page.unwrap().json();
    assert_eq!(page["items"][0]["metadata"]["removed"], 52, "{page}");
    assert_eq!(daemon.stop().code(), Some(0));
}
