//! What the daemon says of itself: to the journal with priorities, anywhere else with times, and never on
//! standard output.

use crate::support::daemon::{Daemon, Place};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

/// What a daemon says whose standard error is `JOURNAL_STREAM`, from its start to its end.
fn told_to_the_journal() -> String {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let stream = File::from(writer.as_fd().try_clone_to_owned().unwrap())
        .metadata()
        .unwrap();
    let mut command = place.serve();
    command.env(
        "JOURNAL_STREAM",
        format!("{}:{}", stream.dev(), stream.ino()),
    );
    let mut child = command
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    drop(command);
    let mut reader = BufReader::new(reader);
    let mut told = String::new();
    while !told.contains("is ready") {
        assert!(reader.read_line(&mut told).unwrap() > 0, "{told}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    reader.read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    told
}

#[test]
fn the_journal_gets_priorities_and_no_times() {
    let told = told_to_the_journal();
    assert!(told.lines().count() >= 4, "{told}");
    for line in told.lines() {
        assert!(line.starts_with("<6>"), "{line}");
        assert!(
            !line.contains('Z') || !line.contains(":0"),
            "no time: {line}"
        );
    }
    assert!(told.contains("<6>stopped in order\n"), "{told}");
}

#[test]
fn anything_else_gets_times_and_levels_even_within_a_service() {
    let place = Place::new();
    let mut command = place.serve();
    // Another stream than this one.
    command.env("JOURNAL_STREAM", "1:1");
    let daemon = Daemon::start_as(&place, command).unwrap();
    assert!(daemon.stop().success());
    for line in place.told().lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert_eq!(
            (time.len(), &time[10..11], &time[23..]),
            (24, "T", "Z"),
            "{line}"
        );
        assert!(rest.starts_with("INFO  "), "{line}");
    }
}

#[test]
fn a_refusal_is_one_line_with_its_level() {
    let place = Place::new();
    let output = place
        .daybook(&["serve", "--listen", "0.0.0.0:1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(" ERROR "))
        .collect();
    assert_eq!(errors.len(), 1, "{told}");
}

#[test]
fn what_is_told_can_be_turned_down() {
    let place = Place::new();
    let output = place
        .daybook(&["--log", "off", "serve", "--listen", "0.0.0.0:1"])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(78), 0));
}
