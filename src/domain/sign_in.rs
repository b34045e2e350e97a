//! A sign-in as the book holds it: who signed in by which key, and since when. The token that a browser holds is
//! in no value of this file, only its hash; how long a sign-in lasts is said by whoever judges it.

use super::{SecretHash, Timestamp};

/// Of one key; a further one ends the oldest.
pub const MOST_OF_A_KEY: usize = 32;
/// In one book.
pub const MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Of what the browser holds; it is found by it.
    pub token: SecretHash,
    /// The key that was shown, and which of its secrets: it lasts no longer than that is taken.
    pub key_id: String,
    pub key_secret: SecretHash,
    pub created: Timestamp,
    /// To the minute.
    pub last_used: Timestamp,
}
