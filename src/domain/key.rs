//! A key as the book holds it: who its holder is, what it may do and where, and the hash of its secret. The
//! secret itself is in no value of this file; how it is made and verified is `access`'s.

use super::{FieldError, Timestamp, WorkspaceId};
use std::fmt;

pub const LABEL_CHARS: usize = 64;
/// Keys in one book, with those that were revoked.
pub const MOST_KEYS: usize = 10_000;
/// Who is not a key calls itself so.
const RESERVED: [&str; 3] = ["anonymous", "system", "operator"];

/// What a key is called, and what its holder is called in every entry: given once in a book and never again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyLabel(String);

impl KeyLabel {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@');
        if !(1..=LABEL_CHARS).contains(&text.len()) || !text.bytes().all(allowed) {
            let reason = "must be 1 to 64 characters of A-Z a-z 0-9 _ - . @";
            return Err(FieldError::new("label", reason));
        }
        if is_reserved(text) {
            return Err(FieldError::new("label", "is what Daybook calls others"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Out of the book, where only checked ones are.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether others than people and programs are called so.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The workspaces that a principal is let into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    One(WorkspaceId),
}

impl Reach {
    /// As it is asked for: `*` for all.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        match text {
            "*" => Ok(Self::All),
            name => super::draft::workspace_id(name.to_owned()).map(Self::One),
        }
    }

    pub fn covers(&self, other: &Self) -> bool {
        *self == Self::All || self == other
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(name) => name.fmt(f),
        }
    }
}

/// What a principal may do; on the wire these are a key's `scopes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    pub write: bool,
    pub read: bool,
    pub admin: bool,
}

impl Rights {
    pub const ALL: Self = Self {
        write: true,
        read: true,
        admin: true,
    };

    /// At least one of the three words.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, FieldError> {
        let mut rights = Self::default();
        for word in words {
            match word.trim() {
                "write" => rights.write = true,
                "read" => rights.read = true,
                "admin" => rights.admin = true,
                _ => return Err(FieldError::new("scopes", "must be of write, read, admin")),
            }
        }
        if rights == Self::default() {
            return Err(FieldError::new("scopes", "must name write, read or admin"));
        }
        Ok(rights)
    }

    pub fn words(self) -> Vec<&'static str> {
        let held = [
            ("write", self.write),
            ("read", self.read),
            ("admin", self.admin),
        ];
        let held = held.into_iter().filter(|(_, held)| *held);
        held.map(|(word, _)| word).collect()
    }

    pub fn covers(self, other: Self) -> bool {
        (self.write || !other.write) && (self.read || !other.read) && (self.admin || !other.admin)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

/// SHA-256 of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A secret that was rotated away and is still taken for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormerSecret {
    pub hash: SecretHash,
    pub until: Timestamp,
}

/// When a key was used last, and from which address, as far as that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    pub from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub label: KeyLabel,
    /// The public part of the key, by which it is found.
    pub id: String,
    pub secret: SecretHash,
    pub former: Option<FormerSecret>,
    pub rights: Rights,
    pub reach: Reach,
    pub speaks_for_others: bool,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
    pub last_used: Option<LastUse>,
}

impl Key {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// `active`, `expired` or `revoked`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.revoked {
            Some(_) => "revoked",
            None if self.is_expired(now) => "expired",
            None => "active",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_no_one_elses_name() {
        for label in ["ci", "a.b_c-d@home", &"x".repeat(64)] {
            assert!(KeyLabel::parse(label).is_ok(), "{label}");
        }
        for label in ["", "a b", "ü", "a/b", "system", "anonymous", "operator"] {
            assert_eq!(KeyLabel::parse(label).unwrap_err().field, "label");
        }
        assert!(KeyLabel::parse(&"x".repeat(65)).is_err());
    }

    #[test]
    fn rights_are_words_and_cover_their_like() {
        let both = Rights::parse(["write", " read"]).unwrap();
        assert_eq!(both.words(), ["write", "read"]);
        assert!(Rights::ALL.covers(both) && !both.covers(Rights::ALL));
        for wrong in [&[][..], &["all"], &["write", ""]] {
            let refused = Rights::parse(wrong.iter().copied());
            assert_eq!(refused.unwrap_err().field, "scopes");
        }
    }

    #[test]
    fn a_hash_is_64_hex_digits() {
        let text = "00ff".repeat(16);
        assert_eq!(SecretHash::parse(&text).unwrap().to_string(), text);
        assert_eq!(SecretHash::parse(&"+f".repeat(32)), None);
        assert_eq!(SecretHash::parse(&text[1..]), None);
    }
}
