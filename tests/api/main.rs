//! The HTTP interface, asked from outside as its clients ask it. The files are filed as the addresses are.

mod activity;
mod automations;
mod board;
mod bodies;
mod callers;
mod captures;
mod client;
mod concurrency;
mod dashboard;
mod declared;
mod description;
mod devices;
#[path = "../fuzz/dice.rs"]
mod dice;
mod errors;
mod events;
mod every_route;
mod floods;
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
mod schema;
mod signing_in;
mod spawned;
mod system;
mod time;
mod workspaces;
mod writer;
