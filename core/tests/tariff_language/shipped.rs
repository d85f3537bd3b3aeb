//! The tariffs that come with the box.

use std::fmt::Write as _;

use tollhouse_core::tariff::parse::parse;

use super::{files, shown};

#[test]
fn every_shipped_tariff_can_be_read_and_says_where_it_is_from() {
    let files = files("appliance/tariffs");
    assert!(files.len() >= 18, "the eight published tariffs and ten more, but there are {}", files.len());
    let mut refused = String::new();
    for (name, text) in files {
        let tariff = match parse(&text) {
            Ok(tariff) => tariff,
            Err(faults) => {
                let _ = writeln!(refused, "{name}\n  {}", shown(&faults));
                continue;
            }
        };
        assert_eq!(name, format!("{}.toml", tariff.id), "the file is named by its id");
        assert!(tariff.source.is_some(), "{name} says where its prices are from");
        assert!(tariff.examples.len() >= 3, "{name} has {} examples", tariff.examples.len());
        for example in &tariff.examples {
            assert!(example.note.is_some(), "{name}, line {}: an example says how it is reckoned", example.line);
        }
    }
    assert!(refused.is_empty(), "{refused}");
}
