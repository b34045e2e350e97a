//! Following live while another book takes the place of the one that is followed.

use crate::harness::{Daemon, Over, Place, whole};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tungstenite::{Message, WebSocket};

#[test]
fn whoever_follows_live_is_sent_away_by_a_restore_and_comes_back_to_another_epoch() {
    let place = Place::with(3);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let mut session = daemon.follow();
    let hello = frame(&mut session).unwrap();
    daemon.record("after the backup");
    while let Some(frame) = frame(&mut session)
        && frame["entry"]["message"] != "after the backup"
    {}
    let (status, restored) = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(status, 200, "{restored}");
    // It ends, and nothing of the new book comes to it as if it followed on what it knows.
    while let Some(frame) = frame(&mut session) {
        assert_ne!(frame["entry"]["action"], "backup.restored");
    }
    let again = frame(&mut daemon.follow()).unwrap();
    assert_ne!(again["epoch"], hello["epoch"]);
    assert!(again["newest_seq"].as_u64() > hello["newest_seq"].as_u64());
    daemon.stop();
}

/// What was heard, and in a session of which epoch.
#[derive(Default)]
struct Heard {
    entries: Vec<(String, i64, String)>,
    greetings: usize,
}

impl Heard {
    /// Follows until it is done, and again and again: each session from where the book stands, or from its
    /// beginning on.
    fn follow(daemon: &Daemon, from_the_beginning: bool, done: &AtomicBool) -> Self {
        let (mut heard, mut before) = (Self::default(), String::new());
        while !done.load(SeqCst) {
            let Some(mut session) = daemon.try_to_follow() else {
                continue;
            };
            let Some(hello) = frame(&mut session) else {
                continue;
            };
            assert_eq!(hello["type"], "hello", "{hello}");
            let epoch = hello["epoch"].as_str().unwrap().to_owned();
            assert_ne!(
                epoch, before,
                "a session was sent away, and greeted with the same book"
            );
            heard.greetings += 1;
            if from_the_beginning {
                let subscribe = json!({"type": "subscribe", "after_seq": 0}).to_string();
                // It may be sent away meanwhile.
                let _ = session.send(Message::text(subscribe));
            }
            while !done.load(SeqCst)
                && let Some(frame) = frame(&mut session)
            {
                if frame["type"] == "activity_logged" {
                    let id = frame["entry"]["id"].as_str().unwrap().to_owned();
                    let seq = frame["seq"].as_i64().unwrap();
                    heard.entries.push((epoch.clone(), seq, id));
                }
            }
            before = epoch;
        }
        heard
    }
}

#[test]
fn under_load_nobody_hears_of_a_restored_book_in_a_session_of_the_one_before() {
    const RESTORES: usize = 8;
    let place = Place::with(500);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let done = AtomicBool::new(false);
    let heard: Vec<Heard> = std::thread::scope(|scope| {
        let over = Over(&done);
        for sender in 0..4 {
            let (daemon, done) = (&daemon, &done);
            scope.spawn(move || {
                while !done.load(SeqCst) {
                    let (status, answer) = daemon.record(&format!("load {sender}"));
                    assert!(matches!(status, 201 | 503), "{answer}");
                }
            });
        }
        let following: Vec<_> = (0..6)
            .map(|n| {
                let (daemon, done) = (&daemon, &done);
                scope.spawn(move || Heard::follow(daemon, n % 2 == 0, done))
            })
            .collect();
        for _ in 0..RESTORES {
            let path = format!("/api/v1/backups/{name}/restore");
            let (status, answer) = daemon.post(&path, &json!({}));
            assert_eq!(status, 200, "{answer}");
            assert_eq!(daemon.record("between two restores").0, 201);
        }
        drop(over);
        // Whoever waits for something hears this, and sees that it is over.
        assert_eq!(daemon.record("the last").0, 201);
        following
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect()
    });
    daemon.stop();
    let kept = place.former_books();
    let books = kept
        .iter()
        .map(|name| place.path(name))
        .chain([place.book()]);
    let mut held: HashMap<String, HashSet<(i64, String)>> = HashMap::new();
    for book in books {
        let (head, entries) = whole(&book);
        let entries = entries.into_iter();
        let numbered = entries.map(|one| (one.seq, one.entry.id.to_string()));
        held.insert(head.epoch.to_string(), numbered.collect());
    }
    assert_eq!(held.len(), RESTORES + 1);
    let mut epochs = HashSet::new();
    for (epoch, seq, id) in heard.iter().flat_map(|one| &one.entries) {
        let is_held = held[epoch].contains(&(*seq, id.clone()));
        assert!(
            is_held,
            "{seq} was heard in a session of {epoch}, which does not hold it"
        );
        epochs.insert(epoch);
    }
    let greetings: Vec<_> = heard.iter().map(|one| one.greetings).collect();
    println!("greetings: {greetings:?}");
    assert!(
        epochs.len() > RESTORES / 2,
        "{} books were heard of",
        epochs.len()
    );
    assert!(greetings.iter().all(|one| *one > 1), "{greetings:?}");
}

/// The next one, or none when the session is over.
fn frame(session: &mut WebSocket<TcpStream>) -> Option<Value> {
    loop {
        match session.read() {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
