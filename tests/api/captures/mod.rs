//! Intakes that the daemon runs itself, with real senders on the other side.

mod control;
mod file;
mod peers;
mod streams;

use crate::client::JSON;
use crate::harness::TestDaybook;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::http::Method;

const CAPTURES: &str = "/api/v1/captures";

/// A syslog listener on a free port, with these lines in its table.
fn syslog(more: &str) -> String {
    format!("[[captures]]\nname = \"net\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\n{more}\n")
}

impl TestDaybook {
    fn capture(&self, name: &str) -> Value {
        self.get(&format!("{CAPTURES}/{name}")).ok()
    }

    fn tell(&self, path: &str, body: &str) -> Value {
        let path = format!("{CAPTURES}/{path}");
        self.ask(Method::POST, &path, &[JSON], body.as_bytes()).ok()
    }

    /// Comes back when the capture stands so.
    fn until(&self, name: &str, state: &str) -> Value {
        eventually(&format!("{name} is {state}"), || {
            let capture = self.capture(name);
            (capture["state"] == state).then_some(capture)
        })
    }

    /// Where the syslog listener really listens.
    fn syslog_address(&self) -> SocketAddr {
        let capture = self.until("net", "running");
        let tcp = capture["listening"][1].as_str().unwrap();
        tcp.strip_prefix("tcp://").unwrap().parse().unwrap()
    }

    /// What captures brought, the oldest first, when so many are there; and that there are no more.
    fn brought(&self, count: usize) -> Vec<Value> {
        let page = eventually(&format!("{count} lines in the book"), || {
            let page = self.page("category=capture,auth&after_seq=0&limit=500");
            let items = page["items"].as_array().unwrap();
            let lines = items.iter().filter(|item| is_line(item));
            let lines: Vec<Value> = lines.cloned().collect();
            (lines.len() >= count).then_some(lines)
        });
        assert_eq!(page.len(), count, "{page:#?}");
        page
    }
}

/// And no entry of the daemon's own.
fn is_line(item: &Value) -> bool {
    let action = item["action"].as_str().unwrap();
    !action.starts_with("capture.") && !action.starts_with("auth.")
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect()
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
