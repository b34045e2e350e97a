//! The disk answers with an error, once, at every place of a short run in turn. Nothing is acknowledged that
//! is not there, a failed commit stops the process, and the next start is clean.

use crate::child;
use crate::machine::can;
use crate::support::book::{Ledger, Row, rows};
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::load::{Ack, Report, line};
use crate::support::{eventually, say};
use std::path::Path;
use std::process::{Command, ExitStatus};

const TOOLS: [&str; 1] = ["strace"];
/// Bulks and single entries, one after the other.
const REQUESTS: [usize; 5] = [1, 30, 1, 1, 30];

/// The book that a run begins with.
#[derive(Clone, Copy)]
enum Book {
    New,
    Old,
}

/// What one error led to.
struct Run {
    report: Report,
    /// What the next start found in the book.
    rows: Vec<Row>,
    status: ExitStatus,
    /// The error came about at all.
    injected: bool,
    /// It came before the daemon was told to stop.
    served_all: bool,
}

#[derive(Debug, Default)]
struct Tally {
    refused_to_start: u32,
    stopped_itself: u32,
    answered_507: u32,
    /// All was served, and that it stops could not be recorded.
    stopped_while_stopping: u32,
    only_in_tidying: u32,
    acknowledged: usize,
}

/// What keeps the book of a run.
#[derive(Clone, Copy)]
enum Keeper {
    Daybook,
    /// It answers before it commits.
    Premature,
}

/// Under strace, which fails the `when`th call of each thread. `-D` keeps our process the child.
fn failing(keeper: Keeper, place: &Place, calls: &str, error: &str, when: u32) -> Command {
    let mut strace = Command::new("strace");
    strace
        .args(["-D", "-f", "-q", "--seccomp-bpf", "-o"])
        .arg(trace(place));
    strace.args(["-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:error={error}:when={when}")]);
    let program = match keeper {
        Keeper::Daybook => {
            strace.arg(env!("CARGO_BIN_EXE_daybook"));
            return place.daybook_under(strace, &["serve", "--listen", "127.0.0.1:0"]);
        }
        Keeper::Premature => child::command("premature"),
    };
    strace.arg(program.get_program()).args(program.get_args());
    let mut strace = place.daybook_under(strace, &[]);
    let environment = program.get_envs();
    strace.envs(environment.filter_map(|(name, value)| Some((name, value?))));
    strace
}

fn trace(place: &Place) -> std::path::PathBuf {
    place.aside().join("trace")
}

/// Sends everything, whatever is answered, until nothing is.
fn send(daemon: &Daemon<'_>, report: &mut Report) {
    let Ok(mut client) = crate::support::client::Client::connect(daemon.address) else {
        return;
    };
    for (number, size) in REQUESTS.into_iter().enumerate() {
        let ids: Vec<String> = (0..size).map(|n| format!("r{number}-{n}")).collect();
        let body: String = ids.iter().map(|id| line(id)).collect();
        let answer = match size {
            1 => client.post("application/json", &body),
            _ => client.post("application/x-ndjson", &body),
        };
        match answer {
            Ok(answer) if matches!(answer.status, 200 | 201) => {
                assert!(
                    size == 1 || answer.json()["rejected"] == serde_json::json!([]),
                    "{answer:?}"
                );
                let acks = ids.into_iter().map(|id| Ack { id, seq: None });
                report.acks.extend(acks);
            }
            Ok(answer) => report.refusals.push(answer.status),
            Err(_) => {
                report.doubts.extend(ids);
                return;
            }
        }
    }
}

/// One short life, and the clean start after it.
fn run(book: Book, calls: &str, error: &str, when: u32) -> Run {
    let place = Place::new();
    if let Book::Old = book {
        let daemon = Daemon::start(&place);
        daemon
            .client()
            .post("application/json", &line("old"))
            .unwrap();
        assert!(daemon.stop().success());
    }
    let mut report = Report::default();
    let mut served_all = false;
    let status =
        match Daemon::start_as(&place, failing(Keeper::Daybook, &place, calls, error, when)) {
            Err(refused) => refused.status,
            Ok(mut daemon) => {
                send(&daemon, &mut report);
                served_all = report.doubts.is_empty();
                if served_all {
                    daemon.signal(rustix::process::Signal::TERM);
                }
                daemon.ended(PATIENCE)
            }
        };
    let injected = was_injected(&trace(&place));
    let mut ledger = Ledger::default();
    let acks = report.acks.clone();
    ledger.note(Report {
        acks,
        ..Report::default()
    });
    let daemon = Daemon::start(&place);
    let rows = rows(&place.book());
    ledger.assert_kept(&rows);
    assert!(daemon.stop().success());
    let check = place.daybook(&["check"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");
    Run {
        report,
        rows,
        status,
        injected,
        served_all,
    }
}

/// strace writes its file until all that it traced is gone.
fn was_injected(trace: &Path) -> bool {
    let whole = eventually("the end of the trace", PATIENCE, || {
        let text = std::fs::read_to_string(trace).unwrap_or_default();
        let last = text.lines().last()?.to_owned();
        last.contains("+++").then_some(text)
    });
    whole.contains("(INJECTED)")
}

/// Every place in turn, until there is none left.
fn sweep(book: Book, calls: &str, error: &str) -> Tally {
    let mut tally = Tally::default();
    for when in 1.. {
        let run = run(book, calls, error, when);
        let place = format!("{calls} number {when} with {error}");
        tally.acknowledged += run.report.acks.len();
        if !run.injected {
            assert!(
                run.served_all && run.status.success(),
                "{place}: {:?}",
                run.status
            );
            return tally;
        }
        judge(&run, &place, &mut tally);
    }
    tally
}

fn judge(run: &Run, place: &str, tally: &mut Tally) {
    let Report {
        acks,
        doubts,
        refusals,
    } = &run.report;
    assert!(
        refusals.iter().all(|status| *status == 507),
        "{place}: {refusals:?}"
    );
    if !refusals.is_empty() {
        tally.answered_507 += 1;
    } else if !doubts.is_empty() {
        assert_eq!(run.status.code(), Some(74), "{place}");
        tally.stopped_itself += 1;
    } else if run.served_all && !acks.is_empty() {
        match run.status.code() {
            Some(0) => tally.only_in_tidying += 1,
            Some(74) => tally.stopped_while_stopping += 1,
            _ => panic!("{place}: {:?}", run.status),
        }
    } else {
        assert!(
            matches!(run.status.code(), Some(65 | 74)),
            "{place}: {:?}",
            run.status
        );
        tally.refused_to_start += 1;
    }
}

/// Sweeps where it can be done; `met` says whether what the law is about came about.
fn law(book: Book, calls: &str, error: &str, met: fn(&Tally) -> bool) {
    let law = format!("{calls} {error}");
    if can(&law, &TOOLS) {
        let tally = sweep(book, calls, error);
        say(format_args!("{law}: {tally:?}, 0 lost"));
        assert!(met(&tally), "{tally:?}");
    }
}

fn stopped(tally: &Tally) -> bool {
    tally.stopped_itself > 0 && tally.answered_507 == 0
}

fn refused(tally: &Tally) -> bool {
    tally.stopped_itself + tally.stopped_while_stopping == 0 && tally.answered_507 > 0
}

#[test]
fn a_sync_that_fails_stops_the_process_and_loses_nothing() {
    law(Book::Old, "fsync,fdatasync", "EIO", stopped);
    law(Book::Old, "fsync,fdatasync", "ENOSPC", stopped);
}

#[test]
fn a_write_that_fails_stops_the_process_and_loses_nothing() {
    law(Book::Old, "pwrite64", "EIO", stopped);
}

#[test]
fn a_write_without_room_is_a_507_and_loses_nothing() {
    law(Book::Old, "pwrite64", "ENOSPC", refused);
}

#[test]
fn a_file_that_cannot_be_cut_or_mapped_loses_nothing() {
    law(Book::Old, "ftruncate", "EIO", |tally| {
        tally.only_in_tidying > 0
    });
}

#[test]
fn an_error_while_the_book_is_made_leaves_one_that_can_be_made() {
    // The calls are counted in each thread, and the one that makes the book makes more than the one that writes it.
    let refused = |tally: &Tally| tally.refused_to_start > 0 && tally.answered_507 == 0;
    law(Book::New, "fsync,fdatasync", "EIO", refused);
    law(Book::New, "pwrite64", "EIO", refused);
}

/// The control: without an error all is served, and what was never sent is seen to be missing.
#[test]
fn without_an_error_all_is_served_and_a_made_up_loss_is_seen() {
    if !can(
        "without_an_error_all_is_served_and_a_made_up_loss_is_seen",
        &TOOLS,
    ) {
        return;
    }
    let run = run(Book::Old, "fsync,fdatasync", "EIO", 60_000);
    assert!(!run.injected && run.served_all && run.status.success());
    assert_eq!(run.report.acks.len(), REQUESTS.iter().sum::<usize>());
    let mut ledger = Ledger::default();
    let mut report = run.report;
    report.acks.push(Ack {
        id: "never-sent".into(),
        seq: None,
    });
    ledger.note(report);
    let lost = ledger.lost(&run.rows);
    assert!(
        matches!(lost[..], [one] if one.id == "never-sent"),
        "{lost:?}"
    );
}

/// Who answers before the commit, under one error of the same disk. It answers on, and what it acknowledged is
/// looked for when all of it is there or its commit has failed.
fn lost_by_the_premature(calls: &str, error: &str, when: u32) -> Option<usize> {
    let place = Place::new();
    assert!(Daemon::start(&place).stop().success());
    let command = failing(Keeper::Premature, &place, calls, error, when);
    // It came before it listened: nothing was acknowledged.
    let daemon = Daemon::start_as(&place, command).ok()?;
    let mut report = Report::default();
    send(&daemon, &mut report);
    let mut ledger = Ledger::default();
    ledger.note(report);
    eventually("all there, or a commit that failed", PATIENCE, || {
        let is_over = place.told().contains("on an `Err` value")
            || ledger.lost(&rows(&place.book())).is_empty();
        is_over.then_some(())
    });
    daemon.kill();
    Some(ledger.lost(&rows(&place.book())).len())
}

/// The control of the laws above, in the same way as they are shown: the same errors at the same places, and a keeper
/// of the book that breaks the promise.
#[test]
fn who_answers_before_the_commit_is_seen_to_lose() {
    if !can("who_answers_before_the_commit_is_seen_to_lose", &TOOLS) {
        return;
    }
    for (calls, error) in [
        ("fsync,fdatasync", "EIO"),
        ("pwrite64", "EIO"),
        ("pwrite64", "ENOSPC"),
    ] {
        assert_eq!(lost_by_the_premature(calls, error, 60_000), Some(0));
        let lost: Vec<usize> = (1..=12)
            .filter_map(|when| lost_by_the_premature(calls, error, when))
            .collect();
        say(format_args!("{calls} {error}: lost {lost:?}"));
        assert!(
            lost.iter().any(|lost| *lost > 0),
            "{calls} {error}: {lost:?}"
        );
    }
}
