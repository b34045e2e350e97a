//! The client of the tests: what it is told, in words that tests use.

use super::harness::TestDaybook;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::{HeaderMap, Method, Request};

pub const ACTIVITY: &str = "/api/v1/activity";
pub const KEYS: &str = "/api/v1/keys";
pub const JSON: (&str, &str) = ("Content-Type", "application/json");
pub const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");

pub type Headers<'a> = &'a [(&'a str, &'a str)];

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

impl TestDaybook {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn ask(&self, method: Method, path: &str, headers: Headers, body: &[u8]) -> Answer {
        let bearer = self.key.get().map(|key| format!("Bearer {key}"));
        let shown = bearer.as_deref().map(|bearer| ("Authorization", bearer));
        let headers: Vec<_> = headers.iter().copied().chain(shown).collect();
        ask(&self.agent, method, &self.url(path), &headers, body)
    }

    /// The same with this key, or with none.
    pub fn ask_as(&self, key: Option<&str>, method: Method, path: &str, body: &str) -> Answer {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let shown = bearer.as_deref().map(|bearer| ("Authorization", bearer));
        let headers: Vec<_> = [JSON].into_iter().chain(shown).collect();
        ask(
            &self.agent,
            method,
            &self.url(path),
            &headers,
            body.as_bytes(),
        )
    }

    /// Makes a key; it is the text of it.
    pub fn make_key(&self, wanted: &Value) -> String {
        let made = self.ask(Method::POST, KEYS, &[JSON], wanted.to_string().as_bytes());
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["key"].as_str().unwrap().to_owned()
    }

    /// From now on everything is asked as an operator of this label.
    pub fn sign_in(&self, label: &str) -> String {
        let scopes = ["write", "read", "admin"];
        let key = self.make_key(&json!({
            "label": label, "scopes": scopes, "workspace_id": "*", "speaks_for_others": true
        }));
        self.key.set(key.clone()).expect("signed in once");
        key
    }

    /// Signs a browser in with a key; it is what the browser sends from then on.
    pub fn cookie(&self, key: &str) -> String {
        let body = json!({"key": key}).to_string();
        let signed_in = self.ask_as(None, Method::POST, "/api/v1/auth/login", &body);
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        let cookie = signed_in.header("set-cookie").split(';').next();
        cookie.unwrap().to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], b"")
    }

    /// Posts to where entries are recorded.
    pub fn post(&self, headers: Headers, body: impl AsRef<[u8]>) -> Answer {
        self.ask(Method::POST, ACTIVITY, headers, body.as_ref())
    }

    pub fn record(&self, entry: &Value) -> Answer {
        self.post(&[JSON], entry.to_string())
    }

    pub fn record_lines(&self, entries: &[Value]) -> Value {
        let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
        self.post(&[NDJSON], lines.join("\n")).ok()
    }

    /// The query is written as it goes over the wire.
    pub fn page(&self, query: &str) -> Value {
        self.get(&format!("{ACTIVITY}?{query}")).ok()
    }

    /// The one entry of that id, as it stands in the book.
    pub fn entry(&self, id: &str) -> Value {
        self.get(&format!("{ACTIVITY}/{id}")).ok()["entry"].take()
    }

    pub fn count(&self) -> u64 {
        let counted = self
            .get(&format!("{ACTIVITY}/count?workspace_id=*&exact=true"))
            .ok();
        counted["count"].as_u64().unwrap()
    }
}

pub fn ask(
    agent: &ureq::Agent,
    method: Method,
    url: &str,
    headers: Headers,
    body: &[u8],
) -> Answer {
    let mut request = Request::builder().method(method.clone()).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answered = if method == Method::GET || method == Method::HEAD {
        agent.run(request.body(()).unwrap())
    } else {
        agent.run(request.body(body).unwrap())
    };
    let mut answer = answered.unwrap_or_else(|error| panic!("{url}: {error}"));
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()
            .unwrap(),
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// A 2xx, and what it says.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}", self.text());
        self.json()
    }

    /// A problem of that status in the form of RFC 9457.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        let keys: Vec<&str> = ["type", "title", "status", "detail", "errors"]
            .into_iter()
            .filter(|key| problem.get(key).is_some())
            .collect();
        assert_eq!(keys.len(), 5, "{problem}");
        assert_eq!(problem.as_object().unwrap().len(), 5, "{problem}");
        assert_eq!(problem["status"], status);
        problem
    }

    /// A 400 that names these fields.
    #[track_caller]
    pub fn refuses(&self, fields: &[&str]) {
        let problem = self.problem(400);
        assert_eq!(named(&problem["errors"]), fields, "{problem}");
    }
}

/// The fields that a list of errors names.
pub fn named(errors: &Value) -> Vec<&str> {
    let errors = errors.as_array().expect("a list of errors");
    errors
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect()
}

/// The smallest entry.
pub fn entry() -> Value {
    json!({"category": "entity", "action": "task.created", "message": "made a task"})
}

/// The smallest entry, but for this.
pub fn entry_with(changes: Value) -> Value {
    let mut entry = entry();
    for (key, value) in changes.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

/// One value of each item, in their order.
pub fn each<'a>(page: &'a Value, key: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[key].as_str().unwrap())
        .collect()
}

pub fn seqs(page: &Value) -> Vec<i64> {
    let seqs = page["seqs"].as_array().unwrap();
    seqs.iter().map(|seq| seq.as_i64().unwrap()).collect()
}
