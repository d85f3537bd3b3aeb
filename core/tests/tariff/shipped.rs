//! The shipped tariffs: the reference gives every example that they carry, so that it is itself held against the
//! published rules, and so with the pieces of docs/tariffs.md.

use std::path::{Path, PathBuf};

use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::parse::parse;

use crate::pieces::pieces;
use crate::reference::{self, Book};

#[test]
fn the_reference_gives_the_examples_of_every_shipped_tariff() {
    let files = shipped();
    let examples: usize = files.iter().map(|(path, file)| all_examples_hold(path, file)).sum();
    assert!(examples >= 90, "only {examples} examples were found");
}

#[test]
fn the_reference_gives_the_examples_of_every_piece_of_the_page() {
    let pieces = pieces();
    let read = |text: &str| parse(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let hold =
        |(line, text): &(usize, String)| all_examples_hold(&format!("docs/tariffs.md, line {line}"), &read(text));
    let examples: usize = pieces.iter().map(hold).sum();
    assert!(examples >= 55, "only {examples} examples were found");
}

fn all_examples_hold(name: &str, file: &TariffFile) -> usize {
    for (number, example) in file.examples.iter().enumerate() {
        let found = reference::owed(Book(std::slice::from_ref(file)), &example.stay);
        let place = format!("{name}, example {} on line {}", number + 1, example.line);
        assert_eq!(found.fee, example.fee.minor(), "{place}");
        assert!(example.due.is_none_or(|said| said.minor() == found.due), "{place}: {found:?}");
        assert!(example.leave_by.is_none_or(|said| Some(said) == found.leave_by), "{place}: {found:?}");
    }
    file.examples.len()
}

/// The tariffs that the project ships, by path.
pub(crate) fn shipped() -> Vec<(String, TariffFile)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../appliance/tariffs");
    let files = std::fs::read_dir(folder).expect("the folder of tariffs").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a text");
        (path.display().to_string(), parse(&text).expect("a tariff"))
    };
    files.into_iter().map(read).collect()
}
