//! Whatever strangers send by multicast, recording goes on untouched, the process that listens keeps within its limit
//! or is replaced, and what is really there is discovered afterwards. DAYBOOK_STRANGERS_SECONDS says for how long.

use crate::devices::{TOOLS, Watched, published};
use crate::machine::can;
use crate::network::{Avahi, Network, inside};
use crate::support::client::Client;
use crate::support::daemon::Place;
use crate::support::load::line;
use crate::support::{eventually, say};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const USUAL_SECONDS: u64 = 15;
const EVERYBODY: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 0, 251), 5353);
/// Sent in one go, and then a pause: some thousand a second.
const BURST: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);
const MEMORY: u64 = 64 << 20;
const CONFIG: &str = "[discovery]\nenabled = true\nbrowse = [\"_wled._tcp\"]\nhelper_memory = \"64 MiB\"\n\
    check_interval = \"0s\"\n";

/// Numbers that can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }
}

fn name(labels: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn record(of: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = of.to_vec();
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&[0, 1, 0, 0, 0, 120]);
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// The announcement of a service that is not there.
fn announcement(label: &str) -> Vec<u8> {
    let kind = name(&["_wled", "_tcp", "local"]);
    let instance = name(&[label, "_wled", "_tcp", "local"]);
    let host = name(&[label, "local"]);
    let srv = [&[0, 0, 0, 0, 0, 80][..], &host].concat();
    let records = [
        record(&kind, 12, &instance),
        record(&instance, 33, &srv),
        record(&instance, 16, b"\x03a=b"),
        record(&host, 1, &[10, 99, 0, 77]),
    ];
    let mut bytes = vec![0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    bytes.extend(records.concat());
    bytes
}

/// Cut, doubled, turned over, blown up, or as it is.
fn worn(dice: &mut Dice, mut bytes: Vec<u8>) -> Vec<u8> {
    match dice.roll(8) {
        0 => bytes.truncate(dice.roll(bytes.len())),
        1 => {
            for _ in 0..=dice.roll(8) {
                let at = dice.roll(bytes.len());
                bytes[at] = u8::try_from(dice.roll(256)).unwrap();
            }
        }
        2 => bytes.extend_from_within(12..),
        3 => bytes.resize(
            1_400 + dice.roll(60_000),
            u8::try_from(dice.roll(256)).unwrap(),
        ),
        4 => {
            bytes = (0..dice.roll(600))
                .map(|_| u8::try_from(dice.roll(256)).unwrap())
                .collect()
        }
        _ => {}
    }
    bytes
}

/// Until it is told to stop; how many went out.
fn pester(stop: &AtomicBool) -> u64 {
    let socket = UdpSocket::bind(("0.0.0.0", 5353)).unwrap();
    let mut dice = Dice(0x5eed);
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..BURST {
            let whole = announcement(&format!("x{}", sent));
            // The other side may have gone for a moment, and what is too large is refused here.
            let _ = socket.send_to(&worn(&mut dice, whole), EVERYBODY);
            sent += 1;
        }
        std::thread::sleep(PAUSE);
    }
    sent
}

/// The largest that the process has been, of what it alone can write.
fn data_of(pid: i64) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmData:"))?;
    let kilobytes = line.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    Some(kilobytes * 1024)
}

/// Records one entry after another until the time is over; the slowest answer.
fn record_on(watched: &Watched<'_>, seconds: u64) -> (u64, Duration, u64) {
    let address = watched.daemon().address;
    inside(&watched.side, || {
        let mut client = Client::connect(address).unwrap();
        let (began, mut slowest, mut recorded) = (Instant::now(), Duration::ZERO, 0);
        let mut largest = 0;
        while began.elapsed() < Duration::from_secs(seconds) {
            let asked = Instant::now();
            let id = format!("pestered-{recorded}");
            let answer = client.post("application/json", &line(&id)).unwrap();
            assert_eq!(answer.status, 201, "{answer:?}");
            slowest = slowest.max(asked.elapsed());
            recorded += 1;
            if recorded % 20 == 0 {
                let page = client.get("/api/v1/devices?limit=1").unwrap().json();
                let pid = page["discovery"]["helper_pid"].as_i64();
                largest = largest.max(pid.and_then(data_of).unwrap_or(0));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        (recorded, slowest, largest)
    })
}

#[test]
fn whatever_strangers_send_recording_goes_on_and_what_is_there_is_found_afterwards() {
    let law = "whatever_strangers_send_recording_goes_on_and_what_is_there_is_found_afterwards";
    if !can(law, &TOOLS) {
        return;
    }
    let network = match Network::new() {
        Ok(network) => network,
        Err(why) => return say(format_args!("SKIPPED: {law}: {why}")),
    };
    let seconds = std::env::var("DAYBOOK_STRANGERS_SECONDS");
    let seconds = seconds
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL_SECONDS);
    let place = Place::new();
    let watched = Watched::start(&place, &network, CONFIG).settled();
    let stop = AtomicBool::new(false);
    let (sent, (recorded, slowest, largest)) = std::thread::scope(|scope| {
        let pestering = scope.spawn(|| inside(&network.theirs, || pester(&stop)));
        let done = record_on(&watched, seconds);
        stop.store(true, Ordering::Relaxed);
        (pestering.join().unwrap(), done)
    });
    let discovery = watched.discovery();
    let (deaths, dropped) = (&discovery["deaths"], &discovery["dropped"]);
    say(format_args!(
        "{seconds} s: {sent} datagrams, {recorded} entries, the slowest in {slowest:?}; \
         the helper held up to {largest} bytes, died {deaths} times, dropped {dropped}"
    ));
    assert!(largest <= MEMORY, "{largest}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let avahi = Avahi::start(&network.theirs);
    let _lamp = published(&avahi, "Real Lamp");
    let took = watched.until("Real Lamp", "online", Duration::from_secs(120));
    say(format_args!(
        "what is really there was found {took:?} after its announcement"
    ));
    let held = eventually("the book", Duration::from_secs(5), || {
        watched.get("/api/v1/activity/count?action=device.discovered")["count"].as_u64()
    });
    assert!(held < 300, "{held} of what is not there were recorded");
    watched.stop();
}
