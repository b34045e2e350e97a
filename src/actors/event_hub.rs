//! The EventHub: who follows live. It passes on what is recorded, each entry's frame made once and shared.
//! A session that does not take what it is sent is left behind and told so when it takes again; one that
//! takes nothing for long is cut, since with its socket blocked it cannot even end itself.

use super::feed::Feeder;
use super::interest::{Interest, Wish};
use super::messages::{BookReplaced, Recorded};
use super::vital;
use crate::domain::live::Event;
use crate::domain::{
    Action, Category, Entry, EntryId, Epoch, Erasure, Head, Metadata, Seq, Severity, Stored,
    Timestamp, WorkspaceId,
};
use crate::export;
use actix::prelude::*;
use bytestring::ByteString;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the hub looks after sessions that were left behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Groups that may wait for the hub; more than a writer commits while the hub serves one.
const MAILBOX: usize = 1_024;

// Messages

/// Everything from here on, first of all a welcome.
pub struct Subscribe {
    pub deliver: Recipient<Deliver>,
    pub socket: Arc<dyn Cut>,
}

impl Message for Subscribe {
    type Result = SubscriberId;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubscriberId(u64);

pub struct Unsubscribe(pub SubscriberId);

impl Message for Unsubscribe {
    type Result = ();
}

/// Something other than an entry, to all who may see the workspace; to all when it has none.
pub struct Publish {
    pub event: Event,
    pub workspace: Option<WorkspaceId>,
}

impl Message for Publish {
    type Result = ();
}

/// The daemon stops: tell everybody, and cut after a moment who does not take it.
pub struct StopSessions;

impl Message for StopSessions {
    type Result = ();
}

/// Cut whoever is left.
struct CutAll;

impl Message for CutAll {
    type Result = ();
}

/// What a session is sent.
#[derive(Clone)]
pub enum Deliver {
    /// It is known to the hub, and what comes after this number of this book will be sent.
    Welcome {
        last_seq: Seq,
        epoch: Epoch,
    },
    Recorded(Arc<Batch>),
    /// The book stands at this number; sent to one that was left behind.
    Nudge {
        last_seq: Seq,
    },
    Published {
        frame: ByteString,
        workspace: Option<WorkspaceId>,
    },
    Stop,
}

impl Message for Deliver {
    type Result = ();
}

/// One group with its frames.
pub struct Batch {
    pub first_seq: Seq,
    pub last_seq: Seq,
    pub items: Vec<Item>,
}

pub struct Item {
    pub entry: Arc<Entry>,
    pub frame: ByteString,
}

/// The other end of a session's socket, for when the session itself cannot act.
pub trait Cut: Send + Sync {
    fn cut(&self);
}

// State

pub struct EventHub {
    last_seq: Seq,
    epoch: Epoch,
    /// The same, for whoever reads on from the book when it went on.
    newest: watch::Sender<Seq>,
    feeder: Option<Feeder>,
    interest: Arc<Interest>,
    next_id: u64,
    subscribers: HashMap<SubscriberId, Subscriber>,
    /// A session that takes nothing for so long is cut.
    patience: Duration,
}

struct Subscriber {
    deliver: Recipient<Deliver>,
    socket: Arc<dyn Cut>,
    behind_since: Option<Instant>,
    _wish: Wish,
}

impl EventHub {
    /// `head` is where the book stands before anything is recorded.
    pub fn new(head: &Head, patience: Duration, interest: Arc<Interest>) -> Self {
        Self {
            last_seq: head.last_seq,
            epoch: head.epoch.clone(),
            newest: watch::Sender::new(head.last_seq),
            feeder: None,
            interest,
            next_id: 0,
            subscribers: HashMap::new(),
            patience,
        }
    }

    /// Hands on what is recorded.
    pub fn feeding(self, feeder: Feeder) -> Self {
        Self {
            feeder: Some(feeder),
            ..self
        }
    }

    pub fn newest(&self) -> watch::Receiver<Seq> {
        self.newest.subscribe()
    }

    /// On a thread of its own.
    pub fn start_alone(self) -> Addr<Self> {
        vital::start_alone("EventHub", move || self)
    }

    fn goes_up_to(&mut self, seq: Seq) {
        self.last_seq = seq;
        self.newest.send_replace(seq);
    }

    fn send_to_all(&mut self, message: &Deliver, now: Instant) {
        let last_seq = self.last_seq;
        self.subscribers
            .retain(|_, subscriber| subscriber.send(message.clone(), last_seq, now));
    }

    fn look_after_those_behind(&mut self, now: Instant) {
        let (last_seq, patience) = (self.last_seq, self.patience);
        self.subscribers.retain(|_, subscriber| {
            let Some(since) = subscriber.behind_since else {
                return true;
            };
            if now.duration_since(since) >= patience {
                subscriber.socket.cut();
                return false;
            }
            subscriber.send(Deliver::Nudge { last_seq }, last_seq, now)
        });
    }
}

impl Subscriber {
    /// False when the session is gone.
    fn send(&mut self, message: Deliver, last_seq: Seq, now: Instant) -> bool {
        let was_behind = self.behind_since.is_some();
        match self.deliver.try_send(message) {
            Ok(()) => {
                self.behind_since = None;
                // What it missed meanwhile it finds by this number, whatever it was sent now.
                if was_behind {
                    self.behind_since = self
                        .deliver
                        .try_send(Deliver::Nudge { last_seq })
                        .is_err()
                        .then_some(now);
                }
                true
            }
            Err(SendError::Full(_)) => {
                self.behind_since.get_or_insert(now);
                true
            }
            Err(SendError::Closed(_)) => false,
        }
    }
}

fn batch(recorded: Recorded) -> Batch {
    let item = |(seq, entry): (Seq, Arc<Entry>)| Item {
        frame: frame(seq, &entry),
        entry,
    };
    Batch {
        first_seq: recorded.first_seq,
        last_seq: recorded.last_seq,
        items: recorded.entries.into_iter().map(item).collect(),
    }
}

/// `{"type":"activity_logged","seq":n,"entry":{…}}`
pub fn frame(seq: Seq, entry: &Entry) -> ByteString {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(b"{\"type\":\"activity_logged\",\"seq\":");
    bytes.extend_from_slice(seq.to_string().as_bytes());
    bytes.extend_from_slice(b",\"entry\":");
    export::write_json(entry, &mut bytes);
    bytes.push(b'}');
    // The encoder writes UTF-8 alone; an empty frame would be a fault of ours, and no loss of the entry.
    ByteString::try_from(bytes).unwrap_or_default()
}

/// The frame as it may be sent now: one that was made before an erasure does not say what was erased. `None`
/// when it cannot be told.
pub fn blanked(frame: ByteString, erased: &[Erasure]) -> Option<ByteString> {
    let Some(rest) = frame.strip_prefix("{\"type\":\"activity_logged\",\"seq\":") else {
        return Some(frame);
    };
    let (seq, _) = rest.split_once(',')?;
    let seq: Seq = seq.parse().ok()?;
    if erased.iter().all(|one| one.upto < seq) {
        return Some(frame);
    }
    let mut event: Value = serde_json::from_str(&frame).ok()?;
    let entry = entry_of(event.get_mut("entry")?.take())?;
    let mut stored = Stored { seq, entry };
    let blank = |changed, one: &Erasure| one.blank(&mut stored) | changed;
    match erased.iter().fold(false, blank) {
        true => Some(self::frame(seq, &stored.entry)),
        false => Some(frame),
    }
}

/// What `frame` was made of.
fn entry_of(mut value: Value) -> Option<Entry> {
    let mut take = |key: &str| match value.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let mut entry = Entry {
        id: EntryId::trusted(take("id")?),
        ts: Timestamp::parse(&take("ts")?).ok()?,
        category: Category::trusted(take("category")?),
        action: Action::trusted(take("action")?),
        severity: Severity::parse(&take("severity")?)?,
        actor: take("actor")?,
        entity_type: take("entity_type"),
        entity_id: take("entity_id"),
        entity_name: take("entity_name"),
        message: take("message")?,
        metadata: Metadata::default(),
        workspace_id: WorkspaceId::trusted(take("workspace_id")?),
        ip_address: take("ip_address"),
        user_agent: take("user_agent"),
    };
    if let Value::Object(object) = value.get_mut("metadata")?.take() {
        entry.metadata = Metadata::new(object).ok()?;
    }
    Some(entry)
}

// Handlers

impl Actor for EventHub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(LOOK_EVERY, |hub, _| {
            hub.look_after_those_behind(Instant::now());
        });
    }
}

impl Handler<Subscribe> for EventHub {
    type Result = MessageResult<Subscribe>;

    fn handle(&mut self, subscribe: Subscribe, _: &mut Context<Self>) -> Self::Result {
        self.next_id += 1;
        let id = SubscriberId(self.next_id);
        let is_alone = self.subscribers.is_empty();
        let mut subscriber = Subscriber {
            deliver: subscribe.deliver,
            socket: subscribe.socket,
            behind_since: None,
            _wish: self.interest.wish(),
        };
        // While nobody was there, not everything was told.
        let newest = self.interest.newest();
        if is_alone && newest > self.last_seq {
            self.goes_up_to(newest);
        }
        let (last_seq, epoch) = (self.last_seq, self.epoch.clone());
        let welcome = Deliver::Welcome { last_seq, epoch };
        if subscriber.send(welcome, last_seq, Instant::now()) {
            self.subscribers.insert(id, subscriber);
        }
        MessageResult(id)
    }
}

impl Handler<Unsubscribe> for EventHub {
    type Result = ();

    fn handle(&mut self, Unsubscribe(id): Unsubscribe, _: &mut Context<Self>) {
        self.subscribers.remove(&id);
    }
}

impl Handler<Recorded> for EventHub {
    type Result = ();

    fn handle(&mut self, recorded: Recorded, _: &mut Context<Self>) {
        // Before anybody is woken to take it.
        if let Some(feeder) = &self.feeder {
            feeder.offer(&recorded);
        }
        // Whoever is there was welcomed with what comes after it.
        if recorded.last_seq <= self.last_seq {
            return;
        }
        self.goes_up_to(recorded.last_seq);
        if self.subscribers.is_empty() {
            return;
        }
        let batch = Deliver::Recorded(Arc::new(batch(recorded)));
        self.send_to_all(&batch, Instant::now());
    }
}

impl Handler<Publish> for EventHub {
    type Result = ();

    fn handle(&mut self, publish: Publish, _: &mut Context<Self>) {
        let frame = ByteString::from(publish.event.frame());
        let workspace = publish.workspace;
        self.send_to_all(&Deliver::Published { frame, workspace }, Instant::now());
    }
}

impl Handler<StopSessions> for EventHub {
    type Result = ();

    fn handle(&mut self, _: StopSessions, ctx: &mut Context<Self>) {
        self.send_to_all(&Deliver::Stop, Instant::now());
        ctx.notify_later(CutAll, Duration::from_secs(1));
    }
}

impl Handler<CutAll> for EventHub {
    type Result = ();

    fn handle(&mut self, _: CutAll, _: &mut Context<Self>) {
        for (_, subscriber) in self.subscribers.drain() {
            subscriber.socket.cut();
        }
    }
}

/// Whoever follows starts over, and is cut off for it.
impl Handler<BookReplaced> for EventHub {
    type Result = ();

    fn handle(&mut self, replaced: BookReplaced, _: &mut Context<Self>) {
        self.epoch = replaced.epoch;
        self.goes_up_to(replaced.last_seq);
        for (_, subscriber) in self.subscribers.drain() {
            subscriber.socket.cut();
        }
    }
}
