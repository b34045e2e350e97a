//! One JSON value of an entry: a text or a small object. A value of the wrong type is read to its end and
//! reported, rather than ending the parse, so that everything that is wrong with an entry is told at once.

use crate::domain::json::{Bounded, skip_items, skip_pairs};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// What was said of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Said<T> {
    /// `null`: the same as leaving the field out.
    Nothing,
    This(T),
    /// Not what the field takes, and why.
    Wrong(&'static str),
}

pub(super) struct Text;

const NOT_A_TEXT: &str = "must be a string";

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Said<String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Said<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Said::This(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Said::Nothing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Said::Wrong(NOT_A_TEXT))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Said::Wrong(NOT_A_TEXT))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Said::Wrong(NOT_A_TEXT))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Said::Wrong(NOT_A_TEXT))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        skip_items(items).map(|()| Said::Wrong(NOT_A_TEXT))
    }

    fn visit_map<A: MapAccess<'de>>(self, pairs: A) -> Result<Self::Value, A::Error> {
        skip_pairs(pairs).map(|()| Said::Wrong(NOT_A_TEXT))
    }
}

/// An object that nests at most so many levels, itself counted.
pub(super) struct Object {
    pub levels: usize,
}

const NOT_AN_OBJECT: &str = "must be an object";

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Said<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let mut too_deep = false;
        let value = Bounded::new(self.levels, &mut too_deep).deserialize(from)?;
        Ok(match value {
            _ if too_deep => Said::Wrong("nests deeper than 32 levels"),
            Value::Object(object) => Said::This(object),
            Value::Null => Said::Nothing,
            _ => Said::Wrong(NOT_AN_OBJECT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(json: &str) -> Said<String> {
        let mut from = serde_json::Deserializer::from_str(json);
        Text.deserialize(&mut from).unwrap()
    }

    fn object(levels: usize, json: &str) -> Said<Map<String, Value>> {
        let mut from = serde_json::Deserializer::from_str(json);
        let object = Object { levels }.deserialize(&mut from).unwrap();
        from.end().expect("the value is read to its end");
        object
    }

    #[test]
    fn a_text_is_a_string_or_nothing() {
        assert_eq!(text(r#""a\nb""#), Said::This("a\nb".into()));
        assert_eq!(text("null"), Said::Nothing);
        for other in ["true", "1", "-1", "1.5", "[1,[2]]", r#"{"a":{"b":1}}"#] {
            assert_eq!(text(other), Said::Wrong(NOT_A_TEXT), "{other}");
        }
    }

    #[test]
    fn an_object_is_an_object_or_nothing() {
        assert_eq!(object(9, "{}"), Said::This(Map::new()));
        assert_eq!(object(9, "null"), Said::Nothing);
        for other in ["true", "1", "-1", "1.5", "[1,[2]]", r#""{}""#] {
            assert_eq!(object(9, other), Said::Wrong(NOT_AN_OBJECT), "{other}");
        }
    }

    #[test]
    fn an_object_may_nest_to_its_bound_and_no_deeper() {
        for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
            let nested = |n: usize| format!("{{\"a\":{}1{}}}", open.repeat(n), close.repeat(n));
            assert!(matches!(object(31, &nested(30)), Said::This(_)));
            assert!(matches!(object(31, &nested(31)), Said::Wrong(_)));
        }
    }

    #[test]
    fn what_is_deeper_than_any_parser_goes_is_skipped_and_not_recursed_into() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert!(matches!(object(31, &deep), Said::Wrong(_)));
    }

    #[test]
    fn no_key_has_a_meaning_of_its_own() {
        let json = r#"{"a":{"$serde_json::private::RawValue":"not json"}}"#;
        let Said::This(object) = object(31, json) else {
            panic!("an object")
        };
        assert_eq!(Value::Object(object).to_string(), json);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_object_is_read_as_it_was_written(
            written in prop::collection::btree_map(any::<String>(), json(), 0..5)
        ) {
            let written: Map<String, Value> = written.into_iter().collect();
            let text = serde_json::to_string(&written).unwrap();
            prop_assert_eq!(object(31, &text), Said::This(written));
        }
    }
}
