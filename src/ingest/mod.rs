//! Foreign bytes to drafts, one file a format. Pure: no I/O, no clock, and nothing is checked here that
//! `Draft::check` checks for every format alike.

pub mod exported;
mod name;
pub mod native;
mod object;
mod value;
