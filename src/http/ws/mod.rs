//! Live events: the protocol is a state machine without I/O (`session`), inside a thin actor (`socket`).

pub mod session;
#[cfg(test)]
mod session_tests;
pub mod socket;
