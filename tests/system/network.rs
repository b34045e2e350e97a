//! A network of two machines that are none: namespaces with a cable between them, and what runs in each.

use crate::machine::run;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// `ours` runs the daemon, `theirs` its peers. Gone when it is dropped.
pub struct Network {
    pub ours: String,
    pub theirs: String,
}

pub const OUR_ADDRESS: &str = "10.99.0.1";
pub const THEIR_ADDRESS: &str = "10.99.0.2";

impl Network {
    /// With nothing but loopback, on both sides.
    pub fn without_a_cable() -> Result<Self, String> {
        let number = std::process::id();
        let network = Self {
            ours: format!("dbk{number}a"),
            theirs: format!("dbk{number}b"),
        };
        for side in [&network.ours, &network.theirs] {
            // Left over from a run that was killed.
            let _ = run("ip", &["netns", "del", side]);
            run("ip", &["netns", "add", side])?;
            run("ip", &["-n", side, "link", "set", "lo", "up"])?;
        }
        Ok(network)
    }

    pub fn new() -> Result<Self, String> {
        let network = Self::without_a_cable()?;
        network.plug_in()?;
        Ok(network)
    }

    pub fn plug_in(&self) -> Result<(), String> {
        let (ours, theirs) = (self.ours.as_str(), self.theirs.as_str());
        let cable = ["link", "add", "cable0", "netns", ours, "type", "veth"];
        let peer = ["peer", "name", "cable0", "netns", theirs];
        run("ip", &[&cable[..], &peer].concat())?;
        for (side, address) in [(ours, OUR_ADDRESS), (theirs, THEIR_ADDRESS)] {
            let address = format!("{address}/24");
            run(
                "ip",
                &["-n", side, "addr", "add", &address, "dev", "cable0"],
            )?;
            run("ip", &["-n", side, "link", "set", "cable0", "up"])?;
        }
        self.route(ours)?;
        self.route(theirs)
    }

    pub fn route(&self, side: &str) -> Result<(), String> {
        let everybody = "224.0.0.0/4";
        run(
            "ip",
            &["-n", side, "route", "add", everybody, "dev", "cable0"],
        )
    }

    pub fn unplug(&self, side: &str) {
        run("ip", &["-n", side, "link", "set", "cable0", "down"]).unwrap();
    }

    /// A program in one of them.
    pub fn command(side: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", side, program]);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for side in [&self.ours, &self.theirs] {
            let _ = run("ip", &["netns", "del", side]);
        }
    }
}

/// Runs `work` on a thread of its own in that namespace: the sockets that it opens are of there.
pub fn inside<T: Send>(side: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let entered = scope.spawn(|| {
            let namespace = File::open(PathBuf::from("/run/netns").join(side)).unwrap();
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), kind).unwrap();
            work()
        });
        entered
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Ended with whatever it started when it is dropped.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// avahi with a bus of its own, in a place of its own for what it leaves behind.
pub struct Avahi {
    daemon: Running,
}

/// `$0` holds the namespace's own /run.
const PEER: &str = r#"
mount -t tmpfs none /run && mkdir -p /run/dbus /run/avahi-daemon
printf '%s\n' '[server]' 'host-name=peer' 'enable-dbus=yes' '[wide-area]' 'enable-wide-area=no' \
    '[publish]' 'publish-workstation=no' 'publish-hinfo=no' > /run/avahi.conf
dbus-daemon --system --fork --nopidfile
exec avahi-daemon -f /run/avahi.conf --no-drop-root --no-chroot --no-rlimits
"#;

impl Avahi {
    pub fn start(side: &str) -> Self {
        let mut command = Network::command(side, "unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                PEER,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let avahi = Self {
            daemon: Running::start(&mut command),
        };
        crate::support::eventually("avahi", std::time::Duration::from_secs(20), || {
            let mut asked = avahi.tool("avahi-browse");
            let asked = asked.args(["--all", "--terminate", "--no-db-lookup"]);
            let status = asked.stdout(Stdio::null()).stderr(Stdio::null()).status();
            status.unwrap().success().then_some(())
        });
        avahi
    }

    /// One of its tools, beside it.
    pub fn tool(&self, name: &str) -> Command {
        // `unshare --fork` is the parent of what is inside.
        let parent = self.daemon.0.id();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let inside = std::fs::read_to_string(children).unwrap_or_default();
        let inside = inside.trim().to_owned();
        let mut command = Command::new("nsenter");
        command.args(["--target", &inside, "--mount", "--net", name]);
        command
    }
}
