//! The OpenAPI description against itself: every example fits the schema that it stands under, and what all
//! routes answer alike is said of all.

use super::harness::TestDaybook;
use super::schema::misfits;
use daybook::http::auth::Need;
use daybook::http::routes::TABLE;
use serde_json::{Value, json};

/// Every content of the description: where it stands, its schema and its examples.
fn contents(document: &Value) -> Vec<(String, Value, Vec<Value>)> {
    let mut found = Vec::new();
    for line in TABLE {
        let operation = operation(document, line.method.as_str(), line.path);
        let at = format!("{} {}", line.method, line.path);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            let given = parameter
                .get("example")
                .or(parameter["schema"].get("example"));
            let at = format!("{at}: parameter {}", parameter["name"]);
            found.push((
                at,
                parameter["schema"].clone(),
                given.cloned().into_iter().collect(),
            ));
        }
        let asked = [("body".to_owned(), &operation["requestBody"])];
        let responses = operation["responses"].as_object().unwrap().iter();
        let answered = responses.map(|(status, response)| (status.clone(), response));
        for (name, held) in asked.into_iter().chain(answered) {
            for (kind, content) in held["content"].as_object().into_iter().flatten() {
                found.push((
                    format!("{at}: {name} {kind}"),
                    content["schema"].clone(),
                    examples(content),
                ));
            }
        }
    }
    found
}

fn examples(content: &Value) -> Vec<Value> {
    let several = content["examples"].as_object().into_iter().flatten();
    let several = several.map(|(_, example)| example["value"].clone());
    let one = content.get("example").cloned();
    several.chain(one).collect()
}

fn operation<'a>(document: &'a Value, method: &str, path: &str) -> &'a Value {
    &document["paths"][path][method.to_lowercase()]
}

fn description() -> Value {
    TestDaybook::start().get("/api/openapi.json").ok()
}

#[test]
fn every_example_fits_its_schema() {
    let document = description();
    let contents = contents(&document);
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (at, schema, examples) in &contents {
        for example in examples {
            checked += 1;
            let misfits = misfits(&document, schema, example);
            wrong.extend(misfits.iter().map(|misfit| format!("{at}: {misfit}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > TABLE.len(), "{checked}");
}

#[test]
fn every_schema_of_its_own_can_be_checked_and_its_example_fits_it() {
    let document = description();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            assert_eq!(misfits(&document, schema, example), [""; 0], "{name}");
        }
    }
}

#[test]
fn every_route_says_how_a_caller_is_known_and_what_is_answered_otherwise() {
    let document = description();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["api_key"]["name"], "X-API-Key");
    assert_eq!(schemes["cookie"]["in"], "cookie");
    let any = json!([{"bearer": []}, {"api_key": []}, {"cookie": []}]);
    for line in TABLE {
        let at = format!("{} {}", line.method, line.path);
        let operation = operation(&document, line.method.as_str(), line.path);
        let says = |status: &str| operation["responses"].get(status).is_some();
        for status in ["400", "406", "408", "414", "421", "431"] {
            assert!(says(status), "{at}: {status}");
        }
        let is_known = line.needs != Need::Open;
        assert_eq!(operation["security"] == any, is_known, "{at}");
        for status in ["401", "403", "429", "503"] {
            assert!(says(status) || !is_known, "{at}: {status}");
        }
        if !operation["requestBody"].is_null() {
            assert!(says("413") && says("415"), "{at}");
        }
    }
}
