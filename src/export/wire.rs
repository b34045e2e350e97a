//! An entry as JSON, byte for byte as serde writes it, in less than half the time.

use crate::domain::Entry;

/// Appends the entry as it stands on the wire, on one line and without a line end.
pub fn write_json(entry: &Entry, out: &mut Vec<u8>) {
    text("{\"id\":", entry.id.as_str(), out);
    out.extend_from_slice(b",\"ts\":\"");
    out.extend_from_slice(&entry.ts.text());
    text("\",\"category\":", entry.category.as_str(), out);
    text(",\"action\":", entry.action.as_str(), out);
    text(",\"severity\":", entry.severity.as_str(), out);
    text(",\"actor\":", &entry.actor, out);
    optional(",\"entity_type\":", entry.entity_type.as_deref(), out);
    optional(",\"entity_id\":", entry.entity_id.as_deref(), out);
    optional(",\"entity_name\":", entry.entity_name.as_deref(), out);
    text(",\"message\":", &entry.message, out);
    out.extend_from_slice(b",\"metadata\":");
    out.extend_from_slice(entry.metadata.as_str().as_bytes());
    text(",\"workspace_id\":", entry.workspace_id.as_str(), out);
    optional(",\"ip_address\":", entry.ip_address.as_deref(), out);
    optional(",\"user_agent\":", entry.user_agent.as_deref(), out);
    out.push(b'}');
}

fn optional(key: &str, value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        Some(value) => text(key, value, out),
        None => {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"null");
        }
    }
}

fn text(key: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    if needs_escapes(value.as_bytes()) {
        serde_json::to_writer(out, value).expect("a text is JSON, and a buffer takes it all");
        return;
    }
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn needs_escapes(text: &[u8]) -> bool {
    let special = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
    // Without an early end the compiler looks at many bytes at once, and nearly no text needs any.
    text.iter()
        .fold(false, |found, byte| found | special(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_is_as_serde_writes_it(entries in samples::entries()) {
            for entry in &entries {
                let mut out = Vec::new();
                write_json(entry, &mut out);
                prop_assert_eq!(
                    String::from_utf8(out).unwrap(),
                    serde_json::to_string(entry).unwrap()
                );
            }
        }
    }

    #[test]
    fn every_character_that_json_escapes_is_escaped() {
        for c in (0..0x300u32).filter_map(char::from_u32) {
            let entry = Entry {
                actor: format!("a{c}b"),
                ..samples::plain()
            };
            let mut out = Vec::new();
            write_json(&entry, &mut out);
            assert_eq!(out, serde_json::to_vec(&entry).unwrap());
        }
    }
}
