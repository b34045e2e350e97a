//! Every limit of the contract, in one place. What the owner may change lives in `config`.

/// Characters of a client's own `id`.
pub const ID_CHARS: usize = 64;
pub const ACTION_CHARS: usize = 128;
pub const ACTOR_CHARS: usize = 256;
pub const ENTITY_TYPE_CHARS: usize = 64;
pub const ENTITY_ID_CHARS: usize = 256;
pub const ENTITY_NAME_CHARS: usize = 256;
pub const MESSAGE_CHARS: usize = 4096;
pub const WORKSPACE_CHARS: usize = 64;
pub const CATEGORY_CHARS: usize = 64;
pub const IP_ADDRESS_CHARS: usize = 64;
pub const USER_AGENT_CHARS: usize = 512;
/// Metadata, encoded in its canonical form.
pub const METADATA_BYTES: usize = 16 * 1024;
/// How deep a JSON text may nest.
pub const JSON_DEPTH: usize = 32;
/// One entry as it came in.
pub const ENTRY_BYTES: usize = 64 * 1024;
/// What an entry weighs while it waits to be written, beside its texts.
pub const ENTRY_OVERHEAD: usize = 128;
/// What an entry of a request may weigh beside what stands in the body: who sent it, from where and with what.
pub const ENTRY_ADDED_BYTES: usize =
    ENTRY_OVERHEAD + ACTOR_CHARS + IP_ADDRESS_CHARS + USER_AGENT_CHARS;
/// As few bytes as an entry can be sent in.
pub const SHORTEST_ENTRY: &str = r#"{"category":"auth","action":"a","message":"m"}"#;
/// Entries in one bulk request.
pub const BULK_ENTRIES: usize = 10_000;
/// The free-text filter.
pub const QUERY_CHARS: usize = 256;
/// Values in one repeated filter.
pub const FILTER_VALUES: usize = 64;

pub const PAGE_DEFAULT: usize = 50;
pub const PAGE_MAX: usize = 500;
/// Where a count under filters stops and says so.
pub const COUNT_CAP: u64 = 10_000;

/// Values of one dimension that facets list.
pub const FACET_VALUES: usize = 50;
/// Distinct values of one dimension that facets look at.
pub const FACET_DISTINCT: usize = 10_000;
/// Matches under a filter that facets and histograms look at, the newest first.
pub const SUMMARY_MATCHES: usize = 10_000;
pub const BUCKETS_DEFAULT: usize = 60;
pub const BUCKETS_MAX: usize = 500;

/// What one transaction of the writer holds at most.
pub const GROUP_ENTRIES: usize = 2_000;
pub const GROUP_BYTES: usize = 2 * 1024 * 1024;
