//! `daybook prune` without a daemon: what it says, what it removes, how it ends.

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
    let address = Address::parse(&format!("sqlite://{}", directory.join("b.db").display()));
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
