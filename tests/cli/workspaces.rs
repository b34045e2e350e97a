//! `daybook workspace`, with a daemon and without: the same is said and done.

use super::support::daemon::PATIENCE;
use super::support::daemon::{Daemon, Place};
use super::support::eventually;
use super::told;
use serde_json::{Value, json};

fn workspace(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut command = place.daybook(&["workspace"]);
    told(&command.args(arguments).output().unwrap())
}

fn listed(place: &Place) -> Vec<Value> {
    let (code, out, err) = workspace(place, &["list", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let items: Value = serde_json::from_str(&out).unwrap();
    items.as_array().unwrap().clone()
}

/// Each line is a command, how it ends, and what it says.
fn holds(place: &Place, name: &str) {
    for (arguments, code, said) in [
        (&["create", name, "--title", "Acme Inc."][..], 0, "is there"),
        (&["create", name], 73, "name"),
        (&["create", "a b"], 64, "name"),
        (&["rename", name, "Acme Ltd."], 0, "“Acme Ltd.”"),
        (&["rename", name, "a\nb"], 64, "title"),
        (&["archive", name], 0, "is archived"),
        (&["archive", name], 0, "is archived"),
        (&["archive", "nowhere"], 1, "there is no workspace"),
        (&["archive", "default"], 73, "default"),
    ] {
        let (ended, out, err) = workspace(place, arguments);
        assert_eq!((ended, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    let item = |items: Vec<Value>| items.into_iter().find(|item| item["name"] == name).unwrap();
    let archived = item(listed(place));
    assert_eq!(archived["state"], "archived");
    assert_eq!(archived["title"], "Acme Ltd.");
    assert_eq!(archived["entries"], 0);
    let (code, out, _) = workspace(place, &["list"]);
    assert_eq!(code, 0);
    let row = out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        row.contains("archived") && row.ends_with("Acme Ltd."),
        "{out}"
    );
    assert_eq!(workspace(place, &["rename", name, ""]).0, 0);
    let (code, _, err) = workspace(place, &["unarchive", name]);
    assert_eq!((code, err.contains("takes entries")), (0, true), "{err}");
    let back = item(listed(place));
    assert_eq!(
        (&back["state"], &back["title"]),
        (&json!("active"), &json!(null))
    );
}

#[test]
fn the_same_is_done_with_a_daemon_and_without() {
    let place = Place::new();
    assert_eq!(workspace(&place, &["list"]).0, 65, "there is no book yet");
    holds(&place, "alone");
    let daemon = Daemon::start(&place);
    holds(&place, "asked");
    let names = |items: &[Value]| {
        let names = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let asked = listed(&place);
    assert_eq!(names(&asked), ["alone", "asked", "default"]);
    let page = daemon.client().get("/api/v1/activity?action=workspace.*");
    let page = page.unwrap().json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 10, "five of each: {page}");
    assert!(
        items.iter().all(|entry| entry["actor"] == "operator"),
        "{page}"
    );
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(names(&listed(&place)), names(&asked));
}

#[test]
fn what_is_archived_takes_no_entries_from_whom_a_daemon_lets_in() {
    let place = Place::new();
    assert_eq!(workspace(&place, &["create", "a"]).0, 0);
    assert_eq!(workspace(&place, &["archive", "a"]).0, 0);
    let daemon = Daemon::start(&place);
    let line = r#"{"category":"entity","action":"x.y","message":"m","workspace_id":"a"}"#;
    let post = || daemon.client().post("application/json", line).unwrap();
    assert_eq!(post().status, 409);
    assert_eq!(workspace(&place, &["unarchive", "a"]).0, 0);
    assert_eq!(post().status, 201);
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn how_much_would_go_of_the_others_is_not_told_to_a_tenant() {
    let place = Place::new();
    super::prune::filled(&place.book(), 60, 40);
    let key = |label: &str, workspace: &str| {
        let scopes = ["--scope", "read,admin", "--workspace", workspace];
        let mut command = place.daybook(&["key", "add", "--label", label]);
        let (code, out, err) = told(&command.args(scopes).output().unwrap());
        assert_eq!(code, 0, "{err}");
        out.trim().to_owned()
    };
    let (operator, tenant) = (key("olga", "*"), key("tom", "a"));
    let daemon = Daemon::start(&place);
    let ask = |key: &str, what: &str, body: &str| {
        let (mut client, length) = (daemon.client(), body.len());
        let asked = format!(
            "{what} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        client.send(&asked).unwrap();
        client.answer().unwrap().json()
    };
    let settings = "GET /api/v1/activity/settings";
    eventually("the first run is held back", PATIENCE, || {
        (ask(&operator, settings, "")["reason"] == "more_than_half").then_some(())
    });
    let dry_run = "POST /api/v1/activity/prune";
    let would = |key: &str| ask(key, dry_run, r#"{"dry_run":true}"#);
    assert_eq!(would(&operator)["reason"], "more_than_half");
    for told in [ask(&tenant, settings, ""), would(&tenant)] {
        assert_eq!(
            (&told["halted"], &told["reason"]),
            (&json!(false), &json!(null))
        );
    }
    assert_eq!(daemon.stop().code(), Some(0));
}
