//! The helper process: it alone speaks mDNS, because it parses what strangers send. It has a limit of memory, no
//! descriptor but its pipes, and is told of no path; what it learned it says line by line. Nothing here knows the
//! book, and nothing outside names libmdns or mdns-sd.

mod announcer;
mod browser;
mod confinement;
pub mod helper;
mod network;
pub mod protocol;

pub use protocol::{Announcement, Order, Said};

/// The hidden command under which the helper runs.
pub const COMMAND: &str = "mdns-helper";
