//! The words of the book: what an entry is, how one asks for entries, what the book holds beside them.
//!
//! Pure values and rules. No I/O, no clock, no async, no actix, no diesel: everything here can be
//! tested with plain calls, and every other layer may name it.

pub mod act;
pub mod automation;
pub mod backup;
pub mod board;
pub mod buckets;
pub mod clock;
pub mod device;
pub mod draft;
pub mod entity;
pub mod entry;
pub mod erasure;
pub mod field;
pub mod filter;
pub mod head;
pub mod json;
pub mod key;
pub mod limits;
pub mod live;
pub mod metadata;
pub mod page;
pub mod retention;
pub mod rules;
pub mod secret;
pub mod sign_in;
pub mod sink;
pub mod summary;
pub mod timestamp;
pub mod vocabulary;
pub mod workspace;

pub use act::Act;
pub use backup::BackupName;
pub use buckets::BucketCount;
pub use device::{Device, DeviceId};
pub use draft::Draft;
pub use entity::Entity;
pub use entry::{Action, Category, Entry, EntryId, NewEntry, Seq, Severity, Stored, WorkspaceId};
pub use erasure::Erasure;
pub use field::{FieldError, FieldErrors};
pub use filter::Filter;
pub use head::{Epoch, Head, Receipt};
pub use key::{Key, KeyLabel, Reach, Rights, SecretHash};
pub use metadata::Metadata;
pub use page::{Count, Page, PageRequest, PageSize, Position};
pub use rules::{Redact, Rules};
pub use sign_in::SignIn;
pub use sink::Sink;
pub use summary::{Bucket, Dimension, Facets, Histogram, HistogramRequest, ValueCount};
pub use timestamp::Timestamp;
pub use vocabulary::{Emitted, Own, entity_event};
pub use workspace::{Holding, Title, Workspace};
