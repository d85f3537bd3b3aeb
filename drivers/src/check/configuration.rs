//! Configurations made from a driver's JSON Schema: a plain one, plain ones that differ, and strange ones that fit.
//!
//! It owns the choice of values and finds the names of devices in them. It must not know any one driver.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::plugin::schema;

/// How deep a schema is followed.
const MOST_DEPTH: u32 = 8;
/// A long text where a schema sets no limit.
const LONG_CHARS: usize = 1500;
/// So often a strange configuration is made anew when it does not fit.
const MOST_TRIES: u32 = 40;

/// What kind of values is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taste {
    /// The first example or default.
    Plain,
    /// Any example; what may be missing is missing at times.
    Varied,
    /// The ends of every range, and texts that nobody writes.
    Strange,
}

/// The configuration that every check begins with; why there is none.
pub(crate) fn plain(schema: &Value) -> Result<Value, String> {
    let made = make(schema, schema, "", Taste::Plain, &mut Rng::with_seed(0), 0);
    schema::check(schema, &made).map(|()| made).map_err(|faults| faults.join("; "))
}

/// Another one that people might write.
pub(crate) fn varied(schema: &Value, chance: &mut Rng) -> Option<Value> {
    fitting(schema, Taste::Varied, chance)
}

/// One that fits the schema and that nobody would write.
pub(crate) fn strange(schema: &Value, chance: &mut Rng) -> Option<Value> {
    fitting(schema, Taste::Strange, chance)
}

fn fitting(schema: &Value, taste: Taste, chance: &mut Rng) -> Option<Value> {
    (0..MOST_TRIES).map(|_| make(schema, schema, "", taste, chance, 0)).find(|made| schema::check(schema, made).is_ok())
}

/// The names of devices in a configuration: where the schema says so, else where a field is called so.
pub(crate) fn devices(schema: &Value, config: &Value) -> Vec<String> {
    let (mut marked, mut named) = (Vec::new(), Vec::new());
    collect(schema, schema, config, "", &mut marked, &mut named, 0);
    let mut found = if marked.is_empty() { named } else { marked };
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found
}

fn collect(
    root: &Value,
    schema: &Value,
    config: &Value,
    name: &str,
    marked: &mut Vec<String>,
    named: &mut Vec<String>,
    depth: u32,
) {
    if depth > MOST_DEPTH {
        return;
    }
    let schema = resolved(root, schema);
    for part in ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten() {
        collect(root, part, config, name, marked, named, depth + 1);
    }
    match config {
        Value::String(text) if schema["format"] == "tollhouse-device" => marked.push(text.clone()),
        Value::String(text) if name.starts_with("device") => named.push(text.clone()),
        Value::Object(fields) => {
            for (key, value) in fields {
                // `"devices": {"camera": "cam-in-2"}`: what stands below `devices` are devices.
                let name = if name.starts_with("device") { name } else { key };
                let below = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
                collect(root, below, value, name, marked, named, depth + 1);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect(root, &schema["items"], item, name, marked, named, depth + 1);
            }
        }
        _ => {}
    }
}

/// Follows `$ref` within the schema.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let place = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| root.pointer(place)).unwrap_or(schema)
}

fn make(root: &Value, schema: &Value, name: &str, taste: Taste, chance: &mut Rng, depth: u32) -> Value {
    let schema = resolved(root, schema);
    if depth > MOST_DEPTH {
        return Value::Null;
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array).filter(|choices| !choices.is_empty()) {
        let place = if taste == Taste::Plain { 0 } else { chance.usize(..choices.len()) };
        return choices[place].clone();
    }
    if schema["format"] == "tollhouse-device" {
        return device_name(name).into();
    }
    if taste != Taste::Strange
        && let Some(example) = example(schema, taste, chance)
    {
        return example;
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(ways) = schema.get(key).and_then(Value::as_array).filter(|ways| !ways.is_empty()) {
            let place = if taste == Taste::Plain { 0 } else { chance.usize(..ways.len()) };
            let way = make(root, &ways[place], name, taste, chance, depth + 1);
            return match (object(root, schema, taste, chance, depth), way) {
                (Value::Object(mut fields), Value::Object(more)) => {
                    fields.extend(more);
                    Value::Object(fields)
                }
                (_, way) => way,
            };
        }
    }
    match type_of(schema) {
        "object" => object(root, schema, taste, chance, depth),
        "array" => array(root, schema, name, taste, chance, depth),
        "string" => text(schema, name, taste, chance),
        "integer" => integer(schema, taste, chance).into(),
        "number" => number(schema, taste, chance),
        "boolean" => (taste != Taste::Plain && chance.bool()).into(),
        _ => Value::Null,
    }
}

fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => names.iter().find_map(Value::as_str).unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn example(schema: &Value, taste: Taste, chance: &mut Rng) -> Option<Value> {
    let examples = schema.get("examples").and_then(Value::as_array).filter(|examples| !examples.is_empty());
    match (taste, examples) {
        (Taste::Varied, Some(examples)) => Some(examples[chance.usize(..examples.len())].clone()),
        (_, Some(examples)) => schema.get("default").or(examples.first()).cloned(),
        (_, None) => schema.get("default").cloned(),
    }
}

fn object(root: &Value, schema: &Value, taste: Taste, chance: &mut Rng, depth: u32) -> Value {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let wanted = required.contains(&name.as_str())
            || match taste {
                // What the console would fill in, and every device.
                Taste::Plain => {
                    property.get("default").is_some() || resolved(root, property)["format"] == "tollhouse-device"
                }
                Taste::Varied | Taste::Strange => chance.bool(),
            };
        if wanted {
            fields.insert(name.clone(), make(root, property, name, taste, chance, depth + 1));
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Value::Object(more) = make(root, part, "", taste, chance, depth + 1) {
            fields.extend(more);
        }
    }
    Value::Object(fields)
}

fn array(root: &Value, schema: &Value, name: &str, taste: Taste, chance: &mut Rng, depth: u32) -> Value {
    let (least, most) = (schema["minItems"].as_u64().unwrap_or(0), schema["maxItems"].as_u64().unwrap_or(8).min(64));
    let count = match taste {
        Taste::Plain => least.max(1).min(most.max(least)),
        Taste::Varied => chance.u64(least..=most.max(least).min(least + 3)),
        Taste::Strange => *chance.choice([least, most.max(least)].iter()).unwrap_or(&least),
    };
    (0..count).map(|_| make(root, &schema["items"], name, taste, chance, depth + 1)).collect()
}

fn text(schema: &Value, name: &str, taste: Taste, chance: &mut Rng) -> Value {
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0);
    let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(LONG_CHARS);
    if schema.get("pattern").is_some() || taste != Taste::Strange {
        let plain = match schema["format"].as_str() {
            Some("ipv4") => "127.0.0.1",
            Some("ipv6") => "::1",
            Some("hostname") => "localhost",
            Some("uri") => "http://127.0.0.1/",
            _ if name.starts_with("device") => device_name(name),
            _ if ["host", "address"].iter().any(|word| name.contains(word)) => "127.0.0.1",
            _ => "text",
        };
        let filled: String =
            plain.chars().chain(std::iter::repeat('x')).take(plain.len().max(least).min(most)).collect();
        // Where only examples can tell what fits, one of them.
        return example(schema, taste, chance).unwrap_or_else(|| filled.into());
    }
    let alphabets = ["x", "粤", "\\", "\"", "%s%n", "🚗", "\u{0}", " ", "../"];
    let letters = chance.choice(alphabets.iter()).copied().unwrap_or("x");
    let length = *chance.choice([least, most.min(LONG_CHARS), most.min(65), least.max(1)].iter()).unwrap_or(&least);
    letters.chars().cycle().take(length.clamp(least, most.max(least))).collect::<String>().into()
}

fn integer(schema: &Value, taste: Taste, chance: &mut Rng) -> i64 {
    let least = schema["minimum"].as_i64().or(schema["exclusiveMinimum"].as_i64().map(|least| least.saturating_add(1)));
    let most = schema["maximum"].as_i64().or(schema["exclusiveMaximum"].as_i64().map(|most| most.saturating_sub(1)));
    let (low, high) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
    match taste {
        Taste::Strange => *chance.choice([low, high, 0, -1, 1].iter()).unwrap_or(&low),
        Taste::Plain | Taste::Varied => least.unwrap_or(1).max(1.min(high)).min(high),
    }
}

fn number(schema: &Value, taste: Taste, chance: &mut Rng) -> Value {
    let (low, high) = (schema["minimum"].as_f64().unwrap_or(-1e300), schema["maximum"].as_f64().unwrap_or(1e300));
    match taste {
        Taste::Strange => json!(*chance.choice([low, high, 0.0].iter()).unwrap_or(&low)),
        Taste::Plain | Taste::Varied => json!(1_f64.clamp(low, high.max(low))),
    }
}

/// A name for a device, after what the field is called.
fn device_name(field: &str) -> &'static str {
    let names = [
        ("cam", "cam-in-1"),
        ("barrier", "gate-in-1"),
        ("gate", "gate-in-1"),
        ("display", "display-in-1"),
        ("screen", "display-in-1"),
        ("voice", "voice-in-1"),
        ("loop", "loop-in-1"),
        ("reader", "reader-in-1"),
        ("light", "light-in-1"),
    ];
    names.iter().find(|(word, _)| field.contains(word)).map_or("device-in-1", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "required": ["devices", "host"], "additionalProperties": false,
            "properties": {
                "devices": {"type": "object", "required": ["barrier"], "properties": {
                    "barrier": {"$ref": "#/$defs/device"}, "loop": {"$ref": "#/$defs/device"}}},
                "host": {"type": "string", "maxLength": 40, "examples": ["192.0.2.1"]},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 502},
                "mode": {"enum": ["tcp", "rtu"]},
                "relays": {"type": "array", "maxItems": 4, "items": {"type": "integer", "minimum": 0, "maximum": 15}}},
            "$defs": {"device": {"type": "string", "format": "tollhouse-device"}}})
    }

    #[test]
    fn the_plain_configuration_takes_examples_and_defaults_and_names_the_devices() {
        let plain = plain(&schema()).expect("it fits");
        let devices_wanted = json!({"barrier": "gate-in-1", "loop": "loop-in-1"});
        assert_eq!(plain, json!({"devices": devices_wanted, "host": "192.0.2.1", "port": 502}));
        assert_eq!(devices(&schema(), &plain), ["gate-in-1", "loop-in-1"]);
    }

    #[test]
    fn every_configuration_that_is_made_fits_and_strange_ones_reach_the_ends() {
        let mut chance = Rng::with_seed(7);
        let (mut shortest, mut longest, mut ports) = (99, 0, std::collections::BTreeSet::new());
        for _ in 0..200 {
            assert!(varied(&schema(), &mut chance).is_some());
            let strange = strange(&schema(), &mut chance).expect("it fits");
            let host = strange["host"].as_str().expect("required").chars().count();
            (shortest, longest) = (host.min(shortest), host.max(longest));
            ports.extend(strange["port"].as_i64());
        }
        assert_eq!((shortest, longest), (0, 40));
        assert!(ports.contains(&1) && ports.contains(&65535) && ports.iter().all(|port| *port > 0));
    }

    #[test]
    fn the_same_seed_makes_the_same_configurations() {
        let made = |seed| {
            let mut chance = Rng::with_seed(seed);
            (0..20).map(|_| strange(&schema(), &mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(made(3), made(3));
        assert_ne!(made(3), made(4));
    }

    #[test]
    fn without_marks_a_device_is_known_by_its_field() {
        let schema = json!({"type": "object"});
        assert_eq!(devices(&schema, &json!({"device": "gate-in-2", "host": "x"})), ["gate-in-2"]);
        let below = json!({"devices": {"camera": "cam-in-2", "barrier": "gate-in-2"}});
        assert_eq!(devices(&schema, &below), ["gate-in-2", "cam-in-2"], "in the order of the object's keys");
    }
}
