//! What differs between two configurations, and what of it a running daemon can take.

use super::{Settings, vocabulary};
use std::collections::BTreeMap;

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
    /// What would take effect and could not, and why.
    pub not_applied: BTreeMap<String, String>,
}

impl Changes {
    /// Between what a daemon runs with and what was read.
    pub fn between(running: &Settings, new: &Settings) -> Self {
        let (old, new) = (vocabulary::table_of(running), vocabulary::table_of(new));
        let differs =
            |key: &String| vocabulary::value_at(&old, key) != vocabulary::value_at(&new, key);
        let (applied, needs_restart) = vocabulary::keys()
            .into_iter()
            .filter(differs)
            .partition(|key| is_live(key));
        Self {
            applied,
            needs_restart,
            not_applied: BTreeMap::new(),
        }
    }

    /// What changed within `part` could not be put in force.
    pub fn not_applied(&mut self, part: &str, why: &str) {
        let within = |key: &mut String| is_within(key, part);
        let keys = self.applied.extract_if(.., within);
        self.not_applied
            .extend(keys.map(|key| (key, why.to_owned())));
    }

    /// Makes of what runs what runs now: the rest of it waits for the restart, and is found to differ again.
    pub fn take_over(&self, running: &mut Settings, new: &Settings) {
        for key in &self.applied {
            match key.as_str() {
                "auth.keys" => running.auth.keys.clone_from(&new.auth.keys),
                "captures" => running.captures.clone_from(&new.captures),
                "automations" => running.automations.clone_from(&new.automations),
                "discovery.announce" => running.discovery.announce = new.discovery.announce,
                "discovery.browse" => {
                    running.discovery.browse.clone_from(&new.discovery.browse);
                }
                // The only section that is taken as a whole.
                _ => running.retention.clone_from(&new.retention),
            }
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
        write!(f, "changed: {applied}; waits for a restart: {waiting}")?;
        match self.not_applied.is_empty() {
            true => Ok(()),
            false => write!(f, "; not applied: {:?}", self.not_applied),
        }
    }
}

fn is_live(key: &str) -> bool {
    LIVE.iter().any(|live| is_within(key, live))
}

/// A key of this section, or the key itself.
fn is_within(key: &str, part: &str) -> bool {
    part == key || key.split('.').next() == Some(part)
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

    /// Everything that takes effect without a restart, changed, and something that does not.
    const OTHER: &str = "
        [retention]\nenabled = false\nmax_days = 1\nmax_entries = 100\ninterval = '1m'\nlocked = true
        [discovery]\nannounce = false\nbrowse = ['_x._tcp']
        [storage]\nreaders = 9
        [[auth.keys]]\nlabel = 'a'\nid = 'a'\nscopes = ['read']\nworkspace = 'w'
        sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
        [[captures]]\nname = 'a'\nkind = 'socket'\npath = '/a'
        [[automations]]\nname = 'a'\nwebhook = { url = 'http://a/' }";

    #[test]
    fn what_was_taken_does_not_differ_any_more_and_what_waits_goes_on_to() {
        let new: Settings = toml::from_str(OTHER).unwrap();
        let mut running = Settings::default();
        let changes = Changes::between(&running, &new);
        for live in LIVE {
            let is_there = changes.applied.iter().any(|key| is_within(key, live));
            assert!(is_there, "{live}");
        }
        changes.take_over(&mut running, &new);
        let left = Changes::between(&running, &new);
        assert_eq!(left.applied, [""; 0]);
        assert_eq!(left.needs_restart, ["storage.readers"]);
    }

    #[test]
    fn what_could_not_be_taken_differs_still() {
        let new: Settings = toml::from_str(OTHER).unwrap();
        let mut running = Settings::default();
        let mut changes = Changes::between(&running, &new);
        changes.not_applied("retention", "the disk is full");
        assert_eq!(changes.not_applied.len(), 5);
        assert_eq!(changes.not_applied["retention.enabled"], "the disk is full");
        changes.take_over(&mut running, &new);
        assert_eq!(running.retention, Settings::default().retention);
        let again = Changes::between(&running, &new).applied;
        assert!(again.iter().eq(changes.not_applied.keys()), "{again:?}");
    }
}
