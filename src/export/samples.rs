//! Entries for the tests of every format: one that is plain, and any that is hostile. Their texts are wilder
//! than those that the checks let into the book.

use super::Format;
use crate::domain::{Action, Category, Entry, EntryId, Metadata, Severity, Timestamp, WorkspaceId};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) fn plain() -> Entry {
    Entry {
        id: EntryId::trusted("al_1"),
        ts: Timestamp::from_micros(0),
        category: Category::trusted("entity"),
        action: Action::trusted("task.created"),
        severity: Severity::Info,
        actor: "anna".into(),
        entity_type: Some("task".into()),
        entity_id: None,
        entity_name: None,
        message: "made".into(),
        metadata: Metadata::default(),
        workspace_id: WorkspaceId::default_workspace(),
        ip_address: None,
        user_agent: None,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-=+@'\" ,;\r\n\t＝＋－＠a\u{0}\u{a0}\u{feff}]{0,12}",
        "[a-z0-9_.-]{1,20}",
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    prop::collection::btree_map(
        text(),
        prop_oneof![
            text().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|f| json!([f, {"in": f}])),
        ],
        0..4,
    )
    .prop_map(|map| Metadata::new(map.into_iter().collect()).expect("it is small"))
}

fn entry() -> impl Strategy<Value = Entry> {
    let required = (text(), text(), text(), text(), text());
    let optional =
        || prop::option::of(text().prop_filter("an empty text is none", |t| !t.is_empty()));
    let optional = (optional(), optional(), optional(), optional(), optional());
    let rest = (text(), metadata(), any::<i64>(), 0..3usize);
    (required, optional, rest).prop_map(|(required, optional, rest)| Entry {
        id: EntryId::trusted(required.0),
        ts: Timestamp::from_micros(rest.2),
        category: Category::trusted(required.1),
        action: Action::trusted(required.2),
        severity: Severity::ALL[rest.3],
        actor: required.3,
        entity_type: optional.0,
        entity_id: optional.1,
        entity_name: optional.2,
        message: required.4,
        metadata: rest.1,
        workspace_id: WorkspaceId::trusted(rest.0),
        ip_address: optional.3,
        user_agent: optional.4,
    })
}

pub(super) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(entry(), 0..5)
}

pub(super) fn exported(format: Format, entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = format.encoder();
    encoder.start(&mut out);
    for entry in entries {
        encoder.entry(entry, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// The entry, put together by hand.
pub(super) fn as_value(entry: &Entry) -> Value {
    json!({
        "id": entry.id.as_str(),
        "ts": entry.ts.to_string(),
        "category": entry.category.as_str(),
        "action": entry.action.as_str(),
        "severity": entry.severity.as_str(),
        "actor": entry.actor,
        "entity_type": entry.entity_type,
        "entity_id": entry.entity_id,
        "entity_name": entry.entity_name,
        "message": entry.message,
        "metadata": entry.metadata.to_object(),
        "workspace_id": entry.workspace_id.as_str(),
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent,
    })
}
