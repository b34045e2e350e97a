//! What a key may see, said as simply as it can be: the rows of its workspace that fit the filter. The rows are
//! read as an operator sees all of them, act by act; of what was recorded it is known beforehand.

use crate::client::{ACTIVITY, entry, seqs};
use crate::dice::Dice;
use crate::harness::TestDaybook;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ureq::http::Method;

pub const WORKSPACES: [&str; 3] = ["default", "a", "b"];
const CATEGORIES: [&str; 3] = ["auth", "device", "entity"];
const ACTIONS: [&str; 4] = ["task.created", "task.done", "task", "user.made"];
const SEVERITIES: [&str; 3] = ["info", "warning", "error"];
const ACTORS: [&str; 3] = ["anna", "key-a", "key-b"];
pub const TYPES: [&str; 2] = ["task", "lamp"];
pub const IDS: [&str; 3] = ["1", "2", "3"];
const MESSAGES: [&str; 5] = ["the lamp", "The Lamp of b", "50% off", "a_b", "ä secret"];
const TEXTS: [&str; 5] = ["LAMP", "%", "_", "secret", "nothing"];
/// Of the clients' own; the same in each workspace.
pub const ENTRY_IDS: [&str; 5] = ["id-1", "id-2", "id-3", "id-4", "id-5"];
/// Entries that stay of one workspace.
pub const KEPT: usize = 100;

pub struct Model {
    /// What is in the book, by its number.
    pub rows: BTreeMap<i64, Value>,
    /// What ever was.
    pub ever: Vec<(i64, Value)>,
    pub keys: BTreeMap<&'static str, String>,
}

/// The parameters of a filter.
pub type Filter = Vec<(&'static str, String)>;

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or("")
}

pub fn fits(entry: &Value, filter: &Filter) -> bool {
    let one_of = |name: &str| {
        let mut values = filter.iter().filter(|(key, _)| *key == name).peekable();
        values.peek().is_none() || values.any(|(_, value)| text(entry, name) == value)
    };
    let rest = filter.iter().all(|(name, value)| match *name {
        "since" => text(entry, "ts") >= value.as_str(),
        "until" => text(entry, "ts") <= value.as_str(),
        "q" => {
            let folded = |text: &str| text.to_ascii_lowercase();
            folded(text(entry, "message")).contains(&folded(value))
        }
        "action" => match value.strip_suffix('*') {
            Some(prefix) => text(entry, "action").starts_with(prefix),
            None => text(entry, "action") == value,
        },
        "category" | "severity" => true,
        "not_action" => match value.strip_suffix('*') {
            Some(prefix) => !text(entry, "action").starts_with(prefix),
            None => text(entry, "action") != value,
        },
        name if name.starts_with("not_") => text(entry, &name[4..]) != value,
        name => text(entry, name) == value,
    });
    one_of("category") && one_of("severity") && rest
}

/// By which what comes can be filtered; `until` lies behind it.
pub const FILTERS: [&str; 14] = [
    "category",
    "severity",
    "actor",
    "action",
    "entity_type",
    "entity_id",
    "q",
    "since",
    "not_category",
    "not_severity",
    "not_actor",
    "not_action",
    "not_entity_type",
    "not_entity_id",
];

/// An entry that is yet to come and that fits, when there can be one.
pub fn fitting(filter: &Filter) -> Option<Value> {
    let entities = TYPES.iter().flat_map(|kind| IDS.map(|id| (*kind, id)));
    let entities: Vec<_> = entities.map(Some).chain([None]).collect();
    let kinds = CATEGORIES.iter().flat_map(|category| {
        let actions = ACTIONS.iter();
        actions.flat_map(move |action| SEVERITIES.map(|severity| (*category, *action, severity)))
    });
    for (category, action, severity) in kinds {
        for (actor, message) in ACTORS
            .iter()
            .flat_map(|one| MESSAGES.map(|text| (*one, text)))
        {
            for entity in &entities {
                let mut entry = json!({
                    "ts": "9999", "category": category, "action": action, "severity": severity,
                    "actor": actor, "message": message,
                });
                if let Some((kind, id)) = entity {
                    entry["entity_type"] = json!(kind);
                    entry["entity_id"] = json!(id);
                }
                if fits(&entry, filter) {
                    entry.as_object_mut()?.remove("ts");
                    return Some(entry);
                }
            }
        }
    }
    None
}

pub fn filter(dice: &mut Dice, model: &Model) -> Filter {
    let mut filter = Filter::new();
    let mut maybe = |dice: &mut Dice, name, values: &[&str]| {
        if dice.roll(5) == 0 {
            filter.push((name, dice.pick(values).to_owned()));
        }
    };
    maybe(dice, "category", &CATEGORIES);
    maybe(dice, "category", &CATEGORIES);
    maybe(dice, "severity", &SEVERITIES);
    maybe(dice, "actor", &ACTORS);
    maybe(dice, "action", &ACTIONS);
    maybe(dice, "entity_type", &TYPES);
    maybe(dice, "entity_id", &IDS);
    maybe(dice, "q", &TEXTS);
    if dice.roll(3) == 0 {
        maybe(dice, "not_category", &CATEGORIES);
        maybe(dice, "not_severity", &SEVERITIES);
        maybe(dice, "not_actor", &ACTORS);
        maybe(dice, "not_action", &ACTIONS);
        maybe(dice, "not_action", &["task*"]);
        maybe(dice, "not_entity_type", &TYPES);
        maybe(dice, "not_entity_id", &IDS);
    }
    if !filter.iter().any(|(name, _)| *name == "action") && dice.roll(5) == 0 {
        filter.push(("action", "task*".to_owned()));
    }
    for name in ["since", "until"] {
        if dice.roll(8) == 0 {
            let at = dice.roll(model.rows.len());
            let moment = model.rows.values().nth(at).map(|row| text(row, "ts"));
            filter.push((name, moment.unwrap().to_owned()));
        }
    }
    filter
}

fn line(dice: &mut Dice) -> Value {
    let mut line = json!({
        "category": dice.pick(&CATEGORIES),
        "action": dice.pick(&ACTIONS),
        "severity": dice.pick(&SEVERITIES),
        "message": dice.pick(&MESSAGES),
    });
    if dice.roll(2) == 0 {
        line["entity_type"] = dice.pick(&TYPES).into();
        line["entity_id"] = dice.pick(&IDS).into();
    }
    if dice.roll(3) == 0 {
        line["id"] = dice.pick(&ENTRY_IDS).into();
    }
    line
}

impl Model {
    pub fn new(daybook: &TestDaybook) -> Self {
        let all = ["write", "read", "admin"];
        let mut keys = BTreeMap::from([("*", daybook.sign_in("olga"))]);
        for (workspace, label) in [("a", "key-a"), ("b", "key-b")] {
            let key = json!({"label": label, "scopes": all, "workspace_id": workspace});
            keys.insert(workspace, daybook.make_key(&key));
        }
        let (rows, ever) = (BTreeMap::new(), Vec::new());
        let mut model = Self { rows, ever, keys };
        model.read(daybook);
        model
    }

    /// The newest first.
    pub fn seen(&self, workspace: &str, filter: &Filter) -> Vec<(i64, &Value)> {
        let rows = self.rows.iter().rev();
        let of = |entry: &Value| workspace == "*" || text(entry, "workspace_id") == workspace;
        rows.filter(|(_, entry)| of(entry) && fits(entry, filter))
            .map(|(seq, entry)| (*seq, entry))
            .collect()
    }

    pub fn newest(&self, workspace: &str) -> Option<i64> {
        let all = self.seen(workspace, &Filter::new());
        all.first().map(|(seq, _)| *seq)
    }

    /// Reads what came since. What the daemon said by itself before this is in the book then.
    pub fn read(&mut self, daybook: &TestDaybook) {
        let end = daybook.record(&entry()).ok()["seq"].as_i64().unwrap();
        let mut last = self.ever.last().map_or(0, |(seq, _)| *seq);
        while last < end {
            let page = daybook.page(&format!("after_seq={last}&workspace_id=*&limit=500"));
            for (seq, entry) in seqs(&page)
                .into_iter()
                .zip(page["items"].as_array().unwrap())
            {
                self.rows.insert(seq, entry.clone());
                self.ever.push((seq, entry.clone()));
                last = seq;
            }
        }
    }

    /// Somebody records, or clears.
    pub fn step(&mut self, daybook: &TestDaybook, dice: &mut Dice) {
        let who = *dice.pick(&[&"a", &"b", &"*"]);
        match dice.roll(24) {
            0 if who != "*" => self.clear(daybook, who),
            1 => {
                for _ in 0..40 {
                    self.record(daybook, who, &mut Dice(dice.0));
                    dice.roll(2);
                }
            }
            _ => self.record(daybook, who, dice),
        }
    }

    fn clear(&mut self, daybook: &TestDaybook, who: &str) {
        let before = self.seen(who, &Filter::new()).len();
        let cleared = daybook.ask_as(Some(&self.keys[who]), Method::DELETE, ACTIVITY, "");
        assert_eq!(cleared.ok()["removed"], before, "{who}");
        self.rows
            .retain(|_, entry| text(entry, "workspace_id") != who);
        self.read(daybook);
    }

    /// Whether an id is a duplicate is a matter of its own workspace.
    fn record(&mut self, daybook: &TestDaybook, who: &str, dice: &mut Dice) {
        let mut sent = line(dice);
        let mut workspace = who;
        if who == "*" {
            workspace = dice.pick(&WORKSPACES);
            sent["workspace_id"] = workspace.into();
            sent["actor"] = dice.pick(&ACTORS).into();
        }
        let answer = daybook.ask_as(
            Some(&self.keys[who]),
            Method::POST,
            ACTIVITY,
            &sent.to_string(),
        );
        let (status, told) = (answer.status, answer.ok());
        let known = self.seen(workspace, &Filter::new());
        let first = known.iter().find(|(_, entry)| entry["id"] == sent["id"]);
        match first {
            Some((seq, _)) => {
                assert_eq!((status, &told["seq"]), (200, &json!(seq)), "{sent}");
                assert_eq!(told["duplicate"], true);
            }
            None => {
                self.read(daybook);
                assert_eq!((status, &told["duplicate"]), (201, &json!(false)), "{sent}");
                let stored = &self.rows[&told["seq"].as_i64().unwrap()];
                for (key, value) in sent.as_object().unwrap() {
                    assert_eq!(stored[key], *value);
                }
                assert_eq!(stored["workspace_id"], workspace);
            }
        }
    }

    /// Sets a rule of its own, which is no other's.
    pub fn put_rule(&self, daybook: &TestDaybook, who: &str, days: usize) {
        let url = format!("{ACTIVITY}/settings");
        let rule = json!({ "max_days": days }).to_string();
        let put = daybook.ask_as(Some(&self.keys[who]), Method::PUT, &url, &rule);
        assert_eq!(put.ok()["max_days"], days);
    }
}
