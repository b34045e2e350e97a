//! The systemd journal, as journalctl reads it: a child process that follows it, from the place on that the book
//! keeps with the entries.

use super::intake::{Failure, Job, Line};
use super::stream::read;
use crate::config::captures::From;
use crate::ingest::captured::journal_place;
use crate::ingest::framing::Framer;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

const PROGRAM: &str = "journalctl";
/// A record has many fields; what of it is kept is made to fit.
const LINE_BYTES: usize = 1 << 20;
const CHUNK: usize = 64 * 1024;
/// What is read of its complaints.
const COMPLAINT: usize = 4096;
const TO_BEGIN: Duration = Duration::from_millis(300);
const TO_END: Duration = Duration::from_millis(200);

pub async fn run(job: Job) -> Result<(), Failure> {
    let after = job
        .cursor()
        .await?
        .filter(|cursor| cursor.starts_with("s="));
    let at_end = after.is_none() && job.config.from() == From::End;
    let began = now();
    let mut child = started(after.as_deref(), at_end, job.config.path.as_deref())?;
    let (Some(mut out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure(format!("{PROGRAM} says nothing")));
    };
    let mut complaint = actix::spawn(complaint_in(err));
    // One that cannot read the journal says so at once and ends.
    tokio::select! {
        () = job.told_to_stop() => return Ok(()),
        _ = child.wait() => return Err(ended(&mut child, &mut complaint).await),
        () = sleep(TO_BEGIN) => job.begun(Vec::new()),
    }
    let mut framer = Framer::new(LINE_BYTES, false);
    let (mut buffer, mut first) = (vec![0; CHUNK], at_end);
    loop {
        let mut lines = Vec::new();
        let n = tokio::select! {
            () = job.told_to_stop() => return Ok(()),
            n = read(&mut out, &mut buffer) => n.map_err(|cause| Failure::of(PROGRAM, cause))?,
        };
        if n == 0 {
            return Err(ended(&mut child, &mut complaint).await);
        }
        framer.feed(&buffer[..n], |line| lines.push(line));
        if lines.is_empty() {
            continue;
        }
        if std::mem::take(&mut first) && !is_new(&lines[0].bytes, began) {
            // The last one that was there already: what comes after it is recorded, whenever this goes on.
            let seen = lines.remove(0);
            if let Some(place) = place(&seen.bytes)
                && !job.keep_place(place).await?
            {
                return Ok(());
            }
        }
        let lines = lines.into_iter().map(|line| Line {
            bytes: line.bytes,
            cut: line.cut,
            peer: None,
        });
        let lines: Vec<Line> = lines.collect();
        for _ in &lines {
            job.pass().await;
        }
        if job.is_told_to_stop() || !job.keep(&lines, &|at| place(&lines[at].bytes)).await? {
            return Ok(());
        }
        lines.iter().for_each(|line| job.received(line.bytes.len()));
    }
}

fn started(after: Option<&str>, at_end: bool, directory: Option<&Path>) -> Result<Child, Failure> {
    let mut command = Command::new(PROGRAM);
    command.args(["--output=json", "--follow", "--all", "--no-pager"]);
    match after {
        Some(cursor) => command
            .arg("--no-tail")
            .arg(format!("--after-cursor={cursor}")),
        None if at_end => command.arg("--lines=1"),
        None => command.arg("--no-tail"),
    };
    if let Some(directory) = directory {
        command.arg("--directory").arg(directory);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .kill_on_drop(true)
        .spawn()
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => Failure(format!("there is no {PROGRAM} on this machine")),
            _ => Failure::of(PROGRAM, cause),
        })
}

/// Where a line stands in the journal.
fn place(line: &[u8]) -> Option<String> {
    journal_place(line).map(|(cursor, _)| cursor)
}

fn is_new(line: &[u8], began: i64) -> bool {
    journal_place(line).is_none_or(|(_, taken_in)| taken_in >= began)
}

/// In microseconds, as the journal has it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

async fn complaint_in(mut err: tokio::process::ChildStderr) -> String {
    let (mut said, mut buffer) = (Vec::new(), vec![0; COMPLAINT]);
    while let Ok(n) = read(&mut err, &mut buffer).await
        && n > 0
    {
        let room = COMPLAINT.saturating_sub(said.len());
        said.extend_from_slice(&buffer[..n.min(room)]);
    }
    String::from_utf8_lossy(&said).trim().replace('\n', "; ")
}

/// Why it ended, as it says itself.
async fn ended(child: &mut Child, complaint: &mut tokio::task::JoinHandle<String>) -> Failure {
    let status = timeout(TO_END, child.wait()).await;
    let status = match status {
        Ok(Ok(status)) => status.to_string(),
        _ => "without a status".to_owned(),
    };
    match timeout(TO_END, complaint).await {
        Ok(Ok(said)) if !said.is_empty() => Failure(format!("{PROGRAM} ended: {said}")),
        _ => Failure(format!("{PROGRAM} ended: {status}")),
    }
}
