//! NDJSON: one bare entry a line.

use super::{Encoder, write_json};
use crate::domain::Entry;

pub(super) struct Ndjson;

impl Encoder for Ndjson {
    fn start(&mut self, _: &mut Vec<u8>) {}

    fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        write_json(entry, out);
        out.push(b'\n');
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use crate::export::{Format, samples};
    use proptest::prelude::*;
    use serde_json::Value;

    proptest! {
        #[test]
        fn every_line_is_the_entry_as_it_stands_on_the_wire(entries in samples::entries()) {
            let out = samples::exported(Format::Ndjson, &entries);
            let lines: Vec<&[u8]> = out.split_inclusive(|b| *b == b'\n').collect();
            prop_assert_eq!(lines.len(), entries.len());
            for (line, entry) in lines.iter().zip(&entries) {
                let wire = serde_json::to_vec(entry).unwrap();
                prop_assert_eq!(line.strip_suffix(b"\n"), Some(&wire[..]));
                let back: Value = serde_json::from_slice(line).unwrap();
                prop_assert_eq!(back, samples::as_value(entry));
            }
        }
    }
}
