//! A rule: which entries it is about, how many of them in which time, how often at most, and what is done then.

use super::action::Action;
use super::reading::Reader;
use crate::domain::draft::workspace_id;
use crate::domain::live::pairs;
use crate::domain::{
    FieldError, FieldErrors, Filter, Rules, Timestamp, WorkspaceId, limits, secret,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// `times` matches within `within`, of all or of each value of a field for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    pub times: usize,
    pub within: Duration,
    pub per: Option<Per>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Actor,
    Entity,
    Action,
}

impl Per {
    const ALL: [Self; 3] = [Self::Actor, Self::Entity, Self::Action];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Entity => "entity",
            Self::Action => "action",
        }
    }
}

/// What holds a rule down that would go off again and again, and how long a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// After an activation.
    pub cooldown: Duration,
    pub most_per_minute: usize,
    pub give_up_after: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: String,
    pub enabled: bool,
    /// `None`: entries of all workspaces.
    pub workspace: Option<WorkspaceId>,
    /// As the query parameters of a list.
    pub filters: Vec<(String, String)>,
    pub threshold: Option<Threshold>,
    pub limits: Limits,
    pub action: Action,
}

const NAME_CHARS: usize = 64;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// A name stands in URLs and in entries.
pub fn checked_name(name: &str) -> Result<(), FieldError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let reason = "must be 1 to 64 characters of A-Z a-z 0-9 _ -";
    Err(FieldError::new("name", reason))
}

impl Rule {
    /// Everything that is wrong with it, or the rule. Whether its filter is right is said for the rules of now.
    pub fn read(object: Map<String, Value>, rules: &Rules) -> Result<Self, FieldErrors> {
        let mut reader = Reader::of(object);
        let name = reader.text("name", NAME_CHARS).unwrap_or_default();
        reader.check(checked_name(&name));
        let enabled = reader.flag("enabled").unwrap_or(true);
        let workspace = reader.optional_text("workspace", limits::WORKSPACE_CHARS);
        let workspace = match workspace.as_deref() {
            None => Some(WorkspaceId::default_workspace()),
            Some("*") => None,
            Some(named) => {
                let refused = |e: FieldError| FieldError::new("workspace", e.reason);
                reader.check(workspace_id(named.to_owned()).map_err(refused))
            }
        };
        let filters = reader.object("filters").map(pairs);
        let filters = reader.check(filters.unwrap_or_else(|| Ok(Vec::new())));
        let threshold = threshold(&mut reader);
        let limits = Limits {
            cooldown: reader.duration("cooldown", (Duration::ZERO, 30 * DAY), Duration::ZERO),
            most_per_minute: reader.number("most_per_minute", (1, 600), 30),
            give_up_after: reader.duration("give_up_after", (60 * SECOND, 30 * DAY), DAY),
        };
        let action = Action::take(&mut reader);
        let filters = filters.unwrap_or_default();
        if let Err(errors) = checked_filter(&filters, rules) {
            reader.refuse_all(errors);
        }
        let action = reader.nothing_else(action)?;
        Ok(Self {
            name,
            enabled,
            workspace,
            filters,
            threshold,
            limits,
            action,
        })
    }

    /// What judges entries.
    pub fn filter(&self, rules: &Rules) -> Result<Filter, FieldErrors> {
        checked_filter(&self.filters, rules)
    }

    /// As it is read; with its secrets as the book keeps it, without as everybody else is told.
    pub fn to_json(&self, with_secrets: bool) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        put("name", self.name.clone().into());
        put("enabled", self.enabled.into());
        let workspace = self.workspace.as_ref().map_or("*", WorkspaceId::as_str);
        put("workspace", workspace.into());
        let mut filters = Map::new();
        for (name, value) in &self.filters {
            let held = filters.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(values) = held {
                values.push(value.clone().into());
            }
        }
        put("filters", filters.into());
        if let Some(threshold) = &self.threshold {
            put("times", threshold.times.into());
            put("within", words(threshold.within));
            put("per", threshold.per.map(Per::as_str).into());
        }
        put("cooldown", words(self.limits.cooldown));
        put("most_per_minute", self.limits.most_per_minute.into());
        put("give_up_after", words(self.limits.give_up_after));
        let (kind, action) = self.action.to_json(with_secrets);
        put(kind, action.into());
        object
    }

    /// What was counted for one rule does not count for another: this tells them apart.
    pub fn matching(&self) -> String {
        let mut object = self.to_json(false);
        object.retain(|key, _| {
            ["name", "workspace", "filters", "times", "within", "per"].contains(&key.as_str())
        });
        Value::Object(object).to_string()
    }
}

pub(super) fn words(duration: Duration) -> Value {
    humantime::format_duration(duration).to_string().into()
}

fn threshold(reader: &mut Reader) -> Option<Threshold> {
    let named = ["times", "within", "per"];
    if named.iter().all(|key| !reader.has(key)) {
        return None;
    }
    let times = reader.number("times", (1, 1_000), 0);
    let within = reader.duration("within", (SECOND, DAY), Duration::ZERO);
    if times == 0 && !reader.has_refused("times") {
        reader.refuse("times", "is needed beside within");
    }
    if within.is_zero() && !reader.has_refused("within") {
        reader.refuse("within", "is needed beside times, such as \"5m\"");
    }
    let per = reader.optional_text("per", 16).and_then(|word| {
        let known = Per::ALL.into_iter().find(|per| per.as_str() == word);
        if known.is_none() {
            reader.refuse("per", "must be actor, entity or action");
        }
        known
    });
    Some(Threshold { times, within, per })
}

fn checked_filter(pairs: &[(String, String)], rules: &Rules) -> Result<Filter, FieldErrors> {
    for (name, value) in pairs {
        if matches!(name.as_str(), "since" | "until" | "workspace_id") {
            let reason = match name.as_str() {
                "workspace_id" => "is no filter of a rule; its workspace is",
                _ => "is no filter of a rule, which looks at what comes",
            };
            return Err(FieldErrors::one(format!("filters.{name}"), reason));
        }
        if secret::holds_key(value) {
            let reason = "holds a Daybook key";
            return Err(FieldErrors::one(format!("filters.{name}"), reason));
        }
    }
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    // No time is in it, so that none counts back from now.
    Filter::from_parameters(pairs, Timestamp::from_micros(0), rules).map_err(|errors| {
        let within = |e: FieldError| FieldError::new(format!("filters.{}", e.field), e.reason);
        let errors: Vec<_> = errors.into_vec().into_iter().map(within).collect();
        match FieldErrors::none_in(errors) {
            Err(errors) => errors,
            Ok(()) => FieldErrors::one("filters", "are wrong"),
        }
    })
}
