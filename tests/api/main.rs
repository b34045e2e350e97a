//! The HTTP interface, asked from outside as its clients ask it. The files are filed as the addresses are.

mod activity;
mod board;
mod bodies;
mod callers;
mod client;
mod concurrency;
mod dashboard;
mod errors;
mod events;
mod fuzz;
mod harness;
mod isolation;
mod keys;
mod origins;
mod privacy;
mod proxies;
mod raw;
mod recording;
mod requests;
mod responses;
mod signing_in;
mod spawned;
mod system;
mod time;
mod workspaces;
mod writer;
