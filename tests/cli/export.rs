//! `daybook export`: to standard output or to a file, all or a part, whether a daemon runs or not.

use crate::support::daemon::{Daemon, Place};
use crate::support::load::Load;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

const ENTRIES: [&str; 5] = [
    r#"{"id":"a","category":"auth","action":"auth.failed","severity":"warning","message":"no"}"#,
    r#"{"id":"b","category":"auth","action":"auth.login","actor":"anna","message":"yes"}"#,
    r#"{"id":"c","category":"device","action":"lamp.on","entity_type":"lamp","entity_id":"1","message":"100% on"}"#,
    r#"{"id":"d","category":"device","action":"lamp.off","severity":"error","message":"=cmd()"}"#,
    r#"{"id":"e","category":"entity","action":"task.created","workspace_id":"other","message":"there"}"#,
];

fn fill(daemon: &Daemon<'_>) {
    let answer = daemon
        .client()
        .post("application/x-ndjson", &ENTRIES.join("\n"));
    assert_eq!(answer.unwrap().json()["accepted"], 5);
}

/// What the daemon records of its own life beside them: that it started, and that it was told to stop.
const OWN: usize = 2;

/// A closed book with the entries.
fn a_book() -> Place {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    fill(&daemon);
    assert!(daemon.stop().success());
    place
}

fn export(place: &Place, arguments: &[&str]) -> Output {
    place
        .daybook(&[&["export"], arguments].concat())
        .output()
        .unwrap()
}

/// The ids in their order, between `<` for the start of the daemon and `>` for its end.
fn ids(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let entries = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    entries
        .map(|entry| match entry["action"].as_str() {
            Some("server.started") => "<".to_owned(),
            Some("server.shutting_down") => ">".to_owned(),
            // An export before this one.
            Some("activity_log.exported") => String::new(),
            _ => entry["id"].as_str().unwrap().to_owned(),
        })
        .collect()
}

#[test]
fn an_export_is_the_same_whether_the_daemon_runs_or_not() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    fill(&daemon);
    for format in ["csv", "json", "ndjson"] {
        assert!(!export(&place, &["--format", format]).stdout.is_empty());
    }
    let csv = || String::from_utf8(export(&place, &["--format", "csv"]).stdout).unwrap();
    let running = csv();
    assert!(daemon.stop().success());
    let stopped = csv();
    // All that was there, and after it what happened since: the export before it, and the end.
    let since = stopped.strip_prefix(&running).expect(&stopped);
    let since: Vec<&str> = since.lines().collect();
    assert!(
        since[0].contains(",system,activity_log.exported,info,"),
        "{since:?}"
    );
    assert!(
        since[1].contains(",system,server.shutting_down,"),
        "{since:?}"
    );
    assert_eq!(since.len(), 2, "{since:?}");
    assert_eq!(running.matches(",activity_log.exported,").count(), 3);
}

#[test]
fn an_export_is_never_written_over_the_book_or_what_it_needs() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    fill(&daemon);
    std::os::unix::fs::symlink(place.book(), place.folder().join("link")).unwrap();
    for own in ["", "-wal", "-shm", "-journal", ".lock", ".sock", ".reserve"] {
        let path = format!("{}{own}", place.book().display());
        let refused = export(&place, &["--output", &path]);
        assert_eq!(refused.status.code(), Some(64), "{own}: {refused:?}");
    }
    let link = place.folder().join("link");
    let refused = export(&place, &["--output", link.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let known = daemon
        .client()
        .post("application/x-ndjson", &ENTRIES.join("\n"));
    assert_eq!(known.unwrap().json()["duplicates"], 5);
    assert!(daemon.stop().success());
    let check = place.daybook(&["check"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");
}

#[test]
fn what_a_link_leads_to_is_made_and_the_link_stays() {
    let place = a_book();
    let (link, target) = (place.folder().join("link"), place.folder().join("out.csv"));
    std::os::unix::fs::symlink("out.csv", &link).unwrap();
    let done = export(
        &place,
        &["--format", "csv", "--output", link.to_str().unwrap()],
    );
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(link.is_symlink());
    assert!(
        std::fs::read_to_string(target)
            .unwrap()
            .contains(",auth.login,")
    );
}

#[test]
fn an_export_is_recorded_whether_a_daemon_keeps_the_book_or_none_does() {
    let place = a_book();
    let recorded = |arguments: &[&str]| -> Vec<serde_json::Value> {
        assert_eq!(export(&place, arguments).status.code(), Some(0));
        let output = export(&place, &["--action", "activity_log.exported"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let entries = text.lines().map(|line| serde_json::from_str(line).unwrap());
        entries.collect()
    };
    let alone = recorded(&["--format", "csv", "--workspace", "other"]);
    assert_eq!(alone.len(), 1, "{alone:?}");
    assert_eq!(alone[0]["actor"], "system");
    let said = serde_json::json!({"format": "csv", "workspace_id": "other"});
    assert_eq!(alone[0]["metadata"], said);
    let check = place.daybook(&["check"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");
    let daemon = Daemon::start(&place);
    // The one before it, which asked, is there too.
    assert_eq!(recorded(&["--format", "json"]).len(), 3);
    assert!(daemon.stop().success());
}

#[test]
fn what_a_command_does_with_the_book_is_recorded_while_recording_is_off() {
    let place = a_book();
    let mut serve = place.serve();
    serve.env("DAYBOOK_RETENTION__ENABLED", "false");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let exported = export(&place, &[]);
    assert_eq!(
        (exported.status.code(), exported.stderr.len()),
        (Some(0), 0)
    );
    let copy = place.aside().join("copy.db");
    let backup = place.daybook(&["backup", copy.to_str().unwrap()]).output();
    let backup = backup.unwrap();
    assert_eq!(
        (backup.status.code(), backup.stderr.len()),
        (Some(0), 0),
        "{backup:?}"
    );
    // Not for who comes by the network, whoever he says that he is.
    for action in [
        "activity_log.exported",
        "backup.created",
        "server.started",
        "x",
    ] {
        let entry =
            serde_json::json!({"category": "system", "action": action, "message": "by nobody"});
        let mut client = daemon.client();
        let answer = client.post("application/json", &entry.to_string()).unwrap();
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (202, r#"{"recorded":false}"#)
        );
    }
    assert!(daemon.stop().success());
    let output = export(&place, &["--category", "system"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let count = |what: &str| text.matches(what).count();
    assert_eq!(
        (count("activity_log.exported"), count("backup.created")),
        (1, 1),
        "{text}"
    );
    assert_eq!(count("by nobody"), 0);
}

#[test]
fn what_can_only_be_read_is_exported_all_the_same_and_that_is_said() {
    let place = a_book();
    // The lock cannot be taken: a folder has its name.
    let lock = place.folder().join("daybook.db.lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let output = export(&place, &[]);
    assert_eq!(ids(&output), "<abcd>");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the export was not recorded: "), "{told}");
}

#[test]
fn nothing_but_the_export_is_on_standard_output() {
    let place = a_book();
    let csv = export(&place, &["--format", "csv"]);
    let text = String::from_utf8(csv.stdout).unwrap();
    assert!(text.starts_with("id,ts,category,action,"), "{text}");
    assert_eq!(text.lines().count(), 1 + 4 + OWN);
    assert!(csv.stderr.is_empty());
    let json: Vec<serde_json::Value> =
        serde_json::from_slice(&export(&place, &["--format", "json"]).stdout).unwrap();
    // And that the one before was made.
    assert_eq!(json.len(), 4 + OWN + 1);
}

#[test]
fn the_filters_are_those_of_the_http_interface() {
    let place = a_book();
    for (arguments, expected) in [
        (&[][..], "<abcd>"),
        (&["--category", "auth"], "ab"),
        (
            &["--category", "auth,device", "--severity", "warning,error"],
            "ad",
        ),
        (&["--severity", "warning", "--severity", "error"], "ad"),
        (&["--actor", "anna"], "b"),
        (&["--action", "lamp.*"], "cd"),
        (&["--entity_type", "lamp", "--entity-id", "1"], "c"),
        (&["--q", "100%"], "c"),
        (&["--q", "1_0"], ""),
        (&["--since", "1h"], "<abcd>"),
        (&["--category", "system"], "<>"),
        (&["--actor", "system"], "<>"),
        (&["--until", "2020-01-01T00:00:00Z"], ""),
        (&["--workspace", "other"], "e"),
        (&["--workspace", "*"], "<abcde>"),
    ] {
        assert_eq!(ids(&export(&place, arguments)), expected, "{arguments:?}");
    }
}

#[test]
fn a_category_is_found_when_the_configuration_no_longer_names_it() {
    let place = Place::new();
    let mut serve = place.serve();
    serve.env("DAYBOOK_ACTIVITY__EXTRA_CATEGORIES", "billing");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let paid = r#"{"id":"p","category":"billing","action":"invoice.paid","message":"paid"}"#;
    let answer = daemon.client().post("application/json", paid).unwrap();
    assert_eq!(answer.status, 201);
    assert!(daemon.stop().success());

    let daemon = Daemon::start(&place);
    let answer = daemon.client().post("application/json", paid).unwrap();
    assert_eq!(answer.status, 400, "recording asks for what is known");
    for (filter, total) in [("category=billing", 1), ("not_category=system,billing", 0)] {
        let count = format!("/api/v1/activity/count?{filter}");
        let answer = daemon.client().get(&count).unwrap();
        assert_eq!(answer.json()["count"], total, "{filter}");
    }
    assert_eq!(ids(&export(&place, &["--category", "billing"])), "p");
}

#[test]
fn a_wrong_filter_is_a_wrong_command_line_and_is_named() {
    let place = a_book();
    for (arguments, said) in [
        (&["--severity", "loud"][..], "severity"),
        (&["--category", "Weather"], "category"),
        (&["--since", "yesterday-ish"], "since"),
        (&["--workspace", "no spaces"], "workspace"),
    ] {
        let output = export(&place, arguments);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(output.stdout.is_empty());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(said),
            "{output:?}"
        );
    }
}

#[test]
fn without_a_book_an_export_says_so_and_makes_none() {
    let place = Place::new();
    let target = place.aside().join("none.csv");
    let output = export(&place, &["--output", target.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(65), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("does not exist"),
        "{output:?}"
    );
    assert!(!target.exists() && !place.book().exists());
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let load = Load::start(daemon.address, "many", &[]);
    load.reach(300);
    load.finish();
    assert!(daemon.stop().success());
    let folder = place.aside().join("exports");
    std::fs::create_dir(&folder).unwrap();
    let names = || -> BTreeSet<String> {
        let files = std::fs::read_dir(&folder).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let target = folder.join("all.ndjson");
    std::fs::write(&target, "what was there before").unwrap();
    let to_target = ["--output", target.to_str().unwrap()];
    // What SQLite needs beside the book fits into 32 KiB, and the export does not.
    let mut shell = std::process::Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    shell.args(["-c", limited, env!("CARGO_BIN_EXE_daybook"), "export"]);
    let mut limited = place.daybook_under(shell, &to_target);
    // The limit would cut off what a coverage run has it write.
    limited.env("LLVM_PROFILE_FILE", "/dev/null");
    let failed = limited.output().unwrap();
    assert_eq!(failed.status.code(), Some(74), "{failed:?}");
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("all.ndjson"),
        "{failed:?}"
    );
    assert_eq!(names(), BTreeSet::from(["all.ndjson".to_owned()]));
    assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");

    let output = export(&place, &to_target);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert_eq!(names(), BTreeSet::from(["all.ndjson".to_owned()]));
    let written = std::fs::read(&target).unwrap();
    assert!(export(&place, &[]).stdout.starts_with(&written));
}

#[test]
fn a_link_a_pipe_and_a_device_stay_what_they_are() {
    let place = a_book();
    let (file, link) = (place.aside().join("file"), place.aside().join("link"));
    std::fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(
        export(&place, &["-o", link.to_str().unwrap()])
            .status
            .success()
    );
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().lines().count(),
        4 + OWN
    );

    let pipe = place.aside().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let mut command = place.daybook(&["export", "-o", pipe.to_str().unwrap()]);
    let mut child = command.spawn().unwrap();
    let read = BufReader::new(std::fs::File::open(&pipe).unwrap())
        .lines()
        .count();
    assert!(child.wait().unwrap().success());
    assert_eq!(read, 4 + OWN + 1);
    use std::os::unix::fs::FileTypeExt;
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());

    let folder = export(&place, &["-o", place.aside().to_str().unwrap()]);
    assert_eq!(folder.status.code(), Some(74), "{folder:?}");
}

#[test]
fn a_reader_that_takes_the_first_line_alone_gets_it_and_no_noise() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let load = Load::start(daemon.address, "many", &[]);
    load.reach(1_500);
    load.finish();
    for format in ["ndjson", "csv", "json"] {
        let mut command = place.daybook(&["export", "--format", format]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        drop(out);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
        assert!(!first.is_empty());
    }
}
