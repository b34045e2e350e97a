//! Every address and method of the description, asked with parameters and bodies that are made from its schemas
//! and then spoilt. Each answer is one that the description has, failures of ours are none, and the memory keeps
//! within its bounds. Every run asks the same.

use crate::client::{self, Answer, JSON, KEYS};
use crate::dice::{Dice, mutated};
use crate::raw::Raw;
use crate::schema::{made, resolved, text};
use crate::spawned::Spawned;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use ureq::http::Method;

const SEEDS: [u64; 2] = [7, 0x00da_7b00];
/// Of each route, with each seed.
const ROUNDS: usize = 12;
/// Whoever asks; nothing that is made up is called so.
const OPERATOR: &str = "who-asks-it-all";
/// What such requests may take: bodies are small, and the pages that are answered too.
const MAY_GROW: u64 = 64 << 20;
/// What acts on other machines; nothing of it is spoilt, so that it stays on this one.
const REACHES_OUT: [&str; 2] = ["/api/v1/automations", "/api/v1/devices"];
const HERE: &str = "http://127.0.0.1:9/";
const HEADERS: [&str; 8] = [
    "Accept-Encoding: gzip, zstd",
    "Origin: http://evil.example",
    "X-Forwarded-For: 1.2.3.4, x",
    "Range: bytes=0-1",
    "Accept: application/xml",
    "Connection: upgrade",
    "Content-Encoding: br",
    "Host: localhost.",
];

struct Walk<'a> {
    daybook: &'a Spawned,
    document: &'a Value,
    key: String,
    dice: Dice,
    /// Names and ids that were answered, to be asked for.
    known: Vec<String>,
}

/// One line of the description.
type Route = (String, String, Value);
/// What was answered, and how often.
type Seen = BTreeMap<(String, u16), usize>;

fn routes(document: &Value) -> Vec<Route> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, methods): (&String, &Value)| -> Vec<Route> {
        let methods = methods.as_object().unwrap().iter();
        methods
            .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
            .collect()
    };
    paths.flat_map(of_path).collect()
}

/// What was answered and is not in the description.
fn strays(document: &Value, seen: &Seen) -> Vec<String> {
    let is_told = |at: &str, status: u16| {
        let (method, path) = at.split_once(' ').unwrap();
        let operation = &document["paths"][path][method.to_lowercase()];
        operation["responses"].get(status.to_string()).is_some()
    };
    let strays = seen.keys().filter(|(at, status)| !is_told(at, *status));
    strays
        .map(|(at, status)| format!("{at}: {status}"))
        .collect()
}

impl Walk<'_> {
    fn ask(&mut self, (method, path, operation): &Route) -> (Answer, String) {
        let mut request = format!(
            "{method} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
            self.target(path, operation)
        );
        if self.dice.roll(12) > 0 {
            request += &format!("Authorization: Bearer {}\r\n", self.key);
        }
        if self.dice.roll(6) == 0 {
            request += self.dice.pick(&HEADERS);
            request += "\r\n";
        }
        let mut request = request.into_bytes();
        match operation["requestBody"]["content"].as_object() {
            Some(contents) if self.dice.roll(12) > 0 => {
                let nth = self.dice.roll(contents.len());
                let (kind, content) = contents.iter().nth(nth).unwrap();
                let reaches_out = REACHES_OUT.iter().any(|out| path.starts_with(out));
                let (encoding, body) = self.body(kind, content, reaches_out);
                let head = format!(
                    "Content-Type: {kind}\r\n{encoding}Content-Length: {}\r\n\r\n",
                    body.len()
                );
                request.extend(head.bytes());
                request.extend(body);
            }
            _ => request.extend(b"\r\n"),
        }
        let mut raw = Raw::to(self.daybook.address);
        raw.send(&request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(2_000)]).into_owned();
        let answer = raw.try_answer(true);
        (
            answer.unwrap_or_else(|| panic!("no answer to {shown}")),
            shown,
        )
    }

    fn target(&mut self, path: &str, operation: &Value) -> String {
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let (mut path, mut query) = (path.to_owned(), Vec::new());
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "path" {
                let value = self.name(&parameter["example"]);
                path = path.replace(&format!("{{{name}}}"), &encoded(&value));
            } else if self.dice.roll(4) == 0 {
                let mut schema = resolved(self.document, &parameter["schema"]).clone();
                if let Some(example) = parameter.get("example") {
                    schema["example"] = example.clone();
                }
                let value = made(&mut self.dice, self.document, &schema, 2);
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                query.push(format!("{name}={}", encoded(&value)));
            }
        }
        if self.dice.roll(10) == 0 {
            query.push(encoded(&text(&mut self.dice)));
        }
        let mut query = query.join("&").into_bytes();
        if self.dice.roll(8) == 0 {
            query = mutated(&mut self.dice, &query, 3);
        }
        // What ends a line would make another request of it.
        query.retain(|byte| byte.is_ascii_graphic() && *byte != b'#');
        match query.is_empty() {
            true => path,
            false => format!("{path}?{}", String::from_utf8(query).unwrap()),
        }
    }

    /// For a place in a path.
    fn name(&mut self, example: &Value) -> String {
        let name = match self.dice.roll(4) {
            0 => text(&mut self.dice),
            1 => example.as_str().unwrap_or("x").to_owned(),
            _ if self.known.is_empty() => "x".to_owned(),
            _ => self.known[self.dice.roll(self.known.len())].clone(),
        };
        match name.chars().take(300).collect::<String>() {
            // Another address.
            empty if empty.is_empty() => "x".to_owned(),
            name => name,
        }
    }

    /// The header of its encoding, and the bytes.
    fn body(&mut self, kind: &str, content: &Value, reaches_out: bool) -> (&'static str, Vec<u8>) {
        let mut value = match self.dice.roll(3) {
            0 => content["example"].clone(),
            _ => made(&mut self.dice, self.document, &content["schema"], 5),
        };
        stays_here(&mut value);
        let plain = match value {
            Value::String(lines) if kind != "application/json" => lines.into_bytes(),
            value => value.to_string().into_bytes(),
        };
        let plain = match self.dice.roll(3) {
            0 if !reaches_out => mutated(&mut self.dice, &plain, 3),
            _ => plain,
        };
        let (header, packed) = match self.dice.roll(8) {
            0 => ("Content-Encoding: gzip\r\n", gzip(&plain)),
            1 => (
                "Content-Encoding: zstd\r\n",
                zstd::encode_all(&*plain, 1).unwrap(),
            ),
            _ => return ("", plain),
        };
        match self.dice.roll(3) {
            0 => (header, mutated(&mut self.dice, &packed, 2)),
            _ => (header, packed),
        }
    }

    fn learn(&mut self, value: &Value) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let is_name = matches!(key.as_str(), "id" | "name" | "label");
            match value.as_str() {
                Some(name) if is_name && name != OPERATOR => self.known.push(name.to_owned()),
                _ => self.learn(value),
            }
        }
        value
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|item| self.learn(item));
        // The newest are there most likely.
        let old = self.known.len().saturating_sub(20);
        self.known.drain(..old);
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// No address in it leads elsewhere.
fn stays_here(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("://") => *text = HERE.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(stays_here),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "url" => *value = json!(HERE),
                    "address" => *value = json!("127.0.0.1"),
                    _ => stays_here(value),
                }
            }
        }
        _ => {}
    }
}

fn operator(daybook: &Spawned) -> String {
    let wanted = json!({
        "label": OPERATOR, "scopes": ["write", "read", "admin"], "workspace_id": "*", "speaks_for_others": true
    });
    let url = format!("http://{}{KEYS}", daybook.address);
    let made = client::ask(
        &daybook.agent,
        Method::POST,
        &url,
        &[JSON],
        wanted.to_string().as_bytes(),
    );
    made.ok()["key"].as_str().unwrap().to_owned()
}

#[test]
fn every_route_answers_as_described_whatever_it_is_asked() {
    let daybook = Spawned::start(&[
        ("DAYBOOK_DISCOVERY__ENABLED", "false"),
        ("DAYBOOK_AUTH__ATTEMPTS_PER_MINUTE", "0"),
    ]);
    let url = format!("http://{}/api/openapi.json", daybook.address);
    let document = client::ask(&daybook.agent, Method::GET, &url, &[], b"").ok();
    let routes = routes(&document);
    let mut walk = Walk {
        key: operator(&daybook),
        daybook: &daybook,
        document: &document,
        dice: Dice(SEEDS[0]),
        known: Vec::new(),
    };
    daybook.forget_peak();
    let before = daybook.peak();
    let mut seen = Seen::new();
    for seed in SEEDS {
        walk.dice = Dice(seed);
        for route in std::iter::repeat_n(&routes, ROUNDS).flatten() {
            let (answer, shown) = walk.ask(route);
            let at = format!("{} {}", route.0, route.1);
            let count = seen.entry((at.clone(), answer.status)).or_insert(0);
            *count += 1;
            let strays = strays(&document, &seen);
            assert!(strays.is_empty(), "{strays:?}: {shown}\n{}", answer.text());
            let is_plain = answer.header("content-encoding").is_empty();
            if is_plain && answer.status >= 400 && route.1 != "/readyz" {
                answer.problem(answer.status);
            }
            if let Ok(value) = serde_json::from_slice(&answer.body) {
                walk.learn(&value);
            }
        }
    }
    let grown = daybook.peak().saturating_sub(before);
    let asked: usize = seen.values().sum();
    println!("{asked} requests; the memory grew by {} KiB", grown / 1024);
    assert!(grown < MAY_GROW, "{grown}");
    got_somewhere(&seen, routes.len());
    // The check finds what the description does not have.
    let ((at, status), _) = seen.first_key_value().unwrap();
    let (method, path) = at.split_once(' ').unwrap();
    let mut shorter = document.clone();
    let responses = &mut shorter["paths"][path][method.to_lowercase()]["responses"];
    responses
        .as_object_mut()
        .unwrap()
        .remove(&status.to_string());
    assert_eq!(strays(&shorter, &seen), [format!("{at}: {status}")]);
}

/// It would prove nothing if all were refused at the door.
fn got_somewhere(seen: &Seen, routes: usize) {
    let mut answered: BTreeMap<u16, usize> = BTreeMap::new();
    for ((_, status), count) in seen {
        *answered.entry(*status).or_default() += count;
    }
    for status in [200, 201, 400, 401, 404] {
        assert!(
            answered.get(&status).is_some_and(|n| *n > 10),
            "{status}: {answered:?}"
        );
    }
    let good = |status: &u16| (200..300).contains(status);
    let let_in: std::collections::BTreeSet<&str> = seen
        .keys()
        .filter(|(_, status)| good(status))
        .map(|(at, _)| at.as_str())
        .collect();
    assert!(let_in.len() > routes * 2 / 3, "{let_in:?}");
}
