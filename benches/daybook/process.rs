//! Servers as child processes: started on a port of their own, watched through /proc, stopped when dropped.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(15);
/// Between two looks at a server that starts: short against what is measured, long against a busy loop.
const LOOK: Duration = Duration::from_micros(250);
/// What /proc counts CPU time in, on every Linux that we serve.
const TICKS_PER_SECOND: u64 = 100;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From just before the process was made until it first said that it is ready.
    pub took: Duration,
}

/// How a server ended.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    /// From the signal until the process was gone.
    pub took: Duration,
    pub in_order: bool,
}

impl Server {
    /// Starts `command` and waits until a GET of `ready` is answered with 200. What it writes goes to `log`.
    pub fn start(
        command: &mut Command,
        address: SocketAddr,
        ready: &str,
        log: &Path,
    ) -> Result<Self, String> {
        let output = File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = output.try_clone().map_err(|e| e.to_string())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let began = Instant::now();
        let child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
        let mut server = Self {
            child,
            address,
            took: Duration::ZERO,
        };
        while !is_ready(address, ready) {
            if let Ok(Some(status)) = server.child.try_wait() {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!(
                    "ended with {status} before it was ready: {}",
                    said.trim()
                ));
            }
            if began.elapsed() > START {
                return Err(format!("not ready after {START:?}; see {}", log.display()));
            }
            std::thread::sleep(LOOK);
        }
        server.took = began.elapsed();
        Ok(server)
    }

    /// CPU time that all its threads used, in user and kernel mode.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(self.proc("stat")).unwrap_or_default();
        // The name in parentheses may hold anything; what follows the last one is numbers.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// Resident memory now, in MiB.
    pub fn resident(&self) -> Result<f64, String> {
        self.status_mib("VmRSS:")
    }

    /// The most that was resident since `forget_peak`, in MiB.
    pub fn peak(&self) -> Result<f64, String> {
        self.status_mib("VmHWM:")
    }

    pub fn forget_peak(&self) -> Result<(), String> {
        fs::write(self.proc("clear_refs"), "5").map_err(|e| format!("clear_refs: {e}"))
    }

    fn status_mib(&self, key: &str) -> Result<f64, String> {
        let status = fs::read_to_string(self.proc("status")).map_err(|e| e.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kib.ok_or_else(|| format!("no {key} in /proc"))? / 1024.0)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub fn stop(mut self) -> Result<Stopped, String> {
        let began = Instant::now();
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        asked.map_err(|e| format!("kill: {e}"))?;
        while began.elapsed() < STOP {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(Some(status)) => {
                    return Ok(Stopped {
                        took: began.elapsed(),
                        in_order: status.success(),
                    });
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!("did not end within {STOP:?} of being asked"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
pub fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    listener.local_addr().map_err(|e| e.to_string())
}

fn is_ready(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status[9..] == b"200")
    };
    ask().unwrap_or(false)
}
