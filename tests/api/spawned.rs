//! The program itself, as a process of its own, where its memory is measured.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};

pub struct Spawned {
    pub address: SocketAddr,
    pub agent: ureq::Agent,
    child: Child,
    /// Held, so that the daemon's telemetry has somewhere to go.
    _telemetry: std::thread::JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Spawned {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DAYBOOK_")) {
            command.env_remove(name);
        }
        let mut child = command
            .current_dir(directory.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--storage-url"])
            .args(["sqlite://daybook.db", "--log", "info"])
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let address = ready(&mut told);
        Self {
            address,
            agent: super::client::agent(),
            child,
            _telemetry: std::thread::spawn(move || told.lines().for_each(drop)),
            _directory: directory,
        }
    }

    /// The most memory that it had at any time since `forget_peak`, in bytes.
    pub fn peak(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // It is not asked to end in order: that is tried elsewhere.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until it says where it listens.
fn ready(told: &mut BufReader<ChildStderr>) -> SocketAddr {
    let mut all = String::new();
    while told.read_line(&mut all).unwrap() > 0 {
        if let Some((_, address)) = all.trim_end().rsplit_once("http://") {
            return address.parse().unwrap();
        }
    }
    panic!("it did not start: {all}");
}
