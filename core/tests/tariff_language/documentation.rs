//! The reference of the language: every piece of TOML in it is a tariff that can be read, with examples that hold.

use std::sync::Arc;

use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::parse::parse;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook};

use super::pieces::pieces;
use super::{project, shown};

fn read(line: usize, text: &str) -> TariffFile {
    parse(text).unwrap_or_else(|faults| panic!("docs/tariffs.md, line {line}\n  {}", shown(&faults)))
}

#[test]
fn every_piece_of_the_reference_is_a_tariff_that_gives_its_examples() {
    let pieces = pieces();
    assert!(pieces.len() >= 20, "there are {}", pieces.len());
    let mut wrong = Vec::new();
    for (line, text) in pieces {
        let tariff = read(line, &text);
        assert!(!tariff.examples.is_empty(), "docs/tariffs.md, line {line}: it has no example");
        let examples = tariff.examples.clone();
        let book = TariffBook::of(Plan::new(Arc::new(tariff)).expect("a plan"));
        for (number, example) in examples.iter().enumerate() {
            let owed = book.owed(&StayFacts::from(&example.stay)).expect("a fee");
            let fee = owed.assessment.total;
            let due = example.due.unwrap_or(owed.due);
            let leave_by = example.leave_by.or(owed.leave_by);
            if (fee, owed.due, owed.leave_by) != (example.fee, due, leave_by) {
                let found = (fee, owed.due, owed.leave_by);
                wrong.push(format!("line {line}, example {}: {found:?}, not {:?}", number + 1, example.fee));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/tariffs.md\n  {}", wrong.join("\n  "));
}

#[test]
fn the_reference_names_every_key_of_the_language() {
    let page = std::fs::read_to_string(project("docs/tariffs.md")).expect("the page");
    for (table, keys) in tollhouse_core::tariff::parse::TABLES {
        for key in *keys {
            let named =
                [format!("`{key}`"), format!("`{key} ="), format!("{key} ="), format!("[{key}]"), format!(".{key}")];
            assert!(named.iter().any(|form| page.contains(form.as_str())), "{table}.{key} is not in docs/tariffs.md");
        }
    }
}
