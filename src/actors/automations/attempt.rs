//! One attempt to tell a receiver something: its entries are read, the request is made and sent, on a thread of
//! its own that nobody waits for at a stop. What was told twice because of that has the same delivery id.

use super::body::Told;
use super::sending::Post;
use crate::access::Scope;
use crate::domain::automation::Rule;
use crate::domain::{
    Emitted, Entry, EntryId, Filter, PageRequest, PageSize, Position, Receipt, Seq, Stored,
    Timestamp,
};
use crate::storage::{EntryReader, StorageError, Stretch};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

pub struct Attempt {
    pub rule: Arc<Rule>,
    pub id: String,
    pub made: Timestamp,
    pub count: u64,
    pub entries: Entries,
    pub reader: Arc<dyn EntryReader>,
    pub post: Post,
}

/// Of which entries it tells.
pub enum Entries {
    Numbered(Vec<Seq>),
    /// For a test: the newest that matches, or an example where there is none.
    NewestOf(Box<Filter>),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Told,
    Later {
        retry_after: Option<Duration>,
    },
    /// The receiver will never take it.
    Refused,
}

/// What came of an attempt, as far as it may be told on.
#[derive(Debug, Clone)]
pub struct Tried {
    pub came: Came,
    pub status: Option<u16>,
    /// Why there is no status.
    pub error: Option<String>,
    /// The beginning of what a test was answered.
    pub answer: Option<String>,
    pub took: Duration,
}

impl Tried {
    pub fn not_sent(error: impl Into<String>) -> Self {
        Self {
            came: Came::Later { retry_after: None },
            status: None,
            error: Some(error.into()),
            answer: None,
            took: Duration::ZERO,
        }
    }
}

impl Attempt {
    pub async fn on_its_own_thread(self) -> Tried {
        let (answer, tried) = oneshot::channel();
        let thread = std::thread::Builder::new().name("automation".into());
        let started = thread.spawn(move || {
            // Whoever asked may have stopped meanwhile.
            let _ = answer.send(self.run());
        });
        match started {
            Err(cause) => Tried::not_sent(format!("no thread: {cause}")),
            Ok(_) => {
                let ended = tried.await;
                ended.unwrap_or_else(|_| Tried::not_sent("the attempt failed here"))
            }
        }
    }

    fn run(&self) -> Tried {
        let is_test = matches!(self.entries, Entries::NewestOf(_));
        let entries = match self.read() {
            Ok(entries) => entries,
            Err(error) => {
                return Tried::not_sent(format!("its entries could not be read: {error}"));
            }
        };
        let told = Told {
            rule: &self.rule,
            id: &self.id,
            made: self.made,
            count: self.count,
            seqs: match &self.entries {
                Entries::Numbered(seqs) => seqs.clone(),
                Entries::NewestOf(_) => entries.iter().map(|one| one.seq).collect(),
            },
            entries: &entries,
            is_test,
        };
        self.post.send(&told)
    }

    fn read(&self) -> Result<Vec<Stored>, StorageError> {
        let scope = Scope::for_the_daemon();
        let page = |filter: &Filter, position| {
            let size = PageSize::new(1).unwrap_or_default();
            let request = PageRequest { position, size };
            let scope = match &self.rule.workspace {
                Some(own) => scope.narrowed_to(own),
                None => Some(scope.clone()),
            };
            match scope {
                Some(scope) => self.reader.page(&scope, filter, request, Stretch::BRIEF),
                None => Err(StorageError::Other("no such workspace".into())),
            }
        };
        match &self.entries {
            Entries::Numbered(seqs) => {
                let mut found = Vec::new();
                for seq in seqs {
                    let one = page(&Filter::default(), Position::After(seq - 1))?;
                    found.extend(one.items.into_iter().filter(|one| one.seq == *seq));
                }
                Ok(found)
            }
            Entries::NewestOf(filter) => {
                let newest = page(filter, Position::Newest)?.items;
                Ok(match newest.is_empty() {
                    true => vec![example(self.made)],
                    false => newest,
                })
            }
        }
    }
}

/// What a test tells where no entry matches yet.
fn example(ts: Timestamp) -> Stored {
    let receipt = Receipt {
        id: EntryId::trusted("al_00000000000000000000000000000000"),
        seq: 0,
        ts,
        duplicate: false,
    };
    let said = Emitted::ServerStarted.says("This is an example: no entry matches yet");
    let entry: Entry = said.by_system().recorded(&receipt);
    Stored { seq: 0, entry }
}
