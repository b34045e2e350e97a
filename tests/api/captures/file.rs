//! A file that is followed: appended to, rotated in the two ways of the world, and met again after a pause.

use super::{eventually, messages};
use crate::harness::TestDaybook;
use serde_json::json;
use std::fs::{File, OpenOptions, copy, rename};
use std::io::Write;
use std::path::{Path, PathBuf};
use ureq::http::Method;

struct Log {
    directory: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("app.log")
    }

    fn rotated(&self, number: u8) -> PathBuf {
        self.directory.path().join(format!("app.log.{number}"))
    }

    fn table(&self, more: &str) -> String {
        let path = self.path();
        format!("[[captures]]\nname = \"app\"\nkind = \"file\"\npath = {path:?}\n{more}\n")
    }

    fn say(&self, text: &str) {
        append(&self.path(), text);
    }

    /// As logrotate does it, `create`.
    fn rename(&self) {
        if self.rotated(1).exists() {
            rename(self.rotated(1), self.rotated(2)).unwrap();
        }
        rename(self.path(), self.rotated(1)).unwrap();
        File::create(self.path()).unwrap();
    }

    /// As logrotate does it, `copytruncate`.
    fn copy_and_truncate(&self) {
        copy(self.path(), self.rotated(1)).unwrap();
        let file = OpenOptions::new().write(true).open(self.path()).unwrap();
        file.set_len(0).unwrap();
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_file_that_comes_later_is_waited_for_and_read_line_by_line() {
    let log = Log::new();
    let daybook = TestDaybook::with(&log.table("action = \"app.said\"\ncategory = \"entity\"\n"));
    let waiting = daybook.until("app", "waiting");
    assert_eq!(waiting["reason"], "there is no such file yet");
    log.say("one\ntw");
    daybook.until("app", "running");
    log.say("o\r\n\nthree\n");
    let page = eventually("three lines", || {
        let page = daybook.page("action=app.said&after_seq=0");
        (page["items"].as_array()?.len() == 3).then_some(page)
    });
    assert_eq!(
        messages(page["items"].as_array().unwrap()),
        ["one", "two", "three"]
    );
    assert_eq!(page["items"][0]["category"], "entity");
}

#[test]
fn both_rotations_are_followed_while_it_runs() {
    let log = Log::new();
    log.say("1\n");
    let daybook = TestDaybook::with(&log.table(""));
    daybook.brought(1);
    log.rename();
    append(&log.rotated(1), "2, by one who does not know yet\n");
    log.say("3\n");
    daybook.brought(3);
    log.say("4\n");
    // As yet unread, perhaps.
    log.copy_and_truncate();
    log.say("5, longer than what stood there\n");
    let lines = daybook.brought(5);
    let first: Vec<&str> = messages(&lines).iter().map(|m| &m[..1]).collect();
    assert_eq!(first, ["1", "2", "3", "4", "5"]);
}

#[test]
fn what_was_written_in_the_middle_of_a_line_is_not_lost_by_a_copy() {
    let log = Log::new();
    let daybook = TestDaybook::with(&log.table(""));
    log.say("one\nhalf");
    daybook.brought(1);
    log.say(" and whole\ntwo\n");
    log.copy_and_truncate();
    log.say("three\n");
    let lines = daybook.brought(4);
    assert_eq!(messages(&lines), ["one", "half and whole", "two", "three"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    let log = Log::new();
    let daybook = TestDaybook::with(&log.table("line_bytes = \"1 KiB\"\n"));
    log.say(&format!("{}\nnext\n", "x".repeat(700_000)));
    let lines = daybook.brought(2);
    assert_eq!(lines[0]["message"], "x".repeat(1024));
    assert_eq!(lines[0]["metadata"]["cut"], json!(["line"]));
    assert_eq!(lines[1]["message"], "next");
}

#[test]
fn a_stopped_one_goes_on_where_it_was_through_any_rotation() {
    type Meanwhile = fn(&Log);
    let appended: Meanwhile = |log| log.say("2\n");
    let renamed: Meanwhile = |log| {
        log.say("2\n");
        log.rename();
    };
    let renamed_twice: Meanwhile = |log| {
        log.rename();
        log.say("2\n");
        log.rename();
    };
    let emptied: Meanwhile = |log| {
        log.say("2\n");
        log.copy_and_truncate();
    };
    let emptied_and_filled: Meanwhile = |log| {
        log.say("2\n");
        log.copy_and_truncate();
        log.say("3\n4\n5\n6, much more than what stood there before\n");
    };
    for (meanwhile, more) in [
        (appended, &["2", "last"][..]),
        (renamed, &["2", "last"]),
        (renamed_twice, &["2", "last"]),
        (emptied, &["2", "last"]),
        (emptied_and_filled, &["2", "3", "4", "5", "6", "last"]),
    ] {
        let log = Log::new();
        log.say("0\n1, of some length\n");
        let daybook = TestDaybook::with(&log.table(""));
        daybook.brought(2);
        daybook.tell("app/stop", "");
        meanwhile(&log);
        daybook.tell("app/start", "");
        log.say("last\n");
        let lines = daybook.brought(2 + more.len());
        let words = messages(&lines);
        let words: Vec<&str> = words[2..]
            .iter()
            .map(|m| m.split(',').next().unwrap())
            .collect();
        assert_eq!(words, more);
    }
}

#[test]
fn from_the_end_means_what_comes_after_the_first_start() {
    let log = Log::new();
    log.say("old\nhal");
    let daybook = TestDaybook::with(&log.table("from = \"end\"\n"));
    daybook.until("app", "running");
    daybook.tell("app/stop", "");
    log.say("f\nnew\n");
    daybook.tell("app/start", "");
    assert_eq!(messages(&daybook.brought(1)), ["new"]);
}

#[test]
fn a_rate_slows_the_reading_and_loses_nothing() {
    let log = Log::new();
    log.say(&(0..12).map(|n| format!("{n}\n")).collect::<String>());
    let daybook = TestDaybook::with(&log.table("lines_per_second = 5\n"));
    assert_eq!(daybook.brought(12).len(), 12);
}

#[test]
fn what_is_no_file_is_a_failure_that_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let daybook = TestDaybook::with(&format!(
        "[[captures]]\nname = \"app\"\nkind = \"file\"\npath = {path:?}\n"
    ));
    let failed = daybook.until("app", "failed");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("no regular file"), "{failed}");
    let page = eventually("the failure is recorded", || {
        let page = daybook.page("action=capture.*");
        (page["items"].as_array()?.len() == 1).then_some(page)
    });
    assert_eq!(page["items"][0]["action"], "capture.failed", "it never ran");
}

#[test]
fn a_restored_book_gets_what_was_read_since_its_copy_again_and_once() {
    let log = Log::new();
    log.say("1\n2\n");
    let daybook = TestDaybook::with(&log.table(""));
    daybook.brought(2);
    let made = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    let name = made["name"].as_str().unwrap().to_owned();
    for n in 3..200 {
        log.say(&format!("{n}\n"));
    }
    daybook.brought(199);
    let path = format!("/api/v1/backups/{name}/restore");
    std::thread::scope(|scope| {
        // While it is replaced as well.
        scope.spawn(|| (200..400).for_each(|n| log.say(&format!("{n}\n"))));
        daybook.ask(Method::POST, &path, &[], b"").ok();
    });
    let lines = daybook.brought(399);
    let expected: Vec<String> = (1..400).map(|n| n.to_string()).collect();
    assert_eq!(messages(&lines), expected);
}
