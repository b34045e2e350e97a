//! Automations, asked from outside: their rules, and a receiver that is told.

mod receiver;
mod rules;
mod telling;

use crate::client::{Answer, JSON, entry_with};
use crate::harness::TestDaybook;
use receiver::{Got, Receiver};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};
use ureq::http::Method;

const RULES: &str = "/api/v1/automations";
const SECRET: &str = "hush-7Qk2bW9x";

fn make(daybook: &TestDaybook, rule: &Value) -> Answer {
    daybook.ask(Method::POST, RULES, &[JSON], rule.to_string().as_bytes())
}

fn made(daybook: &TestDaybook, name: &str, receiver: &Receiver, more: &Value) -> Value {
    let mut rule = json!({
        "name": name, "filters": {"action": "alarm.*"},
        "webhook": {"url": receiver.url(), "secret": SECRET},
    });
    let more = more.as_object().unwrap().clone();
    rule.as_object_mut().unwrap().extend(more);
    let made = make(daybook, &rule);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn post(daybook: &TestDaybook, path: &str) -> Answer {
    daybook.ask(Method::POST, &format!("{RULES}/{path}"), &[], b"")
}

fn alarm(daybook: &TestDaybook, message: &str) -> i64 {
    let alarm = entry_with(json!({"action": "alarm.raised", "message": message}));
    daybook.record(&alarm).ok()["seq"].as_i64().unwrap()
}

fn of(daybook: &TestDaybook, name: &str) -> Value {
    daybook.get(&format!("{RULES}/{name}")).ok()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match look() {
            Some(found) => return found,
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            None => panic!("{what}"),
        }
    }
}

fn status_of(daybook: &TestDaybook, name: &str, key: &str, number: u64) {
    until(&format!("{key} {number}"), || {
        (of(daybook, name)["status"][key] == number).then_some(())
    });
}

fn said(daybook: &TestDaybook, action: &str) -> Vec<Value> {
    let page = daybook.page(&format!("action={action}&limit=500"));
    page["items"].as_array().unwrap().clone()
}

/// As the documentation has it.
fn is_signed(got: &Got, secret: &str) -> bool {
    let check = "import hmac,sys; secret,ts,sig=sys.argv[1:]; body=sys.stdin.buffer.read()\n\
        want='sha256='+hmac.new(secret.encode(), ts.encode()+b'.'+body, 'sha256').hexdigest()\n\
        sys.exit(0 if hmac.compare_digest(want, sig) else 1)";
    let (timestamp, signature) = (
        got.header("x-daybook-timestamp"),
        got.header("x-daybook-signature"),
    );
    let python = Command::new("python3")
        .args(["-c", check, secret, timestamp, signature])
        .stdin(std::process::Stdio::piped())
        .spawn();
    let mut python = python.expect("python3 is there");
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), &got.body).unwrap();
    python.wait().unwrap().success()
}
