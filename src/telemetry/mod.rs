//! The daemon's own log lines and metrics, for whoever runs it. Never called "log" or "activity": those are the
//! book's words.

mod captures;
pub mod classic;
pub mod log;
pub mod metrics;
mod process;

pub use captures::{CaptureNumbers, Why};
pub use log::{Shape, log_filter};
pub use metrics::{HttpRoute, Metrics, Refusal, Rejection};
