//! A file that is not a book, or that is damaged, is refused with what it is and what to do, and neither it
//! nor anything beside it changes.

use crate::harness::*;
use daybook::storage::{EntryReader, EntryWriter, StorageError, sqlite};
use diesel::connection::SimpleConnection;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Every file of a directory with its bytes.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let files = fs::read_dir(directory).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .map(|path| (path.clone(), fs::read(path).ok()))
        .collect()
}

/// Both faces refuse it with these words, and change nothing.
fn refused(backend: &Sqlite, found: &str, advice: &str) {
    let before = contents(backend.directory());
    let errors = [
        sqlite::open_writer(&backend.file()).err(),
        sqlite::open_reader(&backend.file(), 1).err(),
    ];
    for error in errors {
        let error = error.expect("it was not refused");
        assert!(matches!(error, StorageError::NotABook { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with(backend.file().to_str().unwrap()), "{told}");
        assert!(told.contains(found), "{told}");
        assert!(told.contains(advice), "{told}");
    }
    assert!(
        contents(backend.directory()) == before,
        "something was changed"
    );
}

/// A book of a few hundred entries, closed as a daemon closes it.
fn closed() -> Sqlite {
    let backend = Sqlite::new();
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    writer.commit(at(0), &[request(lines(500))]).unwrap();
    writer.close().unwrap();
    drop(writer);
    // The book and its lock.
    assert_eq!(contents(backend.directory()).len(), 2);
    backend
}

/// The same, as a daemon leaves it that was killed: what was committed last is in the WAL.
fn killed() -> Sqlite {
    let alive = Sqlite::new();
    let mut writer = sqlite::open_writer(&alive.file()).unwrap();
    writer.commit(at(0), &[request(lines(500))]).unwrap();
    as_if_killed(&alive)
}

/// A copy of what lies in the directory while someone has it open.
fn as_if_killed(alive: &Sqlite) -> Sqlite {
    let killed = Sqlite::new();
    for (path, bytes) in contents(alive.directory()) {
        let copy = killed.directory().join(path.file_name().unwrap());
        fs::write(copy, bytes.unwrap()).unwrap();
    }
    assert_eq!(
        contents(killed.directory()).len(),
        contents(alive.directory()).len()
    );
    killed
}

fn truncate(backend: &Sqlite, bytes: u64) {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(backend.file())
        .unwrap();
    file.set_len(bytes).unwrap();
}

#[test]
fn a_text_file_is_refused() {
    for text in [
        "hello\n",
        &"not a book, but longer than a page. ".repeat(1_000),
    ] {
        let backend = Sqlite::new();
        fs::write(backend.file(), text).unwrap();
        refused(&backend, "is not an SQLite file", "move this one away");
    }
}

#[test]
fn the_file_of_another_program_is_refused() {
    let backend = Sqlite::new();
    backend.execute("CREATE TABLE recipes (name TEXT); CREATE TABLE cooks (name TEXT)");
    refused(
        &backend,
        "another program (tables: cooks, recipes)",
        "Set storage.url",
    );
    backend.execute("PRAGMA application_id = 7");
    refused(
        &backend,
        "another program (tables: cooks, recipes)",
        "Set storage.url",
    );
}

#[test]
fn the_file_of_another_program_that_was_killed_is_refused() {
    let alive = Sqlite::new();
    let mut other = alive.raw();
    other
        .batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE recipes (name TEXT)")
        .unwrap();
    let advice = "Set storage.url";
    refused(
        &as_if_killed(&alive),
        "another program (tables: recipes)",
        advice,
    );
}

#[test]
fn an_empty_file_that_is_marked_by_another_program_is_refused() {
    let backend = Sqlite::new();
    backend.execute("PRAGMA application_id = 7");
    refused(&backend, "another program", "Set storage.url");
}

#[test]
fn a_book_of_a_newer_version_is_refused() {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    let backend = closed();
    backend.execute(newer);
    refused(
        &backend,
        "newer Daybook (schema 20991231000001)",
        "Install that version",
    );
    let alive = Sqlite::new();
    drop(sqlite::open_writer(&alive.file()).unwrap());
    let mut raw = alive.raw();
    raw.batch_execute(newer).unwrap();
    let backend = as_if_killed(&alive);
    refused(
        &backend,
        "newer Daybook (schema 20991231000001)",
        "Install that version",
    );
}

#[test]
fn what_was_cut_off_of_a_book_is_read_from_the_wal() {
    // All that was cut off is in the WAL still, and SQLite reads it from there.
    let backend = killed();
    truncate(&backend, 4_096);
    let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
    assert_eq!(
        reader.check(&mut |_| {}).unwrap().problems,
        Vec::<String>::new()
    );
}

#[test]
fn a_book_that_was_cut_off_is_refused() {
    let whole = fs::metadata(closed().file()).unwrap().len();
    for bytes in [100, 4_096, whole / 2, whole - 4_096] {
        let backend = closed();
        truncate(&backend, bytes);
        refused(&backend, "is damaged", "restore the last backup");
    }
}

#[test]
fn a_book_whose_first_page_was_overwritten_is_refused() {
    let backend = closed();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(backend.file())
        .unwrap();
    file.write_all(&[0xa5; 4_096]).unwrap();
    refused(&backend, "is not an SQLite file", "move this one away");
}

#[test]
fn a_directory_is_refused() {
    let backend = Sqlite::new();
    fs::create_dir(backend.file()).unwrap();
    refused(&backend, "is not a file", "Set storage.url to a file");
}

#[test]
fn an_empty_file_becomes_a_book() {
    let backend = Sqlite::new();
    fs::write(backend.file(), "").unwrap();
    let mut book = Book::of(Box::new(backend));
    assert_eq!(book.record(lines(1))[0].seq, 1);
}

#[test]
fn a_book_that_was_left_by_a_kill_is_opened_with_all_that_was_committed() {
    let mut book = Book::of(Box::new(killed()));
    assert_eq!(book.seen(&own()).len(), 500);
    assert_eq!(book.record(lines(1))[0].seq, 501);
}

#[test]
fn pages_that_were_overwritten_in_the_middle_are_found_by_the_check() {
    let backend = closed();
    let middle = fs::metadata(backend.file()).unwrap().len() / 2 / 4_096 * 4_096;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(backend.file())
        .unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[0xa5; 3 * 4_096]).unwrap();
    let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
    let report = reader.check(&mut |_| {}).unwrap();
    assert!(!report.problems.is_empty());
}

#[test]
fn a_page_that_cannot_be_read_is_told_as_damage_and_not_as_an_answer() {
    let backend = closed();
    let mut bytes = fs::read(backend.file()).unwrap();
    let size = bytes.len();
    // All but the first half, where the schema and the head are, and the last pages.
    bytes[size / 2 / 4_096 * 4_096..size - 10 * 4_096].fill(0xa5);
    fs::write(backend.file(), bytes).unwrap();
    let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
    let answer = reader.export(&own(), &everything(), 0, 500, 500);
    assert!(
        matches!(answer, Err(StorageError::Corrupt(_))),
        "{answer:?}"
    );
    assert!(answer.unwrap_err().is_fatal());
}
