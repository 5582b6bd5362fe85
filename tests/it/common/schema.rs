//! The JSON Schema of all records.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

/// Reads `fixtures/schema.json`.
pub fn schema() -> Validator {
    let schema = fs::read_to_string("fixtures/schema.json").unwrap();
    let schema = serde_json::from_str(&schema).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("fixtures/schema.json should be a JSON Schema")
}

/// Fails if a listing does not match the schema. `what` names the listing in the message.
pub fn assert_valid(schema: &Validator, what: &str, listing: &Value) {
    let errors = schema.iter_errors(listing);
    let errors: Vec<_> = errors.map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{what}:\n{}", errors.join("\n"));
}
