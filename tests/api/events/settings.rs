//! `settings_changed`: told to whoever may see whose rule it is, and to nobody else.

use super::Follower;
use crate::client::{ACTIVITY, entry_with};
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

const ALL: [&str; 3] = ["write", "read", "admin"];

fn follow(daybook: &TestDaybook, key: &str) -> Follower {
    let mut follower = Follower::try_to(daybook, &[("X-API-Key", key)]).unwrap();
    assert_eq!(follower.next()["type"], "hello");
    follower
}

impl Follower {
    /// The types of what comes before the entry of that number.
    fn types_before(&mut self, seq: &Value) -> Vec<String> {
        let mut types = Vec::new();
        loop {
            let frame = self.next();
            if frame["seq"] == *seq {
                return types;
            }
            types.push(frame["type"].as_str().unwrap().to_owned());
        }
    }

    fn hears_that_settings_changed(&mut self) {
        loop {
            let frame = self.next();
            if frame["type"] == "settings_changed" {
                return assert_eq!(frame, json!({"type": "settings_changed"}));
            }
        }
    }
}

/// An operator, somebody of `a` and somebody of `b`, and what each of them is called.
fn three(daybook: &TestDaybook) -> (String, [Follower; 3]) {
    let operator = daybook.sign_in("olga");
    let of =
        |name: &str| daybook.make_key(&json!({"label": name, "scopes": ALL, "workspace_id": name}));
    let (a, b) = (of("a"), of("b"));
    let followers = [&operator, &a, &b].map(|key| follow(daybook, key));
    (a, followers)
}

fn change(daybook: &TestDaybook, method: Method, query: &str, body: &str) {
    let path = format!("{ACTIVITY}/settings{query}");
    let json = [("Content-Type", "application/json")];
    daybook.ask(method, &path, &json, body.as_bytes()).ok();
}

/// Recorded in every workspace; the number of each.
fn marks(daybook: &TestDaybook) -> [Value; 3] {
    ["default", "a", "b"].map(|workspace| {
        let mark = entry_with(json!({"workspace_id": workspace}));
        daybook.record(&mark).json()["seq"].take()
    })
}

fn told(types: &[String]) -> usize {
    types
        .iter()
        .filter(|one| *one == "settings_changed")
        .count()
}

#[test]
fn a_changed_rule_of_a_workspace_is_told_to_who_may_see_that_workspace() {
    let daybook = TestDaybook::start();
    let (key, [mut operator, mut a, mut b]) = three(&daybook);
    let own = format!("{ACTIVITY}/settings");
    let put = || daybook.ask_as(Some(&key), Method::PUT, &own, r#"{"max_days":7}"#);
    put().ok();
    a.hears_that_settings_changed();
    operator.hears_that_settings_changed();
    // What changes nothing is told to nobody.
    put().ok();
    daybook
        .ask_as(Some(&key), Method::PUT, &own, r#"{"max_days":0.5}"#)
        .problem(400);
    daybook.ask_as(Some(&key), Method::DELETE, &own, "").ok();
    a.hears_that_settings_changed();
    operator.hears_that_settings_changed();
    let [of_default, of_a, of_b] = marks(&daybook);
    assert_eq!(told(&operator.types_before(&of_default)), 0);
    assert_eq!(told(&a.types_before(&of_a)), 0);
    assert_eq!(told(&b.types_before(&of_b)), 0, "it is not theirs");
}

#[test]
fn a_changed_rule_of_the_whole_book_is_told_to_everybody() {
    let daybook = TestDaybook::start();
    let (_, mut three) = three(&daybook);
    change(&daybook, Method::PUT, "", r#"{"max_days":30}"#);
    three
        .iter_mut()
        .for_each(Follower::hears_that_settings_changed);
    change(&daybook, Method::DELETE, "", "");
    three
        .iter_mut()
        .for_each(Follower::hears_that_settings_changed);
    let marks = marks(&daybook);
    for (follower, mark) in three.iter_mut().zip(&marks) {
        assert_eq!(told(&follower.types_before(mark)), 0);
    }
}

#[test]
fn whoever_subscribed_to_one_workspace_hears_of_its_rule_alone() {
    let daybook = TestDaybook::start();
    let (_, [mut operator, mut a, _]) = three(&daybook);
    // As the page does it, which wants nothing else.
    let wanted = json!({"action": "activity_log.settings_changed", "workspace_id": "b"});
    operator.subscribe(wanted, None);
    change(
        &daybook,
        Method::PUT,
        "?workspace_id=a",
        r#"{"max_days":7}"#,
    );
    a.hears_that_settings_changed();
    change(
        &daybook,
        Method::PUT,
        "?workspace_id=b",
        r#"{"max_days":8}"#,
    );
    let mut frames: Vec<_> = (0..2).map(|_| operator.next()).collect();
    frames.sort_by_key(|frame| frame["type"].to_string());
    assert_eq!(frames[0]["entry"]["workspace_id"], "b");
    assert_eq!(frames[1]["type"], "settings_changed");
}
