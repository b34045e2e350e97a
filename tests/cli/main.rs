//! What a script can rely on when it calls the program: what goes where, and the exit codes.

#[path = "../faults/support/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

mod captures;
#[path = "../api/automations/receiver.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod receiver;

mod automations;
mod check;
mod demo;
mod devices;
mod export;
mod keys;
mod prune;
mod readme;
mod tail;
mod telemetry;
mod workspaces;

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn daybook(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    let ours = |name: &str| name.starts_with("DAYBOOK_") || name == "JOURNAL_STREAM";
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.current_dir(directory);
    command
}

fn ran(arguments: &[&str], file: Option<&str>) -> (i32, String, String) {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(directory.path().join("daybook.toml"), text).unwrap();
    }
    let output = daybook(directory.path()).args(arguments).output().unwrap();
    told(&output)
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("it ended by itself");
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn default_config_prints_the_shipped_file_and_nothing_else() {
    let shipped = daybook::config::SHIPPED.to_owned();
    assert_eq!(ran(&["default-config"], None), (0, shipped, String::new()));
}

#[test]
fn what_default_config_prints_passes_check_config() {
    let (code, out, err) = ran(&["check-config"], Some(daybook::config::SHIPPED));
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "./daybook.toml: ok\n", "")
    );
}

#[test]
fn check_config_shows_file_line_and_caret() {
    let (code, out, err) = ran(&["check-config"], Some("[retention]\nmax_days = -3\n"));
    assert_eq!((code, out.as_str()), (78, ""));
    assert_eq!(
        err,
        "daybook: ./daybook.toml:2:12: retention.max_days: must be 0 (no limit) or 1 to 36500\n  \
         |\n2 | max_days = -3\n  |            ^^\n"
    );
}

#[test]
fn check_config_warns_and_is_content() {
    let (code, out, _) = ran(&["check-config"], Some("[server]\nlisten = '0.0.0.0:1'\n"));
    assert_eq!(code, 0);
    assert!(
        out.starts_with("./daybook.toml: ok\nwarning: server.listen: "),
        "{out}"
    );
}

#[test]
fn every_command_refuses_a_wrong_configuration() {
    for command in ["serve", "check", "status", "export", "check-config"] {
        let (code, out, err) = ran(&[command], Some("colour = 1"));
        assert_eq!((code, out.as_str()), (78, ""), "{command}");
        assert!(
            err.contains("./daybook.toml:1:1: unknown section colour"),
            "{err}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_no_configuration_error() {
    for wrong in [
        &["sevre"][..],
        &[],
        &["serve", "--nope"],
        &["check", "--log", "inof"],
    ] {
        let (code, out, err) = ran(wrong, None);
        assert_eq!((code, out.as_str()), (64, ""), "{wrong:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn help_and_version_are_what_was_asked_for() {
    let (code, out, err) = ran(&["--version"], None);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("daybook {}\n", env!("CARGO_PKG_VERSION")));
    let (code, out, _) = ran(&["--help"], None);
    assert_eq!(code, 0);
    for heading in ["Examples:", "Files:", "Environment:", "Exit codes:"] {
        assert!(out.contains(heading), "{out}");
    }
}

#[test]
fn a_reader_that_went_away_causes_no_panic() {
    for arguments in [&["default-config"][..], &["check-config"], &["--help"]] {
        let directory = tempfile::tempdir().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = daybook(directory.path());
        command
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped());
        let (code, _, err) = told(&command.output().unwrap());
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    }
}
