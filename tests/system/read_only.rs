//! A medium that is there to be read alone: what only reads works there, and what writes says why it does not.

use crate::machine::{Mount, can};
use crate::support::daemon::{Daemon, Place};
use crate::support::load::line;
use crate::support::say;

#[test]
fn a_book_on_a_medium_that_cannot_be_written_is_read_and_not_served() {
    let law = "a book on a medium that cannot be written is read and not served";
    if !can(law, &["mount"]) {
        return;
    }
    let mount = match Mount::memory("16m") {
        Ok(mount) => mount,
        Err(why) => return say(format_args!("SKIPPED: {law}: {why}")),
    };
    let place = Place::at(mount.path());
    let daemon = Daemon::start(&place);
    let recorded = daemon.client().post("application/json", &line("kept"));
    assert_eq!(recorded.unwrap().status, 201);
    assert!(daemon.stop().success());
    mount.freeze();
    let run = |arguments: &[&str]| {
        let output = place.daybook(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let in_order = "3 entries, all in order\n".to_owned();
    assert_eq!(run(&["check"]), (Some(0), in_order, String::new()));
    let (code, held, told) = run(&["export", "--format", "ndjson"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        held.contains("\"kept\"") && !told.contains("ERROR"),
        "{told}"
    );
    let (code, _, told) = run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(65), "{told}");
    assert!(told.contains("may not be written: "), "{told}");
}
