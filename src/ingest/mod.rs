//! Foreign bytes to drafts, one file a format. Pure: no I/O, no clock, and nothing is checked here that
//! `Draft::check` checks for every format alike.

pub mod captured;
pub mod exported;
pub mod fit;
pub mod framing;
mod journal;
mod line;
mod name;
pub mod native;
mod object;
mod syslog;
mod value;
