//! What the service manager and the daemon say to each other, over a real socket: that it is ready, that it stops,
//! that its writer serves its queue; and the sockets that it is handed. And the unit that ships with it.

use crate::support::client::Client;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::load::line;
use crate::support::{eventually, say};
use daybook::config::Settings;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rustix::process::Signal;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

/// What systemd listens on.
struct Manager(UnixDatagram);

impl Manager {
    /// And the daemon that it would start here.
    fn of(place: &Place) -> (Self, Command) {
        let path = place.aside().join("notify");
        let mut serve = place.serve();
        serve.env("NOTIFY_SOCKET", &path);
        (Self(UnixDatagram::bind(path).unwrap()), serve)
    }

    /// The next thing that it is told, if that comes within `wait`.
    fn told(&self, wait: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(wait)).unwrap();
        let mut said = [0; 4096];
        match self.0.recv(&mut said) {
            Ok(length) => Some(String::from_utf8(said[..length].to_vec()).unwrap()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until it is told this.
    fn hears(&self, state: &str) -> String {
        eventually(state, PATIENCE, || {
            self.told(Duration::from_secs(1))
                .filter(|said| said.lines().any(|line| line == state))
        })
    }
}

fn raw(place: &Place) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(place.book().to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    conn
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn migrations(conn: &mut SqliteConnection) -> usize {
    let query = "SELECT count(*) AS number FROM __diesel_schema_migrations";
    let found: Number = diesel::sql_query(query).get_result(conn).unwrap();
    usize::try_from(found.number).unwrap()
}

/// The last migration of a whole book is undone.
fn a_book_of_an_older_version(place: &Place) -> SqliteConnection {
    assert!(Daemon::start(place).stop().success());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let folders = std::fs::read_dir(folder).unwrap();
    let last = folders.map(|folder| folder.unwrap().path()).max().unwrap();
    let down = std::fs::read_to_string(last.join("down.sql")).unwrap();
    let mut conn = raw(place);
    conn.batch_execute(&down).unwrap();
    conn.batch_execute(
        "DELETE FROM __diesel_schema_migrations
         WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
    )
    .unwrap();
    conn
}

#[test]
fn it_is_ready_when_the_book_is_up_to_date_and_not_before() {
    let place = Place::new();
    let mut conn = a_book_of_an_older_version(&place);
    let older = migrations(&mut conn);
    // Nobody else writes the book now, a migration included.
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let (manager, serve) = Manager::of(&place);
    let daemon = Daemon::spawn(&place, serve);
    let held = place.folder().join("daybook.db.lock");
    eventually("the daemon at the book", PATIENCE, || {
        let holder = std::fs::read_to_string(&held).unwrap_or_default();
        (holder.trim() == daemon.pid().to_string()).then_some(())
    });
    assert_eq!(manager.told(Duration::from_secs(1)), None);
    conn.batch_execute("COMMIT").unwrap();
    let said = manager.hears("READY=1");
    assert!(said.contains("STATUS=recording"), "{said}");
    assert_eq!(migrations(&mut conn), older + 1);
    let address = eventually("an address", PATIENCE, || daemon.listens_on());
    assert_eq!(
        Client::connect(address)
            .unwrap()
            .get("/readyz")
            .unwrap()
            .status,
        200
    );
    assert!(daemon.stop().success());
}

#[test]
fn that_it_stops_is_said_before_it_is_gone() {
    let place = Place::new();
    let (manager, serve) = Manager::of(&place);
    let mut daemon = Daemon::start_as(&place, serve).unwrap();
    manager.hears("READY=1");
    // A request that has begun keeps it for a while.
    let mut client = daemon.client();
    client
        .send("POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
        .unwrap();
    daemon.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    drop(client);
    assert!(daemon.ended(PATIENCE).success());
    assert_eq!(manager.told(Duration::from_millis(1)), None);
}

/// Its limit, and so a sign of life at least twice within it.
const LIMIT: Duration = Duration::from_millis(600);

#[test]
fn the_watchdog_is_fed_while_the_writer_serves_its_queue_and_not_when_it_does_not() {
    let place = Place::new();
    let (manager, mut serve) = Manager::of(&place);
    serve.env("WATCHDOG_USEC", LIMIT.as_micros().to_string());
    let daemon = Daemon::start_as(&place, serve).unwrap();
    let fed = |times: u32| {
        let began = Instant::now();
        (0..times).for_each(|_| drop(manager.hears("WATCHDOG=1")));
        began.elapsed()
    };
    fed(1);
    let took = fed(6);
    assert!(took >= LIMIT && took < LIMIT * 6, "{took:?}");
    // Whoever holds the book keeps the writer in its commit.
    let mut conn = raw(&place);
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut client = daemon.client();
    let sent = std::thread::spawn(move || client.post("application/json", &line("held-up")));
    eventually("a meal that is left out", PATIENCE, || {
        manager.told(LIMIT * 2).is_none().then_some(())
    });
    assert!(
        place.told().contains("the writer does not serve its queue"),
        "{}",
        place.told()
    );
    conn.batch_execute("COMMIT").unwrap();
    assert_eq!(sent.join().unwrap().unwrap().status, 201);
    fed(3);
    assert!(daemon.stop().success());
}

#[test]
fn without_a_service_manager_nobody_is_told_and_all_is_served() {
    let place = Place::new();
    let (manager, _) = Manager::of(&place);
    let mut serve = place.serve();
    serve.env("NOTIFY_SOCKET", place.aside().join("nobody-listens"));
    serve.env("WATCHDOG_USEC", "1000");
    // Of another process.
    serve.env("WATCHDOG_PID", "1");
    let daemon = Daemon::start_as(&place, serve).unwrap();
    assert_eq!(daemon.client().get("/readyz").unwrap().status, 200);
    assert!(daemon.stop().success());
    assert_eq!(manager.told(Duration::from_millis(1)), None);
}

#[test]
fn a_socket_that_was_opened_for_it_is_served_with_who_waited_there() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Before there is a daemon at all.
    let mut client = Client::connect(address).unwrap();
    client
        .send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    // As systemd does it: the descriptor 3, and the number of the process that it is meant for.
    let mut shell = Command::new("sh");
    let handed = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"";
    shell.args(["-c", handed, env!("CARGO_BIN_EXE_daybook")]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    // It would not come up if it tried to listen there.
    let elsewhere = taken.local_addr().unwrap().to_string();
    let serve = place.daybook_under(shell, &["serve", "--listen", &elsewhere]);
    let daemon = Daemon::start_with(&place, serve, OwnedFd::from(listener).into()).unwrap();
    assert_eq!(client.answer().unwrap().status, 200);
    assert_eq!(daemon.address, address);
    assert_eq!(daemon.client().get("/readyz").unwrap().status, 200);
    assert!(daemon.stop().success());
}

const UNIT: &str = include_str!("../../config/daybook.service");

/// What the unit promises, line by line.
const PROMISED: &str = "
    Type=notify
    ExecReload=/bin/kill -HUP $MAINPID
    Restart=on-failure
    KillMode=mixed
    DynamicUser=yes
    StateDirectory=daybook
    StateDirectoryMode=0700
    UMask=0077
    LimitCORE=0
    CapabilityBoundingSet=
    AmbientCapabilities=
    NoNewPrivileges=yes
    ProtectSystem=strict
    ProtectHome=yes
    PrivateTmp=yes
    PrivateDevices=yes
    PrivateUsers=yes
    PrivateIPC=yes
    PrivateMounts=yes
    ProtectProc=invisible
    ProcSubset=pid
    ProtectClock=yes
    ProtectHostname=yes
    ProtectKernelLogs=yes
    ProtectKernelModules=yes
    ProtectKernelTunables=yes
    ProtectControlGroups=yes
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    LockPersonality=yes
    MemoryDenyWriteExecute=yes
    RemoveIPC=yes
    DevicePolicy=closed
    SystemCallArchitectures=native
    SystemCallFilter=@system-service
    SystemCallFilter=~@privileged
    RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
";

/// The values of a key in the section of the service, in their order.
fn set(key: &str) -> Vec<&'static str> {
    let (_, service) = UNIT.split_once("\n[Service]\n").unwrap();
    let (service, _) = service.split_once("\n[Install]\n").unwrap();
    let lines = service.lines().filter_map(|line| line.split_once('='));
    lines
        .filter_map(|(held, value)| (held == key).then_some(value))
        .collect()
}

fn the_one(key: &str) -> &'static str {
    let [value] = set(key)[..] else {
        panic!("{key}: {:?}", set(key));
    };
    value
}

#[test]
fn the_unit_keeps_every_line_that_was_promised_of_it() {
    for line in PROMISED.trim().lines().map(str::trim) {
        let (key, value) = line.split_once('=').unwrap();
        assert!(set(key).contains(&value), "{line}");
        // Said once, so that no later line takes it back.
        assert_eq!(
            set(key).len(),
            PROMISED.matches(&format!(" {key}=")).count(),
            "{line}"
        );
    }
    assert_eq!(the_one("ExecStart"), "/usr/local/bin/daybook serve");
}

#[test]
fn the_unit_gives_the_daemon_the_time_and_the_room_that_it_needs() {
    let settings = Settings::default();
    let seconds = |key| {
        let value = the_one(key).strip_suffix('s').unwrap();
        Duration::from_secs(value.parse().unwrap())
    };
    assert!(seconds("TimeoutStopSec") > settings.server.shutdown_timeout.get());
    // A commit that waits for another process to let go of the book takes 5 s, and is no reason to be killed.
    assert!(seconds("WatchdogSec") >= Duration::from_secs(30));
    let megabytes: u64 = the_one("MemoryMax")
        .strip_suffix('M')
        .unwrap()
        .parse()
        .unwrap();
    let helper = settings.discovery.helper_memory.bytes() as u64;
    let queue = settings.limits.queue_bytes.bytes() as u64;
    assert!(megabytes << 20 >= 4 * (helper + queue), "{helper} {queue}");
    let tasks: u32 = the_one("TasksMax").parse().unwrap();
    // Threads for blocking work are 512 at most, and beside them those of the actors and of the helper.
    assert!(tasks > 512, "{tasks}");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("daybook.service");
    // The program is not where it will be installed.
    let text = UNIT.replace("/usr/local/bin/daybook", env!("CARGO_BIN_EXE_daybook"));
    std::fs::write(&unit, text).unwrap();
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output();
    let Ok(verified) = verified else {
        say("SKIPPED: systemd_finds_nothing_wrong_with_the_unit: systemd is not installed");
        return;
    };
    let told = String::from_utf8_lossy(&verified.stderr);
    let of_ours: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("daybook"))
        .collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{told}");
}
