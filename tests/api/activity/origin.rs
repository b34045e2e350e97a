//! Who an entry says did it and from where, and what of that is never stored.

use crate::client::{JSON, entry, entry_with};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use serde_json::json;

/// The user agent that the book keeps for a request that sends this one.
fn kept_agent(daybook: &TestDaybook, sent: &[u8]) -> String {
    let mut headers = b"POST /api/v1/activity HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ".to_vec();
    headers.extend_from_slice(sent);
    let body = entry().to_string();
    headers.extend(
        format!(
            "\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .bytes(),
    );
    let told = Raw::to(daybook.address).exchange(&headers).ok();
    let kept = daybook.entry(told["id"].as_str().unwrap());
    kept["user_agent"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn no_user_agent_fails_a_request() {
    let daybook = TestDaybook::start();
    assert_eq!(kept_agent(&daybook, b"curl/8"), "curl/8");
    let long = kept_agent(&daybook, &[b'x'; 2000]);
    assert_eq!(long.chars().count(), 512);
    assert!(long.ends_with("x…"), "{long}");
    assert_eq!(kept_agent(&daybook, b"a\xff\xfe"), "a\u{fffd}\u{fffd}");
    assert_eq!(kept_agent(&daybook, &[0xff; 2000]).chars().count(), 512);
    assert_eq!(kept_agent(&daybook, b"a\tb"), "a\u{fffd}b");
    assert_eq!(kept_agent(&daybook, b""), "");
}

#[test]
fn whoever_speaks_for_another_keeps_its_own_origin_out() {
    let daybook = TestDaybook::start();
    let said = entry_with(json!({"id": "a", "actor": "bob", "ip_address": "192.0.2.1"}));
    daybook.record(&said).ok();
    let kept = daybook.entry("a");
    assert_eq!(kept["actor"], "bob");
    assert_eq!(kept["ip_address"], "192.0.2.1");
    assert_eq!(kept["user_agent"], json!(null));
}

#[test]
fn the_owner_decides_how_much_of_the_origin_is_kept() {
    let settings = "[privacy]\nip_addresses = 'none'\nuser_agents = 'none'";
    let daybook = TestDaybook::with(settings);
    daybook.record(&entry_with(json!({"id": "a"}))).ok();
    daybook
        .record(&entry_with(
            json!({"id": "b", "ip_address": "192.0.2.1", "user_agent": "x"}),
        ))
        .ok();
    for id in ["a", "b"] {
        let kept = daybook.entry(id);
        assert_eq!(
            (&kept["ip_address"], &kept["user_agent"]),
            (&json!(null), &json!(null))
        );
    }
    let daybook = TestDaybook::with("[privacy]\nip_addresses = 'truncated'");
    daybook.record(&entry_with(json!({"id": "a"}))).ok();
    assert_eq!(daybook.entry("a")["ip_address"], "127.0.0.0");
}

#[test]
fn nothing_that_looks_like_a_secret_is_stored() {
    let daybook = TestDaybook::start();
    let said = entry_with(json!({"id": "s", "metadata": {
        "password": "hunter2", "PassWord": "hunter2", "db-password-old": "hunter2",
        "deep": [{"API_KEY": "hunter2", "apiKey": {"inner": "hunter2"}, "kept": 1}],
        "Authorization": "Bearer hunter2", "set-cookie": ["hunter2"], "secret": 5, "tokens": 812,
        "prompt_tokens": 812, "user": "anna"
    }}));
    daybook.record(&said).ok();
    let kept = daybook.entry("s");
    assert!(!kept.to_string().contains("hunter2"), "{kept}");
    let metadata = &kept["metadata"];
    assert_eq!(metadata["password"], "[redacted]");
    assert_eq!(metadata["secret"], "[redacted]");
    assert_eq!(metadata["deep"][0]["kept"], 1);
    assert_eq!(metadata["user"], "anna");
    assert_eq!(metadata["prompt_tokens"], 812);
}

#[test]
fn a_key_of_daybook_is_stored_nowhere() {
    let daybook = TestDaybook::start();
    let key = "dbk_a1B2_c3D4e5F6";
    let held = format!("it was {key}!");
    daybook
        .record(&entry_with(json!({
            "id": "k", "actor": held, "entity_type": key, "entity_id": held, "entity_name": held,
            "message": held, "ip_address": key, "user_agent": held,
            "metadata": {"note": held, "list": [[held]], held.as_str(): 1}
        })))
        .ok();
    for (field, value) in [("id", key), ("action", key), ("workspace_id", "x dbk")] {
        daybook
            .record(&entry_with(json!({field: value})))
            .refuses(&[field]);
    }
    let agent = format!("User-Agent: {held}\r\nContent-Type: application/json\r\n");
    let request = raw::post(&agent, entry().to_string().as_bytes());
    assert_eq!(Raw::to(daybook.address).exchange(request).status, 201);
    let page = daybook.page("workspace_id=*").to_string();
    assert!(!page.contains("c3D4e5F6"), "{page}");
    assert_eq!(daybook.entry("k")["message"], "[redacted]");
}

#[test]
fn a_workspace_comes_into_being_with_its_first_entry() {
    let daybook = TestDaybook::start();
    daybook
        .record(&entry_with(json!({"workspace_id": "acme"})))
        .ok();
    assert_eq!(
        daybook.page("workspace_id=acme")["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(daybook.page("")["items"].as_array().unwrap().len(), 0);
    assert_eq!(
        daybook.page("workspace_id=*")["items"][0]["workspace_id"],
        "acme"
    );
    for wrong in ["a b", "", "ä", "a/b", "*"] {
        daybook
            .record(&entry_with(json!({"workspace_id": wrong})))
            .refuses(&["workspace_id"]);
    }
}

#[test]
fn a_request_that_is_refused_leaves_nothing_behind() {
    let daybook = TestDaybook::start();
    for body in ["{", "[", "{}", "nope", "[{}", "{\"message\":\"x\""] {
        daybook.post(&[JSON], body).problem(400);
    }
    assert_eq!(daybook.count(), 0);
    assert_eq!(daybook.record(&entry()).ok()["seq"], 1);
}
