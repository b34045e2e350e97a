//! The contract of storage: what every backend keeps, asked through the traits alone, and what belongs to
//! the SQLite file itself.

mod harness;
mod line;

mod automations;
mod board;
mod check;
mod clear;
mod counts;
mod cursors;
mod devices;
mod duplicates;
mod entries;
mod erasures;
mod export;
mod faults;
mod file;
mod filters;
mod head;
mod holes;
mod keys;
mod pages;
mod plans;
mod predicate;
mod prune;
mod refusals;
mod rollups;
mod sign_ins;
mod summaries;
mod transactions;
mod workspaces;
