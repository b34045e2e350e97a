//! Widgets, views and layouts: each caller has its own, they are checked, bounded, and survive.

use super::client::{Answer, entry_with};
use super::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

const WIDGETS: &str = "/api/v1/widgets";
const VIEWS: &str = "/api/v1/views";
const LAYOUT: &str = "/api/v1/layouts/me";

fn ask(daybook: &TestDaybook, method: Method, path: &str, body: &Value) -> Answer {
    daybook.ask_as(None, method, path, &body.to_string())
}

fn made(daybook: &TestDaybook, path: &str, body: &Value) -> Value {
    let answer = ask(daybook, Method::POST, path, body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn place(widget: &str) -> Value {
    json!({"widget": widget, "x": 0, "y": 0, "w": 12, "h": 4})
}

#[test]
fn a_layout_that_was_put_comes_back_and_can_be_taken_back() {
    let daybook = TestDaybook::start();
    let before = daybook.get(LAYOUT).ok();
    assert_eq!(before["source"], "default");
    let wanted = json!({"widgets": [place("recent_activity")]});
    let put = ask(&daybook, Method::PUT, LAYOUT, &wanted).ok();
    assert_eq!(
        (&put["widgets"], &put["source"]),
        (&wanted["widgets"], &json!("own"))
    );
    assert_eq!(daybook.get(LAYOUT).ok(), put);
    assert_eq!(
        ask(&daybook, Method::DELETE, LAYOUT, &json!({})).ok(),
        before
    );
    assert_eq!(daybook.get(LAYOUT).ok(), before);
}

#[test]
fn every_widget_of_the_first_layout_is_one_that_is_there() {
    let daybook = TestDaybook::start();
    let widgets = daybook.get(WIDGETS).ok();
    let ids: Vec<&Value> = widgets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    let layout = daybook.get(LAYOUT).ok();
    let places = layout["widgets"].as_array().unwrap();
    assert!(!places.is_empty());
    for place in places {
        assert!(ids.contains(&&place["widget"]), "{place}");
    }
}

#[test]
fn a_widget_of_ones_own_is_made_changed_laid_out_and_deleted() {
    let daybook = TestDaybook::start();
    let wanted = json!({"title": " Refused ", "view": "top", "by": "actor", "filters": {"action": "auth.*", "severity": ["warning", "error"]}});
    let widget = made(&daybook, WIDGETS, &wanted);
    assert_eq!(widget["title"], "Refused");
    assert_eq!(
        widget["filters"],
        json!({"action": ["auth.*"], "severity": ["warning", "error"]})
    );
    assert_eq!(widget["built_in"], false);
    let id = widget["id"].as_str().unwrap();
    let path = format!("{WIDGETS}/{id}");
    let changed = ask(
        &daybook,
        Method::PUT,
        &path,
        &json!({"title": "All", "view": "count"}),
    )
    .ok();
    assert_eq!(
        (&changed["title"], &changed["by"]),
        (&json!("All"), &Value::Null)
    );
    let listed = daybook.get(WIDGETS).ok();
    assert_eq!(listed["items"].as_array().unwrap().last(), Some(&changed));
    let layout =
        json!({"widgets": [place(id), {"widget": "storage", "x": 0, "y": 4, "w": 3, "h": 2}]});
    assert_eq!(ask(&daybook, Method::PUT, LAYOUT, &layout).status, 200);
    assert_eq!(
        ask(&daybook, Method::DELETE, &path, &json!({})).ok()["deleted"],
        id
    );
    ask(&daybook, Method::DELETE, &path, &json!({})).problem(404);
    ask(&daybook, Method::PUT, &path, &wanted).problem(404);
    assert_eq!(daybook.get(LAYOUT).ok()["widgets"][0]["widget"], "storage");
}

#[test]
fn a_view_is_kept_as_it_was_said() {
    let daybook = TestDaybook::start();
    let wanted = json!({"name": "Today", "filters": {"since": "24h"}, "shown": {"zone": "utc"}});
    let view = made(&daybook, VIEWS, &wanted);
    assert_eq!(view["filters"]["since"], json!(["24h"]));
    let path = format!("{VIEWS}/{}", view["id"].as_str().unwrap());
    let changed = ask(&daybook, Method::PUT, &path, &json!({"name": "All"})).ok();
    assert_eq!(daybook.get(VIEWS).ok()["items"], json!([changed]));
    assert_eq!(ask(&daybook, Method::DELETE, &path, &json!({})).status, 200);
    assert_eq!(daybook.get(VIEWS).ok()["items"], json!([]));
}

#[test]
fn each_caller_has_its_own_and_cannot_touch_anothers() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    let key = |label: &str, workspace: &str| {
        daybook.make_key(&json!({"label": label, "scopes": ["read"], "workspace_id": workspace}))
    };
    let (ann, ben) = (key("ann", "a"), key("ben", "a"));
    let view = json!({"name": "Hers"}).to_string();
    let hers = daybook.ask_as(Some(&ann), Method::POST, VIEWS, &view);
    assert_eq!(hers.status, 201);
    let path = format!("{VIEWS}/{}", hers.json()["id"].as_str().unwrap());
    for method in [Method::PUT, Method::DELETE] {
        daybook
            .ask_as(Some(&ben), method, &path, &view)
            .problem(404);
    }
    for other in [Some(ben.as_str()), None] {
        let seen = match other {
            Some(key) => daybook.ask_as(Some(key), Method::GET, VIEWS, "").ok(),
            None => daybook.get(VIEWS).ok(),
        };
        assert_eq!(seen["items"], json!([]));
    }
    let own = daybook.ask_as(Some(&ann), Method::GET, VIEWS, "").ok();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    // What it did stands in its own workspace.
    let page = daybook.page("action=view.created&workspace_id=a");
    assert_eq!(page["items"][0]["actor"], "ann");
}

#[test]
fn what_is_wrong_is_refused_and_named() {
    let daybook = TestDaybook::start();
    daybook.record(&entry_with(json!({}))).ok();
    let long = "x".repeat(65);
    let widget = |title: &str, view: &str, more: Value| {
        let mut body = json!({"title": title, "view": view});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    for (body, field) in [
        (json!({"view": "list"}), "title"),
        (widget("", "list", json!({})), "title"),
        (widget(&long, "list", json!({})), "title"),
        (widget("a\u{7}b", "list", json!({})), "title"),
        (widget("a", "devices", json!({})), "view"),
        (widget("a", "top", json!({})), "by"),
        (widget("a", "top", json!({"by": "message"})), "by"),
        (widget("a", "list", json!({"by": "actor"})), "by"),
        (widget("a", "list", json!({"filters": []})), "filters"),
        (
            widget("a", "list", json!({"filters": {"severity": "loud"}})),
            "severity",
        ),
        (
            widget("a", "list", json!({"filters": {"colour": "red"}})),
            "colour",
        ),
        (
            widget("a", "list", json!({"filters": {"workspace_id": "a b"}})),
            "workspace_id",
        ),
        (widget("a", "list", json!({"more": 1})), "more"),
    ] {
        ask(&daybook, Method::POST, WIDGETS, &body).refuses(&[field]);
    }
    for (body, field) in [
        (json!({"filters": {}}), "name"),
        (json!({"name": "a", "shown": {"zone": 1}}), "shown"),
        (
            json!({"name": "a", "shown": {"zone": "x".repeat(257)}}),
            "shown",
        ),
    ] {
        ask(&daybook, Method::POST, VIEWS, &body).refuses(&[field]);
    }
    let with = |changes: Value| {
        let mut place = place("storage");
        place
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        json!({"widgets": [place]})
    };
    for (body, field) in [
        (json!({}), "widgets"),
        (json!({"widgets": vec![place("storage"); 65]}), "widgets"),
        (json!({"widgets": ["storage"]}), "widgets[0]"),
        (with(json!({"widget": "nobodys"})), "widgets[0].widget"),
        (
            json!({"widgets": [place("storage"), place("storage")]}),
            "widgets[1].widget",
        ),
        (with(json!({"x": -1})), "widgets[0].x"),
        (with(json!({"x": 1})), "widgets[0].w"),
        (with(json!({"h": 0})), "widgets[0].h"),
        (with(json!({"z": 0})), "widgets[0].z"),
    ] {
        ask(&daybook, Method::PUT, LAYOUT, &body).refuses(&[field]);
    }
}

#[test]
fn no_key_is_kept_in_what_somebody_arranges() {
    let daybook = TestDaybook::start();
    let key = "dbk_abc_0123456789abcdefABCDEF";
    for (path, body, field) in [
        (WIDGETS, json!({"title": key, "view": "list"}), "title"),
        (
            VIEWS,
            json!({"name": "a", "filters": {"q": key}}),
            "filters",
        ),
        (VIEWS, json!({"name": "a", "shown": {"zone": key}}), "shown"),
        (VIEWS, json!({"name": "a", "shown": {key: "utc"}}), "shown"),
    ] {
        ask(&daybook, Method::POST, path, &body).refuses(&[field]);
    }
}

#[test]
fn nobody_has_more_than_so_many() {
    let daybook = TestDaybook::start();
    for _ in 0..daybook::domain::board::MOST_WIDGETS {
        made(&daybook, WIDGETS, &json!({"title": "a", "view": "count"}));
    }
    let one_more = json!({"title": "a", "view": "count"});
    ask(&daybook, Method::POST, WIDGETS, &one_more).problem(409);
}
