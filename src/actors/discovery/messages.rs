//! What Discovery is asked, and what it answers.

use super::helping::Status;
use crate::actors::Refusal;
use crate::actors::context::Context as Caller;
use crate::domain::device::{self, Alter, NewDevice, Outcome, Plan, Report, Source, State};
use crate::domain::{Device, DeviceId, Timestamp};
use actix::prelude::*;
use std::net::SocketAddr;

/// Why a device is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error(transparent)]
    Device(#[from] device::NotDone),
    #[error("as many checks as may run do; try again")]
    Busy,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A device as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub device: Device,
    /// How it is checked.
    pub plan: Option<Plan>,
    pub checked: Option<(Timestamp, Outcome)>,
    pub is_flapping: bool,
}

/// What of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub after: Option<DeviceId>,
    pub limit: usize,
    pub state: Option<State>,
    pub source: Option<Source>,
    pub ignored: Option<bool>,
}

pub struct List(pub Wanted);

pub struct Listed {
    pub devices: Vec<Shown>,
    /// There are more after the last of them.
    pub more: bool,
    pub status: Status,
}

impl Message for List {
    type Result = Listed;
}

pub struct One(pub DeviceId);

impl Message for One {
    type Result = Option<Shown>;
}

/// Something is to be done to a device.
pub struct Do {
    pub what: Doing,
    pub by: Option<Caller>,
}

pub enum Doing {
    Add(NewDevice),
    Alter(DeviceId, Alter),
    Remove(DeviceId),
    Report(DeviceId, bool, Report),
}

/// What was done: the device as it is now, unless it is removed, and whether that is another than before.
pub struct Done {
    pub shown: Option<Shown>,
    pub changed: bool,
}

impl Message for Do {
    type Result = Result<Done, NotDone>;
}

/// A device is to be checked now.
pub struct Check(pub DeviceId);

impl Message for Check {
    type Result = Result<(Outcome, Shown), NotDone>;
}

/// The configuration was read again.
pub struct Reload {
    pub announce: bool,
    pub browse: Vec<String>,
}

impl Message for Reload {
    type Result = ();
}

/// Where the daemon listens: what it may announce.
pub struct Listening(pub Vec<SocketAddr>);

impl Message for Listening {
    type Result = ();
}

/// The helper is to go, and what is not in the book yet to be kept.
pub struct Stop;

impl Message for Stop {
    type Result = ();
}
