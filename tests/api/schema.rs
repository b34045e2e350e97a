//! The schemas of the OpenAPI description: whether a value fits one, and values that do. A keyword that is not
//! known here is an error, so that nothing is passed over.

use super::dice::Dice;
use serde_json::{Map, Value, json};

/// Keywords that say nothing of what fits, or nothing that is checked.
const REMARKS: [&str; 10] = [
    "description",
    "example",
    "examples",
    "title",
    "format",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "pattern",
];

/// What `$ref` leads to.
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let at = document.pointer(reference.trim_start_matches('#'));
            resolved(
                document,
                at.unwrap_or_else(|| panic!("{reference} leads nowhere")),
            )
        }
        None => schema,
    }
}

/// What of `value` does not fit, each with where it stands.
pub fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let check = Check {
        document,
        is_part: false,
    };
    check.fits(schema, value, "", &mut found);
    found
}

#[derive(Clone, Copy)]
struct Check<'a> {
    document: &'a Value,
    /// Of an `allOf`, of which another part may know the other fields.
    is_part: bool,
}

impl Check<'_> {
    fn fits(self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = resolved(self.document, schema);
        let Some(keywords) = schema.as_object() else {
            // `true`, or none at all, lets everything pass.
            assert!(schema.is_null() || schema.is_boolean(), "{at}: {schema}");
            if schema == &json!(false) {
                found.push(format!("{at} fits nothing"));
            }
            return;
        };
        for (keyword, wanted) in keywords {
            self.keyword(keyword, wanted, (schema, value), at, found);
        }
    }

    fn keyword(
        self,
        keyword: &str,
        wanted: &Value,
        (schema, value): (&Value, &Value),
        at: &str,
        found: &mut Vec<String>,
    ) {
        let size = |text: &str| text.chars().count() as f64;
        let length = value.as_str().map(size);
        let items = value.as_array().map(|items| items.len() as f64);
        let wrong = match keyword {
            "type" => !types(wanted).any(|kind| is_of(kind, value)),
            "enum" => !wanted.as_array().unwrap().contains(value),
            "const" => wanted != value,
            "minimum" => value.as_f64().is_some_and(|n| n < wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_some_and(|n| n > wanted.as_f64().unwrap()),
            "minLength" => length.is_some_and(|n| n < wanted.as_f64().unwrap()),
            "maxLength" => length.is_some_and(|n| n > wanted.as_f64().unwrap()),
            "minItems" => items.is_some_and(|n| n < wanted.as_f64().unwrap()),
            "maxItems" => items.is_some_and(|n| n > wanted.as_f64().unwrap()),
            "required" => return self.required(wanted, value, at, found),
            "properties" => return self.properties(schema, value, at, found),
            "items" => return self.items(wanted, value, at, found),
            "oneOf" | "anyOf" => return self.one_of(keyword, wanted, value, at, found),
            "allOf" => {
                let part = Self {
                    is_part: true,
                    ..self
                };
                let parts = wanted.as_array().unwrap().iter();
                return parts.for_each(|schema| part.fits(schema, value, at, found));
            }
            "additionalProperties" | "propertyNames" => {
                return self.others(keyword, (schema, wanted), value, at, found);
            }
            remark if REMARKS.contains(&remark) => false,
            other => panic!("{at}: the keyword {other} is not known here"),
        };
        if wrong {
            found.push(format!("{at} is {value}, against {keyword}: {wanted}"));
        }
    }

    fn required(self, wanted: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            return;
        };
        for name in wanted.as_array().unwrap() {
            if !object.contains_key(name.as_str().unwrap()) {
                found.push(format!("{at} has no {name}"));
            }
        }
    }

    fn properties(self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let known = &schema["properties"];
        let is_open = self.is_part || !schema["additionalProperties"].is_null();
        let inner = Self {
            is_part: false,
            ..self
        };
        for (name, value) in value.as_object().into_iter().flatten() {
            match known.get(name) {
                Some(schema) => inner.fits(schema, value, &format!("{at}.{name}"), found),
                None if is_open => {}
                None => found.push(format!("{at}.{name} is not in the schema")),
            }
        }
    }

    fn others(
        self,
        keyword: &str,
        (schema, wanted): (&Value, &Value),
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let inner = Self {
            is_part: false,
            ..self
        };
        for (name, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            if keyword == "propertyNames" {
                inner.fits(wanted, &json!(name), &at, found);
            } else if schema["properties"].get(name).is_none() {
                inner.fits(wanted, value, &at, found);
            }
        }
    }

    fn items(self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let inner = Self {
            is_part: false,
            ..self
        };
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            inner.fits(schema, item, &format!("{at}[{n}]"), found);
        }
    }

    fn one_of(
        self,
        keyword: &str,
        schemas: &Value,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let mut misfits = Vec::new();
        let mut fitting = 0;
        for schema in schemas.as_array().unwrap() {
            let mut of_this = Vec::new();
            self.fits(schema, value, at, &mut of_this);
            fitting += usize::from(of_this.is_empty());
            misfits.extend(of_this);
        }
        match fitting {
            0 => found.push(format!(
                "{at} fits none of {keyword}: {}",
                misfits.join("; ")
            )),
            1 => {}
            _ if keyword == "oneOf" => found.push(format!("{at} fits several of oneOf")),
            _ => {}
        }
    }
}

fn types(wanted: &Value) -> impl Iterator<Item = &str> {
    let several = wanted.as_array().into_iter().flatten();
    several
        .chain(wanted.is_string().then_some(wanted))
        .filter_map(Value::as_str)
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

/// A value that fits, or nearly.
pub fn made(dice: &mut Dice, document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    for one_of in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[one_of].as_array() {
            let one = dice.roll(schemas.len());
            return made(dice, document, &schemas[one], depth);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[dice.roll(values.len())].clone();
    }
    if !schema["example"].is_null() && dice.roll(3) > 0 {
        return schema["example"].clone();
    }
    let kinds: Vec<&str> = types(&schema["type"]).collect();
    if depth == 0 || (kinds.is_empty() && schema["allOf"].is_null()) {
        return json!(dice.roll(10));
    }
    let kind = match kinds.as_slice() {
        [] => "object",
        several => several[dice.roll(several.len())],
    };
    match kind {
        "null" => Value::Null,
        "boolean" => json!(dice.roll(2) == 0),
        "integer" | "number" => number(dice, schema),
        "string" => json!(text(dice)),
        "array" => {
            let items =
                (0..dice.roll(4)).map(|_| made(dice, document, &schema["items"], depth - 1));
            items.collect()
        }
        _ => Value::Object(object(dice, document, schema, depth)),
    }
}

fn object(dice: &mut Dice, document: &Value, schema: &Value, depth: usize) -> Map<String, Value> {
    let mut made_of = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Value::Object(part) = made(dice, document, part, depth) {
            made_of.extend(part);
        }
    }
    let required = schema["required"].as_array();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.is_some_and(|required| required.contains(&json!(name)));
        if is_required || dice.roll(2) == 0 {
            made_of.insert(name.clone(), made(dice, document, schema, depth - 1));
        }
    }
    made_of
}

fn number(dice: &mut Dice, schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().unwrap_or(0);
    match dice.roll(8) {
        0 => json!(i64::MAX),
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1.5),
        _ => json!(least + dice.roll(100) as i64),
    }
}

const WORDS: [&str; 16] = [
    "default",
    "x",
    "",
    "24h",
    "2026-11-21T08:00:00Z",
    "info",
    "device",
    "task.*",
    "*",
    "127.0.0.1",
    "http://127.0.0.1:9/",
    "\u{1f4a1} ü",
    "a/b",
    "nul\u{0}",
    "' OR 1=1 --",
    "..",
];

pub fn text(dice: &mut Dice) -> String {
    match dice.roll(20) {
        0 => "l".repeat(dice.roll(6_000)),
        _ => dice.pick(&WORDS).to_owned(),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let document = json!({"components": {"schemas": {"Name": {"type": "string", "maxLength": 3}}}});
    let schema = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "kind": {"type": ["string", "null"], "enum": ["a", null]},
            "either": {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "array", "items": {"type": "boolean"}}]},
            "both": {"allOf": [
                {"type": "object", "required": ["x"], "properties": {"x": {"type": "number"}}},
                {"type": "object", "properties": {"y": {"type": "number"}}},
            ]},
        },
    });
    for right in [
        json!({"name": "abc", "kind": null, "either": 1, "both": {"x": 1.5, "y": 2}}),
        json!({"name": "", "kind": "a", "either": [true]}),
    ] {
        assert_eq!(misfits(&document, &schema, &right), [""; 0]);
    }
    for wrong in [
        json!([]),
        json!({}),
        json!({"name": 1}),
        json!({"name": "abcd"}),
        json!({"name": "a", "kind": "b"}),
        json!({"name": "a", "other": 1}),
        json!({"name": "a", "either": -1}),
        json!({"name": "a", "either": [1]}),
        json!({"name": "a", "both": {"y": 1}}),
        json!({"name": "a", "both": {"x": "1"}}),
    ] {
        assert_ne!(misfits(&document, &schema, &wrong), [""; 0], "{wrong}");
    }
}
