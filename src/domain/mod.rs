//! The words of the book: what an entry is, how one asks for entries, what the book holds beside them.
//!
//! Pure values and rules. No I/O, no clock, no async, no actix, no diesel: everything here can be
//! tested with plain calls, and every other layer may name it.

pub mod act;
pub mod draft;
pub mod entry;
pub mod field;
pub mod filter;
pub mod head;
pub mod json;
pub mod limits;
pub mod metadata;
pub mod page;
pub mod retention;
pub mod timestamp;

pub use act::Act;
pub use draft::{Draft, Redact, Rules};
pub use entry::{Action, Category, Entry, EntryId, NewEntry, Seq, Severity, Stored, WorkspaceId};
pub use field::{FieldError, FieldErrors};
pub use filter::Filter;
pub use head::{Epoch, Head, Receipt};
pub use metadata::Metadata;
pub use page::{Count, Page, PageRequest, PageSize, Position};
pub use timestamp::Timestamp;
