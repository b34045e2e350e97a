//! The systemd journal, as `journalctl -o json` writes it: an object a line, every value a text, a list of bytes
//! where it is no text, or a list of values.

use super::line;
use crate::domain::{Draft, Timestamp};
use serde_json::{Map, Value};

/// When it was taken in there, in microseconds.
const TAKEN_IN: &str = "__REALTIME_TIMESTAMP";

/// What says where and how the journal keeps a line, and nothing of what happened.
const LEFT_OUT: [&str; 9] = [
    "SYSLOG_RAW",
    "SYSLOG_TIMESTAMP",
    "_BOOT_ID",
    "_CAP_EFFECTIVE",
    "_MACHINE_ID",
    "_RUNTIME_SCOPE",
    "_SELINUX_CONTEXT",
    "_SOURCE_BOOTTIME_TIMESTAMP",
    "_SOURCE_MONOTONIC_TIMESTAMP",
];
/// Facilities that are about signing in.
const OF_SIGNING_IN: [&str; 3] = ["4", "10", "13"];

pub fn fields(text: &[u8]) -> Map<String, Value> {
    let mut fields = line::json(text);
    let taken_in = fields.get(TAKEN_IN).and_then(Value::as_str);
    let micros: Option<i64> = taken_in.and_then(|text| text.parse().ok());
    fields.retain(|key, _| !key.starts_with("__") && !LEFT_OUT.contains(&key.as_str()));
    if let Some(micros) = micros {
        let time = Timestamp::from_micros(micros).to_string();
        fields.insert("occurred_at".to_owned(), time.into());
    }
    fields.values_mut().for_each(readable);
    fields
}

/// A text that held control characters comes as its bytes.
fn readable(value: &mut Value) {
    let Value::Array(items) = value else { return };
    let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
    let bytes: Option<Vec<u8>> = items.iter().map(byte).collect();
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        *value = String::from_utf8_lossy(&bytes).into_owned().into();
    }
}

pub fn fill(draft: &mut Draft, fields: &mut Map<String, Value>) {
    let mut take = |ours: &mut Option<String>, theirs: &str| {
        if ours.is_none() && fields.get(theirs).is_some_and(Value::is_string) {
            let Some(Value::String(text)) = fields.remove(theirs) else {
                return;
            };
            *ours = Some(text);
        }
    };
    take(&mut draft.message, "MESSAGE");
    take(&mut draft.message, "message");
    take(&mut draft.severity, "PRIORITY");
    take(&mut draft.actor, "SYSLOG_IDENTIFIER");
    take(&mut draft.actor, "_COMM");
    if draft.entity_type.is_none() && draft.entity_id.is_none() {
        for (kind, theirs) in [("unit", "_SYSTEMD_UNIT"), ("host", "_HOSTNAME")] {
            take(&mut draft.entity_id, theirs);
            if draft.entity_id.is_some() {
                draft.entity_type = Some(kind.to_owned());
                break;
            }
        }
    }
    let facility = fields.get("SYSLOG_FACILITY").and_then(Value::as_str);
    let category = match facility {
        Some(number) if OF_SIGNING_IN.contains(&number) => "auth",
        _ => "capture",
    };
    draft.category.get_or_insert_with(|| category.to_owned());
    draft
        .action
        .get_or_insert_with(|| "journal.message".to_owned());
}

/// Where a line stands, and when it was taken in, in microseconds.
pub fn place(line: &[u8]) -> Option<(String, i64)> {
    #[derive(serde::Deserialize)]
    struct Place {
        #[serde(rename = "__CURSOR")]
        cursor: String,
        #[serde(rename = "__REALTIME_TIMESTAMP")]
        taken_in: String,
    }
    let place: Place = serde_json::from_slice(line).ok()?;
    Some((place.cursor, place.taken_in.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As journalctl of systemd 257 wrote it, shortened.
    const LINE: &str = r#"{"PRIORITY":"3","_UID":"0","__REALTIME_TIMESTAMP":"1790000000000001","_COMM":"sshd",
        "SYSLOG_IDENTIFIER":"sshd","_SYSTEMD_UNIT":"ssh.service","_HOSTNAME":"box","SYSLOG_FACILITY":"4",
        "__CURSOR":"s=1;i=2;b=3;m=4;t=5;x=6","_BOOT_ID":"b","MESSAGE":"Failed password","_PID":"17"}"#;

    #[test]
    fn a_line_says_which_unit_how_bad_and_when() {
        let mut fields = fields(LINE.as_bytes());
        let mut draft = Draft::default();
        fill(&mut draft, &mut fields);
        assert_eq!(draft.message.as_deref(), Some("Failed password"));
        assert_eq!(draft.severity.as_deref(), Some("3"));
        assert_eq!(draft.actor.as_deref(), Some("sshd"));
        assert_eq!(draft.category.as_deref(), Some("auth"));
        assert_eq!(draft.entity_id.as_deref(), Some("ssh.service"));
        assert_eq!(
            Value::Object(fields),
            json!({"_UID": "0", "_PID": "17", "_COMM": "sshd", "_HOSTNAME": "box", "SYSLOG_FACILITY": "4",
                   "occurred_at": "2026-09-21T14:13:20.000001Z"})
        );
        let place = place(LINE.as_bytes()).unwrap();
        assert_eq!(
            place,
            ("s=1;i=2;b=3;m=4;t=5;x=6".to_owned(), 1_790_000_000_000_001)
        );
    }

    #[test]
    fn a_message_that_comes_as_bytes_is_a_text_again() {
        let fields = fields(br#"{"MESSAGE":[104,105,27],"MANY":["a","b"],"EMPTY":null}"#);
        assert_eq!(fields["MESSAGE"], "hi\u{1b}");
        assert_eq!(fields["MANY"], json!(["a", "b"]));
    }
}
