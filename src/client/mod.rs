//! The other side of the wire: how our own commands speak to a daemon that runs, and how other programs
//! record into one.

pub mod control;
pub mod events;
pub mod remote;
pub mod tls;

pub use remote::Remote;
