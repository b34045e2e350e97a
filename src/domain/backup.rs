//! The names of backups: plain file names that tell when they were made, so that they sort by time.

use super::{FieldError, Timestamp};
use std::fmt;

/// A plain file name and never a path. Only what is so named is listed, given out, restored or deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupName(String);

/// What names end in.
const ENDING: &str = ".db";
/// What the names of those end in that the daemon made by itself.
const SCHEDULED: &str = "-scheduled.db";
const CHARS: usize = 128;

impl BackupName {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let plain = text.len() <= CHARS
            && text.len() > ENDING.len()
            && text.ends_with(ENDING)
            && text.bytes().all(allowed)
            && text.as_bytes()[0].is_ascii_alphanumeric()
            && !text.contains("..");
        match plain {
            true => Ok(Self(text.to_owned())),
            false => Err(FieldError::new(
                "name",
                "must be the plain name of a backup, such as daybook-20261121T080000.000000Z.db",
            )),
        }
    }

    /// `daybook-20261121T080000.000000Z.db`
    pub fn made_at(now: Timestamp, scheduled: bool) -> Self {
        let time: String = now
            .to_string()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
            .collect();
        let ending = if scheduled { SCHEDULED } else { ENDING };
        Self(format!("daybook-{time}{ending}"))
    }

    /// The daemon made it by itself, and removes it by itself.
    pub fn is_scheduled(&self) -> bool {
        self.0.ends_with(SCHEDULED) && self.time().is_some()
    }

    /// When it was made, as its name says; `None` for a name that somebody else gave.
    pub fn time(&self) -> Option<Timestamp> {
        let rest = self.0.strip_prefix("daybook-")?;
        let rest = rest
            .strip_suffix(SCHEDULED)
            .or_else(|| rest.strip_suffix(ENDING))?;
        let (date, time) = rest.split_once('T')?;
        if date.len() != 8 || time.len() != 14 || !rest.is_ascii() {
            return None;
        }
        let text = format!(
            "{}-{}-{}T{}:{}:{}",
            &date[..4],
            &date[4..6],
            &date[6..],
            &time[..2],
            &time[2..4],
            &time[4..]
        );
        Timestamp::parse(&text).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_no_path() {
        for text in [
            "", ".db", "x", "../x.db", "a/b.db", "/x.db", "a\\b.db", "..db", "a..db", ".x.db",
            "a\0.db", "ä.db", "%2e.db", "a b.db", "-x.db", "x.db/", "x.db-wal",
        ] {
            assert!(BackupName::parse(text).is_err(), "{text}");
        }
        assert!(BackupName::parse(&format!("{}.db", "x".repeat(126))).is_err());
        assert!(BackupName::parse("before-the-move.db").is_ok());
    }

    proptest! {
        #[test]
        fn names_sort_as_their_times_do(
            a in 0i64..4_000_000_000_000_000, b in 0i64..4_000_000_000_000_000,
            one in any::<bool>(), other in any::<bool>()
        ) {
            let (a, b) = (Timestamp::from_micros(a), Timestamp::from_micros(b));
            let (first, second) = (BackupName::made_at(a, one), BackupName::made_at(b, other));
            prop_assert_eq!(first.time(), Some(a));
            prop_assert_eq!(first.is_scheduled(), one);
            prop_assert_eq!(BackupName::parse(first.as_str()), Ok(first.clone()));
            if a != b {
                prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            }
        }
    }
}
