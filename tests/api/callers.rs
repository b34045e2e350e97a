//! Every route, asked by every kind of caller: who is let in stands in one table, and nowhere else.

use super::client::{ACTIVITY, Answer, JSON, ask};
use super::harness::TestDaybook;
use daybook::http::auth::Need;
use daybook::http::routes::TABLE;
use serde_json::json;
use std::time::{Duration, Instant};
use ureq::http::Method;

/// What a caller may do; the rest it is refused.
struct Caller {
    name: &'static str,
    shows: Vec<(&'static str, String)>,
    may: &'static [Need],
    /// Whether it may do even that only where it changes nothing.
    only_asks: bool,
    /// Of what it may not, and how that begins, but where the scope is told.
    refusal: u16,
    told: &'static str,
}

impl Caller {
    fn is_signed_in(&self) -> bool {
        self.shows[..].iter().any(|(name, _)| *name == "Cookie") && self.told != NO_KEY
    }
}

const NO_KEY: &str = "this takes a key that is in force";
const UNSAID: &str = "with a cookie this takes an Origin that is this host";
const FOREIGN: &str = "the request comes from a page of another origin";
/// However often a caller fails.
const UNHURRIED: &str = "[auth]\nattempts_per_minute = 0\n";
const EVERYTHING: &[Need] = &[
    Need::Open,
    Need::Known,
    Need::Write,
    Need::Read,
    Need::Admin,
    Need::Operator,
    Need::Metrics,
];

const NOBODY: &[Need] = &[Need::Open];

/// Waits for a condition, not for luck.
fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn callers(daybook: &TestDaybook) -> Vec<Caller> {
    let operator = daybook.sign_in("olga");
    let make = |label: &str, scopes: &[&str], workspace: &str| {
        daybook.make_key(&json!({"label": label, "scopes": scopes, "workspace_id": workspace}))
    };
    let all = ["write", "read", "admin"];
    let revoked = make("revoked", &all, "*");
    let path = "/api/v1/keys/revoked";
    assert_eq!(daybook.ask(Method::DELETE, path, &[], b"").status, 200);
    let expired = daybook.make_key(&json!({
        "label": "expired", "scopes": all, "workspace_id": "*", "expires_in": "1ms"
    }));
    until("it expires", || {
        let asked = daybook.ask_as(Some(&expired), Method::GET, ACTIVITY, "");
        asked.status == 401
    });
    let (id, _) = operator.rsplit_once('_').unwrap();
    let forged = format!("{id}_{}", "x".repeat(32));
    let bearer = |key: String| vec![("Authorization", format!("Bearer {key}"))];
    let nobody = |name, key: Option<String>| Caller {
        name,
        shows: key.map(bearer).unwrap_or_default(),
        may: NOBODY,
        only_asks: false,
        refusal: 401,
        told: NO_KEY,
    };
    let holder = |name, key, may| Caller {
        name,
        shows: bearer(key),
        may,
        only_asks: false,
        refusal: 403,
        told: "",
    };
    let mut callers = vec![
        nobody("no key", None),
        nobody("no such key", Some("dbk_a_b".into())),
        nobody("nonsense", Some("nonsense".into())),
        nobody("a wrong secret", Some(forged)),
        nobody("an expired key", Some(expired)),
        nobody("a revoked key", Some(revoked)),
        holder(
            "write",
            make("w", &["write"], "a"),
            &[Need::Open, Need::Known, Need::Write],
        ),
        holder(
            "read",
            make("r", &["read"], "a"),
            &[Need::Open, Need::Known, Need::Read],
        ),
        holder(
            "admin",
            make("a", &["admin"], "a"),
            &[Need::Open, Need::Known, Need::Admin],
        ),
        holder(
            "admin of another workspace",
            daybook.make_key(&json!({"label": "b", "scopes": all, "workspace_id": "b"})),
            &[
                Need::Open,
                Need::Known,
                Need::Write,
                Need::Read,
                Need::Admin,
            ],
        ),
        holder(
            "write of all",
            make("wa", &["write"], "*"),
            &[Need::Open, Need::Known, Need::Write],
        ),
        holder("operator", operator.clone(), EVERYTHING),
    ];
    callers.extend(signed_in(daybook, &operator, make("gone", &all, "*")));
    callers
}

/// The cookies of an operator, and one of a key that is revoked then.
fn signed_in(daybook: &TestDaybook, operator: &str, gone: String) -> Vec<Caller> {
    let expired = daybook.cookie(operator);
    daybook.later(Duration::from_hours(13));
    let (cookie, weak) = (
        daybook.cookie(operator),
        daybook.make_key(&json!({"label": "weak", "scopes": ["read"]})),
    );
    let (weak, revoked, out) = (
        daybook.cookie(&weak),
        daybook.cookie(&gone),
        daybook.cookie(operator),
    );
    let path = "/api/v1/keys/gone";
    assert_eq!(daybook.ask(Method::DELETE, path, &[], b"").status, 200);
    let own = || ("Origin", format!("http://{}", daybook.address));
    let foreign = || ("Origin", "https://evil.example".to_owned());
    let path = "/api/v1/auth/logout";
    let shown = [("Cookie", out.as_str()), ("Origin", &own().1)];
    let url = daybook.url(path);
    assert_eq!(
        ask(&daybook.agent, Method::POST, &url, &shown, b"").status,
        200
    );
    let caller = |name, cookie: String, origin: Option<(&'static str, String)>| Caller {
        name,
        shows: [("Cookie", cookie)].into_iter().chain(origin).collect(),
        may: NOBODY,
        only_asks: false,
        refusal: 401,
        told: NO_KEY,
    };
    vec![
        Caller {
            may: EVERYTHING,
            refusal: 403,
            told: "",
            ..caller("a cookie from its own page", cookie.clone(), Some(own()))
        },
        Caller {
            may: &[Need::Open, Need::Known, Need::Read],
            refusal: 403,
            told: "",
            ..caller("the cookie of a key that reads", weak, Some(own()))
        },
        Caller {
            may: EVERYTHING,
            only_asks: true,
            refusal: 403,
            told: UNSAID,
            ..caller("a cookie from no page", cookie.clone(), None)
        },
        Caller {
            refusal: 403,
            told: FOREIGN,
            ..caller("a cookie from a foreign page", cookie, Some(foreign()))
        },
        caller("an expired cookie", expired, Some(own())),
        caller("a cookie that was signed out", out, Some(own())),
        caller("a cookie of a revoked key", revoked, Some(own())),
        caller(
            "a cookie of nobody",
            format!("daybook_session=dbs_{}", "x".repeat(43)),
            Some(own()),
        ),
    ]
}

fn asked(daybook: &TestDaybook, caller: &Caller, method: &str, path: &str) -> Answer {
    let path = path.replace(['{', '}'], "");
    let method: Method = method.parse().unwrap();
    let shown = caller
        .shows
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let headers: Vec<_> = [JSON].into_iter().chain(shown).collect();
    ask(&daybook.agent, method, &daybook.url(&path), &headers, b"{}")
}

#[test]
fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let daybook = TestDaybook::with(UNHURRIED);
    for caller in callers(&daybook) {
        for line in TABLE {
            if line.path.ends_with("/logout") && caller.is_signed_in() {
                // It would be its last call.
                continue;
            }
            let answer = asked(&daybook, &caller, line.method.as_str(), line.path);
            let (name, method, path) = (caller.name, &line.method, line.path);
            let asks = line.method.as_str() == "GET";
            let foreign = caller.told == FOREIGN && !asks;
            let may = asks || !caller.only_asks || line.needs == Need::Open;
            if caller.may.contains(&line.needs) && may && !foreign {
                let let_in = ![401, 403].contains(&answer.status);
                assert!(let_in, "{name}: {method} {path}: {}", answer.text());
                continue;
            }
            let problem = answer.problem(caller.refusal);
            match caller.refusal {
                401 => {
                    let challenge = answer.header("www-authenticate");
                    assert_eq!(challenge, "Bearer realm=\"daybook\"", "{name}: {path}");
                    let told = problem["detail"].as_str().unwrap();
                    assert!(told.starts_with(caller.told));
                }
                _ if !caller.told.is_empty() => {
                    let told = problem["detail"].as_str().unwrap();
                    assert!(told.starts_with(caller.told), "{name}: {path}: {told}");
                }
                _ => {
                    let scope = match line.needs {
                        Need::Write => "write",
                        Need::Read => "read",
                        _ => "admin",
                    };
                    let told = problem["detail"].as_str().unwrap();
                    assert!(told.contains(scope), "{name}: {path}: {told}");
                }
            }
        }
    }
}

#[test]
fn who_is_not_let_in_is_told_the_same_whatever_was_wrong() {
    let daybook = TestDaybook::with(UNHURRIED);
    let callers = callers(&daybook);
    let turned_away = callers.iter().filter(|caller| caller.refusal == 401);
    let told: Vec<String> = turned_away
        .map(|caller| asked(&daybook, caller, "GET", ACTIVITY).text())
        .collect();
    assert!(told.len() >= 10);
    for text in &told {
        assert_eq!(*text, told[0]);
    }
}

#[test]
fn a_key_is_refused_another_workspace_alike_whether_there_is_one() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let line = json!({"category": "entity", "action": "x.y", "message": "m", "workspace_id": "b", "id": "known"});
    daybook.record(&line).ok();
    let scopes = ["write", "read", "admin"];
    let key = daybook.make_key(&json!({"label": "a", "scopes": scopes, "workspace_id": "a"}));
    let ask = |method: &str, path: String, body: &str| {
        daybook.ask_as(Some(&key), method.parse().unwrap(), &path, body)
    };
    for workspace in ["b", "nowhere", "*"] {
        for path in [
            ACTIVITY.to_owned(),
            format!("{ACTIVITY}/count"),
            format!("{ACTIVITY}/facets"),
            format!("{ACTIVITY}/histogram"),
            format!("{ACTIVITY}/export"),
            format!("{ACTIVITY}/settings"),
            format!("{ACTIVITY}/known"),
            format!("{ACTIVITY}/audit/x/y"),
        ] {
            let problem = ask("GET", format!("{path}?workspace_id={workspace}"), "").problem(403);
            assert_eq!(problem["errors"][0]["field"], "workspace_id");
        }
        let query = format!("?workspace_id={workspace}");
        ask("DELETE", format!("{ACTIVITY}{query}"), "").problem(403);
        ask("PUT", format!("{ACTIVITY}/settings{query}"), "{}").problem(403);
        ask("DELETE", format!("{ACTIVITY}/settings{query}"), "").problem(403);
        ask(
            "POST",
            format!("{ACTIVITY}/prune{query}"),
            r#"{"dry_run":true}"#,
        )
        .problem(403);
    }
    let theirs =
        json!({"category": "entity", "action": "x.y", "message": "m", "workspace_id": "b"});
    ask("POST", ACTIVITY.into(), &theirs.to_string()).problem(403);
    assert_eq!(ask("GET", format!("{ACTIVITY}/known"), "").status, 404);
    assert_eq!(ask("GET", format!("{ACTIVITY}/unknown"), "").status, 404);
    let theirs = ask("GET", format!("{ACTIVITY}?action=x.y"), "").ok();
    assert_eq!(theirs["items"], json!([]));
    assert_eq!(daybook.entry("known?workspace_id=b")["id"], "known");
}

/// One of each thing that a path names, of the workspace `a`; of the same form, and nowhere.
fn things(daybook: &TestDaybook, owner: &str) -> Vec<(&'static str, String, &'static str)> {
    let line = json!({"category": "entity", "action": "x.y", "message": "m", "id": "theirs", "actor": "zoe",
        "entity_type": "lamp", "entity_id": "7", "workspace_id": "a"});
    daybook.record(&line).ok();
    let reported = "/api/v1/devices/strip-7/connected";
    daybook.ask(Method::POST, reported, &[], b"").ok();
    let make = |path: &str, body: &str| {
        let made = daybook.ask_as(Some(owner), Method::POST, path, body).ok();
        made["id"].as_str().unwrap().to_owned()
    };
    vec![
        ("/activity/{id}", "theirs".into(), "nowhere"),
        (
            "/widgets/{id}",
            make("/api/v1/widgets", super::requests::WIDGET),
            "nowhere",
        ),
        ("/devices/{id}", "strip-7".into(), "nowhere"),
        (
            "/views/{id}",
            make("/api/v1/views", super::requests::VIEW),
            "nowhere",
        ),
        ("{label}", "owner".into(), "nobody"),
        // What is really erased would move the book on between the two.
        ("{actor}", "zoe?dry_run=true".into(), "nobody?dry_run=true"),
        ("{entity_type}/{entity_id}", "lamp/7".into(), "lamp/8"),
        ("{name}", "a".into(), "nowhere"),
    ]
}

/// With every scope in its own workspace: what is another's is to it as what is not there.
#[test]
fn an_admin_of_another_workspace_is_answered_on_every_route_as_if_it_were_not_there() {
    let daybook = TestDaybook::with("[activity]\nrecord_requests = \"none\"\n");
    daybook.sign_in("olga");
    let scopes = ["write", "read", "admin"];
    let make = |label: &str, workspace: &str| {
        let key = json!({"label": label, "scopes": scopes, "workspace_id": workspace});
        daybook.make_key(&key)
    };
    let (owner, other) = (make("owner", "a"), make("other", "b"));
    let things = things(&daybook, &owner);
    let before = daybook.page("workspace_id=a")["items"].clone();
    let mut named = 0;
    for line in TABLE.iter().filter(|line| line.needs != Need::Open) {
        let method: Method = line.method.as_str().parse().unwrap();
        if line.path == "/api/v1/events/ws" {
            continue;
        }
        let ask = |path: &str| {
            let answer = daybook.ask_as(Some(&other), method.clone(), path, "{}");
            (answer.status, answer.text())
        };
        let may = !matches!(line.needs, Need::Operator | Need::Metrics);
        if let Some((pattern, theirs, nowhere)) = things
            .iter()
            .find(|(pattern, ..)| line.path.contains(pattern))
        {
            let at = |thing: &str| {
                let (before, _) = pattern.split_once('{').unwrap();
                line.path.replace(pattern, &format!("{before}{thing}"))
            };
            let (asked, missing) = (ask(&at(theirs)), ask(&at(nowhere)));
            assert_eq!(asked, missing, "{method} {}", line.path);
            let expected = match (
                may,
                line.path.contains("{label}") || line.path.contains("{id}"),
            ) {
                (false, _) => 403,
                // A body that is wrong is told before anything is looked for.
                (true, true) if method == Method::PUT => asked.0,
                (true, true) => 404,
                (true, false) => 200,
            };
            assert_eq!(asked.0, expected, "{method} {}: {}", line.path, asked.1);
            named += 1;
        }
        let path = line.path.replace(['{', '}'], "");
        let of = |workspace: &str| ask(&format!("{path}?workspace_id={workspace}"));
        assert_eq!(of("a"), of("nowhere"), "{method} {path}");
        assert!(
            [400, 403].contains(&of("a").0),
            "{method} {path}: {:?}",
            of("a")
        );
    }
    assert!(named > 10, "{named}");
    // Nothing of theirs was changed by it.
    assert_eq!(daybook.page("workspace_id=a")["items"], before);
    assert_eq!(
        daybook
            .ask_as(Some(&owner), Method::GET, "/api/v1/keys", "")
            .status,
        200
    );
}

#[test]
fn a_foreign_page_changes_nothing_whatever_key_it_has() {
    let daybook = TestDaybook::start();
    let operator = format!("Bearer {}", daybook.sign_in("olga"));
    for line in TABLE.iter().filter(|line| line.method.as_str() != "GET") {
        let headers = [
            JSON,
            ("Authorization", operator.as_str()),
            ("Origin", "https://evil.example"),
        ];
        let url = daybook.url(&line.path.replace(['{', '}'], ""));
        let method = line.method.as_str().parse().unwrap();
        ask(&daybook.agent, method, &url, &headers, b"{}").problem(403);
    }
}

#[test]
fn a_key_may_stand_in_either_header_but_not_two_keys_in_both() {
    let daybook = TestDaybook::start();
    let key = daybook.sign_in("olga");
    let url = daybook.url(ACTIVITY);
    let bearer = format!("Bearer {key}");
    let get = |headers: &[(&str, &str)]| ask(&daybook.agent, Method::GET, &url, headers, b"");
    assert_eq!(get(&[("X-API-Key", &key)]).status, 200);
    assert_eq!(
        get(&[("Authorization", &format!("bearer {key}"))]).status,
        200
    );
    assert_eq!(
        get(&[("Authorization", &bearer), ("X-API-Key", &key)]).status,
        200
    );
    get(&[("Authorization", &bearer), ("X-API-Key", "dbk_a_b")]).problem(400);
    get(&[("Authorization", &format!("Basic {key}"))]).problem(401);
    let in_the_url = daybook.url(&format!("{ACTIVITY}?key={key}"));
    let answer = ask(&daybook.agent, Method::GET, &in_the_url, &[], b"");
    answer.problem(401);
}

#[test]
fn only_an_operator_reads_details_and_metrics_unless_they_are_open() {
    let daybook = TestDaybook::with("[server]\nopen_metrics = true\n");
    daybook.sign_in("olga");
    let anyone = |path: &str| daybook.ask_as(None, Method::GET, path, "");
    assert_eq!(anyone("/metrics").status, 200);
    assert_eq!(anyone("/healthz").ok(), json!({"status": "ok"}));
    assert_eq!(anyone("/readyz").ok(), json!({"status": "ok"}));
}
