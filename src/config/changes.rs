//! What differs between two configurations, and what of it a running daemon can take.

use super::{Settings, vocabulary};

/// Sections and keys that take effect without a restart.
const LIVE: [&str; 6] = [
    "retention",
    "auth.keys",
    "captures",
    "automations",
    "discovery.announce",
    "discovery.browse",
];

/// Names of keys; their values stay out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub applied: Vec<String>,
    pub needs_restart: Vec<String>,
}

impl Changes {
    pub fn between(old: &Settings, new: &Settings) -> Self {
        let (old, new) = (vocabulary::table_of(old), vocabulary::table_of(new));
        let differs =
            |key: &String| vocabulary::value_at(&old, key) != vocabulary::value_at(&new, key);
        let (applied, needs_restart) = vocabulary::keys()
            .into_iter()
            .filter(differs)
            .partition(|key| is_live(key));
        Self {
            applied,
            needs_restart,
        }
    }
}

impl std::fmt::Display for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |keys: &[String]| match keys {
            [] => "nothing".to_owned(),
            keys => keys.join(", "),
        };
        let (applied, waiting) = (list(&self.applied), list(&self.needs_restart));
        write!(f, "changed: {applied}; waits for a restart: {waiting}")
    }
}

fn is_live(key: &str) -> bool {
    LIVE.iter()
        .any(|live| *live == key || key.split('.').next() == Some(live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named_and_what_waits_for_a_restart_apart() {
        let old = Settings::default();
        let mut new = old.clone();
        assert_eq!(Changes::between(&old, &new), Changes::default());
        new.retention.max_days = 7;
        new.storage.readers = 9;
        let changes = Changes::between(&old, &new);
        assert_eq!(changes.applied, ["retention.max_days"]);
        assert_eq!(changes.needs_restart, ["storage.readers"]);
    }
}
