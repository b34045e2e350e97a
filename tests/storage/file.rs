//! What belongs to the SQLite file itself: its migrations, its making, its size, its settings.

use crate::harness::*;
use daybook::domain::{Act, Position, Seq};
use daybook::storage::{EntryReader, EntryWriter, Request, StorageError, sqlite};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

const FIRST_MIGRATION: &str =
    include_str!("../../migrations/sqlite/2026-11-21-000001_activity_log/up.sql");
const SCHEMA: &str = include_str!("../../src/storage/sqlite/schema.rs");

#[derive(QueryableByName, Debug, PartialEq)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(backend: &Sqlite, query: &str) -> Vec<String> {
    let rows: Vec<Name> = diesel::sql_query(query).load(&mut backend.raw()).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

/// What diesel's own bookkeeping makes before it runs a migration.
const MIGRATIONS_TABLE: &str = "CREATE TABLE __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);";

/// A book as the first version of the schema left it.
fn left_by_an_older_version() -> Sqlite {
    let backend = Sqlite::new();
    backend.execute(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA application_id = 0x4479426b;
         {MIGRATIONS_TABLE}
         {FIRST_MIGRATION}
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261121000001');"
    ));
    backend
}

fn insert(seq: Seq, workspace: &str) -> String {
    let ts = at(seq);
    format!(
        "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message, workspace_id)
         VALUES ({seq}, 'old{seq}', '{ts}', 'auth', 'auth.login', 'info', 'anna', 'old', '{workspace}');"
    )
}

#[test]
fn a_book_that_an_older_version_left_is_brought_up_to_date() {
    let backend = left_by_an_older_version();
    let rows: String = [(1, "default"), (2, "a"), (3, "default"), (4, "a")]
        .map(|(seq, workspace)| insert(seq, workspace))
        .concat();
    backend.execute(&rows);
    let mut book = Book::of(Box::new(backend));
    let head = book.writer().head().clone();
    assert_eq!((head.last_seq, head.last_ts), (4, at(4)));
    assert_eq!(head.epoch.as_str().len(), 36);
    assert_eq!(book.seen(&all()), [1, 2, 3, 4]);
    assert_eq!(book.seen(&only("a")), [2, 4]);
    assert!(book.record([line("again").with_id("old2").within("a")])[0].duplicate);
    assert_eq!(book.record(lines(1))[0].seq, 5);
    assert_eq!(book.clear(&only("a")), 2);
    assert_eq!(book.seen(&own()), [1, 3, 5, 6]);
}

#[test]
fn the_head_of_an_older_book_stands_at_the_highest_number_ever_given() {
    let backend = left_by_an_older_version();
    backend.execute(&[insert(1, "default"), insert(9, "default")].concat());
    backend.execute("DELETE FROM activity_log WHERE seq = 9");
    let mut writer = backend.writer();
    let receipts = writer.commit(at(0), &[request(lines(1))]).unwrap();
    assert_eq!(receipts[0][0].seq, 10);
    let report = backend.reader().check(&mut |_| {}).unwrap();
    assert_eq!(report.problems, ["entries 2 to 9 are missing"]);
}

#[test]
fn an_older_book_without_entries_begins_at_one() {
    let mut book = Book::of(Box::new(left_by_an_older_version()));
    assert_eq!(book.record(lines(1))[0].seq, 1);
}

#[test]
fn migrations_that_run_again_change_nothing() {
    let backend = Sqlite::new();
    let schema = "SELECT coalesce(sql, name) AS name FROM sqlite_schema ORDER BY 1";
    drop(sqlite::open_writer(&backend.file()).unwrap());
    let before = names(&backend, schema);
    let epoch = names(&backend, "SELECT epoch AS name FROM book");
    for _ in 0..2 {
        drop(sqlite::open_writer(&backend.file()).unwrap());
        assert_eq!(names(&backend, schema), before);
        assert_eq!(names(&backend, "SELECT epoch AS name FROM book"), epoch);
    }
}

#[test]
fn two_new_books_have_two_epochs() {
    let epoch = || {
        let backend = Sqlite::new();
        let writer = sqlite::open_writer(&backend.file()).unwrap();
        writer.head().epoch.clone()
    };
    assert_ne!(epoch(), epoch());
}

#[test]
fn a_book_whose_making_was_cut_short_is_made_at_the_next_start() {
    let steps = [
        "PRAGMA journal_mode = WAL;",
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x4479426b;",
        &format!("PRAGMA application_id = 0x4479426b; {MIGRATIONS_TABLE}"),
    ];
    for done in steps {
        let backend = Sqlite::new();
        backend.execute(done);
        let mut book = Book::of(Box::new(backend));
        assert_eq!(book.record(lines(1))[0].seq, 1, "{done}");
    }
    // The first migration came through, the second did not.
    let mut book = Book::of(Box::new(left_by_an_older_version()));
    assert_eq!(book.record(lines(1))[0].seq, 1);
}

#[test]
fn a_reader_says_what_it_cannot_open() {
    let refused = |backend: &Sqlite| match sqlite::open_reader(&backend.file(), 1) {
        Err(StorageError::NotABook { found, .. }) => found,
        other => panic!("{:?}", other.err()),
    };
    let backend = Sqlite::new();
    assert_eq!(refused(&backend), "there is no book yet");
    assert!(!backend.file().exists());
    assert_eq!(
        refused(&left_by_an_older_version()),
        "was left by an older Daybook"
    );
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    not_null: i32,
    #[diesel(sql_type = Integer)]
    key: i32,
}

/// A table as diesel's macro writes it down.
fn as_diesel_says(backend: &Sqlite, table: &str) -> String {
    let query = format!(
        "SELECT name, type AS kind, \"notnull\" AS not_null, pk AS key FROM pragma_table_info('{table}')"
    );
    let columns: Vec<Column> = diesel::sql_query(query).load(&mut backend.raw()).unwrap();
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    let key: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
    let key = key.join(", ");
    let mut told = format!("    {table} ({key}) {{\n");
    for column in &columns {
        let kind = match column.kind.as_str() {
            "INTEGER" | "BIGINT" => "BigInt",
            "TEXT" => "Text",
            "BOOLEAN" => "Bool",
            other => panic!("{table}.{} is of the type {other}", column.name),
        };
        let kind = if column.not_null == 0 {
            format!("Nullable<{kind}>")
        } else {
            kind.to_owned()
        };
        told.push_str(&format!("        {} -> {kind},\n", column.name));
    }
    told + "    }\n"
}

#[test]
fn the_schema_in_the_source_is_what_the_migrations_make() {
    let backend = Sqlite::new();
    drop(sqlite::open_writer(&backend.file()).unwrap());
    let tables = names(
        &backend,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '__*'
         ORDER BY name",
    );
    for table in &tables {
        let told = as_diesel_says(&backend, table);
        assert!(SCHEMA.contains(&told), "{told}");
    }
    assert_eq!(SCHEMA.matches("diesel::table!").count(), tables.len());
}

#[test]
fn a_sweep_gives_the_space_back_to_the_file_system() {
    let backend = Sqlite::new();
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    let size = || std::fs::metadata(backend.file()).unwrap().len();
    let long = "x".repeat(1_000);
    let many = request((0..2_000).map(|_| line(&long)));
    writer.commit(at(0), &[many]).unwrap();
    writer.close().unwrap();
    let full = size();
    writer
        .clear(at(0), &all(), &request([line("cleared")]))
        .unwrap();
    while writer.sweep(500).unwrap().more {}
    writer.close().unwrap();
    let swept = size();
    assert!(full > 2_000_000, "{full}");
    assert!(swept < full / 10, "{swept} of {full}");
}

#[test]
fn settings_are_put_and_deleted_with_the_entries_that_record_them() {
    let backend = Sqlite::new();
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    let put = |key: &str, value: &str| Act::PutSetting {
        key: key.into(),
        value: value.into(),
    };
    let settings = || {
        names(
            &backend,
            "SELECT key || '=' || value AS name FROM setting ORDER BY key",
        )
    };
    let mut commit = |acts, message| {
        let entries = request([line(message)]).entries;
        writer.commit(at(0), &[Request { acts, entries }])
    };
    commit(vec![put("a", "1"), put("b", "2"), put("a", "3")], "x").unwrap();
    assert_eq!(settings(), ["a=3", "b=2"]);
    let delete = |key: &str| Act::DeleteSetting { key: key.into() };
    commit(vec![delete("b"), delete("nothing")], "x").unwrap();
    assert_eq!(settings(), ["a=3"]);
    backend.fail_at("poison");
    assert!(commit(vec![put("a", "4"), delete("a")], "poison").is_err());
    assert_eq!(settings(), ["a=3"]);
}

#[test]
fn a_book_is_found_under_a_name_that_means_something_in_a_uri() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("100%41 a#b?mode=ro&x.db");
    let mut writer = sqlite::open_writer(&file).unwrap();
    writer.commit(at(0), &[request(lines(1))]).unwrap();
    let reader = sqlite::open_reader(&file, 1).unwrap();
    let request = daybook::domain::PageRequest {
        position: Position::Newest,
        size: Default::default(),
    };
    let page = reader
        .page(&own(), &everything(), request, rows(10))
        .unwrap();
    assert_eq!(page.items.len(), 1);
    assert!(file.exists());
}
