//! What a retention rule is, what it may say, and which of those that were set is in force. When it runs,
//! and on which clock, is the Pruner's.

use super::{FieldError, FieldErrors, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

pub const MAX_DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;
pub const MAX_ENTRIES: std::ops::RangeInclusive<u64> = 100..=1_000_000_000;

/// How long and how many; 0 means no limit in that dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub max_days: u32,
    pub max_entries: u64,
}

impl Rule {
    pub fn check(self) -> Result<Self, FieldError> {
        if self.max_days != 0 && !MAX_DAYS.contains(&self.max_days) {
            return Err(FieldError::new(
                "max_days",
                "must be 0 (no limit) or 1 to 36500",
            ));
        }
        if self.max_entries != 0 && !MAX_ENTRIES.contains(&self.max_entries) {
            return Err(FieldError::new(
                "max_entries",
                "must be 0 (no limit) or 100 to 1000000000",
            ));
        }
        Ok(self)
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Rule {
    /// What is older than this goes.
    pub fn before(self, now: Timestamp) -> Option<Timestamp> {
        (self.max_days > 0).then(|| now.minus_micros(i64::from(self.max_days) * MICROS_PER_DAY))
    }

    /// What is not among the newest so many goes.
    pub fn keep(self) -> Option<u64> {
        (self.max_entries > 0).then_some(self.max_entries)
    }
}

/// What can be set at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Enabled,
    MaxDays,
    MaxEntries,
}

impl Key {
    pub const ALL: [Self; 3] = [Self::Enabled, Self::MaxDays, Self::MaxEntries];

    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::MaxDays => "max_days",
            Self::MaxEntries => "max_entries",
        }
    }
}

/// Where a value in force comes from; a later one wins over an earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The file, or nobody.
    #[default]
    File,
    /// Put at run time, kept in the book.
    Override,
    Environment,
    Flag,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Override => "override",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// What was put at run time; what is not in it follows what is below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<u64>,
}

impl Override {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn holds(&self, key: Key) -> bool {
        match key {
            Key::Enabled => self.enabled.is_some(),
            Key::MaxDays => self.max_days.is_some(),
            Key::MaxEntries => self.max_entries.is_some(),
        }
    }

    /// This with what `object` says; `null` takes a key back. A key that is not named stays as it is.
    pub fn with(mut self, object: &Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut wrong = Vec::new();
        if object.is_empty() {
            wrong.push(FieldError::new("body", "names no setting"));
        }
        for (name, value) in object {
            match Key::ALL.into_iter().find(|key| key.name() == name) {
                Some(key) => wrong.extend(self.set(key, value).err()),
                None => wrong.push(FieldError::new(name.clone(), "cannot be set here")),
            }
        }
        FieldErrors::none_in(wrong).map(|()| self)
    }

    fn set(&mut self, key: Key, value: &Value) -> Result<(), FieldError> {
        let rule = |max_days, max_entries| Rule {
            max_days,
            max_entries,
        };
        match (key, value) {
            (Key::Enabled, Value::Null) => self.enabled = None,
            (Key::MaxDays, Value::Null) => self.max_days = None,
            (Key::MaxEntries, Value::Null) => self.max_entries = None,
            (Key::Enabled, value) => {
                let wrong = || FieldError::new("enabled", "must be true or false");
                self.enabled = Some(value.as_bool().ok_or_else(wrong)?);
            }
            (Key::MaxDays, value) => {
                let days = value.as_u64().and_then(|days| u32::try_from(days).ok());
                // What is no such number is as wrong as one out of bounds.
                self.max_days = Some(rule(days.unwrap_or(u32::MAX), 0).check()?.max_days);
            }
            (Key::MaxEntries, value) => {
                let entries = value.as_u64().unwrap_or(u64::MAX);
                self.max_entries = Some(rule(0, entries).check()?.max_entries);
            }
        }
        Ok(())
    }
}

/// What the file, the environment and the flags say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    pub enabled: bool,
    pub rule: Rule,
    /// The file wins over what is put at run time.
    pub locked: bool,
    /// Of each key, in the order of [`Key::ALL`].
    pub sources: [Source; 3],
}

impl Base {
    /// Nothing put at run time changes this key.
    pub fn locks(&self, key: Key) -> bool {
        self.locked || self.sources[key as usize] > Source::Override
    }
}

/// One workspace's rule, and where each part of it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    pub enabled: bool,
    pub rule: Rule,
    pub sources: [Source; 3],
    pub locked: [bool; 3],
}

impl InForce {
    /// The strongest that had a say.
    pub fn source(&self) -> Source {
        self.sources.into_iter().max().unwrap_or_default()
    }

    pub fn is_locked(&self) -> bool {
        self.locked.contains(&true)
    }
}

/// Everything that was set, of the whole book and of single workspaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    pub base: Base,
    pub book: Override,
    pub workspaces: BTreeMap<WorkspaceId, Override>,
}

/// Under which name the book keeps what was put for all of it; for a workspace its name follows after `/`.
pub const SETTING: &str = "retention";

impl Retention {
    pub fn new(base: Base) -> Self {
        Self {
            base,
            book: Override::default(),
            workspaces: BTreeMap::new(),
        }
    }

    pub fn setting_key(workspace: Option<&WorkspaceId>) -> String {
        match workspace {
            None => SETTING.to_owned(),
            Some(name) => format!("{SETTING}/{name}"),
        }
    }

    /// Takes in what the book kept. What cannot be read any more is left out, and its key answered.
    pub fn remember(&mut self, kept: &[(String, String)]) -> Vec<String> {
        let mut unreadable = Vec::new();
        for (key, value) in kept {
            let workspace = key
                .strip_prefix(SETTING)
                .and_then(|rest| rest.strip_prefix('/'));
            match serde_json::from_str::<Override>(value) {
                Ok(put) => self.put(workspace.map(WorkspaceId::trusted).as_ref(), put),
                Err(_) => unreadable.push(key.clone()),
            }
        }
        unreadable
    }

    pub fn put(&mut self, workspace: Option<&WorkspaceId>, put: Override) {
        match workspace {
            None => self.book = put,
            Some(name) if put.is_empty() => drop(self.workspaces.remove(name)),
            Some(name) => drop(self.workspaces.insert(name.clone(), put)),
        }
    }

    /// What was put for exactly this.
    pub fn put_for(&self, workspace: Option<&WorkspaceId>) -> Override {
        match workspace {
            None => self.book,
            Some(name) => self.workspaces.get(name).copied().unwrap_or_default(),
        }
    }

    /// What holds for a workspace; without one, for those that have nothing of their own.
    pub fn in_force(&self, workspace: Option<&WorkspaceId>) -> InForce {
        let base = self.base;
        let mut held = InForce {
            enabled: base.enabled,
            rule: base.rule,
            sources: base.sources,
            locked: Key::ALL.map(|key| base.locks(key)),
        };
        let own = workspace.map(|name| self.put_for(Some(name)));
        for put in [Some(self.book), own].into_iter().flatten() {
            for key in Key::ALL {
                if put.holds(key) && !held.locked[key as usize] {
                    held.sources[key as usize] = Source::Override;
                    held.take(key, put);
                }
            }
        }
        held
    }

    /// For whom something else holds than by `before`: for everybody when that is `None`, since what a workspace
    /// has nothing of its own for comes from there.
    pub fn whose_differ(&self, before: &Self) -> Vec<Option<WorkspaceId>> {
        if self.in_force(None) != before.in_force(None) {
            return vec![None];
        }
        let named: BTreeSet<_> = self
            .workspaces
            .keys()
            .chain(before.workspaces.keys())
            .collect();
        let differ = named
            .into_iter()
            .filter(|name| self.in_force(Some(name)) != before.in_force(Some(name)));
        differ.cloned().map(Some).collect()
    }

    pub fn records(&self, workspace: &WorkspaceId) -> bool {
        if self.workspaces.is_empty() {
            return self.in_force(None).enabled;
        }
        self.in_force(Some(workspace)).enabled
    }
}

impl InForce {
    fn take(&mut self, key: Key, put: Override) {
        match key {
            Key::Enabled => self.enabled = put.enabled.unwrap_or(self.enabled),
            Key::MaxDays => self.rule.max_days = put.max_days.unwrap_or(self.rule.max_days),
            Key::MaxEntries => {
                self.rule.max_entries = put.max_entries.unwrap_or(self.rule.max_entries);
            }
        }
    }
}

#[cfg(test)]
mod tests;
