//! `/api/v1/activity` and what stands below it.

mod audit;
mod bulk;
mod count;
mod entry;
mod export;
mod fields;
mod filters;
mod halts;
mod origin;
mod page;
mod record;
mod retention;
mod summary;
