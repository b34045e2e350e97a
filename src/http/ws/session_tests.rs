//! The session against a book that grows while it replays, with a hub that loses messages: whatever happens,
//! each entry that fits comes once, in order.

use super::session::{Goodbye, Known, Session, Step};
use crate::access::{Principal, Privacy};
use crate::actors::event_hub::{Batch, Item, frame};
use crate::domain::live::Event;
use crate::domain::{
    Action, Category, Entry, EntryId, Epoch, Metadata, Page, Rules, Seq, Severity, Stored,
    Timestamp, WorkspaceId,
};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

const PAGE: usize = 3;

fn rules() -> Rules {
    Rules {
        extra_categories: Vec::new(),
        redact: Box::new(Privacy::default()),
    }
}

fn entry(seq: Seq, severity: Severity) -> Entry {
    Entry {
        id: EntryId::trusted(format!("e{seq}")),
        ts: Timestamp::from_micros(seq),
        category: Category::trusted("entity"),
        action: Action::trusted("task.created"),
        severity,
        actor: "anna".into(),
        entity_type: None,
        entity_id: None,
        entity_name: None,
        message: "made".into(),
        metadata: Metadata::default(),
        workspace_id: WorkspaceId::default_workspace(),
        ip_address: None,
        user_agent: None,
    }
}

fn hello() -> Event {
    Event::Hello {
        version: "1",
        epoch: Epoch::new("e"),
        server_time: Timestamp::from_micros(0),
        newest_seq: None,
    }
}

fn known(last_seq: Seq) -> Known {
    let epoch = Epoch::new("e");
    Known { last_seq, epoch }
}

fn alone() -> Session {
    Session::new(Principal::anonymous(), Epoch::new("e"), 100)
}

/// The book, the hub and the client around a session.
struct World {
    session: Session,
    book: Vec<Entry>,
    hub: VecDeque<Batch>,
    readings: VecDeque<super::session::Reading>,
    frames: Vec<serde_json::Value>,
}

impl World {
    fn new(replay_limit: u64) -> Self {
        let mut world = Self {
            session: Session::new(Principal::anonymous(), Epoch::new("e"), replay_limit),
            book: Vec::new(),
            hub: VecDeque::new(),
            readings: VecDeque::new(),
            frames: Vec::new(),
        };
        let steps =
            world
                .session
                .welcomed(known(0), 0, hello(), Timestamp::from_micros(0), &rules());
        world.take(steps);
        world
    }

    fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Send(frame) => self.frames.push(serde_json::from_str(&frame).unwrap()),
                Step::Read(reading) => self.readings.push_back(*reading),
                Step::Close(_) => {}
            }
        }
    }

    fn last_seq(&self) -> Seq {
        self.book.len() as Seq
    }

    fn commit(&mut self, severities: &[Severity]) {
        let first_seq = self.last_seq() + 1;
        let mut items = Vec::new();
        for severity in severities {
            let seq = self.last_seq() + 1;
            let entry = entry(seq, *severity);
            self.book.push(entry.clone());
            items.push(Item {
                frame: frame(seq, &entry),
                entry: Arc::new(entry),
            });
        }
        self.hub.push_back(Batch {
            first_seq,
            last_seq: self.last_seq(),
            items,
        });
    }

    fn deliver(&mut self) {
        if let Some(batch) = self.hub.pop_front() {
            let steps = self.session.recorded(&batch);
            self.take(steps);
        }
    }

    fn subscribe(&mut self, severity: &str, after: Option<Seq>) {
        let after = after.map_or(serde_json::Value::Null, Into::into);
        let text = serde_json::json!({
            "type": "subscribe", "after_seq": after, "filters": {"severity": severity}
        });
        let now = Timestamp::from_micros(0);
        let steps = self.session.asked(&text.to_string(), now, &rules());
        self.take(steps);
    }

    /// Answers the oldest reading from the book as it is now.
    fn read(&mut self) {
        let Some(reading) = self.readings.pop_front() else {
            return;
        };
        let mut items = Vec::new();
        let mut next_after_seq = None;
        for (place, entry) in self.book.iter().enumerate().skip(reading.after as usize) {
            let seq = place as Seq + 1;
            if reading.filter.matches(entry) {
                if items.len() == PAGE {
                    next_after_seq = items.last().map(|stored: &Stored| stored.seq);
                    break;
                }
                items.push(Stored {
                    seq,
                    entry: entry.clone(),
                });
            }
        }
        let page = Page {
            items,
            next_before_seq: None,
            next_after_seq,
            newest_seq: Some(self.last_seq()),
            upto: self.last_seq(),
            epoch: Epoch::new("e"),
        };
        let steps = self.session.page_read(reading.ticket, Some(&page));
        self.take(steps);
    }

    /// Nothing is under way any more.
    fn settle(&mut self) {
        while !self.hub.is_empty() {
            self.deliver();
        }
        let steps = self.session.nudged(self.last_seq());
        self.take(steps);
        while !self.readings.is_empty() {
            self.read();
        }
    }

    fn seqs_since_subscribed(&self) -> Vec<Seq> {
        let subscribed = self
            .frames
            .iter()
            .rposition(|frame| frame["type"] == "subscribed");
        let since = &self.frames[subscribed.map_or(0, |at| at + 1)..];
        since
            .iter()
            .filter_map(|frame| frame["seq"].as_i64())
            .collect()
    }

    fn expected(&self, after: Seq, wanted: Severity) -> Vec<Seq> {
        let all = self.book.iter().enumerate();
        all.filter(|(_, entry)| entry.severity == wanted)
            .map(|(place, _)| place as Seq + 1)
            .filter(|seq| *seq > after)
            .collect()
    }
}

#[derive(Debug, Clone)]
enum Move {
    Commit(Vec<Severity>),
    Deliver,
    Lose,
    PassOver,
    CatchUp,
    Read,
    Nudge,
}

fn a_move() -> impl Strategy<Value = Move> {
    let severity = prop_oneof![Just(Severity::Info), Just(Severity::Error)];
    prop_oneof![
        3 => prop::collection::vec(severity, 1..5).prop_map(Move::Commit),
        3 => Just(Move::Deliver),
        1 => Just(Move::Lose),
        1 => Just(Move::PassOver),
        1 => Just(Move::CatchUp),
        3 => Just(Move::Read),
        1 => Just(Move::Nudge),
    ]
}

fn play(world: &mut World, moves: Vec<Move>) {
    for one in moves {
        match one {
            Move::Commit(severities) => world.commit(&severities),
            Move::Deliver => world.deliver(),
            Move::Lose => drop(world.hub.pop_front()),
            Move::PassOver => {
                if let Some(batch) = world.hub.pop_front() {
                    world.session.passed_over(&batch);
                }
            }
            Move::CatchUp => {
                let steps = world.session.caught_up();
                world.take(steps);
            }
            Move::Read => world.read(),
            Move::Nudge => {
                // The hub never knows more than it passed on or lost.
                let known = world
                    .hub
                    .front()
                    .map_or(world.last_seq(), |b| b.first_seq - 1);
                let steps = world.session.nudged(known);
                world.take(steps);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_lost_each_entry_that_fits_comes_once_and_in_order(
        before in prop::collection::vec(a_move(), 0..12),
        after in prop::collection::vec(a_move(), 0..24),
        back in 0..10i64,
    ) {
        let mut world = World::new(u64::MAX);
        play(&mut world, before);
        let from = (world.last_seq() - back).max(0);
        world.subscribe("error", Some(from));
        play(&mut world, after);
        world.settle();
        prop_assert_eq!(world.seqs_since_subscribed(), world.expected(from, Severity::Error));
    }

    #[test]
    fn until_it_subscribes_a_session_gets_everything(moves in prop::collection::vec(a_move(), 0..24)) {
        let mut world = World::new(u64::MAX);
        play(&mut world, moves);
        world.settle();
        let all: Vec<Seq> = (1..=world.last_seq()).collect();
        prop_assert_eq!(world.seqs_since_subscribed(), all);
    }
}

#[test]
fn a_replay_says_where_it_became_live() {
    let mut world = World::new(u64::MAX);
    world.commit(&[Severity::Error; 7]);
    world.deliver();
    world.subscribe("error", Some(2));
    world.settle();
    assert_eq!(world.frames.last().unwrap()["type"], "live");
    assert_eq!(world.frames.last().unwrap()["live_from_seq"], 8);
}

#[test]
fn a_replay_beyond_its_limit_ends_in_lagged_and_goes_live() {
    let mut world = World::new(4);
    world.commit(&[Severity::Error; 20]);
    world.deliver();
    world.subscribe("error", Some(0));
    world.settle();
    let lagged = world
        .frames
        .iter()
        .find(|frame| frame["type"] == "lagged")
        .unwrap();
    assert_eq!(lagged["resume_after_seq"], 6);
    assert_eq!(lagged["missed"], 14);
    world.commit(&[Severity::Error]);
    world.deliver();
    assert_eq!(world.seqs_since_subscribed(), [1, 2, 3, 4, 5, 6, 21]);
}

#[test]
fn a_page_of_a_former_subscription_is_not_sent() {
    let mut world = World::new(u64::MAX);
    world.commit(&[Severity::Error, Severity::Info]);
    world.deliver();
    world.subscribe("error", Some(0));
    world.subscribe("info", Some(0));
    world.settle();
    assert_eq!(world.seqs_since_subscribed(), [2]);
}

#[test]
fn a_wrong_subscription_leaves_the_former_in_force() {
    let mut world = World::new(u64::MAX);
    world.subscribe("error", None);
    world.subscribe("fatal", None);
    assert_eq!(world.frames.last().unwrap()["type"], "error");
    assert_eq!(world.frames.last().unwrap()["field"], "severity");
    world.commit(&[Severity::Error, Severity::Info]);
    world.settle();
    assert_eq!(world.seqs_since_subscribed(), [1]);
}

#[test]
fn one_that_asks_from_beyond_the_end_goes_live_at_the_end() {
    let mut world = World::new(u64::MAX);
    world.commit(&[Severity::Error]);
    world.deliver();
    world.subscribe("error", Some(1_000));
    world.settle();
    world.commit(&[Severity::Error]);
    world.settle();
    assert_eq!(world.seqs_since_subscribed(), [2]);
}

#[test]
fn who_subscribes_before_it_is_greeted_is_answered_after_that() {
    let mut session = alone();
    let now = Timestamp::from_micros(0);
    let ask = r#"{"type":"subscribe","filters":{"severity":"error"},"after_seq":3}"#;
    assert!(session.asked(ask, now, &rules()).is_empty());
    assert!(session.asked("nonsense", now, &rules()).is_empty());
    let steps = session.welcomed(known(9), 9, hello(), now, &rules());
    let told: Vec<_> = steps
        .iter()
        .map(|step| match step {
            Step::Send(frame) => {
                let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
                frame["type"].as_str().unwrap().to_owned()
            }
            Step::Read(reading) => format!("reads after {}", reading.after),
            Step::Close(_) => "closes".into(),
        })
        .collect();
    assert_eq!(told, ["hello", "subscribed", "reads after 3", "error"]);
}

#[test]
fn what_was_recorded_while_the_greeting_was_made_is_read_behind_it() {
    let mut session = alone();
    let steps = session.welcomed(known(9), 7, hello(), Timestamp::from_micros(0), &rules());
    let [Step::Send(_), Step::Read(reading)] = &steps[..] else {
        panic!("{steps:?}");
    };
    assert_eq!(reading.after, 7);
    // What the greeting told of already comes no second time.
    let mut session = alone();
    let steps = session.welcomed(known(7), 9, hello(), Timestamp::from_micros(0), &rules());
    assert_eq!(steps.len(), 1);
}

/// What a session says that is over: nothing, whatever comes.
fn assert_over(session: &mut Session) {
    let entry = entry(10, Severity::Info);
    let batch = Batch {
        first_seq: 10,
        last_seq: 10,
        items: vec![Item {
            frame: frame(10, &entry),
            entry: Arc::new(entry),
        }],
    };
    assert_eq!(session.recorded(&batch), []);
    assert_eq!(session.nudged(11), []);
    assert_eq!(session.caught_up(), []);
    assert_eq!(session.published(&"{}".into(), None), []);
    let now = Timestamp::from_micros(0);
    assert_eq!(session.asked("nonsense", now, &rules()), []);
    assert_eq!(session.stopping(), []);
}

#[test]
fn a_page_of_another_book_ends_the_session_and_nothing_of_it_is_sent() {
    let mut session = alone();
    let now = Timestamp::from_micros(0);
    session.welcomed(known(9), 9, hello(), now, &rules());
    let ask = r#"{"type":"subscribe","after_seq":3}"#;
    let steps = session.asked(ask, now, &rules());
    let [_, Step::Read(reading)] = &steps[..] else {
        panic!("{steps:?}");
    };
    let page = Page {
        items: vec![Stored {
            seq: 4,
            entry: entry(4, Severity::Info),
        }],
        next_before_seq: None,
        next_after_seq: None,
        newest_seq: Some(4),
        upto: 4,
        epoch: Epoch::new("another"),
    };
    let steps = session.page_read(reading.ticket, Some(&page));
    assert_eq!(steps, [Step::Close(Goodbye::AnotherBook)]);
    assert_over(&mut session);
}

#[test]
fn a_session_that_the_hub_knows_of_another_book_is_not_greeted() {
    let mut session = alone();
    let known = Known {
        last_seq: 9,
        epoch: Epoch::new("another"),
    };
    let steps = session.welcomed(known, 9, hello(), Timestamp::from_micros(0), &rules());
    assert_eq!(steps, [Step::Close(Goodbye::AnotherBook)]);
    assert_over(&mut session);
}

#[test]
fn goodbye_is_said_behind_what_was_recorded_before_it() {
    let mut world = World::new(u64::MAX);
    // The session had no room for it.
    world.commit(&[Severity::Error; 7]);
    let batch = world.hub.pop_front().unwrap();
    world.session.passed_over(&batch);
    let steps = world.session.stopping();
    world.take(steps);
    world.settle();
    let types: Vec<_> = world.frames.iter().map(|frame| &frame["type"]).collect();
    let (last, before) = types.split_last().unwrap();
    assert_eq!(**last, "server_shutting_down");
    assert_eq!(before[0], "hello");
    assert_eq!(before[1..], ["activity_logged"; 7]);
    assert_over(&mut world.session);
}
