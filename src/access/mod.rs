//! Who is asking, what of the book they may see, and what of their requests may be stored.
//!
//! Pure: verifying a key against the book, and turning a refusal into a status, happen elsewhere.

pub mod emails;
pub mod folding;
pub mod key;
pub mod keyring;
pub mod principal;
pub mod privacy;
pub mod scope;
pub mod sign_ins;
pub mod slowdown;
pub mod token;

pub use emails::{Emails, HashKey};
pub use key::FullKey;
pub use keyring::Keyring;
pub use principal::{Origin, Principal};
pub use privacy::Privacy;
pub use scope::{Asked, Scope};
pub use sign_ins::SignIns;
pub use slowdown::Slowdown;
pub use token::Token;
