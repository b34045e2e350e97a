//! The real binary as a child process, its book in a folder of its own, its telemetry in a file.

use super::client::Client;
use super::{eventually, say};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a loaded machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where a book lies. The telemetry lies elsewhere, so that a full or dead disk does not silence it.
pub struct Place {
    folder: PathBuf,
    own: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        let folder = own.path().join("book");
        std::fs::create_dir(&folder).unwrap();
        Self { folder, own }
    }

    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            own: tempfile::tempdir().unwrap(),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// For what does not lie beside the book.
    pub fn aside(&self) -> &Path {
        self.own.path()
    }

    pub fn book(&self) -> PathBuf {
        self.folder.join("daybook.db")
    }

    fn telemetry(&self) -> PathBuf {
        self.own.path().join("telemetry")
    }

    /// `daybook`, as it is run by nobody's shell: without the settings of whoever runs the tests.
    pub fn daybook(&self, arguments: &[&str]) -> Command {
        self.daybook_under(Command::new(env!("CARGO_BIN_EXE_daybook")), arguments)
    }

    /// `command` may be a program that runs ours, and then ends in the name of our binary.
    pub fn daybook_under(&self, mut command: Command, arguments: &[&str]) -> Command {
        let ours = |name: &str| name.starts_with("DAYBOOK_") || name.starts_with("RUST_LOG");
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.env_remove("JOURNAL_STREAM");
        command.env_remove("STATE_DIRECTORY");
        command.env("DAYBOOK_STORAGE__URL", self.url());
        // Nothing but a fault may make an entry go: a long run is more than is kept as long as nothing else is said.
        command.env("DAYBOOK_RETENTION__MAX_ENTRIES", "0");
        command.args(arguments).current_dir(self.own.path());
        command
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.book().display())
    }

    pub fn serve(&self) -> Command {
        self.daybook(&["serve", "--listen", "127.0.0.1:0"])
    }

    /// What the last daemon here said.
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.telemetry()).unwrap_or_default()
    }
}

pub struct Daemon<'a> {
    child: Child,
    place: &'a Place,
    pub address: SocketAddr,
}

/// It ended before it was ready.
#[derive(Debug)]
pub struct Refused {
    pub status: ExitStatus,
    pub told: String,
}

impl<'a> Daemon<'a> {
    /// Ready, or a failed test.
    pub fn start(place: &'a Place) -> Self {
        Self::start_as(place, place.serve()).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    pub fn start_as(place: &'a Place, command: Command) -> Result<Self, Refused> {
        Self::start_with(place, command, Stdio::null())
    }

    /// With this as its standard input.
    pub fn start_with(
        place: &'a Place,
        mut command: Command,
        input: Stdio,
    ) -> Result<Self, Refused> {
        command.stdin(input);
        let mut daemon = Self::spawned(place, command);
        let ready = eventually("ready, or gone", PATIENCE, || {
            if let Some(address) = address_in(&place.told()) {
                return Some(Ok(address));
            }
            let status = daemon.child.try_wait().unwrap()?;
            let told = place.told();
            Some(Err(Refused { status, told }))
        });
        daemon.address = ready?;
        Ok(daemon)
    }

    /// Started and not waited for: it has no address yet.
    pub fn spawn(place: &'a Place, mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Self::spawned(place, command)
    }

    fn spawned(place: &'a Place, mut command: Command) -> Self {
        let telemetry = File::create(place.telemetry()).unwrap();
        command.stdout(Stdio::null());
        Self {
            child: command.stderr(telemetry).spawn().unwrap(),
            place,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Where it listens, once it has said so.
    pub fn listens_on(&self) -> Option<SocketAddr> {
        address_in(&self.place.told())
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address).expect("the daemon listens")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it is our child and not yet waited for");
    }

    /// SIGKILL, and gone when this comes back.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How it ended, within `wait`.
    pub fn ended(&mut self, wait: Duration) -> ExitStatus {
        let place = self.place;
        eventually("the end of the daemon", wait, || {
            self.child
                .try_wait()
                .unwrap_or_else(|error| panic!("{error}: {}", place.told()))
        })
    }

    /// SIGTERM, and all that goes with it.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended(PATIENCE)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            say(format_args!("--- the daemon said:\n{}", self.place.told()));
        }
    }
}

fn address_in(telemetry: &str) -> Option<SocketAddr> {
    let (_, rest) = telemetry.split_once("is ready: http://")?;
    let (address, _) = rest.split_once('\n')?;
    address.trim().parse().ok()
}
