//! The tariffs that come with the box.

use tollhouse_core::tariff::parse::parse;

use super::{files, shown};

#[test]
fn every_shipped_tariff_can_be_read_and_says_where_it_is_from() {
    let files = files("appliance/tariffs");
    assert!(files.len() >= 8, "the eight published tariffs and ten more, but there are {}", files.len());
    for (name, text) in files {
        let tariff = parse(&text).unwrap_or_else(|faults| panic!("{name}\n  {}", shown(&faults)));
        assert_eq!(name, format!("{}.toml", tariff.id), "the file is named by its id");
        assert!(tariff.source.is_some(), "{name} says where its prices are from");
        assert!(tariff.examples.len() >= 3, "{name} has {} examples", tariff.examples.len());
        for example in &tariff.examples {
            assert!(example.note.is_some(), "{name}, line {}: an example says how it is reckoned", example.line);
        }
    }
}
