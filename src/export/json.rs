//! JSON: one array of entries, each on its own line.

use super::{Encoder, write_json};
use crate::domain::Entry;

#[derive(Default)]
pub(super) struct Json {
    begun: bool,
}

impl Encoder for Json {
    fn start(&mut self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.begun { b",\n" } else { b"\n" });
        self.begun = true;
        write_json(entry, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.begun { b"\n]\n" } else { b"]\n" });
    }
}

#[cfg(test)]
mod tests {
    use crate::export::{Format, samples};
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn nothing_is_an_empty_array() {
        assert_eq!(samples::exported(Format::Json, &[]), b"[]\n");
    }

    #[test]
    fn an_entry_stands_on_its_own_line() {
        let entry = samples::plain();
        let wire = serde_json::to_string(&entry).unwrap();
        let out = samples::exported(Format::Json, &[entry.clone(), entry]);
        assert_eq!(out, format!("[\n{wire},\n{wire}\n]\n").into_bytes());
    }

    proptest! {
        #[test]
        fn the_array_reads_back_as_the_entries(entries in samples::entries()) {
            let out = samples::exported(Format::Json, &entries);
            let back: Vec<Value> = serde_json::from_slice(&out).unwrap();
            let expected: Vec<Value> = entries.iter().map(samples::as_value).collect();
            prop_assert_eq!(back, expected);
        }
    }
}
