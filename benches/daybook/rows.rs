//! The rows that every contestant records: about 300 bytes each, the same in every run, with the skew of a
//! real book: a few busy actors, a handful of actions, one error in a hundred.

use daybook::domain::{Draft, NewEntry, Redact, Rules};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Changes whenever the rows do, so that a kept book of older rows is not taken for one of these.
pub const VERSION: u32 = 2;

/// What the server fills in from a request of the load generator; the others store the same bytes.
pub const IP_ADDRESS: &str = "127.0.0.1";
pub const USER_AGENT: &str = "daybook-bench/1.0 (load generator; keep-alive; loopback)";

/// One entry as a client has it, before anyone gave it `id`, `ts` and `seq`.
#[derive(Debug, Clone)]
pub struct Row {
    pub category: Cow<'static, str>,
    pub action: Cow<'static, str>,
    pub severity: Cow<'static, str>,
    pub actor: String,
    pub entity_type: Option<Cow<'static, str>>,
    pub entity_id: Option<String>,
    pub entity_name: Option<String>,
    pub message: String,
    pub metadata: String,
}

/// What the parts about reading ask for; each has plenty of matches in a book of these rows.
pub mod known {
    pub const CATEGORY: &str = "auth";
    pub const ACTION: &str = "task.completed";
    pub const ENTITY: u64 = 40;
    pub const ACTOR: u64 = 12;
    /// One in four thousand: whoever looks at every row to find its pages will show.
    pub const RARE_ACTOR: &str = "auditor@example.org";
    /// Every message holds it.
    pub const COMMON_TEXT: &str = "office";
    /// No message holds it.
    pub const NO_SUCH_TEXT: &str = "xylophone";
}

/// Category and action, the common ones first.
const DEEDS: [(&str, &str); 16] = [
    ("entity", "task.updated"),
    ("entity", "task.created"),
    ("entity", "task.completed"),
    ("auth", "auth.login"),
    ("entity", "event.created"),
    ("entity", "project.updated"),
    ("auth", "auth.token_refreshed"),
    ("device", "device.connected"),
    ("entity", "task.deleted"),
    ("device", "device.disconnected"),
    ("auth", "auth.failed"),
    ("capture", "capture.started"),
    ("entity", "workspace.member_added"),
    ("capture", "capture.stopped"),
    ("system", "backup.created"),
    ("system", "server.updated"),
];
const ENTITY_TYPES: [&str; 5] = ["task", "event", "project", "device", "workspace"];
const ENTITIES: u64 = 20_000;
const ACTORS: u64 = 200;

/// An endless stream of rows.
pub struct Rows(Dice);

impl Rows {
    pub fn new(seed: u64) -> Self {
        Self(Dice(seed))
    }

    pub fn pool(seed: u64, count: usize) -> Vec<Row> {
        Self::new(seed).take(count).collect()
    }

    fn row(&mut self) -> Row {
        let dice = &mut self.0;
        let (category, action) = DEEDS[dice.skewed(DEEDS.len() as u64) as usize];
        let severity = match dice.below(100) {
            0 => "error",
            1..=4 => "warning",
            _ => "info",
        };
        let entity = (dice.below(100) < 85).then(|| dice.skewed(ENTITIES));
        let actor = match dice.below(4_000) {
            0 => known::RARE_ACTOR.to_owned(),
            _ => actor(dice.skewed(ACTORS)),
        };
        let minutes = dice.below(1440);
        let named = entity.map(|number| format!("Quarterly figures, part {number}"));
        Row {
            category: category.into(),
            action: action.into(),
            severity: severity.into(),
            entity_type: entity.map(|number| entity_type(number).into()),
            entity_id: entity.map(entity_id),
            message: format!(
                "{actor} did {action} on {} after {minutes} minutes of work in the office",
                named.as_deref().unwrap_or("the daemon itself")
            ),
            entity_name: named,
            actor,
            metadata: format!(
                r#"{{"duration_ms":{},"request_id":"{:016x}","source":"web","tries":{}}}"#,
                dice.below(9_000),
                dice.next(),
                dice.below(3)
            ),
        }
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        Some(self.row())
    }
}

pub fn actor(number: u64) -> String {
    format!("person.{number:03}@example.org")
}

pub fn entity_id(number: u64) -> String {
    format!(
        "{:08x}-{number:06}",
        number.wrapping_mul(2_654_435_761) as u32
    )
}

/// An entity keeps its type.
pub fn entity_type(number: u64) -> &'static str {
    ENTITY_TYPES[(number % ENTITY_TYPES.len() as u64) as usize]
}

/// A row as a client writes it down.
#[derive(Serialize)]
struct Body<'a> {
    category: &'a str,
    action: &'a str,
    severity: &'a str,
    actor: &'a str,
    entity_type: Option<&'a str>,
    entity_id: Option<&'a str>,
    entity_name: Option<&'a str>,
    message: &'a str,
    metadata: &'a RawValue,
}

impl Row {
    pub fn json(&self) -> Vec<u8> {
        let body = Body {
            category: &self.category,
            action: &self.action,
            severity: &self.severity,
            actor: &self.actor,
            entity_type: self.entity_type.as_deref(),
            entity_id: self.entity_id.as_deref(),
            entity_name: self.entity_name.as_deref(),
            message: &self.message,
            metadata: serde_json::from_str(&self.metadata).expect("we wrote it as JSON"),
        };
        serde_json::to_vec(&body).expect("texts can be written as JSON")
    }

    /// What the writer takes, made by the one check that there is.
    pub fn new_entry(&self) -> NewEntry {
        let metadata = serde_json::from_str(&self.metadata).expect("we wrote it as JSON");
        let draft = Draft {
            category: Some(self.category.to_string()),
            action: Some(self.action.to_string()),
            severity: Some(self.severity.to_string()),
            actor: Some(self.actor.clone()),
            entity_type: self.entity_type.as_deref().map(Into::into),
            entity_id: self.entity_id.clone(),
            entity_name: self.entity_name.clone(),
            message: Some(self.message.clone()),
            metadata: Some(metadata),
            ip_address: Some(IP_ADDRESS.into()),
            user_agent: Some(USER_AGENT.into()),
            ..Draft::default()
        };
        draft.check(&rules()).expect("the rows keep every rule")
    }
}

fn rules() -> Rules {
    Rules {
        extra_categories: Vec::new(),
        redact: Box::new(NoSecrets),
    }
}

/// There is nothing to take out of rows that we made ourselves.
struct NoSecrets;

impl Redact for NoSecrets {
    fn metadata(&self, _: &mut Map<String, Value>) {}

    fn holds_secret(&self, _: &str) -> bool {
        false
    }
}

/// SplitMix64: no randomness, so that every run records the same.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Small numbers far more often than large ones.
    pub fn skewed(&mut self, limit: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((unit * unit * limit as f64) as u64).min(limit - 1)
    }
}
