//! The contract of storage: what every backend keeps, asked through the traits alone, and what belongs to
//! the SQLite file itself.

mod harness;

mod clear;
mod counts;
mod duplicates;
mod entries;
mod export;
mod filters;
mod head;
mod pages;
mod predicate;
mod prune;
mod transactions;
mod workspaces;
