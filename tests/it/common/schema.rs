//! The JSON Schema of all records.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

/// Reads `fixtures/schema.json`. The schema allows additional properties, which later versions can
/// have, but the tests do not.
pub fn schema() -> Validator {
    let schema = fs::read_to_string("fixtures/schema.json").unwrap();
    let mut schema = serde_json::from_str(&schema).unwrap();
    forbid_others(&mut schema);
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("fixtures/schema.json should be a JSON Schema")
}

/// Forbids properties of objects that the schema does not describe.
fn forbid_others(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(forbid_others);
            if object.get("type") == Some(&"object".into()) {
                object.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(forbid_others),
        _ => {}
    }
}

/// Fails if a listing does not match the schema. `what` names the listing in the message.
pub fn assert_valid(schema: &Validator, what: &str, listing: &Value) {
    let errors = schema.iter_errors(listing);
    let errors: Vec<_> = errors.map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{what}:\n{}", errors.join("\n"));
}
