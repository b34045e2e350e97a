//! Who fails too often is slowed down, by address; whose address that is, and whom a header may name, is said by
//! proxies that the owner trusts and by nobody else.

use super::client::{ACTIVITY, Answer, JSON, ask};
use super::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

const TRUSTED: &str = "[server]\ntrusted_proxies = ['127.0.0.1', '10.0.0.0/8']\n";
const SLOW: &str = "[auth]\nattempts_per_minute = 3\n";
const HEADER: &str = "[auth]\ntrusted_header = 'Remote-User'\ntrusted_scopes = ['read', 'write']\ntrusted_workspace = 'team'\n";
const LOGIN: &str = "/api/v1/auth/login";
const ME: &str = "/api/v1/auth/me";

fn with(
    daybook: &TestDaybook,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    let body = body.to_string();
    ask(
        &daybook.agent,
        method,
        &daybook.url(path),
        &headers,
        body.as_bytes(),
    )
}

/// Signs in from there, as the last proxy says.
fn login_from(daybook: &TestDaybook, forwarded: &str, key: &str) -> Answer {
    let said = [("X-Forwarded-For", forwarded)];
    with(daybook, Method::POST, LOGIN, &said, &json!({"key": key}))
}

/// From where the entries of an action came, once they are those; some are recorded behind the answer.
fn assert_addresses(daybook: &TestDaybook, action: &str, expected: &[&str]) {
    let began = std::time::Instant::now();
    while addresses(daybook, action) != expected {
        let told = addresses(daybook, action);
        assert!(
            began.elapsed().as_secs() < 30,
            "{told:?} and not {expected:?}"
        );
    }
}

fn addresses(daybook: &TestDaybook, action: &str) -> Vec<String> {
    let page = daybook.page(&format!("action={action}&workspace_id=*"));
    let mut items: Vec<String> = super::client::each(&page, "ip_address")
        .into_iter()
        .map(str::to_owned)
        .collect();
    items.sort();
    items
}

#[test]
fn who_fails_too_often_is_slowed_down_and_nobody_else() {
    let daybook = TestDaybook::with(&format!("{TRUSTED}{SLOW}"));
    let key = daybook.sign_in("olga");
    for _ in 0..3 {
        login_from(&daybook, "203.0.113.1", "dbk_a_b").problem(401);
    }
    for key in ["dbk_a_b", &key] {
        let slowed = login_from(&daybook, "203.0.113.1", key);
        slowed.problem(429);
        let wait: u64 = slowed.header("retry-after").parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert!(slowed.header("set-cookie").is_empty());
    }
    assert_eq!(login_from(&daybook, "203.0.113.2", &key).status, 200);
    // What a client adds by itself stands further left.
    let spoofed = login_from(&daybook, "198.51.100.7, 203.0.113.1, 10.0.0.9", &key);
    spoofed.problem(429);
    let bearer = |key: &str, from: &str| {
        let bearer = format!("Bearer {key}");
        let said = [
            ("Authorization", bearer.as_str()),
            ("X-Forwarded-For", from),
        ];
        with(&daybook, Method::GET, ACTIVITY, &said, &json!({})).status
    };
    assert_eq!(bearer("dbk_a_b", "203.0.113.1"), 429);
    let answers = [0; 4].map(|_| bearer("dbk_a_b", "203.0.113.3"));
    assert_eq!(answers, [401, 401, 401, 429]);
    assert_eq!(
        bearer(&key, "203.0.113.3"),
        200,
        "whose key is right is let in"
    );
    assert_addresses(&daybook, "auth.failed", &["203.0.113.1", "203.0.113.3"]);
    assert_addresses(&daybook, "auth.login", &["203.0.113.2"]);
}

#[test]
fn what_an_untrusted_peer_says_of_addresses_is_not_looked_at() {
    let daybook = TestDaybook::with(&format!(
        "[server]\ntrusted_proxies = ['10.0.0.0/8']\n{SLOW}"
    ));
    let key = daybook.sign_in("olga");
    let signed_in = with(
        &daybook,
        Method::POST,
        LOGIN,
        &[
            ("X-Forwarded-For", "203.0.113.1"),
            ("X-Forwarded-Proto", "https"),
        ],
        &json!({"key": key}),
    );
    assert!(!signed_in.header("set-cookie").contains("Secure"));
    for n in 0..2 {
        login_from(&daybook, &format!("203.0.113.{n}"), "dbk_a_b").problem(401);
    }
    login_from(&daybook, "203.0.113.99", "dbk_a_b").problem(429);
    assert_addresses(&daybook, "auth.*", &["127.0.0.1"; 3]);
}

#[test]
fn behind_a_trusted_proxy_with_tls_the_cookie_is_secure() {
    let daybook = TestDaybook::with(TRUSTED);
    let key = daybook.sign_in("olga");
    let secure = |proto: &str| {
        let said = [("X-Forwarded-Proto", proto)];
        let signed_in = with(&daybook, Method::POST, LOGIN, &said, &json!({"key": key}));
        signed_in.header("set-cookie").ends_with("; Secure")
    };
    assert!(secure("https") && !secure("http"));
}

#[test]
fn a_trusted_proxy_names_who_asks() {
    let daybook = TestDaybook::with(&format!("{TRUSTED}{HEADER}"));
    let origin = format!("http://{}", daybook.address);
    let named = |method: Method, path: &str, more: &[(&str, &str)], body: &Value| {
        let headers: Vec<_> = [("remote-user", "anna")]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        with(&daybook, method, path, &headers, body)
    };
    let me = named(Method::GET, ME, &[], &json!({})).ok();
    assert_eq!(
        me,
        json!({"label": "anna", "workspace_id": "team", "scopes": ["write", "read"], "speaks_for_others": false,
            "kind": "proxy", "expires_at": null, "idle_expires_at": null})
    );
    let line = json!({"category": "entity", "action": "x.y", "message": "m"});
    // What the proxy's own cookie opens is opened to no page but ours either.
    named(Method::POST, ACTIVITY, &[], &line).problem(403);
    named(
        Method::POST,
        ACTIVITY,
        &[("Origin", "https://evil.example")],
        &line,
    )
    .problem(403);
    named(Method::POST, ACTIVITY, &[("Origin", &origin)], &line).ok();
    let page = named(Method::GET, ACTIVITY, &[], &json!({})).ok();
    assert_eq!(page["items"][0]["actor"], "anna");
    assert_eq!(page["items"][0]["workspace_id"], "team");
    named(Method::GET, "/api/v1/keys", &[], &json!({})).problem(403);
    // Nobody is anonymous beside people with names.
    daybook.ask_as(None, Method::GET, ME, "").problem(401);
    for wrong in ["", "system", "operator", "anonymous"] {
        let headers = [("Remote-User", wrong)];
        with(&daybook, Method::GET, ME, &headers, &json!({})).problem(401);
    }
    let twice = [("Remote-User", "anna"), ("Remote-User", "olga")];
    with(&daybook, Method::GET, ME, &twice, &json!({})).problem(401);
}

#[test]
fn a_name_from_an_untrusted_peer_is_nobodys() {
    let daybook = TestDaybook::with(&format!(
        "[server]\ntrusted_proxies = ['10.0.0.1']\n{HEADER}"
    ));
    let said = [("Remote-User", "anna"), ("X-Forwarded-For", "10.0.0.1")];
    with(&daybook, Method::GET, ME, &said, &json!({})).problem(401);
    with(&daybook, Method::GET, ACTIVITY, &said, &json!({})).problem(401);
}
