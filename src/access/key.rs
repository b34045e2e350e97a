//! What a key looks like: `dbk_<id>_<secret>`. The id finds it, the secret proves it; of the secret only its
//! SHA-256 is kept.

use crate::domain::SecretHash;
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;

const PREFIX: &str = "dbk_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Two keys of one id come once in 62^12.
const ID_CHARS: usize = 12;
/// 190 bits.
const SECRET_CHARS: usize = 32;
/// Of a key that somebody presents; longer is none of ours.
const MOST_CHARS: usize = 128;

/// A key as its holder has it. It is shown once and kept nowhere.
pub struct FullKey {
    id: String,
    secret: String,
}

impl FullKey {
    /// From the operating system's random source.
    pub fn fresh() -> io::Result<Self> {
        Self::with_id(random_text(ID_CHARS)?)
    }

    /// Another secret for a key that is there.
    pub fn with_id(id: String) -> io::Result<Self> {
        let secret = random_text(SECRET_CHARS)?;
        Ok(Self { id, secret })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn hash(&self) -> SecretHash {
        hash(&self.secret)
    }

    /// What its holder is shown.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

/// Nothing of it gets into a line of telemetry by mistake.
impl fmt::Debug for FullKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullKey({})", self.id)
    }
}

/// What somebody presents as a key: its id and the hash of its secret.
pub fn presented(text: &str) -> Option<(&str, SecretHash)> {
    if text.len() > MOST_CHARS {
        return None;
    }
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_text = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_text(id) && is_text(secret)).then(|| (id, hash(secret)))
}

/// Whether that can be the id of a key.
pub fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// It takes as long whatever they are.
pub fn are_equal(a: &SecretHash, b: &SecretHash) -> bool {
    let pairs = a.0.iter().zip(&b.0);
    let differs = pairs.fold(0, |differs, (a, b)| std::hint::black_box(differs | (a ^ b)));
    differs == 0
}

pub(super) fn hash(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

pub(super) fn random_text(chars: usize) -> io::Result<String> {
    // As many whole alphabets as a byte holds; what lies beyond would favour some letters.
    const FAIR: u8 = 62 * 4;
    let mut text = String::with_capacity(chars);
    let mut bytes = [0; 64];
    while text.len() < chars {
        let got = getrandom(&mut bytes, GetRandomFlags::empty())?;
        let fair = bytes[..got].iter().filter(|byte| **byte < FAIR);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(letters.take(chars - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_fresh_key_is_read_back_and_no_two_are_alike() {
        let keys: HashSet<String> = (0..100)
            .map(|_| {
                let key = FullKey::fresh().unwrap();
                let text = key.reveal();
                assert_eq!(presented(&text), Some((key.id(), key.hash())));
                assert!(text.len() >= 4 + 12 + 1 + 22, "128 bits and more");
                assert!(!format!("{key:?}").contains(&text[17..]));
                text
            })
            .collect();
        assert_eq!(keys.len(), 100);
    }

    #[test]
    fn what_is_no_key_is_none() {
        let long = format!("dbk_a_{}", "x".repeat(200));
        for text in [
            "",
            "dbk_",
            "dbk_a",
            "dbk_a_",
            "dbk__b",
            "dbk_a_b_c",
            "a_b",
            "dbk_ü_b",
            &long,
        ] {
            assert_eq!(presented(text), None, "{text}");
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc").to_string(), known);
        assert!(are_equal(&hash("abc"), &hash("abc")));
        assert!(!are_equal(&hash("abc"), &hash("abd")));
    }
}
