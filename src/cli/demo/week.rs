//! A week as a small team with a house full of devices has it: people by day, machines at all hours, and a night in
//! which something went wrong. The same each time, but for when it ends.

use crate::domain::Timestamp;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// A new one each so many minutes on average, at the busiest time of the day.
const BUSIEST: i64 = 3;

/// How often who does what to which thing.
struct Kind {
    weight: u64,
    /// Hours of the day in which it happens, UTC.
    hours: (i64, i64),
    category: &'static str,
    action: &'static str,
    actors: &'static [&'static str],
    entity: &'static str,
    names: &'static [&'static str],
    /// Of a hundred that many are warnings, and that many errors.
    wrong: (u64, u64),
    says: &'static str,
}

const PEOPLE: &[&str] = &["anna", "ben", "clara"];
const TASKS: &[&str] = &[
    "Invoice 2041",
    "Release 4.2",
    "Move the archive",
    "Quarterly report",
    "New landing page",
];
const DOORS: &[&str] = &["Front door", "Garage", "Workshop"];

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind { weight: 14, hours: (7, 19), category: "entity", action: "task.created", actors: PEOPLE, entity: "task", names: TASKS, wrong: (0, 0), says: "{who} created the task {name}" },
    Kind { weight: 18, hours: (7, 20), category: "entity", action: "task.updated", actors: &["anna", "ben", "clara", "assistant"], entity: "task", names: TASKS, wrong: (0, 0), says: "{who} changed {name}" },
    Kind { weight: 9, hours: (8, 19), category: "entity", action: "task.completed", actors: PEOPLE, entity: "task", names: TASKS, wrong: (0, 0), says: "{who} completed {name}" },
    Kind { weight: 8, hours: (6, 9), category: "auth", action: "auth.login", actors: PEOPLE, entity: "user", names: PEOPLE, wrong: (0, 0), says: "{who} signed in" },
    Kind { weight: 3, hours: (0, 24), category: "auth", action: "auth.failed", actors: &["anonymous"], entity: "", names: &[""], wrong: (100, 0), says: "A sign-in failed: the key is not in force" },
    Kind { weight: 12, hours: (6, 23), category: "device", action: "door.opened", actors: &["hub"], entity: "door", names: DOORS, wrong: (2, 0), says: "{name} was opened" },
    Kind { weight: 10, hours: (0, 24), category: "device", action: "thermostat.changed", actors: &["thermostat"], entity: "room", names: &["Kitchen", "Office", "Bedroom"], wrong: (4, 0), says: "The target in {name} was changed" },
    Kind { weight: 4, hours: (0, 24), category: "device", action: "device.offline", actors: &["hub"], entity: "device", names: &["Printer", "Desk lamp", "Camera 2"], wrong: (70, 20), says: "{name} does not answer" },
    Kind { weight: 6, hours: (7, 22), category: "entity", action: "build.finished", actors: &["ci-bot"], entity: "build", names: &["api", "web", "worker"], wrong: (6, 14), says: "The build of {name} finished" },
    Kind { weight: 7, hours: (7, 22), category: "entity", action: "document.read", actors: &["assistant"], entity: "document", names: &["Handbook", "Contract 17", "Price list"], wrong: (0, 0), says: "The assistant read {name} on behalf of anna" },
    Kind { weight: 2, hours: (1, 4), category: "entity", action: "copy.made", actors: &["nightly"], entity: "host", names: &["nas", "web-1", "db-1"], wrong: (0, 8), says: "The nightly copy of {name} was made" },
];

/// Small, and good enough to look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn one<'a>(&mut self, of: &'a [&'a str]) -> &'a str {
        let at = self.roll(of.len() as u64);
        of[usize::try_from(at).unwrap_or(0)]
    }
}

/// As an export would have them, the oldest first.
pub fn lines(now: Timestamp) -> impl Iterator<Item = Value> {
    let mut dice = Dice(0x0da1_b00c);
    let end = now.micros() - MINUTE;
    let mut at = end - 7 * DAY;
    let mut number = 0_u64;
    std::iter::from_fn(move || {
        let busy = if (7..20).contains(&hour(at)) {
            BUSIEST
        } else {
            5 * BUSIEST
        };
        let step = dice.roll(u64::try_from(2 * busy * MINUTE).unwrap_or(1));
        at += 1 + i64::try_from(step).unwrap_or(0);
        number += 1;
        (at < end).then(|| entry(number, at, &mut dice))
    })
}

fn hour(at: i64) -> i64 {
    at / (60 * MINUTE) % 24
}

fn entry(number: u64, at: i64, dice: &mut Dice) -> Value {
    let hour = hour(at);
    let kinds = || {
        KINDS
            .iter()
            .filter(|kind| (kind.hours.0..kind.hours.1).contains(&hour))
    };
    let mut left = dice.roll(kinds().map(|kind| kind.weight).sum());
    let kind = kinds().find(|kind| {
        let found = left < kind.weight;
        left = left.saturating_sub(kind.weight);
        found
    });
    let kind = kind.unwrap_or(&KINDS[0]);
    let (who, name) = (dice.one(kind.actors), dice.one(kind.names));
    let wrong = dice.roll(100);
    let severity = match kind.wrong {
        (_, errors) if wrong < errors => "error",
        (warnings, errors) if wrong < errors + warnings => "warning",
        _ => "info",
    };
    let id = name.to_lowercase().replace(' ', "-");
    let some = |text: &str| (!kind.entity.is_empty()).then(|| text.to_owned());
    json!({
        "id": format!("demo-{number}"),
        "ts": Timestamp::from_micros(at).to_string(),
        "category": kind.category,
        "action": kind.action,
        "severity": severity,
        "actor": who,
        "entity_type": some(kind.entity),
        "entity_id": some(&id),
        "entity_name": some(name),
        "message": kind.says.replace("{who}", who).replace("{name}", name),
        "metadata": {"took_ms": dice.roll(900), "attempt": 1 + dice.roll(3)},
        "workspace_id": "default",
        "ip_address": (kind.category == "auth").then(|| format!("192.0.2.{}", 1 + dice.roll(250))),
        "user_agent": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_ends_now_runs_forward_and_has_days_and_nights() {
        let now = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
        let lines: Vec<Value> = lines(now).collect();
        assert!(lines.len() > 1_000, "{}", lines.len());
        let ts = |line: &Value| Timestamp::parse(line["ts"].as_str().unwrap()).unwrap();
        assert!(lines.windows(2).all(|pair| ts(&pair[0]) < ts(&pair[1])));
        assert!(ts(lines.last().unwrap()) < now);
        assert!(now.micros() - ts(&lines[0]).micros() > 6 * DAY);
        let of = |hours: std::ops::Range<i64>| {
            let within = |line: &&Value| hours.contains(&hour(ts(line).micros()));
            lines.iter().filter(within).count()
        };
        assert!(of(9..15) > 2 * of(0..6));
        for severity in ["info", "warning", "error"] {
            assert!(lines.iter().any(|line| line["severity"] == severity));
        }
    }
}
