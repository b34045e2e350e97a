//! Who owns what. Each owner is one file: its messages, its state, its handlers. Everything else asks by
//! message, so that nothing is shared and nothing is locked.

pub mod automations;
pub mod backups;
mod bad_days;
pub mod captures;
pub mod context;
pub mod discovery;
pub mod email_key;
pub mod embedded;
pub mod erasing;
pub mod event_hub;
pub mod feed;
pub mod halt;
pub mod interest;
pub mod keeper;
pub mod keys;
pub mod lifecycle;
pub mod log_writer;
pub mod messages;
pub mod offline;
pub mod pruner;
pub mod pruning;
pub mod queue;
pub mod recorder;
pub mod reloading;
pub mod removal;
pub mod replacement;
pub mod supervisor;
pub mod teller;
#[cfg(test)]
mod tests;
pub mod vital;
pub mod workspaces;
pub mod writer;

pub use automations::Automations;
pub use backups::Backups;
pub use captures::Captures;
pub use discovery::Devices;
pub use event_hub::EventHub;
pub use keys::Keys;
pub use log_writer::{Health, LogWriter};
pub use pruner::Pruner;
pub use recorder::Recorder;
pub use supervisor::{Opened, Supervisor};
pub use workspaces::Workspaces;
pub use writer::{Outcome, Refusal, Writer};

use crate::domain::Timestamp;
use crate::domain::clock::Moment;
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

/// Both clocks at once, as a parameter: the wall's, and the time that passed, which no one can set.
pub type Clocks = Arc<dyn Fn() -> Moment + Send + Sync>;

/// The time that passed counts sleep as well: a machine that was asleep has seen no jump of its clock.
pub fn system_clocks(wall: Clock) -> Clocks {
    Arc::new(move || {
        let passed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(passed.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(passed.tv_nsec).unwrap_or_default();
        Moment {
            wall: wall(),
            passed: std::time::Duration::new(seconds, nanos),
        }
    })
}
