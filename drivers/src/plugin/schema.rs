//! Whether a driver's configuration fits the JSON Schema of its descriptor (draft 2020-12).
//!
//! The host asks before `create`, in the child, since the schema is the driver's. It owns the words for people. It must
//! not fetch anything: a schema refers to itself alone.

use serde_json::Value;

/// More faults than these at once help nobody.
const MOST_FAULTS: usize = 8;
/// A fault's longest words: some repeat the value.
const MOST_FAULT_CHARS: usize = 240;

/// Why a configuration is not handed to the driver: `/serial: "COM1" is not of type "integer"`.
pub(crate) type Faults = Vec<String>;

/// Checks `config` against `schema`. A schema that is none is a fault of the driver's, told in the same way.
pub(crate) fn check(schema: &Value, config: &Value) -> Result<(), Faults> {
    let validator = compile(schema).map_err(|fault| vec![fault])?;
    let faults: Faults = validator
        .iter_errors(config)
        .take(MOST_FAULTS)
        .map(|fault| {
            let place = fault.instance_path().to_string();
            // A password must not end up in the log.
            let words = fault.masked_with("what stands there").to_string();
            let words: String = words.chars().take(MOST_FAULT_CHARS).collect();
            if place.is_empty() { words } else { format!("{place}: {words}") }
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether a schema is one.
pub(crate) fn compile(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(schema)
        .map_err(|fault| format!("the descriptor's schema of the configuration is wrong: {fault}"))
}
