//! A disk that fails for real: a child of the test may not let any file grow beyond a limit.

use crate::harness::*;
use daybook::storage::{EntryReader, EntryWriter, StorageError, sqlite};
use std::path::Path;
use std::process::Command;

const BOOK: &str = "DAYBOOK_TEST_BOOK";

/// Writes until the disk fails, and leaves what was acknowledged beside the book.
fn write_until_it_fails(file: &Path) {
    let mut writer = sqlite::open_writer(file).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        match writer.commit(at(0), &[request(lines(20))]) {
            Ok(receipts) => acknowledged += receipts[0].len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StorageError::Io(_)), "{error:?}");
    assert!(error.is_fatal());
    assert_eq!(writer.head().last_seq, acknowledged as i64);
    std::fs::write(
        file.with_extension("acknowledged"),
        acknowledged.to_string(),
    )
    .unwrap();
}

#[test]
fn a_disk_that_fails_is_told_as_such_and_takes_nothing_with_it() {
    if let Some(file) = std::env::var_os(BOOK) {
        return write_until_it_fails(Path::new(&file));
    }
    let backend = Sqlite::new();
    // Ignored, the signal becomes an error of the write; in blocks of 512 bytes the limit is 512 KiB.
    let limited = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact \"$1\"";
    let status = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg("faults::a_disk_that_fails_is_told_as_such_and_takes_nothing_with_it")
        .env(BOOK, backend.file())
        // The limit would cut off what a coverage run has it write.
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .output()
        .unwrap();
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stdout)
    );
    let told = std::fs::read_to_string(backend.file().with_extension("acknowledged")).unwrap();
    let acknowledged: u64 = told.parse().unwrap();
    assert!(acknowledged > 0);
    let mut writer = sqlite::open_writer(&backend.file()).unwrap();
    let reader = sqlite::open_reader(&backend.file(), 1).unwrap();
    let report = reader.check(&mut |_| {}).unwrap();
    assert_eq!((report.entries, report.problems), (acknowledged, vec![]));
    writer.commit(at(0), &[request(lines(1))]).unwrap();
}
