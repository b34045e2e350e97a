//! Somebody is erased from a daemon that runs: no file, no answer and no line of telemetry holds the name
//! afterwards, whatever became of the daemon meanwhile.

use crate::support::client::{Answer, Client};
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const NAME: &str = "zoe.quux@example.org";
/// As a part of an address.
const ESCAPED: &str = "zoe.quux%40example.org";

/// With the name in every field that may hold it.
fn entry_of(n: usize) -> Value {
    json!({
        "category": "entity", "action": "user.updated", "actor": NAME, "entity_type": "user",
        "entity_id": NAME, "entity_name": format!("{NAME} ({n})"), "message": format!("{NAME} did {n}"),
        "metadata": {"who": NAME, NAME: [{"deep": format!("<{NAME}>")}]},
        "ip_address": "192.0.2.7", "user_agent": format!("cli of {NAME}")
    })
}

fn record(client: &mut Client, entries: impl Iterator<Item = Value>) {
    let lines: Vec<String> = entries.map(|entry| entry.to_string()).collect();
    for part in lines.chunks(1_000) {
        let answer = client
            .post("application/x-ndjson", &part.join("\n"))
            .unwrap();
        assert_eq!(answer.json()["accepted"], part.len(), "{answer:?}");
    }
}

fn ask(client: &mut Client, method: &str, target: &str) -> Answer {
    let length = "Content-Length: 0";
    client
        .send(&format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
        ))
        .unwrap();
    client.answer().unwrap()
}

fn erase(client: &mut Client) -> Value {
    let answer = ask(
        client,
        "DELETE",
        &format!("/api/v1/activity/by-actor/{ESCAPED}"),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains(NAME));
    answer.json()
}

/// The files below it that hold the name, as it is or as it stands in an address.
fn holding(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path));
            continue;
        }
        // What is no file, or is gone meanwhile, holds nothing.
        let bytes = std::fs::read(&path).unwrap_or_default();
        let holds = |text: &str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
        if holds(NAME) || holds(ESCAPED) || holds("quux") {
            found.push(path);
        }
    }
    found
}

fn assert_in_no_file_of(folder: &Path) {
    let found = holding(folder);
    assert!(found.is_empty(), "{found:?}");
}

fn counted(client: &mut Client, filter: &str) -> Value {
    ask(
        client,
        "GET",
        &format!("/api/v1/activity/count?exact=true&{filter}"),
    )
    .json()["count"]
        .clone()
}

#[test]
fn an_erased_name_is_in_no_file_no_answer_and_no_line_of_telemetry() {
    let place = Place::new();
    let mut command = place.serve();
    command.args(["--log", "debug"]);
    let daemon = Daemon::start_as(&place, command).unwrap();
    let mut client = daemon.client();
    record(&mut client, (0..3_000).map(entry_of));
    let backup = ask(&mut client, "POST", "/api/v1/backups").json()["name"].clone();
    assert!(
        holding(place.folder()).len() >= 2,
        "the control: it is there before"
    );
    let dry = ask(
        &mut client,
        "DELETE",
        &format!("/api/v1/activity/by-actor/{ESCAPED}?dry_run=true"),
    );
    assert_eq!(
        (&dry.json()["entries"], &dry.json()["blanked"]),
        (&json!(3_000), &json!(3_000))
    );
    assert_eq!(counted(&mut client, &format!("actor={ESCAPED}")), 3_000);
    let erased = erase(&mut client);
    assert_eq!(
        (&erased["entries"], &erased["blanked"]),
        (&json!(3_000), &json!(3_000))
    );
    assert_eq!(
        (&erased["finished"], &erased["backups"]),
        (&json!(true), &json!([backup]))
    );
    // What says so names the backup, and nobody.
    let newest = ask(&mut client, "GET", "/api/v1/activity?limit=1").json()["items"][0].take();
    assert_eq!(newest["action"], "activity_log.erased", "{newest}");
    assert_eq!(newest["metadata"]["backups"], json!([backup]), "{newest}");
    assert_eq!(newest["metadata"]["entries"], 3_000, "{newest}");
    let kept = place
        .folder()
        .join("backups")
        .join(backup.as_str().unwrap());
    assert_eq!(holding(place.folder()), std::slice::from_ref(&kept));
    std::fs::remove_file(kept).unwrap();
    // What is made afterwards.
    assert_eq!(ask(&mut client, "POST", "/api/v1/backups").status, 201);
    for target in [
        "?limit=500",
        "/facets",
        "/by-x",
        "/count?actor=[erased]",
        "/audit/user/[erased]",
    ] {
        let target = target.replace('[', "%5B").replace(']', "%5D");
        let answer = ask(&mut client, "GET", &format!("/api/v1/activity{target}"));
        assert!(!answer.body.contains("quux"), "{target}");
    }
    for format in ["csv", "json", "ndjson"] {
        let out = place.aside().join(format);
        let mut export = place.daybook(&["export", "--format", format, "--output"]);
        assert!(export.arg(&out).status().unwrap().success());
        assert!(std::fs::metadata(out).unwrap().len() > 3_000 * 100);
    }
    assert_eq!(counted(&mut client, "actor=%5Berased%5D"), 3_000);
    assert!(daemon.stop().success());
    // The telemetry and the exports lie aside.
    assert_in_no_file_of(place.aside());
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

#[test]
fn an_erasure_that_kill_9_cut_off_is_blank_at_the_next_start_and_goes_on_to_its_end() {
    let place = Place::new();
    let mut cut_off = 0;
    for life in 0..4 {
        let daemon = Daemon::start(&place);
        let mut client = daemon.client();
        let others = (0..12_000).map(|n| json!({
            "category": "entity", "action": "task.created", "actor": "bob", "message": format!("task {n}")
        }));
        record(&mut client, others.chain((0..500).map(entry_of)));
        let mut asking = daemon.client();
        let target = format!("/api/v1/activity/by-actor/{ESCAPED}");
        asking
            .send(&format!(
                "DELETE {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            ))
            .unwrap();
        eventually("blank", PATIENCE, || {
            (counted(&mut client, &format!("actor={ESCAPED}")) == 0).then_some(())
        });
        daemon.kill();
        cut_off += usize::from(!holding(place.folder()).is_empty());
        let daemon = Daemon::start(&place);
        let mut client = daemon.client();
        assert_eq!(counted(&mut client, &format!("actor={ESCAPED}")), 0);
        assert_eq!(counted(&mut client, "q=quux"), 0);
        assert_eq!(counted(&mut client, "actor=%5Berased%5D"), 500 * (life + 1));
        eventually("no file that holds the name", PATIENCE, || {
            holding(place.folder()).is_empty().then_some(())
        });
        assert!(daemon.stop().success());
        let check = place.daybook(&["check"]).output().unwrap();
        assert!(check.status.success(), "{check:?}");
    }
    assert!(cut_off > 0, "the kill came in the middle");
}

#[test]
fn the_command_erases_with_a_daemon_and_without() {
    let place = Place::new();
    let told = |arguments: &[&str]| {
        let done = place.daybook(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned()
            + &String::from_utf8_lossy(&done.stderr);
        (done.status.code().unwrap(), text)
    };
    let daemon = Daemon::start(&place);
    record(&mut daemon.client(), (0..5).map(entry_of));
    let (code, text) = told(&["erase", NAME]);
    assert!(code != 0 && text.contains("--confirm"), "{text}");
    let (code, text) = told(&["erase", NAME, "--dry-run"]);
    assert_eq!(
        (code, text.contains("5 entries would be blanked")),
        (0, true),
        "{text}"
    );
    let (code, text) = told(&["erase", NAME, "--workspace", "other", "--confirm"]);
    assert_eq!(
        (code, text.contains("0 entries blanked")),
        (0, true),
        "{text}"
    );
    let (code, text) = told(&["erase", NAME, "--confirm"]);
    assert_eq!(
        (code, text.contains("5 entries blanked")),
        (0, true),
        "{text}"
    );
    assert_in_no_file_of(place.folder());
    record(&mut daemon.client(), (0..7).map(entry_of));
    assert!(daemon.stop().success());
    let (code, text) = told(&["erase", NAME, "--workspace", "*", "--dry-run"]);
    assert_eq!(
        (code, text.contains("7 entries would be blanked")),
        (0, true),
        "{text}"
    );
    let (code, text) = told(&["erase", NAME, "--workspace", "*", "--confirm"]);
    assert_eq!(
        (code, text.contains("7 entries blanked")),
        (0, true),
        "{text}"
    );
    assert_in_no_file_of(place.folder());
    assert!(told(&["check"]).0 == 0);
    for nobody in ["system", "anonymous", "[erased]"] {
        assert!(told(&["erase", nobody, "--confirm"]).0 != 0);
    }
}
