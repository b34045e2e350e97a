//! What may be read and not written, or not at all: said of its path, and everything is left as it was.

use crate::strange_files::{a_book, contents};
use crate::support::daemon::{Daemon, Place};
use crate::support::load::line;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn a_book_that_may_not_be_read_is_left_alone() {
    let place = a_book();
    let before = contents(place.folder());
    set_mode(&place.book(), 0o000);
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["export"],
        &["check"],
        &["backup", "copy.db"],
    ] {
        let (code, told) = as_nobody(&place, arguments);
        assert_eq!(code, Some(65), "{arguments:?}: {told}");
        assert!(told.contains(place.book().to_str().unwrap()), "{told}");
        assert!(
            told.contains("Check its rights") && !told.contains("disk failed"),
            "{told}"
        );
    }
    set_mode(&place.book(), 0o600);
    assert_eq!(contents(place.folder()), before);
    // With that alone it is a book again.
    let (code, told) = as_nobody(&place, &["check"]);
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn a_lock_that_may_not_be_made_is_said_of_its_path_and_not_of_the_disk() {
    let place = Place::new();
    let lock = place.folder().join("daybook.db.lock");
    let said = format!("{} cannot be made: ", lock.display());
    let refused = |arguments: &[&str]| {
        let (code, told) = as_nobody(&place, arguments);
        assert_eq!(code, Some(78), "{arguments:?}: {told}");
        told
    };
    set_mode(place.folder(), 0o500);
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &[
            "key",
            "add",
            "--label",
            "x",
            "--scope",
            "read",
            "--workspace",
            "*",
        ],
    ] {
        let told = refused(arguments);
        assert!(told.contains(&said), "{told}");
        assert!(told.contains("check the path and its rights"), "{told}");
        assert!(!told.contains("disk failed"), "{told}");
    }
    assert!(!lock.exists());
    set_mode(place.folder(), 0o700);
    std::fs::write(place.folder().join("file"), "").unwrap();
    let below = format!("sqlite://{}/file/daybook.db", place.folder().display());
    let told = refused(&["serve", "--listen", "127.0.0.1:0", "--storage-url", &below]);
    assert!(told.contains("cannot be made: "), "{told}");
}

#[test]
fn a_book_that_may_be_read_and_not_written_is_not_served() {
    for file in ["daybook.db", "daybook.db-wal"] {
        let place = a_book();
        let path = place.folder().join(file);
        if !path.exists() {
            std::fs::write(&path, "").unwrap();
        }
        set_mode(&path, 0o444);
        let before = contents(place.folder());
        let (code, told) = as_nobody(&place, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(code, Some(65), "{told}");
        let said = format!("{}: may not be written: ", path.display());
        // Of what was found and what to do there is one line.
        let told: Vec<&str> = told.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(
            matches!(told[..], [one] if one.contains(&said) && one.contains("Check its rights")),
            "{told:?}"
        );
        assert_eq!(contents(place.folder()), before);
    }
}

#[test]
fn a_book_where_nothing_can_be_made_beside_it_is_read() {
    let in_order = a_book();
    // As a daemon leaves it that was killed: what was recorded last is in the WAL.
    let killed = Place::new();
    let daemon = Daemon::start(&killed);
    let recorded = daemon.client().post("application/json", &line("last"));
    assert_eq!(recorded.unwrap().status, 201);
    daemon.kill();
    // As it is copied to a medium while it is open and nothing is in the WAL.
    let empty = a_book();
    std::fs::write(empty.folder().join("daybook.db-wal"), "").unwrap();
    for (place, holds, mode) in [
        (&in_order, "old", 0o600),
        (&killed, "last", 0o600),
        (&killed, "last", 0o400),
        (&empty, "old", 0o400),
    ] {
        for file in contents(place.folder()).into_keys() {
            set_mode(&place.folder().join(file), mode);
        }
        set_mode(place.folder(), 0o500);
        let before = contents(place.folder());
        let (code, told) = as_nobody(place, &["check"]);
        assert_eq!((code, told.as_str()), (Some(0), ""));
        let output = output_as_nobody(place, &["export", "--format", "ndjson"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(!told.contains("ERROR"), "{told}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(holds));
        let after = contents(place.folder());
        assert!(before.keys().eq(after.keys()), "{:?}", after.keys());
        set_mode(place.folder(), 0o700);
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs the command as somebody whom rights bind: root, who runs tests in many a container, they do not. The
/// place is his then.
fn as_nobody(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let output = output_as_nobody(place, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told)
}

fn output_as_nobody(place: &Place, arguments: &[&str]) -> Output {
    const NOBODY: u32 = 65_534;
    // He may have no way to where it was built.
    let (built, program) = (env!("CARGO_BIN_EXE_daybook"), place.aside().join("daybook"));
    if !program.exists() && std::fs::hard_link(built, &program).is_err() {
        std::fs::copy(built, &program).unwrap();
    }
    let mut command = place.daybook_under(Command::new(program), arguments);
    if rustix::process::geteuid().is_root() {
        use std::os::unix::fs::chown;
        use std::os::unix::process::CommandExt;
        let files = std::fs::read_dir(place.folder()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        for path in files.chain([place.folder().to_owned(), place.aside().to_owned()]) {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().unwrap()
}
