//! A line of text, which is a message; and a line of JSON, whose object may use our names for what it says.

use crate::domain::json::Bounded;
use crate::domain::{Draft, limits};
use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

pub fn text(line: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(line).into_owned();
    Map::from_iter([("message".to_owned(), Value::String(text))])
}

/// What is no object of JSON is a line of text.
pub fn json(line: &[u8]) -> Map<String, Value> {
    let mut too_deep = false;
    let mut from = serde_json::Deserializer::from_slice(line);
    let read = Bounded::new(limits::JSON_DEPTH - 1, &mut too_deep).deserialize(&mut from);
    match (read, from.end()) {
        (Ok(Value::Object(object)), Ok(())) if !too_deep => object,
        _ => text(line),
    }
}

/// What stands there under our own names.
pub fn fill(draft: &mut Draft, fields: &mut Map<String, Value>) {
    let mut take = |ours: &mut Option<String>, theirs: &str| {
        if ours.is_none() && fields.get(theirs).is_some_and(Value::is_string) {
            let Some(Value::String(text)) = fields.remove(theirs) else {
                return;
            };
            *ours = Some(text);
        }
    };
    take(&mut draft.message, "message");
    take(&mut draft.category, "category");
    take(&mut draft.action, "action");
    take(&mut draft.severity, "severity");
    take(&mut draft.actor, "actor");
    take(&mut draft.entity_type, "entity_type");
    take(&mut draft.entity_id, "entity_id");
    take(&mut draft.entity_name, "entity_name");
    take(&mut draft.ip_address, "ip_address");
    take(&mut draft.user_agent, "user_agent");
    if let Some(Value::Object(inner)) = fields.remove("metadata") {
        for (key, value) in inner {
            fields.entry(key).or_insert(value);
        }
    }
}
