//! The shipped tariffs: the reference gives every example that they carry, so that it is itself held against the
//! published rules.

use std::path::{Path, PathBuf};

use tollhouse_core::tariff::model::{TariffFile, Visits};
use tollhouse_core::tariff::parse::parse;

use crate::reference;

#[test]
fn the_reference_gives_the_examples_of_every_shipped_tariff() {
    let mut examples = 0;
    for (path, file) in shipped() {
        // What the reference does not know yet: a cap that several visits share, and free time among several areas.
        let together = file.schemes.iter().flat_map(|scheme| &scheme.caps).any(|cap| cap.visits == Visits::Together);
        for example in file.examples.iter().filter(|example| !together && example.stay.areas.is_empty()) {
            examples += 1;
            let (fee, due) = reference::owed(&file, &example.stay);
            let place = format!("{path} line {}", example.line);
            assert_eq!(fee, example.fee.minor(), "{place}");
            assert!(example.due.is_none_or(|said| said.minor() == due), "{place}: due {due}");
        }
    }
    assert!(examples >= 60, "only {examples} examples were found");
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
