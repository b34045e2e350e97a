//! Automations: rules that say what is told to whom when entries match, and what of that is still to be told.
//! Which entries those are is found in the book, and how it is told is `actors::automations`'s.

mod action;
mod delivery;
mod gate;
mod reading;
mod rule;
mod template;

pub use action::{Action, Headers, Ntfy, Secret, Webhook};
pub use delivery::{Delivery, FULL, after};
pub use gate::{Came, Gate, Standing};
pub use rule::{Limits, Per, Rule, Threshold, checked_name};
pub use template::Template;

/// Rules in force at once, those of the file included.
pub const MOST_RULES: usize = 64;
/// Deliveries of one rule that wait; beyond it the oldest is given up.
pub const MOST_PENDING: usize = 1_000;
/// Entries that a delivery brings with it, the newest of those that it stands for.
pub const MOST_ENTRIES: usize = 20;

/// What automations record sets none of them off.
pub fn is_own(action: &str) -> bool {
    action.starts_with("automation.")
}
