//! Rules: made, changed, tried and refused, and what is told of them to whom.

use super::*;

#[test]
fn a_test_answers_what_the_receiver_said() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    made(&daybook, "tried", &receiver, &json!({}));
    let tried = post(&daybook, "tried/test").ok();
    assert_eq!(
        (&tried["delivered"], &tried["status"], &tried["answer"]),
        (&json!(true), &json!(200), &json!("note"))
    );
    let told = receiver.next().json();
    assert_eq!((&told["test"], &told["seqs"]), (&json!(true), &json!([0])));
    alarm(&daybook, "real");
    receiver.next();
    receiver.answers(500);
    let tried = post(&daybook, "tried/test").ok();
    assert_eq!(
        (&tried["delivered"], &tried["status"]),
        (&json!(false), &json!(500))
    );
    assert_eq!(receiver.next().json()["entries"][0]["message"], "real");
    drop(receiver);
    let tried = post(&daybook, "tried/test").ok();
    assert_eq!(tried["status"], Value::Null);
    assert!(
        tried["error"]
            .as_str()
            .unwrap()
            .starts_with("it cannot be reached"),
        "{tried}"
    );
    assert_eq!(of(&daybook, "tried")["status"]["activated"], 1);
}

#[test]
fn a_secret_is_in_no_answer_and_no_entry_and_stays_when_it_is_said_as_shown() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    let hook = json!({"url": format!("{}?key=query-hush", receiver.url()), "secret": SECRET, "headers": {"X-Token": "header-hush"}});
    let mut rule = made(&daybook, "quiet", &receiver, &json!({"webhook": hook}));
    assert_eq!(rule["webhook"]["secret"], "[redacted]");
    let url = rule["webhook"]["url"].as_str().unwrap();
    assert!(url.ends_with("/hook?[redacted]"), "{url}");
    assert_eq!(rule["webhook"]["headers"]["X-Token"], "[redacted]");
    for key in ["source", "file", "status"] {
        rule.as_object_mut().unwrap().remove(key);
    }
    rule["cooldown"] = json!("1s");
    let path = format!("{RULES}/quiet");
    let put = daybook.ask(Method::PUT, &path, &[JSON], rule.to_string().as_bytes());
    assert_eq!(put.ok()["cooldown"], "1s");
    alarm(&daybook, "one");
    let got = receiver.next();
    assert_eq!(got.header("x-token"), "header-hush");
    assert_eq!(got.line, "POST /hook?key=query-hush HTTP/1.1");
    assert!(is_signed(&got, SECRET));
    let listed = daybook.get(RULES).text();
    post(&daybook, "quiet/disable").ok();
    daybook.ask(Method::DELETE, &path, &[], b"").ok();
    let told = [
        listed,
        daybook.page("workspace_id=*&limit=500").to_string(),
        daybook.get("/metrics").text(),
    ];
    for told in told {
        for secret in [SECRET, "header-hush", "query-hush"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn rules_are_made_changed_switched_and_removed() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    let rule = made(&daybook, "one", &receiver, &json!({}));
    assert_eq!(
        (&rule["enabled"], &rule["workspace"], &rule["source"]),
        (&json!(true), &json!("default"), &json!("http"))
    );
    let again = make(
        &daybook,
        &json!({"name": "one", "webhook": {"url": receiver.url()}}),
    );
    assert_eq!(again.status, 409);
    assert_eq!(post(&daybook, "one/disable").ok()["enabled"], false);
    alarm(&daybook, "while it is off");
    assert_eq!(post(&daybook, "one/enable").ok()["enabled"], true);
    let seq = alarm(&daybook, "while it is on");
    assert_eq!(receiver.next().json()["seqs"], json!([seq]));
    assert_eq!(
        daybook.get(RULES).ok()["items"].as_array().unwrap().len(),
        1
    );
    let path = format!("{RULES}/one");
    assert_eq!(
        daybook.ask(Method::DELETE, &path, &[], b"").ok()["removed"],
        "one"
    );
    for answer in [
        daybook.get(&path),
        post(&daybook, "one/test"),
        post(&daybook, "one/enable"),
    ] {
        assert_eq!(answer.status, 404);
    }
    let actions: Vec<Value> = said(&daybook, "automation.*")
        .iter()
        .map(|e| e["action"].clone())
        .collect();
    assert_eq!(
        actions,
        [
            "automation.removed",
            "automation.activated",
            "automation.changed",
            "automation.changed",
            "automation.created"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_rule_is_named() {
    let daybook = TestDaybook::start();
    let hook = json!({"url": "http://localhost:1/"});
    let with = |more: Value| {
        let mut rule = json!({"name": "a", "webhook": hook});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        rule
    };
    let cases = [
        (json!({"name": "a"}), "webhook"),
        (with(json!({"name": "a b"})), "name"),
        (with(json!({"colour": "red"})), "colour"),
        (with(json!({"workspace": "a b"})), "workspace"),
        (
            with(json!({"filters": {"category": "No"}})),
            "filters.category",
        ),
        (with(json!({"filters": {"since": "1h"}})), "filters.since"),
        (with(json!({"times": 3})), "within"),
        (with(json!({"within": "1m"})), "times"),
        (with(json!({"times": 0, "within": "1m"})), "times"),
        (with(json!({"times": 3, "within": "2d"})), "within"),
        (
            with(json!({"times": 3, "within": "1m", "per": "colour"})),
            "per",
        ),
        (with(json!({"cooldown": 3})), "cooldown"),
        (with(json!({"most_per_minute": 601})), "most_per_minute"),
        (with(json!({"ntfy": {"url": "http://a/"}})), "ntfy"),
        (with(json!({"webhook": {"url": "ftp://a/"}})), "webhook.url"),
        (
            with(json!({"webhook": {"url": "http://u:p@a/"}})),
            "webhook.url",
        ),
        (
            with(json!({"webhook": {"url": "http:///a"}})),
            "webhook.url",
        ),
        (
            with(json!({"webhook": {"url": "http://a/", "timeout": "2m"}})),
            "webhook.timeout",
        ),
        (
            with(json!({"webhook": {"url": "http://a/", "secret": ""}})),
            "webhook.secret",
        ),
        (
            with(json!({"webhook": {"url": "http://a/", "headers": {"Host": "b"}}})),
            "webhook.headers",
        ),
        (
            with(json!({"webhook": {"url": "http://a/", "secret_file": "/etc/shadow"}})),
            "webhook.secret_file",
        ),
        (
            json!({"name": "a", "ntfy": {"url": "http://a/", "message": "{password}"}}),
            "ntfy.message",
        ),
        (
            json!({"name": "a", "ntfy": {"url": "http://a/", "priority": "loud"}}),
            "ntfy.priority",
        ),
    ];
    for (rule, field) in cases {
        let refused = make(&daybook, &rule);
        assert_eq!(refused.status, 400, "{rule}");
        assert_eq!(
            refused.json()["errors"][0]["field"],
            field,
            "{rule}: {}",
            refused.text()
        );
    }
    for name in 0..64 {
        assert_eq!(
            make(&daybook, &with(json!({"name": format!("r{name}")}))).status,
            201
        );
    }
    assert_eq!(make(&daybook, &with(json!({"name": "r64"}))).status, 409);
}

#[test]
fn rules_of_the_file_are_read_only_over_http() {
    let receiver = Receiver::start();
    let daybook = TestDaybook::with(&format!(
        "[[automations]]\nname = \"filed\"\nfilters = {{ action = \"alarm.*\" }}\nwebhook = {{ url = \"{}\", secret = \"{SECRET}\" }}\n",
        receiver.url()
    ));
    let rule = of(&daybook, "filed");
    assert_eq!(
        (&rule["source"], &rule["webhook"]["secret"]),
        (&json!("file"), &json!("[redacted]"))
    );
    let path = format!("{RULES}/filed");
    let body = json!({"webhook": {"url": receiver.url()}}).to_string();
    let answers = [
        make(
            &daybook,
            &json!({"name": "filed", "webhook": {"url": receiver.url()}}),
        ),
        daybook.ask(Method::PUT, &path, &[JSON], body.as_bytes()),
        daybook.ask(Method::DELETE, &path, &[], b""),
        post(&daybook, "filed/disable"),
    ];
    for answer in answers {
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert!(answer.text().contains("configuration"), "{}", answer.text());
    }
    assert_eq!(post(&daybook, "filed/test").ok()["delivered"], true);
    receiver.next();
    alarm(&daybook, "one");
    assert!(is_signed(&receiver.next(), SECRET));
}

#[test]
fn only_an_operator_sees_and_changes_automations() {
    let (daybook, receiver) = (TestDaybook::start(), Receiver::start());
    daybook.sign_in("olga");
    made(&daybook, "hers", &receiver, &json!({}));
    let tenant = daybook.make_key(
        &json!({"label": "t", "scopes": ["write", "read", "admin"], "workspace_id": "acme"}),
    );
    for (method, path) in [
        (Method::GET, RULES.to_owned()),
        (Method::POST, RULES.to_owned()),
        (Method::GET, format!("{RULES}/hers")),
        (Method::PUT, format!("{RULES}/hers")),
        (Method::DELETE, format!("{RULES}/hers")),
        (Method::POST, format!("{RULES}/hers/test")),
        (Method::POST, format!("{RULES}/hers/disable")),
    ] {
        assert_eq!(
            daybook
                .ask_as(Some(&tenant), method.clone(), &path, "{}")
                .status,
            403,
            "{method} {path}"
        );
        assert_eq!(daybook.ask_as(None, method, &path, "{}").status, 401);
    }
    assert_eq!(receiver.so_far().len(), 0);
}
