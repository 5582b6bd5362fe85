//! The JSON Schema that every record is held to.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

/// `fixtures/schema.json`.
pub fn schema() -> Validator {
    let schema = fs::read_to_string("fixtures/schema.json").expect("the schema");
    let schema = serde_json::from_str(&schema).expect("a schema in JSON");
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("a schema that is one")
}

/// Holds a listing to the schema.
pub fn assert_valid(schema: &Validator, of: &str, listing: &Value) {
    let errors = schema.iter_errors(listing);
    let errors: Vec<_> = errors.map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{of}:\n{}", errors.join("\n"));
}
