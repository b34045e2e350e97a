//! `/api/v1/workspaces`: what an operator sees of the tenants and does to them.

use super::client::{ACTIVITY, Answer, JSON, NDJSON, each, entry, entry_with};
use super::events::Follower;
use super::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

const WORKSPACES: &str = "/api/v1/workspaces";
const ALL: [&str; 3] = ["write", "read", "admin"];

fn post(daybook: &TestDaybook, path: &str, body: &Value) -> Answer {
    daybook.ask(Method::POST, path, &[JSON], body.to_string().as_bytes())
}

fn create(daybook: &TestDaybook, body: &Value) -> Answer {
    post(daybook, WORKSPACES, body)
}

fn one(daybook: &TestDaybook, name: &str) -> Value {
    daybook.get(&format!("{WORKSPACES}/{name}")).ok()
}

fn archive(daybook: &TestDaybook, name: &str) -> Value {
    post(
        daybook,
        &format!("{WORKSPACES}/{name}/archive"),
        &Value::Null,
    )
    .ok()
}

fn unarchive(daybook: &TestDaybook, name: &str) -> Value {
    post(
        daybook,
        &format!("{WORKSPACES}/{name}/unarchive"),
        &Value::Null,
    )
    .ok()
}

fn rename(daybook: &TestDaybook, name: &str, body: &Value) -> Answer {
    daybook.ask(
        Method::PATCH,
        &format!("{WORKSPACES}/{name}"),
        &[JSON],
        body.to_string().as_bytes(),
    )
}

fn within(workspace: &str) -> Value {
    entry_with(json!({"workspace_id": workspace}))
}

/// What the daemon said of workspaces, the oldest first.
fn said(daybook: &TestDaybook) -> Vec<Value> {
    let page = daybook.page("action=workspace.*&category=entity&after_seq=0");
    page["items"].as_array().unwrap().clone()
}

#[test]
fn a_workspace_is_there_with_its_first_key_or_entry_or_when_it_is_created() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    daybook.make_key(&json!({"label": "k", "scopes": ["read"], "workspace_id": "by-key"}));
    daybook.record(&within("by-entry")).ok();
    let made = create(&daybook, &json!({"name": "by-name", "title": "Ä title"}));
    assert_eq!(made.status, 201);
    let made = made.json();
    let list = daybook.get(WORKSPACES).ok();
    let names = each(&list, "name");
    assert_eq!(names, ["by-entry", "by-key", "by-name", "default"]);
    assert_eq!(list["next_after"], json!(null));
    assert_eq!(made, one(&daybook, "by-name"));
    assert_eq!(
        (&made["title"], &made["state"], &made["entries"]),
        (&json!("Ä title"), &json!("active"), &json!(0))
    );
    assert_eq!(made["newest_seq"], json!(null));
    assert_eq!(one(&daybook, "by-key")["keys"], 1);
    for item in list["items"].as_array().unwrap() {
        assert!(item["created_at"].is_string(), "{item}");
    }
    let said = said(&daybook);
    assert_eq!(said.len(), 1, "{said:?}");
    let own = &said[0];
    assert_eq!(own["action"], "workspace.created");
    assert_eq!(
        (&own["entity_id"], &own["entity_name"], &own["actor"]),
        (&json!("by-name"), &json!("Ä title"), &json!("olga"))
    );
    for name in ["by-name", "by-entry", "by-key", "default"] {
        let taken = create(&daybook, &json!({ "name": name })).problem(409);
        assert_eq!(taken["errors"][0]["field"], "name");
    }
    daybook.get(&format!("{WORKSPACES}/nowhere")).problem(404);
}

#[test]
fn what_the_list_says_is_what_the_book_has() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let lines: Vec<Value> = (0..30).map(|n| within(["a", "b", "b"][n % 3])).collect();
    daybook.record_lines(&lines);
    daybook.make_key(&json!({"label": "k", "scopes": ["read"], "workspace_id": "b"}));
    daybook.make_key(&json!({"label": "gone", "scopes": ["read"], "workspace_id": "b"}));
    let revoked = daybook.ask(Method::DELETE, "/api/v1/keys/gone", &[], b"");
    assert_eq!(revoked.status, 200);
    let rule = format!("{ACTIVITY}/settings?workspace_id=b");
    let rule = daybook.ask(Method::PUT, &rule, &[JSON], br#"{"max_days":7}"#);
    assert_eq!(rule.status, 200);
    let cleared = daybook.ask(
        Method::DELETE,
        &format!("{ACTIVITY}?workspace_id=a"),
        &[],
        b"",
    );
    assert_eq!(cleared.ok()["removed"], 10);
    daybook.record(&within("a")).ok();
    for (name, entries, days, keys) in [("a", 2, 90, 0), ("b", 21, 7, 1)] {
        let item = one(&daybook, name);
        let page = daybook.page(&format!("workspace_id={name}&limit=500"));
        let (items, seqs) = (page["items"].as_array().unwrap(), &page["seqs"]);
        assert_eq!(items.len(), entries, "{name}");
        assert_eq!(item["entries"], entries, "{name}");
        assert_eq!(item["newest_seq"], seqs[0]);
        assert_eq!(item["newest_ts"], items[0]["ts"]);
        assert_eq!(item["oldest_seq"], seqs[entries - 1]);
        assert_eq!(item["oldest_ts"], items[entries - 1]["ts"]);
        assert_eq!(item["retention"]["max_days"], days);
        assert_eq!(item["keys"], keys);
    }
    assert_eq!(one(&daybook, "b")["retention"]["source"], "override");
}

#[test]
fn a_list_is_paged_by_name() {
    let daybook = TestDaybook::start();
    for name in ["c", "a", "b"] {
        create(&daybook, &json!({ "name": name })).ok();
    }
    let page = daybook.get(&format!("{WORKSPACES}?limit=2")).ok();
    assert_eq!(each(&page, "name"), ["a", "b"]);
    assert_eq!(page["next_after"], "b");
    let rest = daybook.get(&format!("{WORKSPACES}?limit=2&after=b")).ok();
    assert_eq!(each(&rest, "name"), ["c", "default"]);
    assert_eq!(rest["next_after"], json!(null));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("after=a%20b", "after"),
        ("colour=red", "colour"),
    ] {
        daybook
            .get(&format!("{WORKSPACES}?{query}"))
            .refuses(&[field]);
    }
}

#[test]
fn what_is_wrong_with_a_wanted_workspace_is_named() {
    let daybook = TestDaybook::start();
    for (wanted, field) in [
        (json!({}), "name"),
        (json!({"name": 1}), "name"),
        (json!({"name": "a b"}), "name"),
        (json!({"name": "*"}), "name"),
        (json!({"name": "x".repeat(65)}), "name"),
        (json!({"name": "a", "title": ""}), "title"),
        (json!({"name": "a", "title": "x".repeat(129)}), "title"),
        (json!({"name": "a", "title": "a\nb"}), "title"),
        (json!({"name": "a", "title": 1}), "title"),
        (json!({"name": "a", "colour": 1}), "colour"),
    ] {
        create(&daybook, &wanted).refuses(&[field]);
    }
    daybook.record(&within("a")).ok();
    rename(&daybook, "a", &json!({})).refuses(&["title"]);
    rename(&daybook, "a", &json!({"name": "b", "title": "B"})).refuses(&["name"]);
    rename(&daybook, "nowhere", &json!({"title": "B"})).problem(404);
    for what in ["archive", "unarchive"] {
        let path = format!("{WORKSPACES}/nowhere/{what}");
        post(&daybook, &path, &Value::Null).problem(404);
    }
}

#[test]
fn a_title_changes_and_the_name_in_the_entries_does_not() {
    let daybook = TestDaybook::start();
    let id = daybook.record(&within("a")).ok()["id"].take();
    let renamed = rename(&daybook, "a", &json!({"title": "Acme"})).ok();
    assert_eq!(
        (&renamed["name"], &renamed["title"]),
        (&json!("a"), &json!("Acme"))
    );
    // The same again is no change.
    rename(&daybook, "a", &json!({"title": "Acme"})).ok();
    let found = daybook.entry(&format!("{}?workspace_id=a", id.as_str().unwrap()));
    assert_eq!(found["workspace_id"], "a");
    // A clear moves the floor of it and nothing else.
    let clear = format!("{ACTIVITY}?workspace_id=a");
    daybook.ask(Method::DELETE, &clear, &[], b"").ok();
    assert_eq!(one(&daybook, "a")["title"], "Acme");
    let plain = rename(&daybook, "a", &json!({ "title": null })).ok();
    assert_eq!(plain["title"], json!(null));
    let actions: Vec<Value> = said(&daybook)
        .iter()
        .map(|own| own["action"].clone())
        .collect();
    assert_eq!(actions, ["workspace.renamed"; 2]);
}

#[test]
fn an_archived_workspace_takes_nothing_new_and_stays_readable() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let id = daybook.record(&within("a")).ok()["id"].take();
    let archived = archive(&daybook, "a");
    assert_eq!(archived["state"], "archived");
    assert!(archived["archived_at"].is_string());
    assert_eq!(archive(&daybook, "a"), archived, "once is enough");

    let refused = daybook.record(&within("a")).problem(409);
    assert_eq!(refused["errors"][0]["field"], "workspace_id");
    assert!(refused["detail"].as_str().unwrap().contains("workspace a "));
    let lines = [within("a"), entry(), within("a"), within("b")];
    let answer = daybook.record_lines(&lines);
    assert_eq!(answer["accepted"], 2);
    for (rejected, index) in [(0, 0), (1, 2)] {
        let rejected = &answer["rejected"][rejected];
        assert_eq!(rejected["index"], index);
        assert_eq!(rejected["errors"][0]["field"], "workspace_id");
    }
    assert_eq!(
        each(&daybook.page("workspace_id=a"), "id"),
        [id.as_str().unwrap()]
    );
    assert_eq!(one(&daybook, "a")["entries"], 1);

    let back = unarchive(&daybook, "a");
    assert_eq!(
        (&back["state"], &back["archived_at"]),
        (&json!("active"), &json!(null))
    );
    daybook.record(&within("a")).ok();
    let actions: Vec<Value> = said(&daybook)
        .iter()
        .map(|own| own["action"].clone())
        .collect();
    assert_eq!(actions, ["workspace.archived", "workspace.unarchived"]);
}

#[test]
fn who_asks_again_is_answered_as_before_where_nothing_new_is_taken() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let named = |workspace: &str| {
        let mut entry = within(workspace);
        entry["id"] = json!("sent-before");
        entry
    };
    let first = daybook.record(&named("a")).ok()["seq"].take();
    daybook.record(&named("b")).ok();
    archive(&daybook, "a");
    let settings = "/api/v1/activity/settings?workspace_id=b";
    let off = br#"{"enabled":false}"#;
    daybook.ask(Method::PUT, settings, &[JSON], off).ok();

    let again = daybook.record(&named("a"));
    assert_eq!(again.status, 200);
    let again = again.ok();
    assert_eq!((&again["seq"], &again["duplicate"]), (&first, &json!(true)));
    assert_eq!(daybook.record(&named("b")).ok()["duplicate"], true);
    let lines = [named("a"), within("a"), named("b"), within("b")];
    let answer = daybook.record_lines(&lines);
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(0), &json!(2))
    );
    let rejected: Vec<_> = answer["rejected"].as_array().unwrap().iter().collect();
    assert_eq!(
        rejected.iter().map(|one| &one["index"]).collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn the_keys_of_an_archived_workspace_only_read() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = daybook.make_key(&json!({"label": "k", "scopes": ALL, "workspace_id": "a"}));
    let id = daybook.record(&within("a")).ok()["id"].take();
    archive(&daybook, "a");
    let ask = |method, path: &str, body: &str| daybook.ask_as(Some(&key), method, path, body);
    for (method, path, body) in [
        (Method::POST, ACTIVITY.to_owned(), entry().to_string()),
        (Method::DELETE, ACTIVITY.to_owned(), String::new()),
        (
            Method::PUT,
            format!("{ACTIVITY}/settings"),
            r#"{"max_days":1}"#.into(),
        ),
        (
            Method::POST,
            format!("{ACTIVITY}/prune"),
            r#"{"confirm":true}"#.into(),
        ),
        (
            Method::DELETE,
            format!("{ACTIVITY}/by-actor/olga"),
            String::new(),
        ),
        (
            Method::POST,
            "/api/v1/keys".into(),
            r#"{"label":"x","scopes":["read"]}"#.into(),
        ),
    ] {
        let problem = ask(method, &path, &body).problem(403);
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains("workspace a is archived"), "{path}: {said}");
    }
    let page = ask(Method::GET, ACTIVITY, "").ok();
    assert_eq!(each(&page, "id"), [id.as_str().unwrap()]);
    let bearer = format!("Bearer {key}");
    let mut follower = Follower::try_to(&daybook, &[("Authorization", &bearer)]).unwrap();
    assert_eq!(follower.next()["type"], "hello");
    // What the calls of its keys left stands where the operator sees it.
    let began = std::time::Instant::now();
    let calls = loop {
        let calls = daybook.page("action=request.refused");
        if calls["items"].as_array().unwrap().len() == 5 {
            break calls;
        }
        assert!(began.elapsed().as_secs() < 30, "{calls}");
    };
    assert_eq!(calls["items"][0]["metadata"]["workspace_id"], "a");
    assert_eq!(calls["items"][0]["actor"], "k");
    unarchive(&daybook, "a");
    ask(Method::POST, ACTIVITY, &entry().to_string()).ok();
}

#[test]
fn the_retention_of_an_archived_workspace_goes_on() {
    let daybook = TestDaybook::with("[retention]\nmax_entries = 100\ninterval = \"24h\"\n");
    let lines: Vec<Value> = (0..150).map(|_| within("a")).collect();
    daybook.record_lines(&lines);
    archive(&daybook, "a");
    let prune = format!("{ACTIVITY}/prune?workspace_id=a");
    let pruned = post(&daybook, &prune, &json!({"confirm": true})).ok();
    assert_eq!(pruned["removed"], 50);
    assert_eq!(one(&daybook, "a")["entries"], 100);
    let rule = format!("{ACTIVITY}/settings?workspace_id=a");
    let put = daybook.ask(Method::PUT, &rule, &[JSON], br#"{"max_days":1}"#);
    assert_eq!(put.ok()["max_days"], 1);
    let cleared = daybook.ask(
        Method::DELETE,
        &format!("{ACTIVITY}?workspace_id=a"),
        &[],
        b"",
    );
    // What the daemon says of the book itself is no new entry of the tenant's.
    assert!(cleared.ok()["removed"].as_u64().unwrap() >= 100);
    assert_eq!(one(&daybook, "a")["state"], "archived");
}

#[test]
fn default_cannot_be_archived() {
    let daybook = TestDaybook::start();
    daybook.record(&entry()).ok();
    let path = format!("{WORKSPACES}/default/archive");
    let refused = post(&daybook, &path, &Value::Null).problem(409);
    assert_eq!(refused["errors"][0]["field"], "name");
    daybook.record(&entry()).ok();
}

#[test]
fn nothing_is_recorded_behind_the_entry_that_says_so() {
    let daybook = TestDaybook::start();
    daybook.record(&within("a")).ok();
    let lines: Vec<String> = (0..50).map(|_| within("a").to_string()).collect();
    let lines = lines.join("\n");
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        daybook.post(&[NDJSON], &lines);
                        daybook.record(&within("a"));
                    }
                });
            }
            archive(&daybook, "a");
        });
        let page = daybook.page("action=workspace.archived&limit=1");
        let archived = &page["seqs"][0];
        assert!(
            one(&daybook, "a")["newest_seq"].as_i64() < archived.as_i64(),
            "{page}"
        );
        unarchive(&daybook, "a");
    }
}

#[test]
fn a_restored_book_brings_its_own_workspaces() {
    let daybook = TestDaybook::start();
    create(&daybook, &json!({"name": "a", "title": "Acme"})).ok();
    let backup = || {
        let made = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
        made["name"].as_str().unwrap().to_owned()
    };
    let restore = |name: &str| {
        let path = format!("/api/v1/backups/{name}/restore");
        assert_eq!(daybook.ask(Method::POST, &path, &[JSON], b"{}").status, 200);
    };
    let active = backup();
    archive(&daybook, "a");
    rename(&daybook, "a", &json!({"title": "Other"})).ok();
    let archived = backup();
    restore(&active);
    assert_eq!(one(&daybook, "a")["title"], "Acme");
    daybook.record(&within("a")).ok();
    restore(&archived);
    assert_eq!(one(&daybook, "a")["title"], "Other");
    assert_eq!(one(&daybook, "a")["state"], "archived");
    daybook.record(&within("a")).problem(409);
}
