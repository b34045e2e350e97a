//! Live events: the protocol is a state machine without I/O (`session`), inside a thin actor (`socket`); `frames` stands before both.

mod frames;
pub mod session;
#[cfg(test)]
mod session_tests;
pub mod socket;
