//! `daybook demo`: a week to look at, beside the owner's book, and nothing left of it afterwards.

use super::support::daemon::{Daemon, Place};

#[test]
fn a_demo_has_a_week_in_it_touches_no_book_and_leaves_nothing() {
    let place = Place::new();
    let scratch = place.folder().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let within = || std::fs::read_dir(&scratch).unwrap().count();
    let mut command = place.daybook(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", &scratch);
    let daemon = Daemon::start_as(&place, command).unwrap();
    let counted = daemon.client().get("/api/v1/activity/count").unwrap();
    assert!(counted.json()["count"].as_u64().unwrap() > 1_000);
    let oldest = daemon.client().get("/api/v1/activity?after_seq=0&limit=1");
    assert_eq!(oldest.unwrap().json()["items"][0]["id"], "demo-1");
    assert_eq!(within(), 1);
    assert!(!place.book().exists());
    assert!(daemon.stop().success());
    assert_eq!(within(), 0);
}
