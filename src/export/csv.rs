//! CSV as RFC 4180 has it: a header of the entry's keys, then a row an entry, `\r\n` after each. A null is an
//! empty cell, metadata its JSON text, and no cell is a formula to a spreadsheet.

use super::Encoder;
use crate::domain::Entry;
use crate::domain::entry::KEYS;

pub(super) struct Csv;

impl Encoder for Csv {
    fn start(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(KEYS.join(",").as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        cell(entry.id.as_str(), out);
        out.push(b',');
        out.extend_from_slice(&entry.ts.text());
        next_cell(entry.category.as_str(), out);
        next_cell(entry.action.as_str(), out);
        out.push(b',');
        out.extend_from_slice(entry.severity.as_str().as_bytes());
        next_cell(&entry.actor, out);
        next_optional(entry.entity_type.as_deref(), out);
        next_optional(entry.entity_id.as_deref(), out);
        next_optional(entry.entity_name.as_deref(), out);
        next_cell(&entry.message, out);
        next_cell(entry.metadata.as_str(), out);
        next_cell(entry.workspace_id.as_str(), out);
        next_optional(entry.ip_address.as_deref(), out);
        next_optional(entry.user_agent.as_deref(), out);
        out.extend_from_slice(b"\r\n");
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

fn next_optional(text: Option<&str>, out: &mut Vec<u8>) {
    out.push(b',');
    if let Some(text) = text {
        cell(text, out);
    }
}

fn next_cell(text: &str, out: &mut Vec<u8>) {
    out.push(b',');
    cell(text, out);
}

fn cell(text: &str, out: &mut Vec<u8>) {
    let quoted = needs_quotes(text.as_bytes());
    if quoted {
        out.push(b'"');
    }
    if runs_as_formula(text) {
        out.push(b'\'');
    }
    if quoted {
        push_doubling_quotes(text.as_bytes(), out);
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn needs_quotes(text: &[u8]) -> bool {
    let special = |byte: u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
    // Without an early end the compiler looks at sixteen bytes at once, and nearly all cells are short.
    text.iter()
        .fold(false, |found, byte| found | special(*byte))
}

fn push_doubling_quotes(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        out.extend_from_slice(&rest[..=at]);
        out.push(b'"');
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// A spreadsheet would compute this cell rather than show it. White space and quotes are looked past, since
/// some spreadsheets drop them. A leading apostrophe makes it a text; since an apostrophe is looked past too,
/// it can be taken off again without a doubt.
fn runs_as_formula(text: &str) -> bool {
    match text.as_bytes().first() {
        None => false,
        Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'{' => false,
        Some(_) => starts_as_formula(text),
    }
}

fn starts_as_formula(text: &str) -> bool {
    for c in text.chars() {
        match c {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n' => {
                return true;
            }
            '"' | '\'' | '\u{feff}' => {}
            blank if blank.is_whitespace() || blank.is_control() => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Format, samples};
    use proptest::prelude::*;
    use serde_json::Value;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        cell(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// What a reader has to do to get the text that stood in the book.
    fn as_it_stood(cell: &str) -> &str {
        match cell.strip_prefix('\'') {
            Some(text) if runs_as_formula(text) => text,
            _ => cell,
        }
    }

    fn rows(out: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(out);
        let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
        reader
            .records()
            .map(|record| row(record.unwrap()))
            .collect()
    }

    fn cells(entry: &Entry) -> Vec<String> {
        let value = samples::as_value(entry);
        let cell = |key: &&str| match &value[*key] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            // Its own text, since a value written anew may say the same in other bytes.
            _ => entry.metadata.as_str().to_owned(),
        };
        KEYS.iter().map(cell).collect()
    }

    #[test]
    fn nothing_is_a_header() {
        assert_eq!(
            samples::exported(Format::Csv, &[]),
            b"id,ts,category,action,severity,actor,entity_type,entity_id,entity_name,message,metadata,\
              workspace_id,ip_address,user_agent\r\n"
        );
    }

    #[test]
    fn a_row_has_its_cells_bare_where_it_can_and_nothing_for_null() {
        let out = samples::exported(Format::Csv, &[samples::plain()]);
        let row = out.split_inclusive(|b| *b == b'\n').nth(1).unwrap();
        assert_eq!(
            std::str::from_utf8(row).unwrap(),
            "al_1,1970-01-01T00:00:00.000000Z,entity,task.created,info,anna,task,,,made,{},default,,\r\n"
        );
    }

    #[test]
    fn quotes_commas_and_line_ends_are_quoted() {
        assert_eq!(written(r#"say "hi""#), r#""say ""hi""""#);
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("a\nb"), "\"a\nb\"");
        assert_eq!(written("a\rb"), "\"a\rb\"");
        assert_eq!(written("a b;c'd"), "a b;c'd");
    }

    #[test]
    fn what_a_spreadsheet_would_run_it_shows() {
        for hostile in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            " =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\"=1\"",
            "'=1",
            "\u{0}=1",
            "\u{3000}＝1",
            "=",
            "-",
        ] {
            let row = format!("{}\r\n", written(hostile));
            assert_eq!(
                rows(row.as_bytes()),
                [[format!("'{hostile}")]],
                "{hostile:?}"
            );
        }
    }

    #[test]
    fn what_it_would_not_run_stays_as_it_is() {
        for harmless in [
            "a=1",
            "1-1",
            "",
            " ",
            "'",
            "it's",
            "{\"a\":\"=1\"}",
            "ä=",
            "(=1)",
            "\u{1}",
        ] {
            let row = format!("{},x\r\n", written(harmless));
            assert_eq!(rows(row.as_bytes()), [[harmless, "x"]], "{harmless:?}");
        }
    }

    #[test]
    fn a_name_that_may_start_with_a_minus_is_looked_at_too() {
        let entry = Entry {
            id: crate::domain::EntryId::trusted("-1"),
            action: crate::domain::Action::trusted("-2"),
            workspace_id: crate::domain::WorkspaceId::trusted("-3"),
            ..samples::plain()
        };
        let row = rows(&samples::exported(Format::Csv, &[entry]))
            .pop()
            .unwrap();
        assert_eq!((&*row[0], &*row[3], &*row[11]), ("'-1", "'-2", "'-3"));
    }

    proptest! {
        #[test]
        fn every_cell_reads_back_as_it_stood(entries in samples::entries()) {
            let rows = rows(&samples::exported(Format::Csv, &entries));
            prop_assert_eq!(&rows[0], &KEYS);
            prop_assert_eq!(rows.len(), entries.len() + 1);
            for (row, entry) in rows[1..].iter().zip(&entries) {
                let stood: Vec<&str> = row.iter().map(|cell| as_it_stood(cell)).collect();
                prop_assert_eq!(stood, cells(entry));
            }
        }

        #[test]
        fn no_cell_starts_as_a_formula(entries in samples::entries()) {
            let starts = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];
            for cell in rows(&samples::exported(Format::Csv, &entries)).iter().flatten() {
                let shown = cell.trim().trim_matches('"');
                prop_assert!(!shown.starts_with(starts) && !cell.starts_with(starts), "{:?}", cell);
            }
        }
    }
}
