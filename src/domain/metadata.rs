//! Metadata: a small JSON object in one canonical text, so that every backend gives back the same bytes.

use super::json::Bounded;
use super::{FieldError, limits};
use serde::de::DeserializeSeed;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// An object with sorted keys, each once, without U+0000 and without a negative zero.
#[derive(Debug, Clone)]
pub struct Metadata(Box<RawValue>);

/// The book holds something that is not a JSON object where metadata should be.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the stored metadata is not JSON")]
pub struct NotMetadata;

impl Metadata {
    /// Makes the canonical form, and refuses what is too deep or too large.
    pub fn new(mut object: Map<String, Value>) -> Result<Self, FieldError> {
        if object.is_empty() {
            return Ok(Self::default());
        }
        // The entry around it is the first level.
        if deeper_than(&object, limits::JSON_DEPTH - 1) {
            return Err(FieldError::new("metadata", "nests deeper than 32 levels"));
        }
        canonical_object(&mut object);
        let text = serde_json::value::to_raw_value(&object)
            .map_err(|_| FieldError::new("metadata", "cannot be written as JSON"))?;
        if text.get().len() > limits::METADATA_BYTES {
            return Err(FieldError::new(
                "metadata",
                "is larger than 16 KiB in its canonical form",
            ));
        }
        Ok(Self(text))
    }

    /// For what comes out of the book.
    pub fn from_stored(text: String) -> Result<Self, NotMetadata> {
        if text == "{}" {
            return Ok(Self::default());
        }
        // Only a hand that edited the file breaks lines; on the wire a line is an entry.
        let broken = text.contains(['\n', '\r']);
        let held = RawValue::from_string(text)
            .map(Self)
            .map_err(|_| NotMetadata)?;
        match broken {
            true => Self::new(held.to_object()).map_err(|_| NotMetadata),
            false => Ok(held),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The object again, for whoever has to add to it.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut too_deep = false;
        let mut text = serde_json::Deserializer::from_str(self.as_str());
        match Bounded::new(limits::JSON_DEPTH, &mut too_deep).deserialize(&mut text) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }
}

impl Default for Metadata {
    fn default() -> Self {
        let empty = RawValue::from_string("{}".to_owned());
        Self(empty.expect("an empty object is JSON"))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

fn deeper_than(object: &Map<String, Value>, levels: usize) -> bool {
    levels == 0
        || object
            .values()
            .any(|value| value_deeper_than(value, levels - 1))
}

fn value_deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(object) => deeper_than(object, levels),
        Value::Array(items) => {
            levels == 0 || items.iter().any(|item| value_deeper_than(item, levels - 1))
        }
        _ => false,
    }
}

fn canonical_object(object: &mut Map<String, Value>) {
    // The map itself keeps its keys sorted and single.
    if object.keys().any(|key| key.contains('\0')) {
        let held = std::mem::take(object);
        object.extend(
            held.into_iter()
                .map(|(key, value)| (without_nul(&key), value)),
        );
    }
    object.values_mut().for_each(canonical_value);
}

fn canonical_value(value: &mut Value) {
    match value {
        Value::Object(object) => canonical_object(object),
        Value::Array(items) => items.iter_mut().for_each(canonical_value),
        Value::String(text) if text.contains('\0') => *text = without_nul(text),
        Value::Number(number) if is_negative_zero(number) => *value = Value::from(0.0),
        _ => {}
    }
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn is_negative_zero(number: &Number) -> bool {
    number.is_f64()
        && number
            .as_f64()
            .is_some_and(|f| f == 0.0 && f.is_sign_negative())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> Result<String, FieldError> {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        Metadata::new(object).map(|m| m.as_str().to_owned())
    }

    #[test]
    fn keys_are_sorted_and_single_and_zero_has_no_sign() {
        assert_eq!(
            canonical(r#"{"b":1,"a":{"z":-0.0,"y":[-0.0,"x"]},"b":2}"#).unwrap(),
            r#"{"a":{"y":[0.0,"x"],"z":0.0},"b":2}"#
        );
    }

    #[test]
    fn a_nul_becomes_the_replacement_character_in_keys_and_values() {
        assert_eq!(
            canonical("{\"a\\u0000\":\"x\\u0000y\"}").unwrap(),
            "{\"a\u{fffd}\":\"x\u{fffd}y\"}"
        );
    }

    #[test]
    fn depth_is_bounded_at_thirty_two_with_the_entry_counted() {
        let nested =
            |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert!(canonical(&nested(31)).is_ok());
        assert_eq!(canonical(&nested(32)).unwrap_err().field, "metadata");
    }

    #[test]
    fn size_is_bounded_in_the_canonical_form() {
        let sized = |n: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(n));
        assert!(canonical(&sized(limits::METADATA_BYTES - 8)).is_ok());
        assert_eq!(
            canonical(&sized(limits::METADATA_BYTES - 7))
                .unwrap_err()
                .field,
            "metadata"
        );
    }

    #[test]
    fn no_key_means_anything_to_us() {
        let odd = r#"{"a":{"$serde_json::private::RawValue":"not json"},"keep":1}"#;
        let held = Metadata::from_stored(odd.to_owned()).unwrap();
        assert_eq!(Metadata::new(held.to_object()).unwrap().as_str(), odd);
    }

    #[test]
    fn a_row_edited_by_hand_is_one_line_all_the_same() {
        let pretty = "{\n  \"b\": 1,\n  \"a\": 2\n}".to_owned();
        assert_eq!(
            Metadata::from_stored(pretty).unwrap().as_str(),
            r#"{"a":2,"b":1}"#
        );
        assert!(Metadata::from_stored("not json".to_owned()).is_err());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_of_the_canonical_form_is_itself(
            object in prop::collection::btree_map("\\PC{0,4}", json(), 0..5)
        ) {
            let once = Metadata::new(object.into_iter().collect()).unwrap();
            let twice = Metadata::new(once.to_object()).unwrap();
            prop_assert_eq!(once.as_str(), twice.as_str());
        }
    }
}
