//! Real faults under a writer, made through its own connection, which no one outside can reach.

use super::connection::pragma;
use super::writer::SqliteWriter;
use crate::domain::{Draft, NewEntry, Redact, Rules, Timestamp};
use crate::storage::{EntryReader, EntryWriter, Request, StorageError};
use diesel::connection::SimpleConnection;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

struct NoSecrets;

impl Redact for NoSecrets {
    fn metadata(&self, _: &mut Map<String, Value>) {}

    fn holds_secret(&self, _: &str) -> bool {
        false
    }
}

fn entry() -> NewEntry {
    let rules = Rules {
        extra_categories: Vec::new(),
        redact: Box::new(NoSecrets),
    };
    let draft = Draft {
        category: Some("entity".into()),
        action: Some("task.created".into()),
        actor: Some("anna".into()),
        message: Some("x".repeat(1_000)),
        ..Draft::default()
    };
    draft.check(&rules).unwrap()
}

fn group(entries: usize) -> [Request; 1] {
    [Request {
        acts: Vec::new(),
        entries: vec![entry(); entries],
    }]
}

fn commit(writer: &mut SqliteWriter, entries: usize) -> Result<(), StorageError> {
    let now = Timestamp::from_micros(0);
    writer.commit(now, &group(entries)).map(drop)
}

fn book() -> (tempfile::TempDir, PathBuf, SqliteWriter) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daybook.db");
    let writer = super::open_writer(&path).unwrap();
    (directory, path, writer)
}

fn entries(path: &Path) -> u64 {
    let reader = super::open_reader(path, 1).unwrap();
    let report = reader.check(&mut |_| {}).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    report.entries
}

#[test]
fn a_full_book_refuses_leaves_nothing_and_goes_on_when_there_is_room() {
    let (_directory, path, mut writer) = book();
    commit(&mut writer, 10).unwrap();
    let head = writer.head().clone();
    let pages = pragma(&mut writer.conn, "page_count").unwrap();
    let limit = |pages: i32| format!("PRAGMA max_page_count = {}", pages);
    writer.conn.batch_execute(&limit(pages + 5)).unwrap();
    assert_eq!(commit(&mut writer, 100), Err(StorageError::Full));
    assert!(!StorageError::Full.is_fatal());
    assert_eq!(*writer.head(), head);
    assert_eq!(entries(&path), 10);
    // What still fits is taken: the failed transaction holds nothing.
    commit(&mut writer, 1).unwrap();
    writer.conn.batch_execute(&limit(1_000_000)).unwrap();
    commit(&mut writer, 100).unwrap();
    assert_eq!(writer.head().last_seq, 111);
    assert_eq!(entries(&path), 111);
}

#[test]
fn a_lock_that_another_holds_is_busy_and_nothing_is_lost() {
    let (_directory, path, mut writer) = book();
    commit(&mut writer, 1).unwrap();
    // What a program does that knows nothing of our lock.
    let mut other = super::connection::open_writer(&path).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    writer
        .conn
        .batch_execute("PRAGMA busy_timeout = 0")
        .unwrap();
    for answer in [commit(&mut writer, 1), writer.probe()] {
        assert!(matches!(&answer, Err(StorageError::Busy(_))), "{answer:?}");
        assert!(!answer.unwrap_err().is_fatal());
    }
    assert_eq!(entries(&path), 1);
    other.batch_execute("ROLLBACK").unwrap();
    commit(&mut writer, 1).unwrap();
    assert_eq!(entries(&path), 2);
}

/// For the child of a test: the book whose file may not grow.
const BOOK: &str = "DAYBOOK_TEST_BOOK";

/// Answers what ended it, and how many entries were acknowledged before.
fn commit_until_it_fails(path: &Path) -> (StorageError, i64) {
    let mut writer = super::open_writer(path).unwrap();
    loop {
        if let Err(error) = commit(&mut writer, 500).and_then(|()| writer.settle()) {
            return (error, writer.head().last_seq);
        }
    }
}

#[test]
fn a_disk_that_fails_under_a_checkpoint_is_fatal_and_loses_nothing() {
    let name = "a_disk_that_fails_under_a_checkpoint_is_fatal_and_loses_nothing";
    if let Some(path) = std::env::var_os(BOOK) {
        let path = PathBuf::from(path);
        let (error, last_seq) = commit_until_it_fails(&path);
        assert!(matches!(error, StorageError::Io(_)), "{error:?}");
        let wal = std::fs::metadata(path.with_extension("db-wal")).unwrap();
        assert!(wal.len() < 20 << 20, "the WAL itself could grow on");
        std::fs::write(path.with_extension("told"), last_seq.to_string()).unwrap();
        return;
    }
    let (_directory, path, mut writer) = book();
    let filler = "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(40 << 20))";
    writer.conn.batch_execute(filler).unwrap();
    writer.close().unwrap();
    drop(writer);
    // Ignored, the signal becomes an error of the write. 32 MiB: the WAL is not kept from growing, and the
    // end of the book's file cannot be written.
    let limited = "trap '' XFSZ; ulimit -f 65536; exec \"$0\" --exact \"$1\"";
    let ended = std::process::Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg(format!("storage::sqlite::fault_tests::{name}"))
        .env(BOOK, &path)
        // The limit would cut off what a coverage run has it write.
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{told}");
    let last_seq = std::fs::read_to_string(path.with_extension("told")).unwrap();
    let mut writer = super::open_writer(&path).unwrap();
    assert_eq!(writer.head().last_seq.to_string(), last_seq);
    assert_eq!(entries(&path).to_string(), last_seq);
    commit(&mut writer, 1).unwrap();
}

#[test]
fn a_transaction_that_could_not_be_ended_is_fatal_to_the_writer() {
    let (_directory, path, mut writer) = book();
    commit(&mut writer, 1).unwrap();
    // What a rollback that failed leaves.
    writer.conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    for answer in [commit(&mut writer, 1), writer.probe()] {
        let error = answer.unwrap_err();
        assert!(error.is_fatal(), "{error:?}");
        assert!(error.to_string().contains("within a transaction"));
        writer.conn.batch_execute("BEGIN IMMEDIATE").unwrap_err();
    }
    drop(writer);
    assert_eq!(entries(&path), 1);
}

#[test]
fn a_damaged_page_is_fatal_to_whoever_comes_upon_it() {
    let (_directory, path, mut writer) = book();
    commit(&mut writer, 300).unwrap();
    writer.close().unwrap();
    drop(writer);
    let size = std::fs::metadata(&path).unwrap().len() as usize;
    let mut bytes = std::fs::read(&path).unwrap();
    // Between the schema with the head of the book, which are in its first third, and the last page.
    bytes[size / 3 / 4_096 * 4_096..size - 4_096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    // Opening reads what is not rolled up yet, and so may come upon it first.
    let answer = super::open_writer(&path).and_then(|mut writer| commit(&mut writer, 1));
    assert!(
        matches!(&answer, Err(StorageError::Corrupt(_))),
        "{answer:?}"
    );
    assert!(answer.unwrap_err().is_fatal());
}
