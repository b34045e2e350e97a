//! Acts: changes to what the book holds beside its entries. An act commits together with the
//! entries that record it, or not at all.

use super::automation::Delivery;
use super::board::Address;
use super::device::{Device, DeviceId};
use super::key::{Key, LastUse};
use super::workspace::Workspace;
use super::{SecretHash, Seq, SignIn, Timestamp};

/// Later parts of the daemon add their own variants here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Keep a setting that was changed at run time; `value` is JSON.
    PutSetting { key: String, value: String },
    /// Forget such a setting; nothing happens when there is none.
    DeleteSetting { key: String },
    /// Keep a key, new or changed. When it was used last stays as it was.
    PutKey(Box<Key>),
    /// Note that the key of this id was used.
    KeyUsed { id: String, used: LastUse },
    /// Keep who signed in.
    PutSignIn(Box<SignIn>),
    /// Note that it was used.
    SignInUsed { token: SecretHash, at: Timestamp },
    /// Forget these.
    EndSignIns(Vec<SecretHash>),
    /// Keep a workspace, new or changed. What it has of entries, and when it came into being, stays.
    PutWorkspace(Box<Workspace>),
    /// Keep what a principal arranged on the dashboard; `value` is JSON.
    PutOnBoard { at: Box<Address>, value: String },
    /// Take it away; nothing happens when it is not there.
    TakeOffBoard { at: Box<Address> },
    /// Keep a device, new or changed.
    PutDevice(Box<Device>),
    /// Forget a device; nothing happens when there is none.
    RemoveDevice { id: DeviceId },
    /// Keep how far an intake has read; it commits with the entries that were read from `former` up to there. Where
    /// the book says another than that, as one that was restored may, it is refused.
    PutCursor {
        name: String,
        former: Option<String>,
        value: String,
    },
    /// Keep an automation that was made over HTTP; `rule` is JSON.
    PutRule { name: String, rule: String },
    /// Forget an automation, how it stands and what it has still to tell.
    RemoveRule { name: String },
    /// Keep how an automation stands; `standing` is JSON.
    PutStanding { name: String, standing: String },
    /// Up to where automations have read the book.
    ReadUpTo { seq: Seq },
    /// Keep what an automation has to tell.
    PutDelivery(Box<Delivery>),
    /// It was told, or given up.
    RemoveDelivery { id: String },
}

impl Act {
    /// What it weighs in a queue or a transaction.
    pub fn weight(&self) -> usize {
        128 + match self {
            Self::PutSetting { key, value } => key.len() + value.len(),
            Self::DeleteSetting { key } => key.len(),
            Self::PutKey(_) | Self::PutWorkspace(_) => 512,
            Self::KeyUsed { id, .. } => id.len(),
            Self::PutSignIn(_) => 256,
            Self::SignInUsed { .. } => 64,
            Self::EndSignIns(tokens) => 64 * tokens.len(),
            Self::PutOnBoard { value, .. } => 256 + value.len(),
            Self::TakeOffBoard { .. } => 256,
            Self::PutDevice(device) => device.weight(),
            Self::RemoveDevice { .. } => 64,
            Self::PutCursor { name, value, .. } => name.len() + 2 * value.len(),
            Self::PutRule { name, rule } => name.len() + rule.len(),
            Self::PutStanding { name, standing } => name.len() + standing.len(),
            Self::RemoveRule { .. } | Self::ReadUpTo { .. } => 64,
            Self::PutDelivery(delivery) => 256 + 8 * delivery.seqs.len(),
            Self::RemoveDelivery { id } => id.len(),
        }
    }
}
