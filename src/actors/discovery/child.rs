//! The helper as a child process: started, listened to on a thread of its own, and its end told.

use crate::mdns::protocol::LONGEST_LINE;
use crate::mdns::{COMMAND, Order, Said};
use actix::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A helper that ends its output has so long to end itself.
const LEAVE: Duration = Duration::from_secs(2);
/// How long its reader waits when what it said before was not taken yet.
const BREATH: Duration = Duration::from_millis(20);

/// What is heard of the helper of this number.
pub struct Heard {
    pub helper: u64,
    pub what: Word,
}

pub enum Word {
    Said(Said),
    /// It is gone, and why.
    Ended(String),
}

impl Message for Heard {
    type Result = ();
}

/// A helper that runs, or did.
pub struct Helper {
    pub number: u64,
    pub pid: u32,
    /// Its end of the pipe is the sign to stop.
    orders: Option<ChildStdin>,
    /// Resolves when it is gone.
    gone: Option<oneshot::Receiver<()>>,
}

impl Helper {
    pub fn start(number: u64, memory: u64, told: Recipient<Heard>) -> io::Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .arg0("daybook")
            .args([COMMAND, "--memory", &memory.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What is typed at the terminal is meant for the daemon.
            .process_group(0)
            .spawn()?;
        let pid = child.id();
        let (tell, gone) = oneshot::channel();
        let orders = child.stdin.take();
        let output = child.stdout.take();
        let listen = move || {
            let why = match output {
                None => None,
                Some(output) => listen_to(output, number, &told),
            };
            let ended = buried(&mut child);
            let why = why.unwrap_or_else(|| ended.map_or_else(|e| e.to_string(), told_by));
            // The daemon may be gone, too.
            let _ = tell.send(());
            pass_on(&told, number, Word::Ended(why));
        };
        std::thread::Builder::new()
            .name("mdns-helper".into())
            .spawn(listen)?;
        Ok(Self {
            number,
            pid,
            orders,
            gone: Some(gone),
        })
    }

    /// An order is far smaller than what a pipe holds, so that this does not wait.
    pub fn order(&mut self, order: &Order) -> io::Result<()> {
        let line = serde_json::to_string(order)? + "\n";
        match &mut self.orders {
            Some(orders) => orders.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    /// It is to stop; comes back when it has, or after the time that it has for that.
    pub fn stop(&mut self) -> impl Future<Output = ()> + use<> {
        self.orders = None;
        let gone = self.gone.take();
        async move {
            if let Some(gone) = gone {
                // Dropped means gone as well.
                let _ = tokio::time::timeout(LEAVE, gone).await;
            }
        }
    }

    /// For one that does not answer any more; its reader buries it.
    pub fn kill(&self) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let (Some(pid), true) = (pid, self.orders.is_some()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Until its output ends. Answers why it must go, when it must.
fn listen_to(output: ChildStdout, number: u64, told: &Recipient<Heard>) -> Option<String> {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let most = LONGEST_LINE as u64;
        match (&mut output).take(most).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line.last() != Some(&b'\n') && line.len() == LONGEST_LINE => {
                return Some("it said a line that is too long".into());
            }
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(said) => {
                if !pass_on(told, number, Word::Said(said)) {
                    return None;
                }
            }
            Err(_) => return Some("it said what is no line of ours".into()),
        }
    }
}

/// Waits while the actor is busy: then the helper's pipe fills, and it drops and counts by itself.
fn pass_on(told: &Recipient<Heard>, helper: u64, what: Word) -> bool {
    let mut heard = Heard { helper, what };
    loop {
        match told.try_send(heard) {
            Ok(()) => return true,
            Err(SendError::Closed(_)) => return false,
            Err(SendError::Full(back)) => heard = back,
        }
        std::thread::sleep(BREATH);
    }
}

/// Waited for a moment, and then killed: nothing of it stays.
fn buried(child: &mut Child) -> io::Result<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < LEAVE {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(BREATH);
    }
    child.kill()?;
    child.wait()
}

fn told_by(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "it ended by itself".into(),
        (Some(70), _) => "it panicked".into(),
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(6)) => "it was aborted, as when it runs out of memory".into(),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it is gone".into(),
    }
}
