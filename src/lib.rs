//! Daybook keeps the book of what happened: who did what, to which thing, when.
//!
//! The layers, in order. A module names only modules above it in this list; `tests/layering.rs` holds that.
//!
//! 1. [`domain`]: the words: entry, filter, page, act, limits. No I/O.
//! 2. [`access`]: who is asking and what they may see. [`ingest`]: bytes to entries. [`export`]: entries to bytes.
//! 3. [`config`]: what the owner set. [`telemetry`]: the daemon's own log lines and metrics. [`client`]: how
//!    commands and other programs speak to a daemon. [`mdns`]: the helper process that speaks mDNS.
//! 4. [`storage`]: the only place that knows SQL.
//! 5. [`actors`]: who owns what: the LogWriter alone writes. [`dashboard`]: the page, as it is embedded.
//! 6. [`http`]: the routes, and the only place with status codes.
//! 7. [`cli`]: the command line.
//!
//! The path of one entry: a handler of `http` reads the request, `ingest` makes drafts of its bytes, `access`
//! says whose they are, `domain` checks them into new entries, the `LogWriter` commits them in a group through
//! `storage`, and the answer goes back after the commit.

pub mod access;
pub mod actors;
pub mod cli;
pub mod client;
pub mod config;
pub mod dashboard;
pub mod domain;
pub mod export;
pub mod http;
pub mod ingest;
pub mod mdns;
pub mod storage;
pub mod telemetry;
