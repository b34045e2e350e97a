//! What Daybook promises for bad days, shown on the real binary as a child process. What needs root is in
//! `tests/system`.

#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

mod automations;
mod captures;
mod child;
mod clock;
mod erasure;
mod fail_stop;
mod helper;
mod kill;
mod neighbours;
#[expect(dead_code, reason = "shared with tests that use more of it")]
#[path = "../api/automations/receiver.rs"]
mod receiver;
mod reload;
mod rights;
mod secrets;
mod service;
mod signing_in;
mod stop;
mod strange_files;
