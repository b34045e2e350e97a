//! One file for each part of the benchmark: its contestants, and the promises that it is held to.

pub mod export;
pub mod http;
pub mod page;
pub mod search;
pub mod start;
pub mod writer;

use crate::report::number;

/// So many of something.
pub fn several(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        count => format!("{count} {thing}s"),
    }
}

/// How a book of so many entries is called.
pub fn called(entries: u64) -> String {
    match entries {
        0 => "an empty book".into(),
        count => format!("a book of {}", number(count as f64)),
    }
}
