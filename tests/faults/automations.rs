//! Automations over the ends of the daemon: what set a rule off is told when the receiver is there again, and a
//! kill loses and doubles no activation.

use crate::receiver::Receiver;
use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

fn write(place: &Place, text: &str) {
    std::fs::write(place.aside().join("daybook.toml"), text).unwrap();
}

fn rule(name: &str, receiver: &str, more: &str) -> String {
    format!(
        "[[automations]]\nname = \"{name}\"\nfilters = {{ action = \"alarm.raised\" }}\n{more}\n\
         webhook = {{ url = \"http://{receiver}/\", timeout = \"1s\" }}\n\n"
    )
}

fn alarm(daemon: &Daemon<'_>) -> i64 {
    let alarm = json!({"category": "device", "action": "alarm.raised", "message": "x"});
    let mut client = daemon.client();
    let answer = client.post("application/json", &alarm.to_string()).unwrap();
    answer.json()["seq"].as_i64().unwrap()
}

fn said(daemon: &Daemon<'_>, action: &str) -> Vec<Value> {
    let target = format!("/api/v1/activity?action={action}&limit=500");
    let page = daemon.client().get(&target).unwrap().json();
    page["items"].as_array().unwrap().clone()
}

fn activations(daemon: &Daemon<'_>, wanted: usize) -> Vec<Value> {
    eventually("so many activations", PATIENCE, || {
        let held = said(daemon, "automation.activated");
        (held.len() >= wanted).then_some(held)
    })
}

fn status(daemon: &Daemon<'_>, name: &str) -> Value {
    let target = format!("/api/v1/automations/{name}");
    daemon.client().get(&target).unwrap().json()["status"].clone()
}

#[test]
fn what_could_not_be_told_is_told_after_a_stop_and_a_kill_when_the_receiver_is_back() {
    let place = Place::new();
    let away = Receiver::start().address;
    write(&place, &rule("tell", &away.to_string(), ""));
    let daemon = Daemon::start(&place);
    let mut seqs = vec![alarm(&daemon)];
    activations(&daemon, 1);
    let began = Instant::now();
    assert!(daemon.stop().success());
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );

    let daemon = Daemon::start(&place);
    seqs.push(alarm(&daemon));
    activations(&daemon, 2);
    assert_eq!(status(&daemon, "tell")["pending"], 2);
    daemon.kill();

    let receiver = Receiver::at(away);
    receiver.answers(503);
    let daemon = Daemon::start(&place);
    let first = receiver.next();
    receiver.answers(200);
    let mut told = BTreeSet::new();
    let mut ids = BTreeSet::from([first.header("x-daybook-delivery").to_owned()]);
    while told.len() < 2 {
        let got = receiver.next();
        told.insert(got.json()["seqs"][0].as_i64().unwrap());
        ids.insert(got.header("x-daybook-delivery").to_owned());
    }
    assert_eq!(told, BTreeSet::from_iter(seqs));
    assert_eq!(ids.len(), 2, "the same ids in every attempt");
    eventually("all is told", PATIENCE, || {
        (status(&daemon, "tell")["pending"] == 0).then_some(())
    });
    assert_eq!(status(&daemon, "tell")["delivered"], 2);
    assert_eq!(said(&daemon, "automation.activated").len(), 2);
    assert!(daemon.stop().success());
}

#[test]
fn what_was_recorded_while_a_rule_of_the_file_was_switched_off_is_never_told() {
    let place = Place::new();
    let receiver = Receiver::start();
    let text = |enabled: bool| {
        let more = format!("enabled = {enabled}");
        rule("tell", &receiver.address.to_string(), &more)
    };
    let reload = |daemon: &Daemon<'_>, enabled: bool| {
        write(&place, &text(enabled));
        let before = said(daemon, "server.reloaded").len();
        daemon.signal(Signal::HUP);
        eventually("the entry of the reload", PATIENCE, || {
            (said(daemon, "server.reloaded").len() > before).then_some(())
        });
    };
    let mut count = 0;
    // An alarm that is told, and that it was told is in the book.
    let mut is_told = |daemon: &Daemon<'_>| {
        let seq = alarm(daemon);
        assert_eq!(receiver.next().json()["seqs"], json!([seq]));
        count += 1;
        eventually("it is told", PATIENCE, || {
            (status(daemon, "tell")["delivered"] == count).then_some(())
        });
        assert_eq!(said(daemon, "automation.activated").len(), count);
    };
    write(&place, &text(true));
    let daemon = Daemon::start(&place);
    is_told(&daemon);
    reload(&daemon, false);
    alarm(&daemon);
    reload(&daemon, true);
    is_told(&daemon);

    // The same over a kill, whichever of the two is told that it is on again: a start, or a signal.
    reload(&daemon, false);
    alarm(&daemon);
    daemon.kill();
    let daemon = Daemon::start(&place);
    alarm(&daemon);
    reload(&daemon, true);
    is_told(&daemon);
    reload(&daemon, false);
    alarm(&daemon);
    daemon.kill();
    write(&place, &text(true));
    let daemon = Daemon::start(&place);
    is_told(&daemon);

    // And what is recorded while it is on is told over a kill.
    let seq = alarm(&daemon);
    daemon.kill();
    let daemon = Daemon::start(&place);
    assert_eq!(receiver.next().json()["seqs"], json!([seq]));
    assert!(daemon.stop().success());
}

#[test]
fn a_hanging_receiver_does_not_keep_the_daemon_from_stopping() {
    let place = Place::new();
    let receiver = Receiver::start();
    receiver.hangs();
    let slow = rule("slow", &receiver.address.to_string(), "").replace("1s", "60s");
    write(&place, &slow);
    let daemon = Daemon::start(&place);
    alarm(&daemon);
    let first = receiver.next();
    let began = Instant::now();
    assert!(daemon.stop().success());
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    receiver.answers(200);
    let daemon = Daemon::start(&place);
    let again = receiver.next();
    assert_eq!(
        first.header("x-daybook-delivery"),
        again.header("x-daybook-delivery")
    );
    drop(daemon);
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_no_activation() {
    let place = Place::new();
    let receiver = Receiver::start();
    // What is told brings nothing more into the book.
    receiver.answers(503);
    let address = receiver.address.to_string();
    let both = rule("each", &address, "most_per_minute = 600")
        + &rule(
            "third",
            &address,
            "most_per_minute = 600\ntimes = 3\nwithin = \"1h\"",
        );
    write(&place, &both);
    let mut seqs = Vec::new();
    for life in 0..8u64 {
        let daemon = Daemon::start(&place);
        for _ in 0..20 {
            seqs.push(alarm(&daemon));
        }
        // From before the first look at them to after the commit.
        std::thread::sleep(Duration::from_millis(life * 17));
        daemon.kill();
    }
    receiver.answers(200);
    let daemon = Daemon::start(&place);
    let each = |name: &str| -> Vec<Value> {
        let held = said(&daemon, "automation.activated").into_iter().rev();
        held.filter(|entry| entry["entity_id"] == name).collect()
    };
    eventually("all were looked at", PATIENCE, || {
        (each("each").len() >= seqs.len()).then_some(())
    });
    let of = |entries: &[Value]| -> Vec<i64> {
        let seqs = entries
            .iter()
            .flat_map(|entry| entry["metadata"]["seqs"].as_array().unwrap().clone());
        seqs.map(|seq| seq.as_i64().unwrap()).collect()
    };
    assert_eq!(of(&each("each")), seqs);
    let thirds = each("third");
    assert_eq!(of(&thirds), seqs[..seqs.len() / 3 * 3]);
    assert!(thirds.iter().all(|entry| entry["metadata"]["count"] == 3));
    eventually("all is told", PATIENCE, || {
        let none = ["each", "third"]
            .iter()
            .all(|name| status(&daemon, name)["pending"] == 0);
        none.then_some(())
    });
    let told: BTreeSet<String> = receiver
        .so_far()
        .iter()
        .map(|got| got.header("x-daybook-delivery").to_owned())
        .collect();
    assert_eq!(told.len(), seqs.len() + thirds.len());
    assert!(daemon.stop().success());
}

#[test]
fn a_reload_takes_the_rules_of_the_file_and_a_wrong_one_leaves_them() {
    let place = Place::new();
    let receiver = Receiver::start();
    let address = receiver.address.to_string();
    write(&place, "");
    let daemon = Daemon::start(&place);
    let reloaded = |times: usize| {
        daemon.signal(Signal::HUP);
        eventually("the entry of the reload", PATIENCE, || {
            let held = said(&daemon, "server.reloaded");
            (held.len() == times).then(|| held[0].clone())
        })
    };
    let secret = place.aside().join("hook.secret");
    std::fs::write(&secret, "hush-1\n").unwrap();
    let signed = rule("new", &address, "").replace(
        "timeout",
        &format!("secret_file = \"{}\", timeout", secret.display()),
    );
    write(&place, &signed);
    assert_eq!(reloaded(1)["metadata"]["changed"], json!(["automations"]));
    eventually("the rule", PATIENCE, || {
        (status(&daemon, "new")["pending"] == 0).then_some(())
    });
    alarm(&daemon);
    assert!(
        receiver
            .next()
            .header("x-daybook-signature")
            .starts_with("sha256=")
    );

    write(&place, &signed.replace("alarm.raised", "a b"));
    let refused = reloaded(2)["metadata"]["refused"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(refused.contains("daybook.toml:3:"), "{refused}");
    assert!(
        refused.contains("automations.new.filters.action"),
        "{refused}"
    );
    alarm(&daemon);
    receiver.next();

    write(&place, "");
    reloaded(3);
    eventually("the rule is gone", PATIENCE, || {
        let gone = daemon.client().get("/api/v1/automations/new").unwrap();
        (gone.status == 404).then_some(())
    });
    assert!(!place.told().contains("hush-1"));
    assert!(daemon.stop().success());
}

#[test]
fn no_secret_is_told_in_the_telemetry_whatever_is_asked_of_it() {
    let place = Place::new();
    let receiver = Receiver::start();
    let url = format!("http://{}/?key=hush-query", receiver.address);
    write(
        &place,
        &format!(
            "[[automations]]\nname = \"tell\"\nfilters = {{ action = \"alarm.raised\" }}\n\
             webhook = {{ url = \"{url}\", secret = \"hush-secret\", headers = {{ Authorization = \"hush-header\" }} }}\n"
        ),
    );
    let command = place.daybook(&["--log", "trace", "serve", "--listen", "127.0.0.1:0"]);
    let daemon = Daemon::start_as(&place, command).unwrap();
    alarm(&daemon);
    let got = receiver.next();
    assert_eq!(got.header("authorization"), "hush-header");
    eventually("it is told", PATIENCE, || {
        (status(&daemon, "tell")["delivered"] == 1).then_some(())
    });
    assert!(daemon.stop().success());
    let told = place.told();
    assert!(told.contains("TRACE") && !told.contains("hush-"), "{told}");
    // Nor byte by byte.
    assert!(!told.contains("ureq_proto"), "{told}");
}
