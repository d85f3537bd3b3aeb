//! The JSON Schema says what the parser does: the same tables, the same keys, the same words; and JSON means the same as TOML.

use std::collections::BTreeSet;

use serde_json::Value;
use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::parse::{TABLES, parse, parse_stay};

use super::{files, project, shown};

fn schema() -> Value {
    let text = std::fs::read_to_string(project("docs/tariff.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("the schema is JSON")
}

pub(crate) fn json_of(toml: &str) -> Value {
    let table: toml::Table = toml.parse().expect("TOML");
    serde_json::to_value(table).expect("a tariff has no value that JSON lacks")
}

#[test]
fn the_schema_has_the_tables_and_keys_of_the_parser_and_no_others() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    let keys = |table: &Value| -> BTreeSet<String> {
        table["properties"].as_object().expect("properties").keys().cloned().collect()
    };
    for (name, known) in TABLES {
        let known: BTreeSet<String> = known.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(keys(&definitions[*name]), known, "{name}");
        assert_eq!(definitions[*name]["additionalProperties"], Value::Bool(false), "{name}");
    }
    for (name, definition) in definitions.iter().filter(|(_, definition)| definition["properties"].is_object()) {
        assert!(TABLES.iter().any(|(table, _)| table == name), "the parser has no table {name}: {definition}");
    }
}

#[test]
fn every_shipped_tariff_holds_to_the_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    for (name, text) in files("appliance/tariffs") {
        let faults: Vec<String> =
            validator.iter_errors(&json_of(&text)).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{name}\n{}", faults.join("\n"));
    }
}

#[test]
fn a_key_or_word_that_the_parser_refuses_is_refused_by_the_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    let refused = [
        "unknown-key",
        "price-not-in-quotes",
        "price-negative",
        "price-with-seven-places",
        "window-not-a-time",
        "days-unknown",
        "choice-unknown",
        "currency-unknown",
        "cheapest-of-one",
        "three-at-once",
    ];
    for name in refused {
        let path = project(&format!("core/tests/tariff_language/broken/{name}.toml"));
        let text = std::fs::read_to_string(path).expect("a broken tariff");
        assert!(!validator.is_valid(&json_of(&text)), "{name}");
    }
}

/// Every word of every choice in the schema, with the table and key it stands at.
fn choices(schema: &Value) -> Vec<(String, String, Vec<String>)> {
    let mut found = Vec::new();
    for (table, definition) in schema["$defs"].as_object().expect("definitions") {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            if let Some(words) = property["enum"].as_array() {
                let words = words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect();
                found.push((table.clone(), key.clone(), words));
            }
        }
    }
    found
}

/// A file in which the table stands, with that word at the key; other faults do not matter here.
fn file_with(table: &str, key: &str, word: &str) -> String {
    let line = format!("{key} = \"{word}\"");
    let head = "id = \"a\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\n";
    match table {
        "file" | "scheme" => format!("{head}{line}\n"),
        "step" => format!("{head}[[rate]]\nsteps = [{{ per = \"1h\", price = \"1.00\", {line} }}]\n"),
        "offer" => {
            let steps = "steps = [{ until = \"1h\", total = \"1.00\" }]";
            format!("{head}[[rate]]\ncheapest = [{{ {steps}, {line} }}, {{ flat = \"1.00\" }}]\n")
        }
        "rate" if key == "clock" => format!("{head}[[rate]]\nprice = \"free\"\n{line}\n"),
        "rate" => format!("{head}[[rate]]\nsteps = [{{ until = \"1h\", per = \"1h\", price = \"1.00\" }}]\n{line}\n"),
        "cap" | "adjust" => format!("{head}[[rate]]\nprice = \"free\"\n[[{table}]]\n{line}\n"),
        "example" => format!(
            "{head}[[rate]]\nprice = \"free\"\n[[example]]\nenter = \"2026-01-01 00:00\"\nexit = \"2026-01-01 00:00\"\n{line}\n"
        ),
        table => format!("{head}[[rate]]\nprice = \"free\"\n[{table}]\n{line}\n"),
    }
}

#[test]
fn every_word_that_the_schema_offers_is_one_that_the_parser_takes() {
    let choices = choices(&schema());
    assert!(choices.len() > 20, "{}", choices.len());
    let told_at = |text: &str, key: &str| {
        let faults = parse(text).err().unwrap_or_default();
        let at_key = |path: &str| path == key || path.ends_with(&format!(".{key}"));
        let wrong = |message: &str| message.contains("is none of") || message.contains("cannot be read");
        faults.iter().any(|fault| at_key(&fault.path) && wrong(&fault.message))
    };
    for (table, key, words) in choices {
        for word in &words {
            let text = file_with(&table, &key, word);
            assert!(!told_at(&text, &key), "{table}.{key} = {word}");
        }
        assert!(told_at(&file_with(&table, &key, "nonsense"), &key), "{table}.{key} takes nonsense");
    }
}

/// The same tariff as if it came from nowhere: where its parts stood does not matter.
fn without_lines(mut tariff: TariffFile) -> TariffFile {
    for scheme in &mut tariff.schemes {
        scheme.line = 0;
        scheme.rates.iter_mut().for_each(|rate| rate.line = 0);
        scheme.caps.iter_mut().for_each(|cap| cap.line = 0);
        scheme.adjusts.iter_mut().for_each(|adjust| adjust.line = 0);
    }
    tariff.examples.iter_mut().for_each(|example| example.line = 0);
    tariff
}

#[test]
fn a_tariff_means_the_same_as_json_and_as_toml() {
    for (name, text) in files("appliance/tariffs") {
        let as_toml = parse(&text).unwrap_or_else(|faults| panic!("{name}\n  {}", shown(&faults)));
        let json = json_of(&text).to_string();
        let as_json = parse(&json).unwrap_or_else(|faults| panic!("{name} as JSON\n  {}", shown(&faults)));
        assert_eq!(without_lines(as_toml), without_lines(as_json), "{name}");
    }
}

#[test]
fn a_stay_alone_is_read_with_the_keys_of_an_example() {
    let (_, text) =
        files("appliance/tariffs").into_iter().find(|(name, _)| name == "nested-court.toml").expect("it is there");
    let tariff = parse(&text).expect("a tariff");
    let stay = r#"{"enter": "2026-03-02 08:00", "exit": "2026-03-02T12:00:00+08:00", "colour": "green",
        "areas": [{"area": "court", "enter": "2026-03-02 09:00", "exit": "2026-03-02 10:30"}],
        "earlier": [{"enter": "2026-03-01 08:00", "exit": "2026-03-01 09:00", "paid": "3.00"}],
        "payments": [{"at": "2026-03-02 09:00"}], "calendar": {"holidays": ["2026-03-02"]}, "lost": true}"#;
    let stay = parse_stay(stay, &tariff).unwrap_or_else(|faults| panic!("{}", shown(&faults)));
    assert_eq!((stay.exit - stay.enter).num_hours(), 4);
    assert_eq!((stay.areas.len(), stay.earlier.len(), stay.payments.len()), (1, 1, 1));
    assert!(stay.calendar.is_some_and(|calendar| calendar.holidays.len() == 1));
    let faults = parse_stay("enter = \"2026-03-02 08:00\"\nfee = \"1.00\"\n", &tariff).expect_err("no exit, and a fee");
    assert_eq!(faults.len(), 2, "{}", shown(&faults));
}
