//! `[retention]`: how long and how much is kept, and whether anything is recorded at all.

use super::Duration;
use super::Origins;
use super::checked;
use crate::domain::retention::{Base, Key, MAX_DAYS, MAX_ENTRIES, Rule, Source};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Recording, not pruning: pruning goes on while it is off.
    pub enabled: bool,
    #[serde(deserialize_with = "max_days")]
    pub max_days: u32,
    #[serde(deserialize_with = "max_entries")]
    pub max_entries: u64,
    #[serde(deserialize_with = "interval")]
    pub interval: Duration,
    /// The file wins over what is put from the dashboard.
    pub locked: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            enabled: true,
            max_days: 90,
            max_entries: 20_000,
            interval: Duration::hours(1),
            locked: false,
        }
    }
}

impl Retention {
    pub fn rule(&self) -> Rule {
        Rule {
            max_days: self.max_days,
            max_entries: self.max_entries,
        }
    }

    /// What is in force as long as nothing is put at run time.
    pub fn base(&self, origins: &Origins) -> Base {
        let source = |key: Key| {
            let key = format!("retention.{}", key.name());
            match origins.source_of(&key) {
                super::Source::Default | super::Source::File => Source::File,
                super::Source::Environment(_) => Source::Environment,
                super::Source::Flag(_) => Source::Flag,
            }
        };
        Base {
            enabled: self.enabled,
            rule: self.rule(),
            locked: self.locked,
            sources: Key::ALL.map(source),
        }
    }
}

fn max_days<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let range = u64::from(*MAX_DAYS.start())..=u64::from(*MAX_DAYS.end());
    checked::number_or_zero(d, range, "no limit")
}

fn max_entries<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    checked::number_or_zero(d, MAX_ENTRIES, "no limit")
}

fn interval<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::minutes(1)..=Duration::hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_may_say_is_what_the_domain_allows() {
        for (days, entries) in [
            (0, 0),
            (1, 100),
            (36_500, 1_000_000_000),
            (36_501, 0),
            (0, 99),
        ] {
            let text = format!("max_days = {days}\nmax_entries = {entries}");
            let read = toml::from_str::<Retention>(&text).map(|r| r.rule());
            let rule = Rule {
                max_days: days,
                max_entries: entries,
            };
            assert_eq!(read.ok(), rule.check().ok());
        }
    }
}
