//! Captures beside the programs that others run: rsyslog that forwards, and a journald of our own.

use crate::machine::can;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::{eventually, say};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// A program of ours that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run_in_the_background(command: &mut Command) -> Running {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    Running(command.spawn().unwrap())
}

fn configure(place: &Place, text: &str) {
    std::fs::write(place.aside().join("daybook.toml"), text).unwrap();
}

fn get(daemon: &Daemon<'_>, target: &str) -> Value {
    daemon.client().get(target).unwrap().json()
}

fn port_of(daemon: &Daemon<'_>) -> String {
    let capture = get(daemon, "/api/v1/captures/net");
    let tcp = capture["listening"][1].as_str().unwrap();
    tcp.rsplit(':').next().unwrap().to_owned()
}

/// Into a socket that takes syslog datagrams.
fn log_to(socket: &Path, text: &str) {
    let status = Command::new("logger")
        .args([
            "--socket",
            socket.to_str().unwrap(),
            "--tag",
            "shop",
            "--priority",
            "local0.err",
            "--id=77",
            "--",
        ])
        .arg(text)
        .status();
    assert!(status.unwrap().success());
}

/// Messages of what captures brought, as the query has them, the oldest first.
fn brought(daemon: &Daemon<'_>, query: &str) -> Vec<Value> {
    let page = get(
        daemon,
        &format!("/api/v1/activity?after_seq=0&limit=500&{query}"),
    );
    page["items"].as_array().unwrap().clone()
}

struct Rsyslog {
    folder: tempfile::TempDir,
    _running: Running,
}

impl Rsyslog {
    /// With these actions, in rsyslog's own words.
    fn start(actions: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("in.sock");
        let text = format!(
            "global(workDirectory=\"{}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{}\" UseSysTimeStamp=\"off\")\n{actions}\n",
            folder.path().display(),
            socket.display()
        );
        let config = folder.path().join("rsyslog.conf");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("rsyslogd");
        command.arg("-n").arg("-f").arg(&config);
        command.arg("-i").arg(folder.path().join("pid"));
        let running = run_in_the_background(&mut command);
        eventually("rsyslog listens", PATIENCE, || {
            socket.exists().then_some(())
        });
        Self {
            folder,
            _running: running,
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("in.sock")
    }
}

#[test]
fn rsyslog_is_understood_in_each_of_its_templates_framings_and_protocols() {
    let law = "rsyslog_is_understood_in_each_of_its_templates_framings_and_protocols";
    if !can(law, &["rsyslogd", "logger"]) {
        return;
    }
    let place = Place::new();
    configure(
        &place,
        "[[captures]]\nname = \"net\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\n",
    );
    let daemon = Daemon::start(&place);
    let port = eventually("it listens", PATIENCE, || {
        let state = get(&daemon, "/api/v1/captures/net")["state"].clone();
        (state == "running").then(|| port_of(&daemon))
    });
    let mut actions = String::new();
    let templates = [
        "RSYSLOG_TraditionalForwardFormat",
        "RSYSLOG_ForwardFormat",
        "RSYSLOG_SyslogProtocol23Format",
    ];
    let ways = [
        "Protocol=\"udp\"",
        "Protocol=\"tcp\" TCP_Framing=\"traditional\"",
        "Protocol=\"tcp\" TCP_Framing=\"octet-counted\"",
    ];
    for template in templates {
        for way in ways {
            actions += &format!(
                "action(type=\"omfwd\" Target=\"127.0.0.1\" Port=\"{port}\" {way} Template=\"{template}\")\n"
            );
        }
    }
    let rsyslog = Rsyslog::start(&actions);
    log_to(&rsyslog.socket(), "paid by [card] \"7\"");
    let lines = eventually("nine lines", PATIENCE, || {
        let lines = brought(&daemon, "q=paid");
        (lines.len() == templates.len() * ways.len()).then_some(lines)
    });
    for line in &lines {
        assert_eq!(
            line["message"].as_str().unwrap().trim(),
            "paid by [card] \"7\"",
            "{line}"
        );
        assert_eq!(line["actor"], "shop", "{line}");
        assert_eq!(line["severity"], "error", "{line}");
        assert_eq!(line["metadata"]["facility"], "local0", "{line}");
        assert_eq!(line["metadata"]["procid"], "77", "{line}");
        assert_eq!(line["entity_type"], "host", "{line}");
    }
    assert!(daemon.stop().success());
}

#[test]
fn what_rsyslog_sends_over_tcp_is_in_the_book_line_by_line() {
    let law = "what_rsyslog_sends_over_tcp_is_in_the_book_line_by_line";
    if !can(law, &["rsyslogd", "logger"]) {
        return;
    }
    const LINES: usize = 20_000;
    let place = Place::new();
    configure(
        &place,
        "[[captures]]\nname = \"net\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\n",
    );
    let daemon = Daemon::start(&place);
    let port = eventually("it listens", PATIENCE, || {
        let state = get(&daemon, "/api/v1/captures/net")["state"].clone();
        (state == "running").then(|| port_of(&daemon))
    });
    let rsyslog = Rsyslog::start(&format!(
        "action(type=\"omfwd\" Target=\"127.0.0.1\" Port=\"{port}\" Protocol=\"tcp\" action.resumeRetryCount=\"-1\")\n"
    ));
    let file = rsyslog.folder.path().join("lines");
    let text: String = (0..LINES).map(|n| format!("line {n}\n")).collect();
    std::fs::write(&file, text).unwrap();
    let sent = Command::new("logger")
        .args([
            "--socket",
            rsyslog.socket().to_str().unwrap(),
            "--tag",
            "many",
            "--file",
            file.to_str().unwrap(),
        ])
        .status();
    assert!(sent.unwrap().success());
    eventually("all of them", PATIENCE, || {
        let recorded = get(&daemon, "/api/v1/captures/net")["counters"]["recorded"].as_u64()?;
        (recorded >= LINES as u64).then_some(())
    });
    let counted = get(&daemon, "/api/v1/activity/count?actor=many&exact=true");
    assert_eq!(counted["count"], LINES);
    assert!(daemon.stop().success());
}

/// A journald whose `/run` is a folder of ours.
fn journald(run: &Path) -> Running {
    let script = format!(
        "mount --bind {run} /run && mkdir -p /run/systemd/journal /run/log/journal && exec {JOURNALD}",
        run = run.display()
    );
    let mut command = Command::new("unshare");
    let running = run_in_the_background(
        command
            .args(["--mount", "sh", "-c", &script])
            .stderr(Stdio::null()),
    );
    let socket = run.join("systemd/journal/dev-log");
    eventually("journald listens", PATIENCE, || {
        socket.exists().then_some(())
    });
    running
}

#[test]
fn the_journal_is_followed_and_gone_on_with_after_kill_9() {
    let law = "the_journal_is_followed_and_gone_on_with_after_kill_9";
    if !can(law, &["journalctl", "logger", "unshare"]) {
        return;
    }
    if !Path::new(JOURNALD).exists() {
        say(format_args!("SKIPPED: {law}: {JOURNALD} is not installed"));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _journald = journald(folder.path());
    let socket = folder.path().join("systemd/journal/dev-log");
    log_to(&socket, "before it was followed");
    let place = Place::new();
    let journal = folder.path().join("log/journal");
    eventually("the journal has it", PATIENCE, || {
        let mut command = Command::new("journalctl");
        let shown = command.arg("--directory").arg(&journal).output().unwrap();
        let text = String::from_utf8_lossy(&shown.stdout);
        text.contains("before it was followed").then_some(())
    });
    configure(
        &place,
        &format!("[[captures]]\nname = \"machine\"\nkind = \"journal\"\npath = {journal:?}\n"),
    );
    let words = |daemon: &Daemon<'_>| -> Vec<String> {
        let lines = brought(daemon, "actor=shop");
        let word = |line: &Value| line["message"].as_str().unwrap().to_owned();
        lines.iter().map(word).collect()
    };
    let until = |daemon: &Daemon<'_>, expected: &[&str]| {
        eventually("the lines of the journal", PATIENCE, || {
            let held = words(daemon);
            assert!(held.len() <= expected.len(), "{held:?}");
            (held == expected).then_some(())
        });
    };
    let daemon = Daemon::start(&place);
    eventually("it knows where it begins", PATIENCE, || {
        let url = format!("file:{}?mode=ro", place.book().display());
        cursor_is_kept(&url).then_some(())
    });
    log_to(&socket, "one");
    until(&daemon, &["one"]);
    daemon.kill();
    log_to(&socket, "two, while nobody looked");
    log_to(&socket, "three");
    let daemon = Daemon::start(&place);
    let all = ["one", "two, while nobody looked", "three"];
    until(&daemon, &all);
    let line = brought(&daemon, "actor=shop").remove(0);
    assert_eq!(line["severity"], "error", "{line}");
    assert_eq!(line["action"], "journal.message", "{line}");
    assert!(line["metadata"]["occurred_at"].is_string(), "{line}");
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&place);
    log_to(&socket, "four");
    until(&daemon, &[&all[..], &["four"]].concat());
    assert!(daemon.stop().success());
}

fn cursor_is_kept(url: &str) -> bool {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = SqliteConnection::establish(url).unwrap();
    let counted =
        diesel::sql_query("SELECT count(*) AS count FROM cursors").get_result::<Count>(&mut conn);
    counted.is_ok_and(|counted| counted.count == 1)
}

/// What logrotate is told of the file, beside its name.
const ROTATIONS: [&str; 2] = ["rotate 20\ncreate\n", "rotate 20\ncopytruncate\n"];

#[test]
fn a_file_that_logrotate_rotates_is_read_whole_and_once_while_it_runs_and_while_it_does_not() {
    let law =
        "a_file_that_logrotate_rotates_is_read_whole_and_once_while_it_runs_and_while_it_does_not";
    if !can(law, &["logrotate"]) {
        return;
    }
    for rotation in ROTATIONS {
        let place = Place::new();
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        configure(
            &place,
            &format!("[[captures]]\nname = \"app\"\nkind = \"file\"\npath = {log:?}\n"),
        );
        let config = folder.path().join("logrotate.conf");
        std::fs::write(&config, format!("\"{}\" {{\n{rotation}}}\n", log.display())).unwrap();
        let rotate = || {
            let state = folder.path().join("state");
            let mut command = Command::new("logrotate");
            let ran = command
                .arg("--force")
                .arg("--state")
                .arg(&state)
                .arg(&config);
            assert!(ran.status().unwrap().success());
        };
        let mut written = 0;
        let mut write = |count: usize| {
            let text: String = (written..written + count)
                .map(|n| format!("{n}\n"))
                .collect();
            written += count;
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.append(true).create(true).open(&log).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            written
        };
        let until = |daemon: &Daemon<'_>, count: usize| {
            eventually("all lines", PATIENCE, || {
                let held = brought(daemon, "action=line.read");
                assert!(held.len() <= count, "{rotation}: {} of {count}", held.len());
                (held.len() == count).then_some(())
            });
        };
        write(30);
        let daemon = Daemon::start(&place);
        until(&daemon, write(10));
        rotate();
        let count = write(10);
        rotate();
        until(&daemon, count);
        assert!(daemon.stop().success());
        write(10);
        rotate();
        write(10);
        rotate();
        let count = write(10);
        let daemon = Daemon::start(&place);
        until(&daemon, count);
        let lines = brought(&daemon, "action=line.read");
        let wrong = lines
            .iter()
            .enumerate()
            .find(|(n, line)| line["message"].as_str() != Some(&n.to_string()));
        assert_eq!(wrong, None, "{rotation}");
        assert!(daemon.stop().success());
    }
}
