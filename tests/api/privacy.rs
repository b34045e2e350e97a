//! What is kept of people: as `[privacy]` says from the beginning, and nothing once they are erased.

use super::client::{ACTIVITY, entry_with};
use super::events::Follower;
use super::harness::TestDaybook;
use serde_json::{Value, json};
use ureq::http::Method;

const ZOE: &str = "zoe@example.org";

fn by_zoe() -> Value {
    entry_with(json!({
        "id": "one", "actor": ZOE, "entity_type": "user", "entity_id": "17", "entity_name": ZOE,
        "message": "zoe wrote to Zoe@Example.org, and to <bob@example.org>.",
        "metadata": {"mailto": "mailto:zoe@example.org", "zoe@example.org": [1]},
        "ip_address": "192.0.2.7", "user_agent": "mailer (+zoe@example.org)"
    }))
}

fn stored(privacy: &str) -> (TestDaybook, Value) {
    let daybook = TestDaybook::with(&format!("[privacy]\n{privacy}"));
    assert_eq!(daybook.record(&by_zoe()).status, 201);
    let entry = daybook.entry("one");
    (daybook, entry)
}

#[test]
fn e_mail_addresses_are_dropped_wherever_they_stand() {
    let (_daybook, entry) = stored("emails = \"drop\"");
    assert_eq!(
        (&entry["actor"], &entry["entity_name"]),
        (&json!("[email]"), &json!("[email]"))
    );
    assert_eq!(entry["message"], "zoe wrote to [email], and to <[email]>.");
    assert_eq!(
        entry["metadata"],
        json!({"mailto": "mailto:[email]", "[email]": [1]})
    );
    assert_eq!(entry["user_agent"], "mailer ([email])");
    assert_eq!(entry["ip_address"], "192.0.2.7");
}

#[test]
fn hashed_addresses_are_alike_within_a_book_and_not_across_books() {
    let (daybook, entry) = stored("emails = \"hash\"");
    let hash = entry["actor"].as_str().unwrap().to_owned();
    assert!(hash.starts_with("email:") && hash.len() == 22, "{hash}");
    assert_eq!(entry["entity_name"], hash);
    let message = entry["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("zoe wrote to {hash}, and to <email:")),
        "{message}"
    );
    assert!(!entry.to_string().contains("example"), "{entry}");
    // Who asks by the address finds what stands under its hash.
    assert_eq!(
        daybook.page("actor=zoe@example.org")["items"][0]["id"],
        "one"
    );
    let (_other, entry) = stored("emails = \"hash\"");
    assert_ne!(entry["actor"], hash);
    // An erasure by the address erases the hash.
    let erased = daybook.ask(
        Method::DELETE,
        &format!("{ACTIVITY}/by-actor/zoe%40example.org"),
        &[],
        b"",
    );
    assert_eq!(erased.ok()["entries"], 1);
    let kept = daybook.entry("one").to_string();
    assert!(!kept.contains(&hash) && kept.contains("[erased]"), "{kept}");
}

#[test]
fn strict_keeps_who_it_was_and_nothing_else_that_is_personal() {
    let (_daybook, entry) = stored("strict = true");
    assert_eq!(entry["actor"], ZOE);
    assert_eq!(
        (&entry["entity_id"], &entry["entity_name"]),
        (&json!("17"), &Value::Null)
    );
    assert_eq!(
        (&entry["ip_address"], &entry["user_agent"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(entry["message"], "zoe wrote to [email], and to <[email]>.");
}

#[test]
fn what_the_daemon_says_of_itself_is_as_private() {
    let daybook = TestDaybook::with("[privacy]\nstrict = true\n");
    let mut follower = Follower::to(&daybook);
    let agent = [("User-Agent", "zoe@example.org's")];
    daybook.ask(Method::DELETE, ACTIVITY, &agent, b"").ok();
    let cleared = daybook.page("action=activity_log.cleared")["items"][0].take();
    assert_eq!(
        (&cleared["ip_address"], &cleared["user_agent"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(follower.next()["entry"], cleared, "live too");
}

#[test]
fn who_is_nobody_cannot_be_erased_and_a_wrong_parameter_is_named() {
    let daybook = TestDaybook::start();
    for nobody in ["system", "anonymous", "%5Berased%5D", &"x".repeat(257)] {
        let refused = daybook.ask(
            Method::DELETE,
            &format!("{ACTIVITY}/by-actor/{nobody}"),
            &[],
            b"",
        );
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["field"]),
            (400, &json!("actor"))
        );
    }
    for query in ["dry_run=perhaps", "x=1", "workspace_id=a%20b"] {
        let refused = daybook.ask(
            Method::DELETE,
            &format!("{ACTIVITY}/by-actor/zoe?{query}"),
            &[],
            b"",
        );
        assert_eq!(refused.status, 400, "{query}");
    }
}

#[test]
fn a_name_with_signs_of_an_address_is_erased_by_its_escapes_and_a_path_of_the_origins() {
    let daybook = TestDaybook::start();
    for name in ["a/b c?d#é%", "..", "100%"] {
        daybook.record(&entry_with(
            json!({"actor": name, "message": format!("({name})")}),
        ));
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/api/activity/by-actor/{escaped}");
        assert_eq!(
            daybook.ask(Method::DELETE, &path, &[], b"").ok()["blanked"],
            1,
            "{name}"
        );
    }
}

#[test]
fn frames_that_wait_when_somebody_is_erased_do_not_name_them() {
    const ENTRIES: usize = 5_000;
    let daybook = TestDaybook::with("[retention]\nmax_entries = 0\n");
    let long = "x".repeat(3_900);
    let lines: Vec<Value> = (0..ENTRIES)
        .map(|n| entry_with(json!({"actor": "zoe", "message": format!("zoe {n} {long}")})))
        .collect();
    for part in lines.chunks(500) {
        daybook.record_lines(part);
    }
    // It asks for more than its socket holds, and does not read.
    let mut follower = Follower::to(&daybook);
    follower.subscribe(json!({}), Some(0));
    assert_eq!(follower.next()["entry"]["actor"], "zoe", "the control");
    daybook
        .ask(
            Method::DELETE,
            &format!("{ACTIVITY}/by-actor/zoe"),
            &[],
            b"",
        )
        .ok();
    let (mut named, mut blank) = (0, 0);
    loop {
        let frame = follower.next();
        let seq = frame["seq"].as_u64();
        if frame["type"] == "live" {
            break;
        } else if seq.is_none_or(|seq| seq > ENTRIES as u64) {
            continue;
        }
        if frame["entry"]["actor"] == "[erased]" {
            assert_eq!(frame["entry"]["message"], "[erased]");
            blank += 1;
        } else {
            assert_eq!(
                blank, 0,
                "once it is erased it is not seen any more: {}",
                frame["seq"]
            );
            named += 1;
        }
    }
    // What lay in the socket's own buffers had been sent.
    assert!(
        blank > 0 && named + blank == ENTRIES - 1,
        "{named} and {blank}"
    );
}
