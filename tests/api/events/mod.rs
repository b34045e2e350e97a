//! `/api/v1/events/ws`, followed by a real client over a real socket.

mod settings;

use super::client::{JSON, entry, entry_with};
use super::harness::TestDaybook;
use daybook::domain::live::EVENT_TYPES;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};
use ureq::http::Method;

const PATH: &str = "/api/v1/events/ws";
/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Follower(WebSocket<TcpStream>);

impl Follower {
    pub fn try_to(daybook: &TestDaybook, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let stream = TcpStream::connect(daybook.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("ws://{}{PATH}", daybook.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tungstenite::client(request, stream) {
            Ok((session, _)) => Ok(Self(session)),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("no answer in time"),
        }
    }

    /// A session whose hello has been read.
    pub fn to(daybook: &TestDaybook) -> Self {
        let mut follower = Self::try_to(daybook, &[]).unwrap();
        assert_eq!(follower.next()["type"], "hello");
        follower
    }

    pub fn next(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    let kind = frame["type"].as_str().unwrap();
                    assert!(EVENT_TYPES.contains(&kind), "{kind}");
                    return frame;
                }
                Message::Close(reason) => panic!("closed: {reason:?}"),
                _ => {}
            }
        }
    }

    fn say(&mut self, message: impl Into<String>) {
        self.0.send(Message::text(message.into())).unwrap();
    }

    pub(super) fn subscribe(&mut self, filters: Value, after_seq: Option<i64>) {
        self.say(
            json!({"type": "subscribe", "filters": filters, "after_seq": after_seq}).to_string(),
        );
        // What comes before it belongs to what was subscribed before.
        while self.next()["type"] != "subscribed" {}
    }

    /// The numbers of what comes, up to and with `last`.
    pub(super) fn seqs_to(&mut self, last: i64) -> Vec<i64> {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&last) {
            let frame = self.next();
            if frame["type"] == "activity_logged" {
                seqs.push(frame["seq"].as_i64().unwrap());
            }
        }
        seqs
    }

    pub fn closed(&mut self) -> Option<CloseCode> {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "it stays open");
            match self.0.read() {
                Ok(Message::Close(reason)) => return reason.map(|reason| reason.code),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

#[test]
fn the_first_frame_is_a_hello_that_says_where_the_book_stands() {
    let daybook = TestDaybook::start();
    daybook.record(&entry());
    let mut follower = Follower::try_to(&daybook, &[]).unwrap();
    let hello = follower.next();
    assert_eq!(hello["type"], "hello");
    assert_eq!(hello["newest_seq"], 1);
    assert_eq!(hello["epoch"], daybook.page("")["epoch"]);
    assert!(hello["version"].is_string() && hello["server_time"].is_string());
}

#[test]
fn until_it_subscribes_a_session_gets_every_entry_of_every_workspace_as_it_is_stored() {
    let daybook = TestDaybook::start();
    let mut follower = Follower::to(&daybook);
    let answer = daybook
        .record(&entry_with(json!({"workspace_id": "other"})))
        .json();
    let frame = follower.next();
    assert_eq!(frame["type"], "activity_logged");
    assert_eq!(frame["seq"], answer["seq"]);
    let page = daybook.page("workspace_id=other");
    assert_eq!(frame["entry"], page["items"][0]);
}

#[test]
fn a_replay_goes_live_without_a_gap_or_a_double_while_entries_pour_in() {
    let daybook = TestDaybook::start();
    let (stop, posted) = (AtomicBool::new(false), 3_000);
    std::thread::scope(|scope| {
        let pouring = scope.spawn(|| {
            let lines: Vec<Value> = (0..100).map(|_| entry()).collect();
            for _ in 0..posted / 100 {
                daybook.record_lines(&lines);
            }
            stop.store(true, Ordering::Release);
        });
        let mut rounds = 0;
        while !stop.load(Ordering::Acquire) || rounds == 0 {
            let mut follower = Follower::to(&daybook);
            follower.subscribe(json!({}), Some(0));
            let upto = daybook.page("limit=1")["newest_seq"]
                .as_i64()
                .unwrap_or(0)
                .max(1);
            let seqs = follower.seqs_to(upto);
            assert_eq!(seqs, (1..=upto).collect::<Vec<_>>());
            rounds += 1;
        }
        pouring.join().unwrap();
    });
    let mut follower = Follower::to(&daybook);
    follower.subscribe(json!({}), Some(1_500));
    assert_eq!(
        follower.seqs_to(posted),
        (1_501..=posted).collect::<Vec<_>>()
    );
}

#[test]
fn what_comes_live_is_what_a_page_answers_for_the_same_filters() {
    let daybook = TestDaybook::start();
    let filters = [
        json!({}),
        json!({"severity": "warning,error"}),
        json!({"severity": ["warning", "error"], "actor": "bob"}),
        json!({"action": "task.*", "q": "%"}),
        json!({"category": "auth", "entity_type": "task"}),
        json!({"q": "ENTRY 1"}),
        json!({"workspace_id": "*", "actor": "bob"}),
        json!({"not_actor": "anna", "not_action": "taskless"}),
        json!({"not_severity": ["info", "warning"], "not_entity_type": "lamp", "q": "entry"}),
    ];
    let mut followers: Vec<Follower> = filters
        .iter()
        .map(|filters| {
            let mut follower = Follower::to(&daybook);
            follower.subscribe(filters.clone(), None);
            follower
        })
        .collect();
    let lines: Vec<Value> = (0..120)
        .map(|n: usize| {
            entry_with(json!({
                "severity": (["info", "warning", "error"][n % 3]),
                "actor": (["anna", "bob"][n % 2]),
                "category": (["auth", "entity"][n / 2 % 2]),
                "action": (["task.created", "taskless", "task"][n / 3 % 3]),
                "entity_type": (["task", "lamp"][n / 5 % 2]), "entity_id": "7",
                "workspace_id": (["default", "other"][n / 7 % 2]),
                "message": format!("entry {n}{}", ["", " %"][n / 4 % 2]),
            }))
        })
        .collect();
    daybook.record_lines(&lines);
    // Fits each filter, and comes last.
    let last = entry_with(json!({
        "severity": "error", "actor": "bob", "category": "auth", "action": "task.ended",
        "entity_type": "task", "entity_id": "7", "message": "entry 1 % is the last",
    }));
    let last = daybook.record(&last).json()["seq"].as_i64().unwrap();
    for (filters, follower) in filters.iter().zip(&mut followers) {
        let live = follower.seqs_to(last);
        assert!(live.len() > 1, "{filters} takes nothing");
        assert_eq!(live, paged(&daybook, filters), "{filters}");
    }
}

/// The numbers that pages answer for these filters, the oldest first.
fn paged(daybook: &TestDaybook, filters: &Value) -> Vec<i64> {
    let mut query = String::from("limit=500&after_seq=0");
    for (name, value) in filters.as_object().unwrap() {
        let text = match value {
            Value::Array(values) => values
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            value => value.as_str().unwrap().to_owned(),
        };
        query += &format!("&{name}={}", text.replace('%', "%25").replace(' ', "%20"));
    }
    super::client::seqs(&daybook.page(&query))
}

#[test]
fn what_was_cleared_or_pruned_comes_neither_live_nor_by_replay() {
    let daybook = TestDaybook::with("[retention]\nmax_entries = 100");
    let lines: Vec<Value> = (0..300).map(|_| entry()).collect();
    let mut follower = Follower::to(&daybook);
    daybook.record_lines(&lines);
    follower.seqs_to(300);
    let prune = daybook.ask(
        Method::POST,
        "/api/v1/activity/prune",
        &[JSON],
        br#"{"confirm":true}"#,
    );
    assert_eq!(prune.status, 200, "{prune:?}");
    let kept = replayed_and_live(&daybook);
    assert!(kept.len() <= 102 && kept[0] > 190, "{kept:?}");
    let cleared = daybook
        .ask(Method::DELETE, "/api/v1/activity", &[], b"")
        .ok();
    assert!(cleared["removed"].as_i64() >= Some(100), "{cleared}");
    assert_eq!(
        replayed_and_live(&daybook).len(),
        2,
        "that it was cleared, and the one after"
    );
    // Whoever followed all the while saw everything once, and nothing of it again.
    let newest = daybook.page("limit=1")["newest_seq"].as_i64().unwrap();
    let seen = follower.seqs_to(newest);
    assert!(seen[0] > 300 && seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

/// What a new session gets from the beginning on, up to an entry that is recorded while it follows.
fn replayed_and_live(daybook: &TestDaybook) -> Vec<i64> {
    let mut follower = Follower::to(daybook);
    follower.subscribe(json!({}), Some(0));
    let last = daybook.record(&entry()).json()["seq"].as_i64().unwrap();
    let seqs = follower.seqs_to(last);
    let page = daybook.page("after_seq=0&limit=500");
    assert_eq!(json!(seqs), page["seqs"]);
    seqs
}

#[test]
fn a_replay_beyond_its_limit_is_told_and_the_rest_is_read_as_pages() {
    let daybook = TestDaybook::with("[live]\nreplay_limit = 200");
    let lines: Vec<Value> = (0..1_000).map(|_| entry()).collect();
    daybook.record_lines(&lines);
    let mut follower = Follower::to(&daybook);
    follower.subscribe(json!({}), Some(0));
    assert_eq!(follower.seqs_to(200).len(), 200);
    let lagged = follower.next();
    assert_eq!(lagged["type"], "lagged");
    assert_eq!(
        (&lagged["resume_after_seq"], &lagged["missed"]),
        (&json!(200), &json!(800))
    );
    assert_eq!(
        follower.next(),
        json!({"type": "live", "live_from_seq": 1_001})
    );
}

#[test]
fn what_is_no_subscription_is_told_by_its_field_and_the_session_goes_on() {
    let daybook = TestDaybook::start();
    let mut follower = Follower::to(&daybook);
    for (message, field) in [
        ("garbage", "message"),
        ("{\"type\":\"shout\"}", "type"),
        (
            "{\"type\":\"subscribe\",\"filters\":{\"colour\":\"red\"}}",
            "colour",
        ),
        (
            "{\"type\":\"subscribe\",\"filters\":{\"workspace_id\":\"a b\"}}",
            "workspace_id",
        ),
    ] {
        follower.say(message);
        let error = follower.next();
        assert_eq!(
            (&error["type"], &error["field"]),
            (&json!("error"), &json!(field))
        );
        let reason = error["reason"].as_str().unwrap();
        assert!(!reason.contains(&format!("{field}:")), "{reason}");
    }
    follower.0.send(Message::binary(vec![1, 2, 3])).unwrap();
    assert_eq!(follower.next()["type"], "error");
    daybook.record(&entry());
    assert_eq!(follower.next()["type"], "activity_logged");
}

#[test]
fn a_message_without_end_and_a_flood_end_the_session_alone() {
    let daybook = TestDaybook::start();
    let mut witness = Follower::to(&daybook);
    let mut large = Follower::to(&daybook);
    large.say("x".repeat(100 * 1024));
    assert_eq!(large.closed(), Some(CloseCode::Size));
    // Its head is enough: nothing of it is waited for.
    let mut announced = Follower::to(&daybook);
    let head = [0x81, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4];
    announced.0.get_mut().write_all(&head).unwrap();
    assert_eq!(announced.closed(), Some(CloseCode::Size));
    let mut flood = Follower::to(&daybook);
    for _ in 0..1_000 {
        // It may be closed before all is sent.
        if flood.0.send(Message::text("{}")).is_err() {
            break;
        }
    }
    assert!(matches!(flood.closed(), Some(CloseCode::Policy) | None));
    daybook.record(&entry());
    assert_eq!(witness.next()["type"], "activity_logged");
}

#[test]
fn a_page_of_another_origin_opens_no_session() {
    let daybook = TestDaybook::start();
    let refused = Follower::try_to(&daybook, &[("Origin", "https://evil.example")]);
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 403));
    let own = format!("http://{}", daybook.address);
    assert!(Follower::try_to(&daybook, &[("Origin", &own)]).is_ok());
    let plain = daybook.get(PATH);
    plain.problem(400);
}

#[test]
fn sessions_have_a_limit_and_a_closed_one_makes_room() {
    let daybook = TestDaybook::with("[limits]\nsessions = 1");
    let mut first = Follower::to(&daybook);
    let second = Follower::try_to(&daybook, &[]);
    assert!(matches!(second, Err(Error::Http(answer)) if answer.status() == 503));
    first.0.close(None).unwrap();
    first.closed();
    drop(first);
    let began = Instant::now();
    while Follower::try_to(&daybook, &[]).is_err() {
        assert!(began.elapsed() < PATIENCE, "there is still no room");
    }
}

#[test]
fn a_session_that_reads_nothing_is_cut_and_nobody_else_misses_anything() {
    let daybook = TestDaybook::with("[live]\nstall_timeout = \"1s\"\nping_interval = \"20s\"");
    let stalled = Follower::to(&daybook);
    let mut healthy = Follower::to(&daybook);
    let message = "x".repeat(4_000);
    let lines: Vec<Value> = (0..500)
        .map(|_| entry_with(json!({"message": message})))
        .collect();
    let reading = std::thread::spawn(move || healthy.seqs_to(10_000).len());
    for _ in 0..20 {
        daybook.record_lines(&lines);
    }
    assert_eq!(reading.join().unwrap(), 10_000);
    // What the kernel held for it ends in a cut and not in a goodbye.
    let began = Instant::now();
    while daybook.sessions() > 0 {
        assert!(began.elapsed() < PATIENCE, "it is still there");
        std::thread::yield_now();
    }
    drop(stalled);
}

#[test]
fn a_session_that_answers_no_ping_is_closed() {
    let daybook = TestDaybook::with("[live]\nping_interval = \"1s\"\nidle_timeout = \"2s\"");
    let mut silent = Follower::to(&daybook);
    // Beneath the protocol, so that nothing answers the pings.
    let mut rest = Vec::new();
    silent.0.get_mut().read_to_end(&mut rest).unwrap();
    assert!(!rest.is_empty(), "it was pinged, and told goodbye");
}

#[test]
fn whoever_follows_is_told_that_the_server_stops_after_the_last_entry() {
    let daybook = TestDaybook::start();
    let mut follower = Follower::to(&daybook);
    daybook.record(&entry());
    drop(daybook);
    assert_eq!(follower.next()["type"], "activity_logged");
    let mut last = follower.next();
    while last["type"] == "activity_logged" {
        last = follower.next();
    }
    assert_eq!(last["type"], "server_shutting_down");
    assert_eq!(follower.closed(), Some(CloseCode::Away));
}
