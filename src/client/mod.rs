//! The other side of the wire: how our own commands speak to a daemon that runs.

pub mod control;
pub mod events;
