//! When the writer cannot keep up: who asks is told so, readers go on, and nothing that was taken is lost.

use crate::client::{Answer, JSON, NDJSON, entry, entry_with};
use crate::harness::TestDaybook;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;
use std::thread::Scope;
use std::time::{Duration, Instant};

/// Another program that holds the book's write lock.
pub struct Held(SqliteConnection);

impl Held {
    pub fn of(daybook: &TestDaybook) -> Self {
        let url = daybook.book().display().to_string();
        let mut conn = SqliteConnection::establish(&url).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE")
            .unwrap();
        Self(conn)
    }

    pub fn release(mut self) {
        self.0.batch_execute("ROLLBACK").unwrap();
    }
}

/// Entries on their way while the writer is held up.
fn posting<'scope>(
    scope: &'scope Scope<'scope, '_>,
    daybook: &'scope TestDaybook,
    id: String,
) -> std::thread::ScopedJoinHandle<'scope, Answer> {
    scope.spawn(move || daybook.record(&entry_with(json!({"id": id}))))
}

fn queued(daybook: &TestDaybook) -> u64 {
    let info = daybook.get("/api/v1/system/info").ok();
    info["writer"]["queue_entries"].as_u64().unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_full_queue_is_a_503_that_says_when_to_try_again_and_readers_go_on() {
    let daybook = TestDaybook::with("[limits]\nqueue_entries = 4");
    daybook.record(&entry()).ok();
    let held = Held::of(&daybook);
    let answers = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|n| posting(scope, &daybook, format!("w{n}")))
            .collect();
        until("the queue is full", || queued(&daybook) == 4);
        let refused = daybook.record(&entry_with(json!({"id": "refused"})));
        refused.problem(503);
        assert_eq!(refused.header("retry-after"), "1");
        daybook
            .post(&[NDJSON], format!("{}\n{}", entry(), entry()))
            .problem(503);
        // What is wrong is told all the same, and who reads does not wait.
        daybook.post(&[JSON], "{}").problem(400);
        assert_eq!(daybook.page("")["newest_seq"], 1);
        assert_eq!(daybook.get("/healthz").status, 200);
        held.release();
        waiting
            .into_iter()
            .map(|w| w.join().unwrap().status)
            .collect::<Vec<_>>()
    });
    assert_eq!(answers, [201; 4], "what was taken is recorded");
    assert_eq!(daybook.get("/api/v1/activity/refused").status, 404);
    assert_eq!(
        daybook.record(&entry_with(json!({"id": "refused"}))).status,
        201
    );
    assert_eq!(daybook.count(), 6);
    let metrics = daybook.get("/metrics").text();
    assert!(
        metrics.contains("daybook_writer_refused_total{reason=\"queue_full\"} 3"),
        "{metrics}"
    );
    assert_eq!(queued(&daybook), 0);
}

#[test]
fn a_bulk_has_room_as_a_whole_or_not_at_all() {
    let daybook = TestDaybook::with("[limits]\nqueue_entries = 4");
    let lines = |n: usize| vec![entry().to_string(); n].join("\n");
    let held = Held::of(&daybook);
    std::thread::scope(|scope| {
        let waiting = posting(scope, &daybook, "waits".to_owned());
        until("one waits", || queued(&daybook) == 1);
        daybook.post(&[NDJSON], lines(4)).problem(503);
        held.release();
        assert_eq!(waiting.join().unwrap().status, 201);
    });
    assert_eq!(daybook.count(), 1);
    assert_eq!(daybook.post(&[NDJSON], lines(4)).ok()["accepted"], 4);
}

#[test]
fn a_bulk_that_never_has_room_is_a_413_that_names_the_limit_and_not_a_promise() {
    let told = |limits: &str, lines: &[String]| {
        let daybook = TestDaybook::with(&format!("[limits]\n{limits}"));
        let answer = daybook.post(&[NDJSON], lines.join("\n"));
        let problem = answer.problem(413);
        assert_eq!(answer.header("retry-after"), "");
        assert_eq!(daybook.count(), 0);
        // What has room goes on being taken, over the same connection.
        assert_eq!(daybook.post(&[NDJSON], &lines[0]).ok()["accepted"], 1);
        let metrics = daybook.get("/metrics").text();
        let counted = "daybook_entries_rejected_total{reason=\"too_large\"} 1";
        assert!(metrics.contains(counted), "{metrics}");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let detail = told("queue_entries = 4", &vec![entry().to_string(); 5]);
    assert!(detail.contains("limits.queue_entries = 4"), "{detail}");
    // Numbers that are longer as they are kept, so that it weighs more than the body that it came in.
    let numbers = entry_with(json!({"metadata": {"n": vec![1e15; 800]}})).to_string();
    let numbers = numbers.replace("1000000000000000.0", "1e15");
    assert!(numbers.len() < 5_000, "{numbers}");
    let detail = told("queue_bytes = '1 MiB'", &vec![numbers; 100]);
    assert!(detail.contains("limits.queue_bytes = 1048576"), "{detail}");
}

#[test]
fn a_book_that_another_holds_too_long_is_busy_and_nothing_is_recorded() {
    let daybook = TestDaybook::start();
    let held = Held::of(&daybook);
    let answer = daybook.record(&entry_with(json!({"id": "late"})));
    answer.problem(503);
    assert_eq!(answer.header("retry-after"), "1");
    held.release();
    assert_eq!(daybook.count(), 0);
    assert_eq!(
        daybook.record(&entry_with(json!({"id": "late"}))).status,
        201
    );
}
