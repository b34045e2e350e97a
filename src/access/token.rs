//! What a signed-in browser holds: `dbs_<secret>`. It says nothing of who that is; only its SHA-256 is kept.

use super::key::{hash, random_text};
use crate::domain::SecretHash;
use crate::domain::secret::TOKEN_PREFIX;
use std::fmt;
use std::io;

/// 256 bits.
const SECRET_CHARS: usize = 43;

/// A token as its holder has it.
pub struct Token(String);

impl Token {
    /// From the operating system's random source.
    pub fn fresh() -> io::Result<Self> {
        Ok(Self(format!(
            "{TOKEN_PREFIX}{}",
            random_text(SECRET_CHARS)?
        )))
    }

    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }

    /// What its holder is given.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Nothing of it gets into a line of telemetry by mistake.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The hash of what somebody presents as a token; none of what can be none of ours.
pub fn presented(text: &str) -> Option<SecretHash> {
    let secret = text.strip_prefix(TOKEN_PREFIX)?;
    let is_one = secret.len() == SECRET_CHARS && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    is_one.then(|| hash(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_token_is_known_again_and_no_two_are_alike() {
        let (one, other) = (Token::fresh().unwrap(), Token::fresh().unwrap());
        assert_eq!(presented(one.reveal()), Some(one.hash()));
        assert_ne!(one.hash(), other.hash());
        assert!(!format!("{one:?}").contains(&one.reveal()[8..]));
        assert!(crate::domain::secret::holds_key(one.reveal()));
        for text in [
            "",
            "dbs_",
            "dbk_a_b",
            &one.reveal()[1..],
            &format!("{}x", one.reveal()),
        ] {
            assert_eq!(presented(text), None, "{text}");
        }
    }
}
