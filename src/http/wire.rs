//! The bodies of answers, as they stand on the wire and in the OpenAPI description.

use crate::domain::{Bucket, Dimension, Entry, Facets, Histogram, Page, Receipt, Seq, ValueCount};
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

/// While recording is off.
#[derive(Serialize, ToSchema)]
pub struct NotRecorded {
    pub recorded: bool,
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
    #[schema(required)]
    pub last_seq: Option<Seq>,
}

/// What a 200 tells: of a known id, or of a bulk.
#[derive(ToSchema)]
#[schema(as = RecordedOrBulk)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub enum RecordedOrBulk {
    Known(Recorded),
    Bulk(BulkRecorded),
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
    #[schema(required)]
    pub next_before_seq: Option<Seq>,
    /// Go on up from above this, when `after_seq` was asked for.
    #[schema(required)]
    pub next_after_seq: Option<Seq>,
    /// The newest that the caller may see, whatever the filter.
    #[schema(required)]
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

/// How many entries have which value, the most frequent first, at most 50 of each dimension.
#[derive(Serialize, ToSchema)]
#[schema(as = Facets)]
pub struct FacetsOf<'a> {
    pub facets: FacetValues<'a>,
    /// Not everything that matches was looked at, or not every value.
    pub capped: bool,
    /// What is from this on is covered.
    pub from_seq: Seq,
}

#[derive(Serialize, ToSchema)]
pub struct FacetValues<'a> {
    pub category: Vec<FacetValue<'a>>,
    pub severity: Vec<FacetValue<'a>>,
    pub action: Vec<FacetValue<'a>>,
    pub actor: Vec<FacetValue<'a>>,
    pub entity_type: Vec<FacetValue<'a>>,
}

#[derive(Serialize, ToSchema)]
pub struct FacetValue<'a> {
    pub value: &'a str,
    pub count: u64,
}

impl<'a> From<&'a ValueCount> for FacetValue<'a> {
    fn from(held: &'a ValueCount) -> Self {
        Self {
            value: &held.value,
            count: held.count,
        }
    }
}

impl<'a> From<&'a Facets> for FacetsOf<'a> {
    fn from(facets: &'a Facets) -> Self {
        let of = |dimension| facets.of(dimension).iter().map(FacetValue::from).collect();
        Self {
            facets: FacetValues {
                category: of(Dimension::Category),
                severity: of(Dimension::Severity),
                action: of(Dimension::Action),
                actor: of(Dimension::Actor),
                entity_type: of(Dimension::EntityType),
            },
            capped: facets.capped,
            from_seq: facets.from_seq,
        }
    }
}

/// How many entries there were when.
#[derive(Serialize, ToSchema)]
#[schema(as = Histogram)]
pub struct HistogramOf {
    /// Where the first bucket begins: what was asked for, rounded outwards to whole buckets.
    pub since: String,
    /// Where the last bucket ends.
    pub until: String,
    pub bucket_seconds: u64,
    pub buckets: Vec<BucketOf>,
    /// Not everything that matches was looked at.
    pub capped: bool,
    /// What is from this on is covered.
    pub from_seq: Seq,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Bucket)]
pub struct BucketOf {
    pub start: String,
    pub info: u64,
    pub warning: u64,
    pub error: u64,
}

impl From<&Bucket> for BucketOf {
    fn from(bucket: &Bucket) -> Self {
        let [info, warning, error] = bucket.counts;
        Self {
            start: bucket.start.to_string(),
            info,
            warning,
            error,
        }
    }
}

impl From<&Histogram> for HistogramOf {
    fn from(histogram: &Histogram) -> Self {
        Self {
            since: histogram.since.to_string(),
            until: histogram.until.to_string(),
            bucket_seconds: histogram.bucket_seconds,
            buckets: histogram.buckets.iter().map(BucketOf::from).collect(),
            capped: histogram.capped,
            from_seq: histogram.from_seq,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `unavailable`.
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Why pruning is held back; for an operator alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune_halted: Option<&'static str>,
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
    #[schema(required)]
    pub first_seq: Option<Seq>,
    pub last_seq: Seq,
    #[schema(required)]
    pub last_ts: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct WriterState {
    /// `writable`, `full`, `replacing` or `closed`.
    pub health: &'static str,
    pub queue_entries: usize,
    pub queue_bytes: usize,
}

#[derive(ToSchema)]
#[schema(as = Severity)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub enum SeveritySchema {
    Info,
    Warning,
    Error,
}

#[derive(ToSchema)]
#[schema(as = Format)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub enum FormatSchema {
    Csv,
    Json,
    Ndjson,
}

/// One entry, or many that stand each alone.
#[derive(ToSchema)]
#[schema(as = OneOrMany)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub enum OneOrMany {
    One(Box<NewEntrySchema>),
    Many(Vec<NewEntrySchema>),
}

/// An entry to record. `ts` and `seq` are given by the book.
#[derive(ToSchema)]
#[schema(as = NewEntry)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct NewEntrySchema {
    /// Makes a retry safe: 1 to 64 of A-Z a-z 0-9 _ -
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    pub id: Option<String>,
    /// auth, device, entity, capture, system, or one of the owner's own
    pub category: String,
    /// 1 to 128 of A-Z a-z 0-9 _ . : / -, by convention `noun.verb_in_past_tense`
    #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_.:/-]+$")]
    pub action: String,
    /// info (the default), warning or error
    pub severity: Option<SeveritySchema>,
    /// Who did it; by default whoever sends it
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]+$"
    )]
    pub actor: Option<String>,
    #[schema(max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub entity_type: Option<String>,
    #[schema(max_length = 256, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub entity_id: Option<String>,
    #[schema(max_length = 256)]
    pub entity_name: Option<String>,
    /// 1 to 4096 characters
    #[schema(min_length = 1, max_length = 4096)]
    pub message: String,
    /// A small JSON object, at most 16 KiB
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<()>,
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    pub workspace_id: Option<String>,
    #[schema(max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub ip_address: Option<String>,
    #[schema(max_length = 512)]
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
    pub severity: SeveritySchema,
    pub actor: String,
    #[schema(required)]
    pub entity_type: Option<String>,
    #[schema(required)]
    pub entity_id: Option<String>,
    #[schema(required)]
    pub entity_name: Option<String>,
    pub message: String,
    #[schema(value_type = Object)]
    pub metadata: (),
    pub workspace_id: String,
    #[schema(required)]
    pub ip_address: Option<String>,
    #[schema(required)]
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
