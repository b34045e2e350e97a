//! One JSON value of an entry: a text or a small object. A value of the wrong type is read to its end and
//! reported, rather than ending the parse, so that everything that is wrong with an entry is told at once.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
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
///
/// `serde_json::Value` would do but for two things: it recurses as deep as its parser lets it, and it takes
/// an object under one private key of its own for a text to be parsed once more.
pub(super) struct Object {
    pub levels: usize,
}

const NOT_AN_OBJECT: &str = "must be an object";

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Said<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let mut too_deep = false;
        let bounded = Bounded {
            levels: self.levels,
            too_deep: &mut too_deep,
        };
        let value = bounded.deserialize(from)?;
        Ok(match value {
            _ if too_deep => Said::Wrong("nests deeper than 32 levels"),
            Value::Object(object) => Said::This(object),
            Value::Null => Said::Nothing,
            _ => Said::Wrong(NOT_AN_OBJECT),
        })
    }
}

/// Any value, in which arrays and objects may nest so many levels more. What is deeper is skipped and told.
struct Bounded<'a> {
    levels: usize,
    too_deep: &'a mut bool,
}

impl Bounded<'_> {
    /// For what stands inside, or `None` where nothing may.
    fn inner(&mut self) -> Option<Bounded<'_>> {
        let Some(levels) = self.levels.checked_sub(1) else {
            *self.too_deep = true;
            return None;
        };
        Some(Bounded {
            levels,
            too_deep: self.too_deep,
        })
    }

    fn again(&mut self) -> Bounded<'_> {
        Bounded {
            levels: self.levels,
            too_deep: self.too_deep,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let Some(mut inner) = self.inner() else {
            return skip_items(items).map(|()| Value::Null);
        };
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner.again())? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut pairs: A) -> Result<Value, A::Error> {
        let Some(mut inner) = self.inner() else {
            return skip_pairs(pairs).map(|()| Value::Null);
        };
        let mut object = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            object.insert(key, pairs.next_value_seed(inner.again())?);
        }
        Ok(Value::Object(object))
    }
}

// Skipping does not recurse, however deep the text nests.
fn skip_items<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_pairs<'de, A: MapAccess<'de>>(mut pairs: A) -> Result<(), A::Error> {
    while pairs.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
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
