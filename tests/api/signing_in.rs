//! `/api/v1/auth/…`: people sign in with a key and are known by a cookie, as long as it lasts and no longer.

use super::client::{ACTIVITY, Answer, JSON, ask, entry};
use super::events::Follower;
use super::harness::TestDaybook;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tungstenite::protocol::frame::coding::CloseCode;
use ureq::http::Method;

const ALL: [&str; 3] = ["write", "read", "admin"];
const LOGIN: &str = "/api/v1/auth/login";
const LOGOUT: &str = "/api/v1/auth/logout";
const ME: &str = "/api/v1/auth/me";

fn own(daybook: &TestDaybook) -> String {
    format!("http://{}", daybook.address)
}

/// As a browser asks for a page of ours.
fn browse(daybook: &TestDaybook, cookie: &str, method: Method, path: &str, body: &str) -> Answer {
    let origin = own(daybook);
    let headers = [JSON, ("Cookie", cookie), ("Origin", &origin)];
    let url = daybook.url(path);
    ask(&daybook.agent, method, &url, &headers, body.as_bytes())
}

fn me(daybook: &TestDaybook, cookie: &str) -> Answer {
    browse(daybook, cookie, Method::GET, ME, "")
}

fn login(daybook: &TestDaybook, body: &str) -> Answer {
    daybook.ask_as(None, Method::POST, LOGIN, body)
}

fn follow(daybook: &TestDaybook, cookie: &str) -> Follower {
    let origin = own(daybook);
    let headers = [("Cookie", cookie), ("Origin", origin.as_str())];
    let mut follower = Follower::try_to(daybook, &headers).unwrap();
    assert_eq!(follower.next()["type"], "hello");
    follower
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn entries(daybook: &TestDaybook, action: &str) -> Vec<Value> {
    let page = daybook.page(&format!("action={action}&workspace_id=*"));
    page["items"].as_array().unwrap().clone()
}

#[test]
fn a_sign_in_is_its_keys_holder_with_its_rights_and_no_others() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "anna", "scopes": ["read", "write"], "workspace_id": "a", "expires_in": "1d"}));
    let cookie = daybook.cookie(&key);
    let told = me(&daybook, &cookie).ok();
    assert_eq!(
        (&told["label"], &told["workspace_id"], &told["kind"]),
        (&json!("anna"), &json!("a"), &json!("session"))
    );
    assert_eq!(told["scopes"], json!(["write", "read"]));
    assert_eq!(told["speaks_for_others"], false);
    let by_key = daybook.ask_as(Some(&key), Method::GET, ME, "").ok();
    assert_eq!(by_key["kind"], "key");
    assert_eq!(
        by_key["expires_at"], told["expires_at"],
        "no longer than the key"
    );
    assert!(told["idle_expires_at"].as_str() < told["expires_at"].as_str());
    let recorded = browse(
        &daybook,
        &cookie,
        Method::POST,
        ACTIVITY,
        &entry().to_string(),
    );
    assert_eq!(recorded.status, 201);
    let page = browse(&daybook, &cookie, Method::GET, ACTIVITY, "").ok();
    let line = &page["items"][0];
    assert_eq!(
        (&line["actor"], &line["workspace_id"]),
        (&json!("anna"), &json!("a"))
    );
    let path = "/api/v1/keys";
    browse(&daybook, &cookie, Method::GET, path, "").problem(403);
    let [signed_in] = &entries(&daybook, "auth.login")[..] else {
        panic!("one entry")
    };
    assert_eq!(
        (&signed_in["actor"], &signed_in["ip_address"]),
        (&json!("anna"), &json!("127.0.0.1"))
    );
    assert_eq!(
        signed_in["metadata"],
        json!({"method": "POST", "route": LOGIN})
    );
}

#[test]
fn who_one_is_is_told_to_anonymous_and_to_nobody_not() {
    let daybook = TestDaybook::start();
    let told = daybook.get(ME).ok();
    assert_eq!(
        (&told["kind"], &told["workspace_id"]),
        (&json!("anonymous"), &json!("*"))
    );
    assert_eq!(told["expires_at"], json!(null));
    login(&daybook, r#"{"key":"dbk_a_b"}"#).problem(401);
    daybook.sign_in("olga");
    daybook.ask_as(None, Method::GET, ME, "").problem(401);
}

#[test]
fn the_cookie_goes_to_this_host_alone_and_to_no_script() {
    let daybook = TestDaybook::start();
    let key = daybook.sign_in("olga");
    let signed_in = login(&daybook, &json!({"key": key}).to_string());
    assert_eq!(signed_in.header("cache-control"), "no-store");
    let (value, rest) = signed_in.header("set-cookie").split_once("; ").unwrap();
    assert_eq!(rest, "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    assert!(!signed_in.text().contains(value.rsplit('=').next().unwrap()));
    let out = browse(&daybook, value, Method::POST, LOGOUT, "");
    assert_eq!(out.json(), json!({"signed_out": true}));
    let taken = out.header("set-cookie");
    assert_eq!(
        taken,
        "daybook_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    );
}

#[test]
fn it_ends_when_it_is_not_used_and_in_any_case_after_its_absolute_time() {
    let daybook = TestDaybook::with("[auth]\nsession_idle = '1h'\nsession_absolute = '3h'\n");
    let key = daybook.sign_in("olga");
    let (used, unused) = (daybook.cookie(&key), daybook.cookie(&key));
    for _ in 0..3 {
        assert_eq!(me(&daybook, &used).status, 200);
        daybook.later(Duration::from_mins(50));
    }
    me(&daybook, &unused).problem(401);
    assert_eq!(me(&daybook, &used).status, 200);
    daybook.later(Duration::from_mins(31));
    me(&daybook, &used).problem(401);
    until("they are forgotten", || {
        daybook.reader().sign_ins().unwrap().is_empty()
    });
}

#[test]
fn whoever_follows_live_by_it_is_cut_when_it_ends() {
    let daybook = TestDaybook::with("[auth]\nsession_idle = '1h'\n");
    let operator = daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "anna", "scopes": ALL}));
    let cookies: Vec<String> = (0..3).map(|_| daybook.cookie(&key)).collect();
    let mut stays = follow(&daybook, &daybook.cookie(&operator));
    let mut signed_out = follow(&daybook, &cookies[0]);
    assert_eq!(
        browse(&daybook, &cookies[0], Method::POST, LOGOUT, "").status,
        200
    );
    assert_eq!(signed_out.closed(), Some(CloseCode::Policy));
    me(&daybook, &cookies[0]).problem(401);
    let mut revoked = follow(&daybook, &cookies[1]);
    daybook
        .ask(Method::DELETE, "/api/v1/keys/anna", &[], b"")
        .ok();
    assert_eq!(revoked.closed(), Some(CloseCode::Policy));
    me(&daybook, &cookies[1]).problem(401);
    daybook.record(&entry()).ok();
    while stays.next()["entry"]["action"] != "task.created" {}
    daybook.later(Duration::from_hours(2));
    assert_eq!(stays.closed(), Some(CloseCode::Policy));
    assert_eq!(entries(&daybook, "auth.logout")[0]["actor"], "anna");
}

#[test]
fn of_a_rotated_key_a_sign_in_ends_with_the_secret_that_was_shown() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "anna", "scopes": ALL}));
    let rotate = |overlap: &str| {
        let body = json!({"overlap": overlap}).to_string();
        let path = "/api/v1/keys/anna/rotate";
        let made = daybook
            .ask(Method::POST, path, &[JSON], body.as_bytes())
            .ok();
        made["key"].as_str().unwrap().to_owned()
    };
    let cookie = daybook.cookie(&key);
    let next = daybook.cookie(&rotate("1h"));
    assert_eq!(me(&daybook, &cookie).status, 200);
    daybook.later(Duration::from_mins(61));
    me(&daybook, &cookie).problem(401);
    assert_eq!(me(&daybook, &next).status, 200);
    rotate("0s");
    me(&daybook, &next).problem(401);
}

#[test]
fn a_socket_is_opened_by_a_cookie_only_for_a_page_of_its_own() {
    let daybook = TestDaybook::start();
    let key = daybook.sign_in("olga");
    let cookie = daybook.cookie(&key);
    let open = |headers: &[(&'static str, &str)]| Follower::try_to(&daybook, headers).is_ok();
    assert!(!open(&[("Cookie", &cookie)]));
    assert!(!open(&[
        ("Cookie", &cookie),
        ("Origin", "https://evil.example")
    ]));
    assert!(open(&[("Cookie", &cookie), ("Origin", &own(&daybook))]));
    assert!(open(&[("Authorization", &format!("Bearer {key}"))]));
}

#[test]
fn a_key_that_is_shown_wins_over_the_cookie() {
    let daybook = TestDaybook::start();
    let cookie = daybook.cookie(&daybook.sign_in("olga"));
    let weak = daybook.make_key(&json!({"label": "weak", "scopes": ["read"]}));
    let url = daybook.url(ME);
    let with = |bearer: &str| {
        let headers = [("Cookie", cookie.as_str()), ("Authorization", bearer)];
        ask(&daybook.agent, Method::GET, &url, &headers, b"")
    };
    assert_eq!(with(&format!("Bearer {weak}")).ok()["label"], "weak");
    with("Bearer dbk_a_b").problem(401);
    let two = format!("{cookie}; daybook_session=dbs_{}", "x".repeat(43));
    me(&daybook, &two).problem(401);
}

#[test]
fn signing_in_again_ends_the_former_and_one_key_has_so_many() {
    let daybook = TestDaybook::with("[auth]\nattempts_per_minute = 0\n");
    let key = daybook.sign_in("olga");
    let body = json!({"key": key}).to_string();
    let first = daybook.cookie(&key);
    let again = browse(&daybook, &first, Method::POST, LOGIN, &body);
    assert_eq!(again.status, 200);
    me(&daybook, &first).problem(401);
    let oldest = daybook.cookie(&key);
    let kept = daybook.cookie(&key);
    for _ in 0..31 {
        daybook.cookie(&key);
    }
    me(&daybook, &oldest).problem(401);
    assert_eq!(me(&daybook, &kept).status, 200);
    assert_eq!(daybook.reader().sign_ins().unwrap().len(), 32);
}

#[test]
fn what_is_wrong_with_a_key_is_told_to_nobody_and_what_is_no_request_is() {
    let daybook = TestDaybook::start();
    let operator = daybook.sign_in("olga");
    let expired = daybook.make_key(&json!({"label": "e", "scopes": ALL, "expires_in": "1h"}));
    let revoked = daybook.make_key(&json!({"label": "r", "scopes": ALL}));
    daybook.ask(Method::DELETE, "/api/v1/keys/r", &[], b"").ok();
    daybook.later(Duration::from_hours(2));
    let forged = format!("{}{}", &operator[..operator.len() - 4], "AAAA");
    let wrong = [&expired, &revoked, &forged, "dbk_a_b", "", "hunter2"];
    let told = wrong.map(|key| {
        let refused = login(&daybook, &json!({"key": key}).to_string());
        refused.problem(401);
        assert_eq!(refused.header("set-cookie"), "");
        refused.text()
    });
    assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
    login(&daybook, "{}").refuses(&["key"]);
    login(&daybook, r#"{"key":7}"#).refuses(&["key"]);
    login(&daybook, r#"{"key":"x","remember":true}"#).refuses(&["remember"]);
    login(&daybook, "[").refuses(&["body"]);
    let left = daybook.page("action=request.*&workspace_id=*");
    assert_eq!(left["items"], json!([]), "strangers do not fill the book");
}

#[test]
fn of_a_sign_in_the_book_holds_a_hash_and_a_restored_book_none() {
    let daybook = TestDaybook::start();
    let key = daybook.sign_in("olga");
    let before = daybook.cookie(&key);
    let token = before.rsplit('=').next().unwrap().to_owned();
    let told = entry()["message"].as_str().unwrap().to_owned() + &before;
    let mut leaky = entry();
    leaky["message"] = json!(told);
    daybook.record(&leaky).ok();
    let backup = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    let everything = daybook.get(&format!("{ACTIVITY}/export?format=ndjson&workspace_id=*"));
    assert!(!everything.text().contains(&token));
    for suffix in ["", "-wal"] {
        let file = format!("{}{suffix}", daybook.book().display());
        let bytes = std::fs::read(file).unwrap_or_default();
        let holds = memchr::memmem::find(&bytes, token.as_bytes());
        assert!(holds.is_none(), "the file holds a token");
    }
    let restore = format!(
        "/api/v1/backups/{}/restore",
        backup["name"].as_str().unwrap()
    );
    daybook.ask(Method::POST, &restore, &[], b"").ok();
    until("it ends", || me(&daybook, &before).status == 401);
    assert_eq!(daybook.reader().sign_ins().unwrap(), []);
    assert_eq!(me(&daybook, &daybook.cookie(&key)).status, 200);
}
