//! What README.md shows is run as it stands there, against a daemon, and does what it says.

use crate::support::daemon::{Daemon, Place};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The curl commands of the shell blocks, in their order, each with the lines that its quotes span.
fn curls() -> Vec<String> {
    let mut commands = Vec::new();
    for block in README.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        let mut lines = block.lines();
        while let Some(line) = lines.next() {
            if !line.starts_with("curl ") {
                continue;
            }
            let mut command = line.to_owned();
            while command.matches('\'').count() % 2 == 1 {
                command = command + "\n" + lines.next().expect("a quote that ends");
            }
            commands.push(command);
        }
    }
    commands
}

/// Status and body of the one command that says all of this.
fn run(address: SocketAddr, says: &[&str]) -> (u16, Value) {
    let mut found = curls();
    found.retain(|command| says.iter().all(|word| command.contains(word)));
    let [command] = &found[..] else {
        panic!("{says:?}: {found:?}");
    };
    assert!(command.contains("localhost:7480"), "{command}");
    let command = command
        .replace("localhost:7480", &address.to_string())
        .replacen("curl ", "curl -sS -w '\\n%{http_code}' ", 1);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[test]
fn the_quick_start_records_an_entry_and_finds_it() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let (status, recorded) = run(daemon.address, &["task.created"]);
    assert_eq!(
        (status, &recorded["duplicate"]),
        (201, &json!(false)),
        "{recorded}"
    );
    let (status, page) = run(daemon.address, &["since=24h"]);
    assert_eq!(status, 200);
    assert_eq!(page["seqs"][0], recorded["seq"]);
    let newest = &page["items"][0];
    assert_eq!(newest["id"], recorded["id"]);
    assert_eq!(newest["actor"], "anna");
    assert_eq!(newest["message"], "Anna created the task: water the plants");
    assert!(daemon.stop().success());
}

#[test]
fn what_is_kept_is_set_taken_back_and_emptied_as_it_stands_there() {
    let place = Place::new();
    let mut serve = place.serve();
    serve.env_remove("DAYBOOK_RETENTION__MAX_ENTRIES");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let (status, rule) = run(daemon.address, &["-X PUT"]);
    assert_eq!((status, &rule["max_days"]), (200, &json!(30)), "{rule}");
    assert_eq!(rule["source"], "override", "{rule}");
    let (status, rule) = run(daemon.address, &["-X DELETE", "settings"]);
    assert_eq!((status, &rule["max_days"]), (200, &json!(90)), "{rule}");
    assert_eq!(rule["max_entries"], 20_000, "{rule}");
    run(daemon.address, &["task.created"]);
    let (status, cleared) = run(daemon.address, &["-X DELETE", "empty the workspace"]);
    assert_eq!(status, 200);
    assert!(cleared["removed"].as_u64() >= Some(1), "{cleared}");
    let (_, page) = run(daemon.address, &["since=24h"]);
    let left = page["items"].as_array().unwrap();
    assert!(
        left.iter().all(|entry| entry["action"] != "task.created"),
        "{page}"
    );
    assert!(daemon.stop().success());
}

#[test]
fn every_command_that_asks_the_daemon_is_tried_here() {
    assert_eq!(curls().len(), 5, "{:?}", curls());
}
