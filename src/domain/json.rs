//! JSON values as the book reads them: bounded in depth, and nothing in them has a meaning of its own.
//!
//! `serde_json::Value` would do but for two things: it recurses as deep as its parser lets it, and it takes
//! an object under one private key of its own for a text to be parsed once more.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Any value, in which arrays and objects may nest so many levels more. What is deeper is skipped and told.
pub struct Bounded<'a> {
    levels: usize,
    too_deep: &'a mut bool,
}

impl<'a> Bounded<'a> {
    pub fn new(levels: usize, too_deep: &'a mut bool) -> Self {
        Self { levels, too_deep }
    }
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
pub fn skip_items<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

pub fn skip_pairs<'de, A: MapAccess<'de>>(mut pairs: A) -> Result<(), A::Error> {
    while pairs.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}
