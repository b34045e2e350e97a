//! Keys over HTTP: made, rotated, revoked; what they may do, what they leave in the book, and that all of it
//! holds at once.

use super::client::{ACTIVITY, Answer, KEYS, entry, entry_with};
use super::events::Follower;
use super::harness::TestDaybook;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tungstenite::protocol::frame::coding::CloseCode;
use ureq::http::Method;

const ALL: [&str; 3] = ["write", "read", "admin"];

fn get(daybook: &TestDaybook, key: &str, path: &str) -> Answer {
    daybook.ask_as(Some(key), Method::GET, path, "")
}

fn post(daybook: &TestDaybook, key: &str, path: &str, body: &Value) -> Answer {
    daybook.ask_as(Some(key), Method::POST, path, &body.to_string())
}

/// The entries of that action, the newest first, once there are so many.
fn entries(daybook: &TestDaybook, action: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let page = daybook.page(&format!("action={action}&workspace_id=*"));
        let items = page["items"].as_array().unwrap();
        if items.len() >= count {
            return items.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{page}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn follow(daybook: &TestDaybook, key: &str) -> Follower {
    let bearer = format!("Bearer {key}");
    let mut follower = Follower::try_to(daybook, &[("Authorization", &bearer)]).unwrap();
    assert_eq!(follower.next()["type"], "hello");
    follower
}

#[test]
fn with_the_first_key_nobody_is_anonymous_any_more() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    let mut anonymous = Follower::to(&daybook);
    let key = daybook.make_key(&json!({"label": "olga", "scopes": ALL, "workspace_id": "*"}));
    daybook.get(ACTIVITY).problem(401);
    daybook.record(&entry()).problem(401);
    let code = anonymous.closed();
    assert_eq!(code, Some(CloseCode::Policy));
    assert_eq!(get(&daybook, &key, ACTIVITY).status, 200);
    let revoked = daybook.ask_as(Some(&key), Method::DELETE, "/api/v1/keys/olga", "");
    assert_eq!(revoked.ok()["state"], "revoked");
    get(&daybook, &key, ACTIVITY).problem(401);
    daybook.get(ACTIVITY).problem(401);
}

#[test]
fn what_a_key_records_is_its_holders_and_of_its_workspace() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "ci", "scopes": ALL, "workspace_id": "a"}));
    post(&daybook, &key, ACTIVITY, &entry()).ok();
    let page = get(&daybook, &key, ACTIVITY).ok();
    let own = &page["items"][0];
    assert_eq!(
        (&own["actor"], &own["workspace_id"]),
        (&json!("ci"), &json!("a"))
    );
    for (field, value) in [
        ("actor", "bob"),
        ("ip_address", "192.0.2.1"),
        ("user_agent", "x"),
    ] {
        let said = entry_with(json!({field: value}));
        let problem = post(&daybook, &key, ACTIVITY, &said).problem(403);
        assert_eq!(problem["errors"][0]["field"], field);
    }
    daybook.record(&entry_with(json!({"actor": "bob"}))).ok();
    assert_eq!(
        daybook.page("action=task.created")["items"][0]["actor"],
        "bob"
    );
}

#[test]
fn a_key_is_shown_once_and_never_again_nor_recorded() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let wanted =
        json!({"label": "ci", "scopes": ["write"], "workspace_id": "a", "expires_in": "90d"});
    let made = daybook.ask(
        Method::POST,
        KEYS,
        &[super::client::JSON],
        wanted.to_string().as_bytes(),
    );
    assert_eq!(
        (made.status, made.header("cache-control")),
        (201, "no-store")
    );
    let made = made.json();
    let secret = made["key"]
        .as_str()
        .unwrap()
        .rsplit('_')
        .next()
        .unwrap()
        .to_owned();
    let listed = daybook.get(KEYS);
    assert!(!listed.text().contains(&secret));
    let items = listed.ok()["items"].take();
    assert_eq!(items[0]["label"], "ci");
    assert_eq!(
        (&items[0]["state"], &items[0]["scopes"]),
        (&json!("active"), &json!(["write"]))
    );
    let [own, ..] = &entries(&daybook, "auth.key_created", 2)[..] else {
        panic!("no entry")
    };
    assert_eq!(
        (&own["actor"], &own["entity_type"], &own["entity_id"]),
        (&json!("olga"), &json!("key"), &json!("ci"))
    );
    assert_eq!(own["workspace_id"], "default");
    let everything = daybook
        .get(&format!("{ACTIVITY}/export?format=ndjson&workspace_id=*"))
        .text();
    assert!(!everything.contains(&secret));
    let book = std::fs::read(daybook.book()).unwrap();
    let wal = std::fs::read(daybook.book().with_extension("db-wal")).unwrap_or_default();
    for bytes in [book, wal] {
        let holds = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!holds, "the file holds a secret");
    }
}

#[test]
fn what_is_wrong_with_a_wanted_key_is_named() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    for (wanted, field) in [
        (json!({"scopes": ["read"]}), "label"),
        (json!({"label": "a b", "scopes": ["read"]}), "label"),
        (json!({"label": "system", "scopes": ["read"]}), "label"),
        (json!({"label": "x"}), "scopes"),
        (json!({"label": "x", "scopes": []}), "scopes"),
        (json!({"label": "x", "scopes": ["root"]}), "scopes"),
        (json!({"label": "x", "scopes": [1]}), "scopes"),
        (
            json!({"label": "x", "scopes": ["read"], "workspace_id": "a b"}),
            "workspace_id",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "speaks_for_others": 1}),
            "speaks_for_others",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "expires_in": "soon"}),
            "expires_in",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "expires_in": "0s"}),
            "expires_in",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "colour": 1}),
            "colour",
        ),
    ] {
        let answer = daybook.ask(
            Method::POST,
            KEYS,
            &[super::client::JSON],
            wanted.to_string().as_bytes(),
        );
        answer.refuses(&[field]);
    }
    let taken = json!({"label": "olga", "scopes": ["read"]}).to_string();
    let taken = daybook.ask(Method::POST, KEYS, &[super::client::JSON], taken.as_bytes());
    assert_eq!(taken.problem(409)["errors"][0]["field"], "label");
    for (method, path) in [
        ("DELETE", "/api/v1/keys/nobody"),
        ("POST", "/api/v1/keys/nobody/rotate"),
    ] {
        let asked = daybook.ask(method.parse().unwrap(), path, &[super::client::JSON], b"{}");
        asked.problem(404);
    }
}

#[test]
fn nobody_makes_or_takes_over_a_key_that_may_do_more_than_his_own() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let admin = daybook.make_key(&json!({"label": "adam", "scopes": ["admin", "read"], "workspace_id": "a", "expires_in": "1d"}));
    daybook.make_key(&json!({"label": "strong", "scopes": ALL, "workspace_id": "a"}));
    daybook.make_key(&json!({"label": "other", "scopes": ["read"], "workspace_id": "b"}));
    let make = |wanted: Value| post(&daybook, &admin, KEYS, &wanted);
    for (wanted, field) in [
        (
            json!({"label": "x", "scopes": ["write"], "expires_in": "1h"}),
            "scopes",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "workspace_id": "b", "expires_in": "1h"}),
            "workspace_id",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "workspace_id": "*", "expires_in": "1h"}),
            "workspace_id",
        ),
        (
            json!({"label": "x", "scopes": ["read"], "speaks_for_others": true, "expires_in": "1h"}),
            "speaks_for_others",
        ),
        (json!({"label": "x", "scopes": ["read"]}), "expires_in"),
        (
            json!({"label": "x", "scopes": ["read"], "expires_in": "2d"}),
            "expires_in",
        ),
    ] {
        assert_eq!(make(wanted).problem(403)["errors"][0]["field"], field);
    }
    let made = make(json!({"label": "x", "scopes": ["read"], "expires_in": "1h"})).ok();
    assert_eq!(made["workspace_id"], "a");
    post(&daybook, &admin, "/api/v1/keys/strong/rotate", &json!({})).problem(403);
    for path in ["/api/v1/keys/other", "/api/v1/keys/olga"] {
        let gone = daybook.ask_as(Some(&admin), Method::DELETE, path, "");
        gone.problem(404);
        post(&daybook, &admin, &format!("{path}/rotate"), &json!({})).problem(404);
    }
    let seen = get(&daybook, &admin, KEYS).ok();
    assert_eq!(super::client::each(&seen, "label"), ["adam", "strong", "x"]);
}

#[test]
fn of_a_rotated_key_both_secrets_open_until_the_overlap_ends() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let old = daybook.make_key(&json!({"label": "ci", "scopes": ALL}));
    let rotate = |overlap: &str| {
        let body = json!({"overlap": overlap}).to_string();
        let path = "/api/v1/keys/ci/rotate";
        let made = daybook.ask(Method::POST, path, &[super::client::JSON], body.as_bytes());
        made.ok()["key"].as_str().unwrap().to_owned()
    };
    let new = rotate("1h");
    assert_ne!(old, new);
    for key in [&old, &new] {
        assert_eq!(get(&daybook, key, ACTIVITY).status, 200);
    }
    let newest = rotate("0s");
    for key in [&old, &new] {
        get(&daybook, key, ACTIVITY).problem(401);
    }
    assert_eq!(get(&daybook, &newest, ACTIVITY).status, 200);
    let after = rotate("2s");
    let mut session = follow(&daybook, &newest);
    assert_eq!(session.closed(), Some(CloseCode::Policy));
    get(&daybook, &newest, ACTIVITY).problem(401);
    assert_eq!(get(&daybook, &after, ACTIVITY).status, 200);
}

#[test]
fn a_revoked_and_an_expired_key_lose_their_open_sessions_at_once() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "ci", "scopes": ALL, "workspace_id": "a"}));
    let mut session = follow(&daybook, &key);
    daybook
        .record(&entry_with(json!({"workspace_id": "b"})))
        .ok();
    daybook
        .record(&entry_with(json!({"workspace_id": "a"})))
        .ok();
    let frame = session.next();
    assert_eq!(frame["entry"]["workspace_id"], "a", "{frame}");
    assert_eq!(
        daybook
            .ask(Method::DELETE, "/api/v1/keys/ci", &[], b"")
            .status,
        200
    );
    assert_eq!(session.closed(), Some(CloseCode::Policy));
    let short = daybook.make_key(&json!({"label": "short", "scopes": ALL, "expires_in": "2s"}));
    let mut session = follow(&daybook, &short);
    assert_eq!(session.closed(), Some(CloseCode::Policy));
    get(&daybook, &short, ACTIVITY).problem(401);
    assert_eq!(entries(&daybook, "auth.ws_connected", 2)[1]["actor"], "ci");
    assert_eq!(
        entries(&daybook, "auth.ws_disconnected", 2)[1]["actor"],
        "ci"
    );
}

#[test]
fn one_key_has_so_many_sessions_and_no_more() {
    let daybook = TestDaybook::with("[limits]\nsessions_per_key = 1\n");
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "ci", "scopes": ALL}));
    let bearer = format!("Bearer {key}");
    let held = follow(&daybook, &key);
    assert!(Follower::try_to(&daybook, &[("Authorization", &bearer)]).is_err());
    drop(held);
    let began = Instant::now();
    while Follower::try_to(&daybook, &[("Authorization", &bearer)]).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "its place is not given back"
        );
    }
}

#[test]
fn a_wrong_key_is_recorded_once_a_minute_with_its_address_and_not_with_what_was_shown() {
    let daybook = TestDaybook::with("[auth]\nattempts_per_minute = 50\n");
    let key = daybook.sign_in("olga");
    for _ in 0..50 {
        get(&daybook, "dbk_somebody_guessing", ACTIVITY).problem(401);
    }
    let failed = entries(&daybook, "auth.failed", 1);
    assert_eq!(failed.len(), 1, "{failed:?}");
    let failed = &failed[0];
    assert_eq!(
        (&failed["ip_address"], &failed["workspace_id"]),
        (&json!("127.0.0.1"), &json!("default"))
    );
    assert_eq!(failed["metadata"], json!({"reason": "wrong"}));
    assert!(!failed.to_string().contains("guessing"));
    let weak = daybook.make_key(&json!({"label": "weak", "scopes": ["write"]}));
    for _ in 0..5 {
        get(&daybook, &weak, ACTIVITY).problem(403);
    }
    let denied = entries(&daybook, "auth.denied", 1);
    assert_eq!((denied.len(), &denied[0]["actor"]), (1, &json!("weak")));
    assert_eq!(get(&daybook, &key, ACTIVITY).status, 200);
}

#[test]
fn the_rest_of_a_minute_of_failures_is_one_entry_with_their_number() {
    let daybook = TestDaybook::with("[auth]\nattempts_per_minute = 0\n");
    daybook.sign_in("olga");
    for _ in 0..200 {
        get(&daybook, "dbk_somebody_guessing", ACTIVITY).problem(401);
    }
    assert_eq!(entries(&daybook, "auth.failed", 1).len(), 1);
    daybook.later(Duration::from_secs(61));
    let failed = entries(&daybook, "auth.failed", 2);
    assert_eq!(failed.len(), 2, "{failed:?}");
    // The newest first.
    assert_eq!(
        failed[0]["metadata"],
        json!({"reason": "wrong", "count": 199})
    );
    assert_eq!(failed[0]["ip_address"], "127.0.0.1");
    // The next one begins a burst of its own.
    get(&daybook, "dbk_somebody_guessing", ACTIVITY).problem(401);
    assert_eq!(entries(&daybook, "auth.failed", 3).len(), 3);
}

#[test]
fn the_last_use_of_a_key_is_told() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "ci", "scopes": ["read"]}));
    let used = || daybook.get(KEYS).ok()["items"][0]["last_used_from"].take();
    assert_eq!(used(), json!(null));
    get(&daybook, &key, ACTIVITY).ok();
    let began = Instant::now();
    while used() != "127.0.0.1" {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_declared_key_is_in_force_and_not_changed_over_http() {
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let daybook = TestDaybook::with(&format!(
        "[[auth.keys]]\nlabel = 'file'\nid = 'f1'\nsha256 = '{hash}'\n\
         scopes = ['write', 'read', 'admin']\nworkspace = '*'\n"
    ));
    daybook.get(ACTIVITY).problem(401);
    let key = "dbk_f1_abc";
    assert_eq!(get(&daybook, key, ACTIVITY).status, 200);
    assert_eq!(get(&daybook, key, KEYS).ok()["items"][0]["source"], "file");
    let revoked = daybook.ask_as(Some(key), Method::DELETE, "/api/v1/keys/file", "");
    revoked.problem(409);
    post(&daybook, key, "/api/v1/keys/file/rotate", &json!({})).problem(409);
    post(
        &daybook,
        key,
        KEYS,
        &json!({"label": "file", "scopes": ["read"]}),
    )
    .problem(409);
}
