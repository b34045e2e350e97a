//! A directory with a book in it, the program's commands on it, and a daemon that keeps it.

use daybook::access::Scope;
use daybook::domain::{Draft, Filter, Head, NewEntry, Stored, Timestamp};
use daybook::storage::{EntryReader, Request, sqlite};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub struct Place {
    directory: tempfile::TempDir,
}

/// How a command ended: its exit code, standard output, standard error.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// With so many entries, made by hand and not by a daemon.
    pub fn with(entries: usize) -> Self {
        let place = Self::new();
        place.record(0, entries);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn book(&self) -> PathBuf {
        self.path("daybook.db")
    }

    /// `entry FROM` to `entry FROM+N-1`, a second apart.
    pub fn record(&self, from: usize, n: usize) {
        let mut writer = sqlite::open_writer(&self.book()).unwrap();
        use daybook::storage::EntryWriter;
        for i in from..from + n {
            let request = Request {
                acts: Vec::new(),
                entries: vec![entry(&format!("entry {i}"))],
            };
            writer.commit(moment(i), &[request]).unwrap();
        }
        writer.close().unwrap();
    }

    /// By hand, now.
    pub fn put(&self, entries: Vec<NewEntry>) {
        use daybook::storage::EntryWriter;
        let mut writer = sqlite::open_writer(&self.book()).unwrap();
        let now = writer.head().last_ts.successor();
        let request = Request {
            acts: Vec::new(),
            entries,
        };
        writer.commit(now, &[request]).unwrap();
        writer.close().unwrap();
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
        let ours = |name: &str| name.starts_with("DAYBOOK_") || name == "JOURNAL_STREAM";
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command
            .current_dir(self.directory.path())
            .args(["--storage-url", "sqlite://daybook.db"]);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(&self.command().args(arguments).output().unwrap())
    }

    /// What the command says of it on standard output, when it went well.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.out
    }

    /// Everything as NDJSON, over all workspaces.
    pub fn exported(&self) -> String {
        self.ok(&["export", "--workspace", "*"])
    }

    pub fn files(&self) -> Vec<String> {
        let held = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = held
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn former_books(&self) -> Vec<String> {
        let mut names = self.files();
        names.retain(|name| name.starts_with("daybook.db.before-restore-"));
        names
    }

    pub fn serve(&self, settings: &[(&str, &str)]) -> Daemon {
        Daemon::start(self, settings)
    }
}

fn ended(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code().expect("it ended by itself"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The wall clock of entries that are made by hand.
pub fn moment(second: usize) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + second as i64 * 1_000_000)
}

pub fn entry(message: &str) -> NewEntry {
    let some = |text: &str| Some(text.to_owned());
    entry_of(Draft {
        category: some("entity"),
        action: some("task.created"),
        actor: some("anna"),
        message: some(message),
        ..Draft::default()
    })
}

pub fn entry_of(draft: Draft) -> NewEntry {
    let rules = daybook::domain::Rules {
        extra_categories: Vec::new(),
        redact: Box::new(daybook::access::Privacy::default()),
    };
    draft.check(&rules).unwrap()
}

/// Everything in a book and where it stands, having proved that it is in order.
pub fn whole(book: &Path) -> (Head, Vec<Stored>) {
    let reader = sqlite::open_reader(book, 1).unwrap();
    assert_eq!(reader.check(&mut |_| {}).unwrap().problems, [""; 0]);
    let head = reader.head().unwrap();
    let (scope, filter) = (Scope::for_the_daemon(), Filter::default());
    let (mut items, mut after) = (Vec::new(), Some(0));
    while let Some(from) = after {
        let part = reader.export(&scope, &filter, from, head.last_seq, 500);
        let part = part.unwrap();
        items.extend(part.items);
        after = part.next;
    }
    // Nothing of it is open any more, whatever a pool may do behind its end.
    reader.suspend().unwrap();
    (head, items)
}

pub fn messages(stored: &[Stored]) -> Vec<&str> {
    stored.iter().map(|s| s.entry.message.as_str()).collect()
}

pub fn actions(stored: &[Stored]) -> Vec<&str> {
    stored.iter().map(|s| s.entry.action.as_str()).collect()
}

/// A daemon on a port of its own; killed when it is dropped.
pub struct Daemon {
    child: Child,
    pub url: String,
    agent: ureq::Agent,
}

impl Daemon {
    fn start(place: &Place, settings: &[(&str, &str)]) -> Self {
        let mut command = place.command();
        for (key, value) in settings {
            command.env(key, value);
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "info"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.split_once("is ready: ")?.1.trim().to_owned()))
            .expect("it says where it listens");
        // Read on, so that it never waits for us to.
        std::thread::spawn(move || lines.for_each(drop));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        let daemon = Self { child, url, agent };
        // It serves, and so it also hears signals.
        assert_eq!(daemon.get("/healthz").0, 200);
        daemon
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        told(answer.unwrap())
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.agent.post(format!("{}{path}", self.url));
        told(request.send_json(body).unwrap())
    }

    pub fn send(
        &self,
        headers: &[(&str, &str)],
        path: &str,
        body: &Value,
    ) -> (u16, ureq::http::HeaderMap) {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send_json(body).unwrap();
        (answer.status().as_u16(), answer.headers().clone())
    }

    pub fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.agent.put(format!("{}{path}", self.url));
        told(request.send_json(body).unwrap())
    }

    pub fn delete(&self, path: &str) -> (u16, Value) {
        let request = self.agent.delete(format!("{}{path}", self.url));
        told(request.call().unwrap())
    }

    /// The status, the headers and the bytes.
    pub fn download(&self, path: &str) -> (u16, ureq::http::HeaderMap, Vec<u8>) {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut answer = request.call().unwrap();
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.body_mut().with_config().limit(1 << 30);
        (status, headers, body.read_to_vec().unwrap())
    }

    pub fn record(&self, message: &str) -> (u16, Value) {
        let entry = json!({"category": "entity", "action": "task.created", "message": message});
        self.post("/api/v1/activity", &entry)
    }

    /// A live session.
    pub fn follow(&self) -> tungstenite::WebSocket<std::net::TcpStream> {
        self.try_to_follow().expect("it is let in")
    }

    /// None while the daemon cannot read its book.
    pub fn try_to_follow(&self) -> Option<tungstenite::WebSocket<std::net::TcpStream>> {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let stream = std::net::TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let url = format!("ws://{address}/api/v1/events/ws");
        let (session, _) = tungstenite::client(url, stream).ok()?;
        Some(session)
    }

    /// A backup's name.
    pub fn back_up(&self) -> String {
        let (status, made) = self.post("/api/v1/backups", &json!({}));
        assert_eq!(status, 201, "{made}");
        made["name"].as_str().unwrap().to_owned()
    }

    pub fn info(&self) -> Value {
        self.get("/api/v1/system/info").1
    }

    /// In order, as a service manager does it.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(mut answer: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let body = answer.body_mut().read_to_string().unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// Waits for what happens by itself.
pub fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "it did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Says that it is over when it goes, so that a test that fails does not keep its threads running.
pub struct Over<'a>(pub &'a std::sync::atomic::AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}
