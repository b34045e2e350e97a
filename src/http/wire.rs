//! The bodies of answers, as they stand on the wire and in the OpenAPI description.

use crate::domain::{Entry, Page, Receipt, Seq};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of one entry.
#[derive(Serialize, ToSchema)]
pub struct Recorded {
    pub id: String,
    pub seq: Seq,
    pub ts: String,
    /// The id was in the book already; nothing new was recorded.
    pub duplicate: bool,
}

impl From<&Receipt> for Recorded {
    fn from(receipt: &Receipt) -> Self {
        Self {
            id: receipt.id.to_string(),
            seq: receipt.seq,
            ts: receipt.ts.to_string(),
            duplicate: receipt.duplicate,
        }
    }
}

/// What became of a bulk.
#[derive(Serialize, ToSchema, Default)]
pub struct BulkRecorded {
    /// Newly recorded.
    pub accepted: u64,
    /// Known by their id already.
    pub duplicates: u64,
    pub rejected: Vec<Rejected>,
    /// The highest `seq` of this request's entries.
    pub last_seq: Option<Seq>,
}

#[derive(Serialize, ToSchema)]
pub struct Rejected {
    /// Counted from 0.
    pub index: usize,
    pub errors: Vec<WrongField>,
}

#[derive(Serialize, ToSchema)]
pub struct WrongField {
    pub field: String,
    pub reason: String,
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
#[schema(as = Page)]
pub struct PageOf<'a> {
    #[schema(value_type = Vec<EntrySchema>)]
    pub items: Vec<&'a Entry>,
    /// The numbers of `items`, in the same order.
    pub seqs: Vec<Seq>,
    /// Go on down from below this. A short page is not the last one; `null` is.
    pub next_before_seq: Option<Seq>,
    /// Go on up from above this, when `after_seq` was asked for.
    pub next_after_seq: Option<Seq>,
    /// The newest that the caller may see, whatever the filter.
    pub newest_seq: Option<Seq>,
    pub epoch: &'a str,
}

impl<'a> From<&'a Page> for PageOf<'a> {
    fn from(page: &'a Page) -> Self {
        Self {
            items: page.items.iter().map(|item| &item.entry).collect(),
            seqs: page.items.iter().map(|item| item.seq).collect(),
            next_before_seq: page.next_before_seq,
            next_after_seq: page.next_after_seq,
            newest_seq: page.newest_seq,
            epoch: page.epoch.as_str(),
        }
    }
}

/// One entry with its number.
#[derive(Serialize, ToSchema)]
pub struct One<'a> {
    pub seq: Seq,
    #[schema(value_type = EntrySchema)]
    pub entry: &'a Entry,
}

#[derive(Serialize, ToSchema)]
pub struct Counted {
    pub count: u64,
    /// There are at least `count`.
    pub capped: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `unavailable`.
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct SystemInfo {
    pub name: &'static str,
    pub version: &'static str,
    pub epoch: String,
    pub now: String,
    pub started_at: String,
    pub uptime_seconds: u64,
    pub book: BookState,
    pub writer: WriterState,
}

#[derive(Serialize, ToSchema)]
pub struct BookState {
    pub engine: String,
    pub bytes: u64,
    pub first_seq: Option<Seq>,
    pub last_seq: Seq,
    pub last_ts: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct WriterState {
    /// `writable`, `full` or `closed`.
    pub health: &'static str,
    pub queue_entries: usize,
    pub queue_bytes: usize,
}

/// An entry to record. `ts` and `seq` are given by the book.
#[derive(ToSchema)]
#[schema(as = NewEntry)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct NewEntrySchema {
    /// Makes a retry safe: 1 to 64 of A-Z a-z 0-9 _ -
    pub id: Option<String>,
    /// auth, device, entity, capture, system, or one of the owner's own
    pub category: String,
    /// 1 to 128 of A-Z a-z 0-9 _ . : / -, by convention `noun.verb_in_past_tense`
    pub action: String,
    /// info (the default), warning or error
    pub severity: Option<String>,
    /// Who did it; by default whoever sends it
    pub actor: Option<String>,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub entity_name: Option<String>,
    /// 1 to 4096 characters
    pub message: String,
    /// A small JSON object, at most 16 KiB
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<()>,
    pub workspace_id: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// One recorded line of the book.
#[derive(ToSchema)]
#[schema(as = Entry)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct EntrySchema {
    pub id: String,
    /// RFC 3339, UTC, six decimals
    pub ts: String,
    pub category: String,
    pub action: String,
    pub severity: String,
    pub actor: String,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub entity_name: Option<String>,
    pub message: String,
    #[schema(value_type = Object)]
    pub metadata: (),
    pub workspace_id: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// RFC 9457. Every failure looks like this.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct ProblemSchema {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub errors: Vec<WrongField>,
}
