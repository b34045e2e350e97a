//! Who owns what. Each owner is one file: its messages, its state, its handlers. Everything else asks by
//! message, so that nothing is shared and nothing is locked.

pub mod log_writer;
pub mod queue;
pub mod vital;
pub mod writer;

pub use log_writer::{Health, LogWriter};
pub use writer::{Outcome, Refusal, Writer};

use crate::domain::Timestamp;
use std::sync::Arc;

/// The wall clock, as a parameter.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub fn wall_clock() -> Clock {
    Arc::new(|| {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since_1970.map_or(0, |elapsed| elapsed.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    })
}
