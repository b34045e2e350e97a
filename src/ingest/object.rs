//! One entry as a JSON object: its fields go straight into a draft, and everything that is wrong with it is
//! collected. Nothing is known here of arrays and lines.

use super::name::{Field, Name, NameSeed};
use super::value::{Object, Said, Text};
use crate::domain::{Draft, FieldError, FieldErrors, limits};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::de::Read;
use std::fmt;

/// More is never told of one entry, so that an answer stays small whatever came in.
const MOST_ERRORS: usize = 32;

/// An entry as a book exports it: the draft and its `ts`, which was not looked at yet.
pub(super) fn exported(text: &[u8]) -> Result<(Draft, Option<String>), FieldErrors> {
    let reading = read(
        text,
        Reading {
            takes_ts: true,
            ..Reading::default()
        },
    )?;
    Ok((reading.draft, reading.ts))
}

/// The draft in one JSON text, or all that can be told of what is wrong with it. Lines and columns in the
/// reasons are counted within this text.
pub(super) fn draft(text: &[u8]) -> Result<Draft, FieldErrors> {
    Ok(read(text, Reading::default())?.draft)
}

fn read(text: &[u8], reading: Reading) -> Result<Reading, FieldErrors> {
    let text = text.trim_ascii();
    if text.len() > limits::ENTRY_BYTES {
        return Err(FieldErrors::one("entry", "is larger than 64 KiB"));
    }
    if text.first() != Some(&b'{') {
        return Err(no_object(text));
    }
    // Looked through once as a whole, a text need not be looked through again string by string.
    match std::str::from_utf8(text) {
        Ok(text) => read_object(serde_json::Deserializer::from_str(text), reading),
        Err(_) => read_object(serde_json::Deserializer::from_slice(text), reading),
    }
}

fn read_object<'de, R: Read<'de>>(
    mut from: serde_json::Deserializer<R>,
    mut reading: Reading,
) -> Result<Reading, FieldErrors> {
    let whole = from.deserialize_map(&mut reading).and_then(|()| from.end());
    if let Err(error) = whole {
        let field = reading.broken_in(&error);
        reading
            .errors
            .push(FieldError::new(field, reason_of(&error)));
    }
    FieldErrors::none_in(std::mem::take(&mut reading.errors))?;
    Ok(reading)
}

fn no_object(text: &[u8]) -> FieldErrors {
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => FieldErrors::one("entry", "must be a JSON object"),
        Err(_) if text.is_empty() => FieldErrors::one("body", "is empty"),
        Err(error) => syntax(&error),
    }
}

/// The text as a whole is not JSON.
pub(super) fn syntax(error: &serde_json::Error) -> FieldErrors {
    FieldErrors::one("body", reason_of(error))
}

/// The parser's own words never hold a piece of the input; those of serde may, and are not used.
fn reason_of(error: &serde_json::Error) -> String {
    format!("is not valid JSON: {error}")
}

/// A draft in the making.
#[derive(Default)]
struct Reading {
    draft: Draft,
    errors: Vec<FieldError>,
    /// One bit a field, set when it was met.
    met: u16,
    /// The field whose value is being read.
    within: Option<Field>,
    /// Entries out of a book bring their `ts`; from others it is refused.
    takes_ts: bool,
    ts: Option<String>,
}

impl Reading {
    fn wrong(&mut self, error: FieldError) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(error);
        }
    }

    fn broken_in(&self, error: &serde_json::Error) -> &'static str {
        // A text that just ends is broken as a whole, wherever that happened.
        match self.within {
            Some(field) if !error.is_eof() => field.name(),
            _ => "body",
        }
    }

    fn first_time(&mut self, field: Field) -> bool {
        let bit = 1 << field as u16;
        let first = self.met & bit == 0;
        self.met |= bit;
        first
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: Field,
        pairs: &mut A,
    ) -> Result<(), A::Error> {
        if !self.first_time(field) {
            self.wrong(FieldError::new(field.name(), "is given twice"));
            return pairs.next_value::<IgnoredAny>().map(drop);
        }
        self.within = Some(field);
        match field.text_in(&mut self.draft) {
            Some(slot) => match pairs.next_value_seed(Text)? {
                Said::This(text) => *slot = Some(text),
                Said::Nothing => {}
                Said::Wrong(reason) => self.wrong(FieldError::new(field.name(), reason)),
            },
            None => self.read_metadata(pairs)?,
        }
        self.within = None;
        Ok(())
    }

    fn read_ts<'de, A: MapAccess<'de>>(&mut self, pairs: &mut A) -> Result<(), A::Error> {
        if !self.takes_ts {
            let reason = "is given by the book; put your own time into metadata.occurred_at";
            self.wrong(FieldError::new("ts", reason));
            return pairs.next_value::<IgnoredAny>().map(drop);
        }
        match pairs.next_value_seed(Text)? {
            Said::This(_) if self.ts.is_some() => {
                self.wrong(FieldError::new("ts", "is given twice"))
            }
            Said::This(text) => self.ts = Some(text),
            Said::Nothing => {}
            Said::Wrong(reason) => self.wrong(FieldError::new("ts", reason)),
        }
        Ok(())
    }

    fn read_metadata<'de, A: MapAccess<'de>>(&mut self, pairs: &mut A) -> Result<(), A::Error> {
        // The entry around it is the first level.
        let levels = limits::JSON_DEPTH - 1;
        match pairs.next_value_seed(Object { levels })? {
            Said::This(object) => self.draft.metadata = Some(object),
            Said::Nothing => {}
            Said::Wrong(reason) => self.wrong(FieldError::new("metadata", reason)),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        while let Some(name) = pairs.next_key_seed(NameSeed)? {
            match name {
                Name::Known(field) => self.read(field, &mut pairs)?,
                Name::Ts => self.read_ts(&mut pairs)?,
                Name::Refused(error) => {
                    self.wrong(error);
                    pairs.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::KEYS;
    use serde_json::json;

    fn errors(text: &str) -> Vec<(String, String)> {
        let errors = draft(text.as_bytes()).unwrap_err().into_vec();
        errors
            .into_iter()
            .map(|e| (e.field.into_owned(), e.reason.into_owned()))
            .collect()
    }

    fn fields(text: &str) -> Vec<String> {
        errors(text).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn every_field_goes_to_its_place() {
        let text = r#"{"id":"a","category":"b","action":"c","severity":"d","actor":"e",
            "entity_type":"f","entity_id":"g","entity_name":"h","message":"i\n\u00fc",
            "metadata":{"k":[1,-2,0.5,true,null,"x"]},"workspace_id":"j","ip_address":"k","user_agent":"l"}"#;
        let text_of = |text: &str| Some(text.to_owned());
        let expected = Draft {
            id: text_of("a"),
            category: text_of("b"),
            action: text_of("c"),
            severity: text_of("d"),
            actor: text_of("e"),
            entity_type: text_of("f"),
            entity_id: text_of("g"),
            entity_name: text_of("h"),
            message: text_of("i\nü"),
            metadata: json!({"k": [1, -2, 0.5, true, null, "x"]})
                .as_object()
                .cloned(),
            workspace_id: text_of("j"),
            ip_address: text_of("k"),
            user_agent: text_of("l"),
        };
        assert_eq!(draft(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn a_field_that_is_null_is_not_given() {
        let nulls: Vec<String> = KEYS
            .iter()
            .filter(|key| **key != "ts")
            .map(|key| format!("\"{key}\":null"))
            .collect();
        let text = format!("{{{}}}", nulls.join(","));
        assert_eq!(draft(text.as_bytes()), Ok(Draft::default()));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = r#"{"id":1,"ts":"x","nope":{"a":[1e999]},"message":["m"],"actor":"a","actor":"b",
            "metadata":[],"seq":7,"category":{"x":"y"},"action":1.5,"severity":false,"user_agent":-1}"#;
        let reasons = [
            ("id", "must be a string"),
            (
                "ts",
                "is given by the book; put your own time into metadata.occurred_at",
            ),
            ("nope", "is not a field of an entry"),
            ("message", "must be a string"),
            ("actor", "is given twice"),
            ("metadata", "must be an object"),
            ("seq", "is given by the book"),
            ("category", "must be a string"),
            ("action", "must be a string"),
            ("severity", "must be a string"),
            ("user_agent", "must be a string"),
        ];
        assert_eq!(
            errors(text),
            reasons.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
        );
    }

    #[test]
    fn a_field_given_as_null_and_again_is_given_twice() {
        assert_eq!(fields(r#"{"actor":null,"actor":"a"}"#), ["actor"]);
        assert_eq!(fields(r#"{"metadata":{},"metadata":{}}"#), ["metadata"]);
        assert_eq!(
            fields(r#"{"actor":1,"\u0061ctor":"a"}"#),
            ["actor", "actor"]
        );
    }

    #[test]
    fn a_value_that_breaks_the_parse_names_its_field_and_what_was_found_before_it() {
        assert_eq!(
            fields(r#"{"id":1,"metadata":{"a":1e999}}"#),
            ["id", "metadata"]
        );
        assert_eq!(fields(r#"{"message":"\ud800"}"#), ["message"]);
        assert_eq!(fields(r#"{"message":nope}"#), ["message"]);
        assert_eq!(fields(r#"{"metadata":{"a":1,}}"#), ["metadata"]);
        assert_eq!(fields("{\"message\":\"\u{1}\"}"), ["message"]);
    }

    #[test]
    fn a_text_that_is_broken_between_fields_or_just_ends_names_the_body_and_the_place() {
        for text in [
            "{",
            r#"{"message""#,
            r#"{"message":"#,
            r#"{"message":"in"#,
            r#"{"metadata":{"a":"#,
            r#"{"message":"in","#,
            r#"{"message":"in",}"#,
            r#"{"message":"in" "actor":"a"}"#,
            r#"{"message":"in"} x"#,
            "{1:2}",
            "nope",
            "]",
        ] {
            let (field, reason) = errors(text).pop().unwrap();
            assert_eq!(field, "body", "{text}");
            assert!(reason.contains(" at line 1 column "), "{reason}");
        }
    }

    #[test]
    fn what_is_json_and_no_object_is_no_entry() {
        for text in ["5", "null", "\"x\"", "[]", "[{}]", "true"] {
            assert_eq!(
                errors(text),
                [("entry".to_owned(), "must be a JSON object".to_owned())]
            );
        }
    }

    #[test]
    fn no_value_is_told_back() {
        for text in [
            r#"{"message":{"hostile":"hostile"},"id":["hostile"],"metadata":"hostile"}"#,
            r#"{"message":hostile}"#,
            r#""hostile""#,
            "hostile",
        ] {
            let told = draft(text.as_bytes()).unwrap_err().to_string();
            assert!(!told.contains("hostile"), "{told}");
        }
    }

    #[test]
    fn of_very_many_errors_only_so_many_are_told() {
        let many: Vec<String> = (0..5000).map(|i| format!("\"x{i}\":0")).collect();
        let text = format!("{{{}}}", many.join(","));
        assert_eq!(errors(&text).len(), MOST_ERRORS);
    }
}
