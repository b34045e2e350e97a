//! Discovery against real peers: avahi and Python's zeroconf, in namespaces of their own.

use crate::machine::can;
use crate::network::{Avahi, Network, OUR_ADDRESS, Running, inside};
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::load::line;
use crate::support::{eventually, say};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

pub const TOOLS: [&str; 6] = [
    "ip",
    "unshare",
    "nsenter",
    "avahi-daemon",
    "avahi-publish",
    "dbus-daemon",
];
/// The promise, of discovery and of goodbye.
const SOON: Duration = Duration::from_secs(2);
const PYTHON: &str = "/usr/bin/python3";

const CONFIG: &str = "[discovery]\nenabled = true\nbrowse = [\"_wled._tcp\", \"_http._tcp\"]\n\
    check_interval = \"0s\"\nflapping_limit = 50\n";

fn network(law: &str) -> Option<Network> {
    if !can(law, &TOOLS) {
        return None;
    }
    Network::new()
        .map_err(|why| say(format_args!("SKIPPED: {law}: {why}")))
        .ok()
}

/// A daemon in its namespace, asked from there.
pub struct Watched<'a> {
    daemon: Option<Daemon<'a>>,
    pub side: String,
}

impl<'a> Watched<'a> {
    pub fn start(place: &'a Place, network: &Network, config: &str) -> Self {
        std::fs::write(place.aside().join("daybook.toml"), config).unwrap();
        let side = network.ours.clone();
        let mut command = Network::command(&side, env!("CARGO_BIN_EXE_daybook"));
        command = place.daybook_under(command, &["serve", "--listen", "127.0.0.1:7480"]);
        let daemon =
            Daemon::start_as(place, command).unwrap_or_else(|refused| panic!("{refused:?}"));
        Self {
            daemon: Some(daemon),
            side,
        }
    }

    pub fn daemon(&self) -> &Daemon<'a> {
        self.daemon.as_ref().unwrap()
    }

    pub fn get(&self, path: &str) -> Value {
        let daemon = self.daemon();
        let address = daemon.address;
        inside(&self.side, || {
            let mut client = crate::support::client::Client::connect(address).unwrap();
            client.get(path).unwrap().json()
        })
    }

    pub fn discovery(&self) -> Value {
        self.get("/api/v1/devices?limit=1")["discovery"].clone()
    }

    /// Until its helper searches, and the first look is over.
    pub fn settled(self) -> Self {
        eventually("a search", PATIENCE, || {
            (self.discovery()["browsing"] == true).then_some(())
        });
        self
    }

    /// Until a device of that name is in that state; how long that took.
    pub fn until(&self, name: &str, state: &str, patience: Duration) -> Duration {
        let began = Instant::now();
        eventually(&format!("{name} {state}"), patience, || {
            self.device(name).filter(|device| device["state"] == state)
        });
        began.elapsed()
    }

    fn device(&self, name: &str) -> Option<Value> {
        let page = self.get("/api/v1/devices");
        let mut items = page["items"].as_array()?.iter();
        items.find(|device| device["name"] == name).cloned()
    }

    /// What was recorded of it; a moment after it is so.
    fn is_told(&self, name: &str, actions: &[&str]) {
        eventually("its trail", SOON, || {
            (self.trail(name) == actions).then_some(())
        });
    }

    fn trail(&self, name: &str) -> Vec<String> {
        let device = self.device(name).expect("it is known");
        let id = device["id"].as_str().unwrap();
        let page = self.get(&format!("/api/v1/activity/audit/device/{id}?after_seq=0"));
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["action"].as_str().unwrap().to_owned())
            .collect()
    }

    pub fn stop(mut self) {
        assert_eq!(self.daemon.take().unwrap().stop().code(), Some(0));
    }
}

/// A program that says in a line that it is there.
pub struct Peer {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start(command: &mut Command, ready: &str) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running(piped.spawn().unwrap());
        let output = process.0.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines();
        let is_ready = |line: std::io::Result<String>| line.unwrap().contains(ready);
        assert!(lines.by_ref().any(is_ready), "it did not come up");
        Self { process, lines }
    }

    fn signal(&mut self, signal: Signal) {
        let pid = rustix::process::Pid::from_child(&self.process.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

/// A service by avahi; announced when this comes back.
pub fn published(avahi: &Avahi, name: &str) -> Peer {
    let mut command = avahi.tool("stdbuf");
    command.args(["-oL", "-eL", "sh", "-c"]);
    command.arg(format!(
        "exec avahi-publish -s '{name}' _wled._tcp 8080 mac=a0b1 2>&1"
    ));
    Peer::start(&mut command, "Established")
}

/// A service by Python's zeroconf, with this time to live.
const ZEROCONF: &str = r#"
import socket, sys
from zeroconf import IPVersion, ServiceInfo, Zeroconf
zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
info = ServiceInfo("_wled._tcp.local.", sys.argv[1] + "._wled._tcp.local.", port=81,
    addresses=[socket.inet_aton("10.99.0.2")], properties={"by": "zeroconf"}, server=sys.argv[1].lower() + ".local.",
    host_ttl=int(sys.argv[2]), other_ttl=int(sys.argv[2]))
zeroconf.register_service(info, ttl=int(sys.argv[2]))
print("announced", flush=True)
sys.stdin.readline()
zeroconf.unregister_service(info)
zeroconf.close()
"#;

fn has_zeroconf(law: &str) -> bool {
    let found = Command::new(PYTHON)
        .args(["-c", "import zeroconf"])
        .stderr(Stdio::null())
        .status();
    let has = found.is_ok_and(|status| status.success());
    if !has {
        say(format_args!(
            "SKIPPED: {law}: python3-zeroconf is not installed"
        ));
    }
    has
}

fn by_zeroconf(network: &Network, name: &str, ttl: &str) -> Peer {
    let mut command = Network::command(&network.theirs, PYTHON);
    command.args(["-c", ZEROCONF, name, ttl]);
    Peer::start(&mut command, "announced")
}

#[test]
fn a_service_of_avahi_is_discovered_and_lost_within_two_seconds() {
    let law = "a_service_of_avahi_is_discovered_and_lost_within_two_seconds";
    let Some(network) = network(law) else { return };
    let place = Place::new();
    let avahi = Avahi::start(&network.theirs);
    let first = published(&avahi, "Old Lamp");
    let watched = Watched::start(&place, &network, CONFIG).settled();
    // The first look: one entry with the list.
    watched.until("Old Lamp", "online", PATIENCE);
    let swept = eventually("the entry of the first look", PATIENCE, || {
        let page = watched.get("/api/v1/activity?action=device.discovered");
        page["items"].get(0).cloned()
    });
    assert_eq!(swept["metadata"]["source"], "mdns");
    let mut worst = (Duration::ZERO, Duration::ZERO);
    for n in 0..5 {
        let name = format!("Lamp {n}");
        let mut lamp = published(&avahi, &name);
        worst.0 = worst.0.max(watched.until(&name, "online", SOON));
        let device = watched.device(&name).unwrap();
        assert_eq!(device["port"], 8080);
        assert_eq!(device["txt"]["mac"], "a0b1");
        assert_eq!(device["addresses"][0], "10.99.0.2");
        lamp.signal(Signal::TERM);
        worst.1 = worst.1.max(watched.until(&name, "lost", SOON));
        watched.is_told(&name, &["device.discovered", "device.lost"]);
    }
    say(format_args!(
        "discovered within {:?} of the announcement, lost within {:?} of the goodbye",
        worst.0, worst.1
    ));
    drop(first);
    watched.stop();
}

#[test]
fn a_service_of_zeroconf_is_lost_by_its_goodbye_and_by_its_silence() {
    let law = "a_service_of_zeroconf_is_lost_by_its_goodbye_and_by_its_silence";
    let Some(network) = network(law).filter(|_| has_zeroconf(law)) else {
        return;
    };
    let place = Place::new();
    let watched = Watched::start(&place, &network, CONFIG).settled();
    eventually("the end of the first look", PATIENCE, || {
        let added = watched.get("/api/v1/system/info")["uptime_seconds"].as_u64()?;
        (added >= 7).then_some(())
    });
    let mut polite = by_zeroconf(&network, "Polite", "4500");
    watched.until("Polite", "online", SOON);
    // It unregisters when its input ends.
    drop(polite.process.0.stdin.take());
    watched.until("Polite", "lost", SOON);
    assert!(polite.process.0.wait().unwrap().success());

    let ttl = 8;
    let mut silent = by_zeroconf(&network, "Silent", &ttl.to_string());
    watched.until("Silent", "online", SOON);
    silent.process.kill();
    let check = SOON;
    let took = watched.until("Silent", "lost", Duration::from_secs(ttl) + check);
    say(format_args!(
        "a silent death was seen after {took:?}, its time to live being {ttl} s"
    ));
    watched.is_told("Silent", &["device.discovered", "device.lost"]);
    watched.stop();
}

#[test]
fn the_daemon_announces_itself_and_says_goodbye() {
    let law = "the_daemon_announces_itself_and_says_goodbye";
    let Some(network) = network(law) else { return };
    let place = Place::new();
    let key = place.daybook(&[
        "key",
        "add",
        "--label",
        "a",
        "--scope",
        "read",
        "--workspace",
        "*",
    ]);
    let mut key = key;
    assert!(key.output().unwrap().status.success());
    let avahi = Avahi::start(&network.theirs);
    let config = format!(
        "[server]\nlisten = [\"127.0.0.1:7480\", \"{OUR_ADDRESS}:7480\"]\n[discovery]\nenabled = true\nbrowse = []\n"
    );
    std::fs::write(place.aside().join("daybook.toml"), config).unwrap();
    let command = Network::command(&network.ours, env!("CARGO_BIN_EXE_daybook"));
    let daemon = Daemon::start_as(&place, place.daybook_under(command, &["serve"])).unwrap();
    for kind in ["_daybook._tcp", "_http._tcp"] {
        let seen = eventually("the announcement", PATIENCE, || {
            let mut browse = avahi.tool("avahi-browse");
            let output = browse.args(["-tpr", kind]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.contains("7480").then_some(text)
        });
        let resolved = seen.lines().find(|line| line.starts_with('=')).unwrap();
        let version = format!("\"version={}\"", env!("CARGO_PKG_VERSION"));
        for part in [OUR_ADDRESS, "\"path=/\"", &version] {
            assert!(seen.contains(part), "{part}: {resolved}");
        }
    }
    let mut follow = avahi.tool("stdbuf");
    follow.args(["-oL", "avahi-browse", "-p", "_daybook._tcp"]);
    let mut follower = Peer::start(&mut follow, "+;");
    daemon.signal(Signal::TERM);
    let told = Instant::now();
    let gone = follower
        .lines
        .by_ref()
        .any(|line| line.unwrap().starts_with("-;"));
    assert!(gone && told.elapsed() < SOON, "{:?}", told.elapsed());
    say(format_args!(
        "withdrawn within {:?} of SIGTERM",
        told.elapsed()
    ));
    let mut daemon = daemon;
    assert!(daemon.ended(PATIENCE).success());
}

#[test]
fn a_network_that_comes_and_goes_is_told_as_it_is() {
    let law = "a_network_that_comes_and_goes_is_told_as_it_is";
    if !can(law, &TOOLS) {
        return;
    }
    let network = match Network::without_a_cable() {
        Ok(network) => network,
        Err(why) => return say(format_args!("SKIPPED: {law}: {why}")),
    };
    let place = Place::new();
    let watched = Watched::start(&place, &network, CONFIG);
    let until = |what: &str, holds: &dyn Fn(&Value) -> bool| {
        eventually(what, PATIENCE, || {
            let discovery = watched.discovery();
            holds(&discovery).then_some(discovery)
        })
    };
    let none = until("no network", &|d| d["state"] == "no_network");
    assert!(
        none["trouble"]
            .as_str()
            .unwrap()
            .contains("no network interface")
    );
    network.plug_in().unwrap();
    let avahi = Avahi::start(&network.theirs);
    let _lamp = published(&avahi, "Lamp");
    until("a network", &|d| {
        d["state"] == "running" && d["browsing"] == true
    });
    watched.until("Lamp", "online", PATIENCE);
    network.unplug(&network.ours);
    until("no network", &|d| d["state"] == "no_network");
    assert_eq!(
        watched.device("Lamp").unwrap()["state"],
        "online",
        "nothing was heard of it"
    );
    crate::machine::run("ip", &["-n", &network.ours, "link", "set", "cable0", "up"]).unwrap();
    until("the network again", &|d| d["browsing"] == true);
    assert_eq!(watched.discovery()["deaths"], 0);
    // Recording never cared.
    let daemon = watched.daemon();
    let status = inside(&network.ours, || {
        let mut client = crate::support::client::Client::connect(daemon.address).unwrap();
        client.post("application/json", &line("on")).unwrap().status
    });
    assert_eq!(status, 201);
    watched.stop();
}
