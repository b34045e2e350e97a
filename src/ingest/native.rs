//! The native format: one JSON object, a JSON array of them, or one a line (NDJSON). Each entry of a bulk
//! stands alone: what is wrong with it is its own. A UTF-8 byte order mark at the start is passed over.

use super::object;
use crate::domain::{Draft, FieldErrors, limits};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What became of one entry of a bulk.
pub type Outcome = Result<Draft, FieldErrors>;

/// The body is one entry.
pub fn one(body: &[u8]) -> Outcome {
    object::draft(without_mark(body))
}

/// The body is an array of entries. Refused as a whole when it is not whole JSON or holds too many.
pub fn array(body: &[u8]) -> Result<Vec<Outcome>, FieldErrors> {
    Ok(Bulk::array(body, limits::BULK_ENTRIES)?.drafts().collect())
}

/// The body is an entry a line. Blank lines are passed over and not counted, so that the index of an outcome
/// is the number of entries before it; a line may end in CRLF, the last one in nothing.
pub fn lines(body: &[u8]) -> Result<Vec<Outcome>, FieldErrors> {
    Ok(Bulk::lines(body, limits::BULK_ENTRIES)?.drafts().collect())
}

/// Whether a body that starts so is an array. `None` while nothing but white space has come.
pub fn looks_like_array(start: &[u8]) -> Option<bool> {
    let first = *without_mark(start).trim_ascii_start().first()?;
    Some(first == b'[')
}

/// A bulk cut into its entries, none of them read yet. A draft weighs many times its text, so whoever turns
/// each into a new entry before taking the next never holds them all.
#[derive(Debug)]
pub struct Bulk<'a>(Vec<&'a [u8]>);

impl<'a> Bulk<'a> {
    /// Of an array that holds at most so many.
    pub fn array(body: &'a [u8], most: usize) -> Result<Self, FieldErrors> {
        let body = without_mark(body);
        if looks_like_array(body) == Some(false) {
            return Err(FieldErrors::one("body", "must be a JSON array"));
        }
        let mut entries = Vec::new();
        let mut from = serde_json::Deserializer::from_slice(body);
        let into = Elements {
            entries: &mut entries,
            most,
        };
        from.deserialize_seq(into)
            .and_then(|()| from.end())
            .map_err(|error| match error.is_data() {
                true => too_many(most),
                false => object::syntax(&error),
            })?;
        Ok(Self(entries))
    }

    /// Of lines, at most so many.
    pub fn lines(body: &'a [u8], most: usize) -> Result<Self, FieldErrors> {
        let entries: Vec<_> = lines_of(without_mark(body))
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .take(most.saturating_add(1))
            .collect();
        if entries.len() > most {
            return Err(too_many(most));
        }
        Ok(Self(entries))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each entry in its order, read when it is asked for.
    pub fn drafts(&self) -> impl ExactSizeIterator<Item = Outcome> {
        self.0.iter().map(|text| object::draft(text))
    }
}

/// Gathers the texts of an array's elements, and stops where there are too many.
struct Elements<'v, 'a> {
    entries: &'v mut Vec<&'a [u8]>,
    most: usize,
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'a RawValue>()? {
            if self.entries.len() == self.most {
                return Err(A::Error::custom("too many"));
            }
            self.entries.push(element.get().as_bytes());
        }
        Ok(())
    }
}

fn lines_of(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'\n', body).chain([body.len()]);
    ends.scan(0, |start, end| {
        let line = &body[*start..end];
        *start = end + 1;
        Some(line)
    })
}

fn too_many(most: usize) -> FieldErrors {
    FieldErrors::one("body", format!("holds more than {most} entries"))
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SMALL: &str = r#"{"category":"auth","action":"auth.login","message":"in"}"#;

    fn fields(errors: &FieldErrors) -> Vec<&str> {
        errors.as_slice().iter().map(|e| &*e.field).collect()
    }

    /// The wrong fields of each entry; none where it is right.
    fn wrong_in(outcomes: &[Outcome]) -> Vec<Vec<&str>> {
        outcomes
            .iter()
            .map(|outcome| outcome.as_ref().err().map(fields).unwrap_or_default())
            .collect()
    }

    fn bulk_of(entry: &str, n: usize) -> (String, String) {
        let entries = vec![entry; n];
        (format!("[{}]", entries.join(",")), entries.join("\n"))
    }

    #[test]
    fn every_element_stands_alone() {
        let body = format!(
            r#"[{SMALL}, 5, {{"nope":1}}, {{"metadata":{{"a":1e999}}}}, [{SMALL}], {{"message":"\ud800"}}, {SMALL}]"#
        );
        let outcomes = array(body.as_bytes()).unwrap();
        assert_eq!(
            wrong_in(&outcomes),
            [
                vec![],
                vec!["entry"],
                vec!["nope"],
                vec!["metadata"],
                vec!["entry"],
                vec!["message"],
                vec![]
            ]
        );
        assert_eq!(outcomes[0], outcomes[6]);
    }

    #[test]
    fn an_array_that_is_not_whole_json_is_refused_as_a_whole() {
        for broken in [
            "",
            "[",
            "[{}",
            "[{},",
            "[{},]",
            "[{}{}]",
            "[{}] x",
            "[{]}",
            "[nope]",
            "{}",
            "5",
            "[{\"message\":\"\u{1}\"}]",
        ] {
            assert_eq!(
                fields(&array(broken.as_bytes()).unwrap_err()),
                ["body"],
                "{broken}"
            );
        }
        assert_eq!(
            fields(&array(b"[{\"message\":\"\xff\"}]").unwrap_err()),
            ["body"]
        );
    }

    #[test]
    fn where_an_array_breaks_is_said_by_line_and_column() {
        let errors = array(b"[\n{},\n{]\n]").unwrap_err();
        assert!(
            errors.to_string().ends_with("at line 3 column 2"),
            "{errors}"
        );
    }

    #[test]
    fn every_line_stands_alone_and_only_lines_with_something_count() {
        let body =
            format!("{SMALL}\r\n\n  \t\r\n{{\"message\":\n{SMALL}\n\r\n{{}} {{}}\nnope\n{SMALL}");
        assert_eq!(
            wrong_in(&lines(body.as_bytes()).unwrap()),
            [
                vec![],
                vec!["body"],
                vec![],
                vec!["body"],
                vec!["body"],
                vec![]
            ]
        );
    }

    #[test]
    fn bytes_that_are_no_text_spoil_only_their_line() {
        let mut body = b"{\"message\":\"\xff\"}\n{\"\xff\":1}\n".to_vec();
        body.extend_from_slice(SMALL.as_bytes());
        assert_eq!(
            wrong_in(&lines(&body).unwrap()),
            [vec!["message"], vec!["body"], vec![]]
        );
    }

    #[test]
    fn nothing_in_is_nothing_out() {
        assert!(lines(b"").unwrap().is_empty());
        assert!(lines(b" \n\r\n").unwrap().is_empty());
        assert!(array(b" [ ] ").unwrap().is_empty());
        assert_eq!(fields(&one(b" ").unwrap_err()), ["body"]);
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
        assert!(one(&marked(SMALL)).is_ok());
        assert!(lines(&marked(SMALL)).unwrap()[0].is_ok());
        assert!(array(&marked(&format!("[{SMALL}]"))).unwrap()[0].is_ok());
        assert_eq!(looks_like_array(&marked(" [")), Some(true));
    }

    #[test]
    fn the_first_byte_that_says_anything_tells_an_array() {
        assert_eq!(looks_like_array(b""), None);
        assert_eq!(looks_like_array(b" \r\n\t"), None);
        assert_eq!(looks_like_array(b"\n [{"), Some(true));
        assert_eq!(looks_like_array(b" {"), Some(false));
        assert_eq!(looks_like_array(b"nope"), Some(false));
    }

    #[test]
    fn a_bulk_holds_so_many_entries_and_no_more() {
        let (fits, fit_lines) = bulk_of(SMALL, limits::BULK_ENTRIES);
        assert_eq!(array(fits.as_bytes()).unwrap().len(), limits::BULK_ENTRIES);
        assert_eq!(
            Bulk::lines(fit_lines.as_bytes(), limits::BULK_ENTRIES)
                .unwrap()
                .len(),
            limits::BULK_ENTRIES
        );
        let (more, more_lines) = bulk_of(SMALL, limits::BULK_ENTRIES + 1);
        let expected = FieldErrors::one("body", "holds more than 10000 entries");
        assert_eq!(array(more.as_bytes()).unwrap_err(), expected);
        assert_eq!(lines(more_lines.as_bytes()).unwrap_err(), expected);
    }

    #[test]
    fn one_entry_that_is_too_large_spoils_only_itself() {
        let sized = |n: usize| {
            let frame = r#"{"message":""}"#.len();
            format!(r#"{{"message":"{}"}}"#, "x".repeat(n - frame))
        };
        let (fits, large) = (sized(limits::ENTRY_BYTES), sized(limits::ENTRY_BYTES + 1));
        assert!(one(format!("  {fits}\n").as_bytes()).is_ok());
        assert_eq!(fields(&one(large.as_bytes()).unwrap_err()), ["entry"]);
        let expected = [vec![], vec!["entry"], vec![]];
        let body = format!("[{fits},{large},{fits}]");
        assert_eq!(wrong_in(&array(body.as_bytes()).unwrap()), expected);
        let body = format!("{fits}\n{large}\n{fits}");
        assert_eq!(wrong_in(&lines(body.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn a_megabyte_of_brackets_is_an_error_and_not_a_crash() {
        for open in [
            "[",
            "{\"a\":",
            "[{\"metadata\":",
            "{\"metadata\":[",
            "{\"message\":[",
        ] {
            let body = open.repeat((1 << 20) / open.len());
            assert!(one(body.as_bytes()).is_err(), "{open}");
            assert!(array(body.as_bytes()).is_err(), "{open}");
            assert!(lines(body.as_bytes()).unwrap()[0].is_err(), "{open}");
        }
        let closed = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert_eq!(fields(&one(closed.as_bytes()).unwrap_err()), ["entry"]);
        assert_eq!(wrong_in(&array(closed.as_bytes()).unwrap()), [["entry"]]);
    }

    #[test]
    fn deep_metadata_within_an_entrys_size_is_its_own_error() {
        let deep = |n: usize| {
            format!(
                r#"{{"metadata":{{"a":{}{}}}}}"#,
                "[".repeat(n),
                "]".repeat(n)
            )
        };
        // The entry and the metadata are two levels.
        let body = format!("[{},{},{}]", deep(30), deep(31), deep(30_000));
        assert_eq!(
            wrong_in(&array(body.as_bytes()).unwrap()),
            [vec![], vec!["metadata"], vec!["metadata"]]
        );
    }

    fn entry() -> impl Strategy<Value = Value> {
        let text = prop::option::of(any::<String>());
        (text.clone(), text.clone(), text, any::<f64>()).prop_map(|(message, actor, key, number)| {
            json!({"message": message, "actor": actor, "metadata": {key.unwrap_or_default(): number}})
        })
    }

    proptest! {
        #[test]
        fn alone_in_an_array_or_on_a_line_an_entry_is_the_same(
            entries in prop::collection::vec(entry(), 0..6)
        ) {
            let alone: Vec<Outcome> =
                entries.iter().map(|e| one(e.to_string().as_bytes())).collect();
            prop_assert!(alone.iter().all(Result::is_ok));
            let texts: Vec<String> = entries.iter().map(Value::to_string).collect();
            let as_array = array(&serde_json::to_vec_pretty(&entries).unwrap());
            prop_assert_eq!(as_array.unwrap(), alone.clone());
            prop_assert_eq!(lines(texts.join("\r\n").as_bytes()).unwrap(), alone);
        }

        #[test]
        fn no_bytes_at_all_are_a_crash(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (one(&body), array(&body), lines(&body), looks_like_array(&body));
        }

        #[test]
        fn what_is_nearly_json_is_no_crash_and_never_an_empty_error(
            body in r#"[\[\]{},:"a-e0-9 \\\n.-]{0,60}"#
        ) {
            for outcome in lines(body.as_bytes()).unwrap() {
                prop_assert!(outcome.err().is_none_or(|e| !e.as_slice().is_empty()));
            }
        }
    }
}
