//! What is told: when, of what, how often, and what becomes of it.

use super::*;

#[test]
fn a_receiver_is_told_what_matches_signed_and_nothing_else() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    alarm(&daybook, "before the rule");
    made(&daybook, "tell", &receiver, &json!({}));
    daybook
        .record(&entry_with(json!({"action": "task.created"})))
        .ok();
    let elsewhere = json!({"action": "alarm.raised", "workspace_id": "elsewhere"});
    daybook.record(&entry_with(elsewhere)).ok();
    let seq = alarm(&daybook, "water in the cellar");
    let got = receiver.next();
    assert_eq!(got.line, "POST /hook HTTP/1.1");
    assert!(is_signed(&got, SECRET));
    assert!(!is_signed(&got, "another"));
    let told = got.json();
    assert_eq!(told["automation"], "tell");
    assert_eq!(told["delivery"], got.header("x-daybook-delivery"));
    assert_eq!((&told["count"], &told["seqs"]), (&json!(1), &json!([seq])));
    assert_eq!(told["entries"][0]["message"], "water in the cellar");
    assert_eq!(told["text"], "tell: water in the cellar");
    status_of(&daybook, "tell", "delivered", 1);
    let status = of(&daybook, "tell")["status"].clone();
    assert_eq!(
        (&status["activated"], &status["pending"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(status["last_answer"]["status"], 200);
    let activated = said(&daybook, "automation.activated");
    assert_eq!(activated.len(), 1);
    assert_eq!(activated[0]["metadata"]["seqs"], json!([seq]));
    assert_eq!(
        (&activated[0]["actor"], &activated[0]["entity_id"]),
        (&json!("system"), &json!("tell"))
    );
    assert_eq!(receiver.so_far().len(), 0);
}

#[test]
fn so_many_within_a_time_set_it_off_and_each_actor_is_counted_apart() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    let three = json!({"times": 3, "within": "10m", "per": "actor"});
    made(&daybook, "three", &receiver, &three);
    let by = |actor: &str| {
        let alarm = entry_with(json!({"action": "alarm.raised", "actor": actor}));
        daybook.record(&alarm).ok()["seq"].clone()
    };
    let anna = [by("anna"), by("anna")];
    by("ben");
    by("ben");
    daybook.later(Duration::from_secs(700));
    by("ben");
    let late = [by("anna"), by("anna"), by("anna")];
    let told = receiver.next().json();
    assert_eq!(told["seqs"], json!(late), "and not {anna:?}");
    assert_eq!(said(&daybook, "automation.activated").len(), 1);
}

#[test]
fn what_an_automation_records_sets_none_off() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(404);
    for name in ["all", "own"] {
        let filters = if name == "own" {
            json!({"action": "automation.*"})
        } else {
            json!({})
        };
        made(
            &daybook,
            name,
            &receiver,
            &json!({"filters": filters, "workspace": "*"}),
        );
    }
    alarm(&daybook, "one");
    receiver.next();
    status_of(&daybook, "all", "failed", 1);
    // Whatever came of it was looked at once this one was.
    alarm(&daybook, "two");
    receiver.next();
    status_of(&daybook, "all", "failed", 2);
    assert_eq!(of(&daybook, "all")["status"]["activated"], 2);
    assert_eq!(of(&daybook, "own")["status"]["activated"], 0);
    let given_up = said(&daybook, "automation.failed");
    assert_eq!(given_up.len(), 2);
    assert_eq!(given_up[0]["metadata"]["reason"], "refused");
    assert_eq!(given_up[0]["metadata"]["status"], 404);
}

#[test]
fn a_receiver_that_fails_is_told_again_by_the_same_id_and_not_before_it_asks() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(503);
    receiver.asks_for(2);
    made(&daybook, "again", &receiver, &json!({}));
    let seq = alarm(&daybook, "one");
    let first = receiver.next();
    receiver.answers(200);
    let second = receiver.next();
    assert!(
        second.at - first.at >= Duration::from_millis(1_950),
        "{:?}",
        second.at - first.at
    );
    assert_eq!(
        first.header("x-daybook-delivery"),
        second.header("x-daybook-delivery")
    );
    assert_eq!(second.json()["seqs"], json!([seq]));
    assert!(is_signed(&second, SECRET));
    status_of(&daybook, "again", "delivered", 1);
    assert_eq!(said(&daybook, "automation.failed"), [Value::Null; 0]);
}

#[test]
fn a_redirect_is_not_followed() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(302);
    made(&daybook, "moved", &receiver, &json!({}));
    let tried = post(&daybook, "moved/test").ok();
    assert_eq!(
        (&tried["delivered"], &tried["status"]),
        (&json!(false), &json!(302))
    );
    assert_eq!(receiver.so_far().len(), 1);
}

#[test]
fn a_receiver_that_hangs_holds_up_neither_another_nor_recording() {
    let daybook = TestDaybook::start();
    let (stuck, other) = (Receiver::start(), Receiver::start());
    stuck.hangs();
    let slow = json!({"url": stuck.url(), "timeout": "60s"});
    made(&daybook, "stuck", &stuck, &json!({"webhook": slow}));
    made(&daybook, "other", &other, &json!({}));
    alarm(&daybook, "the first");
    stuck.next();
    for number in 0..20 {
        let began = Instant::now();
        alarm(&daybook, &number.to_string());
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    for _ in 0..21 {
        other.next();
    }
    assert_eq!(stuck.so_far().len(), 0, "one at a time");
    status_of(&daybook, "other", "delivered", 21);
    let began = Instant::now();
    drop(daybook);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_receiver_that_does_not_answer_in_time_is_left() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.hangs();
    let quick = json!({"url": receiver.url(), "timeout": "200ms"});
    made(&daybook, "quick", &receiver, &json!({"webhook": quick}));
    alarm(&daybook, "one");
    receiver.next();
    let error = until("the time-out", || {
        let answer = of(&daybook, "quick")["status"]["last_answer"].clone();
        answer["error"].as_str().map(str::to_owned)
    });
    assert_eq!(error, "it did not answer in time");
    receiver.answers(200);
    receiver.next();
    status_of(&daybook, "quick", "delivered", 1);
}

#[test]
fn a_burst_is_held_to_so_many_a_minute_and_told_with_the_next() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    made(&daybook, "calm", &receiver, &json!({"most_per_minute": 2}));
    let lines: Vec<Value> = (0..100)
        .map(|_| entry_with(json!({"action": "alarm.raised"})))
        .collect();
    daybook.record_lines(&lines);
    assert_eq!(
        [
            receiver.next().json()["count"].clone(),
            receiver.next().json()["count"].clone()
        ],
        [1, 1]
    );
    daybook.later(Duration::from_secs(61));
    alarm(&daybook, "later");
    let told = receiver.next().json();
    assert_eq!(told["count"], 99);
    assert_eq!(told["seqs"].as_array().unwrap().len(), 20);
    assert_eq!(told["entries"].as_array().unwrap().len(), 20);
    assert_eq!(said(&daybook, "automation.activated").len(), 3);
}

#[test]
fn a_plain_post_is_filled_in_as_ntfy_wants_it() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    let rule = json!({
        "name": "phone", "filters": {"severity": "error"},
        "ntfy": {"url": receiver.url(), "token": "tk_abc", "title": "{rule}: {entity_id}", "priority": "high",
            "tags": ["skull", "house"], "message": "{actor} said {message}"},
    });
    assert_eq!(make(&daybook, &rule).status, 201);
    let entry = json!({"severity": "error", "actor": "zoë", "entity_type": "room", "entity_id": "7", "message": "Feuer"});
    daybook.record(&entry_with(entry)).ok();
    let got = receiver.next();
    assert_eq!(
        String::from_utf8(got.body.clone()).unwrap(),
        "zoë said Feuer"
    );
    for (name, value) in [
        ("title", "phone: 7"),
        ("priority", "high"),
        ("tags", "skull,house"),
        ("authorization", "Bearer tk_abc"),
    ] {
        assert_eq!(got.header(name), value);
    }
}

#[test]
fn who_is_erased_is_not_named_in_what_is_told_later() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(503);
    receiver.asks_for(2);
    made(&daybook, "late", &receiver, &json!({}));
    made(
        &daybook,
        "about-zoe",
        &receiver,
        &json!({"filters": {"actor": "zoe"}}),
    );
    daybook
        .record(&entry_with(
            json!({"action": "alarm.raised", "actor": "zoe", "message": "zoe fell"}),
        ))
        .ok();
    let told = [receiver.next(), receiver.next()];
    assert!(
        told.iter()
            .all(|got| got.json()["entries"][0]["actor"] == "zoe")
    );
    let erased = daybook.ask(Method::DELETE, "/api/v1/activity/by-actor/zoe", &[], b"");
    assert_eq!(erased.status, 200, "{}", erased.text());
    receiver.answers(200);
    let late = receiver.next();
    assert_eq!(late.json()["automation"], "late");
    assert!(!String::from_utf8(late.body).unwrap().contains("zoe"));
    until("the rule that looks for her is gone", || {
        (daybook.get(&format!("{RULES}/about-zoe")).status == 404).then_some(())
    });
}

#[test]
fn the_oldest_is_given_up_when_too_much_waits() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(503);
    receiver.asks_for(3_600);
    made(
        &daybook,
        "much",
        &receiver,
        &json!({"most_per_minute": 600}),
    );
    let lines: Vec<Value> = (0..600)
        .map(|_| entry_with(json!({"action": "alarm.raised"})))
        .collect();
    let first = alarm(&daybook, "the first");
    status_of(&daybook, "much", "pending", 1);
    daybook.later(Duration::from_secs(61));
    daybook.record_lines(&lines);
    status_of(&daybook, "much", "pending", 601);
    daybook.later(Duration::from_secs(61));
    daybook.record_lines(&lines);
    status_of(&daybook, "much", "activated", 1_201);
    status_of(&daybook, "much", "failed", 201);
    assert_eq!(of(&daybook, "much")["status"]["pending"], 1_000);
    let lost = said(&daybook, "automation.failed");
    assert_eq!(lost.len(), 201);
    assert!(
        lost.iter()
            .all(|one| one["metadata"]["reason"] == "no_room")
    );
    let page = daybook.page(&format!(
        "action=automation.activated&after_seq={first}&limit=1"
    ));
    let oldest = &page["items"][0]["metadata"]["delivery"];
    assert!(
        lost.iter()
            .any(|one| one["metadata"]["delivery"] == *oldest)
    );
}

#[test]
fn a_restored_book_begins_anew_and_tells_nothing_of_before() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(503);
    receiver.asks_for(1);
    made(
        &daybook,
        "kept",
        &receiver,
        &json!({"times": 2, "within": "1h"}),
    );
    alarm(&daybook, "one");
    alarm(&daybook, "two");
    receiver.next();
    alarm(&daybook, "half of the next");
    let backup = daybook.ask(Method::POST, "/api/v1/backups", &[], b"").ok();
    let path = format!(
        "/api/v1/backups/{}/restore",
        backup["name"].as_str().unwrap()
    );
    daybook.ask(Method::POST, &path, &[], b"").ok();
    status_of(&daybook, "kept", "pending", 0);
    receiver.answers(200);
    receiver.so_far();
    let seqs = [alarm(&daybook, "three"), alarm(&daybook, "four")];
    let told = receiver.next().json();
    assert_eq!(told["seqs"], json!(seqs));
    status_of(&daybook, "kept", "delivered", 1);
}

#[test]
fn a_rule_that_is_off_waits_with_what_it_has_to_tell() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(503);
    receiver.asks_for(1);
    made(&daybook, "off", &receiver, &json!({}));
    alarm(&daybook, "one");
    receiver.next();
    post(&daybook, "off/disable").ok();
    receiver.answers(200);
    daybook.later(Duration::from_secs(60));
    alarm(&daybook, "not counted");
    assert_eq!(of(&daybook, "off")["status"]["pending"], 1);
    assert_eq!(receiver.so_far().len(), 0);
    post(&daybook, "off/enable").ok();
    let told = receiver.next().json();
    assert_eq!(told["entries"][0]["message"], "one");
    status_of(&daybook, "off", "delivered", 1);
    assert_eq!(of(&daybook, "off")["status"]["activated"], 1);
}

#[test]
fn what_is_not_taken_for_too_long_is_given_up() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    receiver.answers(500);
    made(&daybook, "long", &receiver, &json!({"give_up_after": "1m"}));
    alarm(&daybook, "one");
    receiver.next();
    daybook.later(Duration::from_secs(120));
    status_of(&daybook, "long", "failed", 1);
    let given_up = said(&daybook, "automation.failed");
    assert_eq!(given_up[0]["metadata"]["reason"], "expired");
    assert_eq!(of(&daybook, "long")["status"]["pending"], 0);
}
