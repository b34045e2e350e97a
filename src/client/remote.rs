//! Recording into a Daybook elsewhere: a bounded queue, and a thread that sends what is in it in batches and
//! tries again until it is taken. It never fails and never keeps whoever records; what was lost is counted.

mod worker;

use crate::domain::{Draft, Sink};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use worker::Worker;

/// A daemon refuses an entry that is longer; nothing of a draft is that long but by mistake.
const LONGEST_LINE: usize = 128 * 1024;

/// What a [`Remote`] is made of.
#[derive(Clone)]
pub struct Builder {
    url: String,
    key: Option<String>,
    speaks_for_others: bool,
    entries: usize,
    bytes: usize,
}

/// Why a remote cannot be recorded into at all.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error("{0}: must be http://host[:port] or https://host[:port]")]
    Url(String),
    #[error("the key has characters that no key has")]
    Key,
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A handle; clones share one queue. When the last is gone, what waits is tried once more and then given up:
/// [`Remote::flush`] before that.
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

struct Shared {
    queue: SyncSender<Line>,
    /// Dropped with the handles, which ends the thread's pauses.
    _alive: Sender<()>,
    counted: Arc<Counted>,
    most_bytes: usize,
    speaks_for_others: bool,
}

#[derive(Default)]
struct Counted {
    sent: AtomicU64,
    lost: AtomicU64,
    waiting: AtomicUsize,
    bytes: AtomicUsize,
}

/// An entry as it goes over the wire. It has an id, so that sending it twice records it once.
type Line = String;

impl Remote {
    /// A Daybook at `http://host[:port]`, or at `https://…` behind a proxy, whose certificate the machine trusts.
    pub fn to(url: impl Into<String>) -> Builder {
        Builder {
            url: url.into(),
            key: None,
            speaks_for_others: true,
            entries: 10_000,
            bytes: 16 * 1024 * 1024,
        }
    }

    /// Entries that are in the remote book.
    pub fn sent(&self) -> u64 {
        self.0.counted.sent.load(Ordering::Relaxed)
    }

    /// Entries that are in no book: there was no room, or they were refused.
    pub fn lost(&self) -> u64 {
        self.0.counted.lost.load(Ordering::Relaxed)
    }

    /// Entries that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.0.counted.waiting.load(Ordering::Acquire)
    }

    /// Waits until nothing waits, at most so long; for the end of a program. Whether nothing does.
    pub fn flush(&self, most: Duration) -> bool {
        let until = Instant::now() + most;
        while self.waiting() > 0 {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Builder {
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether the key may say who it was; if not, that goes into `metadata.reported_actor`, and the entries'
    /// actor is the key. The default is that it may.
    pub fn speaks_for_others(mut self, may: bool) -> Self {
        self.speaks_for_others = may;
        self
    }

    /// How much may wait while the daemon cannot be reached; what comes beyond that is lost.
    pub fn room(mut self, entries: usize, bytes: usize) -> Self {
        (self.entries, self.bytes) = (entries, bytes);
        self
    }

    pub fn start(self) -> Result<Remote, NotStarted> {
        let (scheme, host) = self.url.split_once("://").unwrap_or_default();
        let host = host.trim_end_matches('/');
        let is_known = ["http", "https"].contains(&scheme);
        if !is_known || host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(NotStarted::Url(self.url));
        }
        let url = format!("{scheme}://{host}/api/v1/activity");
        let is_plain = |key: &String| key.bytes().all(|b| b.is_ascii_graphic());
        if !self.key.as_ref().is_none_or(is_plain) {
            return Err(NotStarted::Key);
        }
        let counted = Arc::new(Counted::default());
        let (queue, lines) = sync_channel(self.entries.max(1));
        let (alive, gone) = channel();
        let authorization = self.key.map(|key| format!("Bearer {key}"));
        let worker = Worker::new(url, authorization, lines, gone, Arc::clone(&counted));
        let thread = std::thread::Builder::new().name("daybook-remote".into());
        thread.spawn(move || worker.run())?;
        Ok(Remote(Arc::new(Shared {
            queue,
            _alive: alive,
            counted,
            most_bytes: self.bytes,
            speaks_for_others: self.speaks_for_others,
        })))
    }
}

/// Without the key.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Sink for Remote {
    fn take_in(&self, draft: Draft) {
        let line = line(draft, self.0.speaks_for_others);
        let counted = &self.0.counted;
        let size = line.len();
        let held = counted.bytes.fetch_add(size, Ordering::AcqRel);
        counted.waiting.fetch_add(1, Ordering::AcqRel);
        let fits = size <= LONGEST_LINE && held + size <= self.0.most_bytes;
        if !fits || self.0.queue.try_send(line).is_err() {
            counted.left(1, size);
            counted.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counted {
    fn left(&self, entries: usize, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.waiting.fetch_sub(entries, Ordering::AcqRel);
    }
}

fn line(draft: Draft, speaks_for_others: bool) -> Line {
    let mut metadata = draft.metadata.unwrap_or_default();
    let mut object = Map::new();
    let id = draft
        .id
        .unwrap_or_else(|| format!("al_{}", uuid::Uuid::now_v7().simple()));
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value.into());
        }
    };
    put("id", Some(id));
    put("category", draft.category);
    put("action", draft.action);
    put("severity", draft.severity);
    put("entity_type", draft.entity_type);
    put("entity_id", draft.entity_id);
    put("entity_name", draft.entity_name);
    put("message", draft.message);
    put(
        "workspace_id",
        draft.workspace_id.filter(|_| speaks_for_others),
    );
    if speaks_for_others {
        put("actor", draft.actor);
        put("ip_address", draft.ip_address);
        put("user_agent", draft.user_agent);
    } else if let Some(actor) = draft.actor {
        metadata.insert("reported_actor".to_owned(), actor.into());
    }
    object.insert("metadata".to_owned(), metadata.into());
    Value::from(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_recorded_into_is_refused_at_once() {
        for url in [
            "",
            "ftp://daybook.example",
            "https://",
            "http://",
            "http://a/b",
            "daybook:7480",
        ] {
            assert!(
                matches!(Remote::to(url).start(), Err(NotStarted::Url(_))),
                "{url}"
            );
        }
        let broken = Remote::to("http://127.0.0.1:1").key("a\r\nb").start();
        assert!(matches!(broken, Err(NotStarted::Key)));
    }

    #[test]
    fn what_has_no_room_is_lost_and_counted_and_keeps_nobody() {
        // Nothing listens there.
        let remote = Remote::to("http://127.0.0.1:1")
            .room(3, 1 << 20)
            .start()
            .unwrap();
        let began = Instant::now();
        for _ in 0..100 {
            remote.take_in(Draft::default());
        }
        assert!(began.elapsed() < Duration::from_secs(1));
        assert!(remote.lost() > 0);
        assert_eq!(remote.lost() + remote.waiting() as u64, 100);
        assert!(!remote.flush(Duration::ZERO));
        let narrow = Remote::to("http://127.0.0.1:1")
            .room(1000, 10)
            .start()
            .unwrap();
        narrow.take_in(Draft::default());
        assert_eq!((narrow.lost(), narrow.waiting()), (1, 0));
    }

    #[test]
    fn a_key_that_may_not_speak_for_others_names_no_other() {
        let draft = || Draft {
            actor: Some("anna".into()),
            ip_address: Some("192.0.2.1".into()),
            ..Draft::default()
        };
        let sent: Value = serde_json::from_str(&line(draft(), false)).unwrap();
        assert_eq!(sent["metadata"]["reported_actor"], "anna");
        assert!(sent.get("actor").is_none() && sent.get("ip_address").is_none());
        let sent: Value = serde_json::from_str(&line(draft(), true)).unwrap();
        assert_eq!(sent["actor"], "anna");
    }
}
