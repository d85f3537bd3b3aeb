//! The language of tariffs from outside: the shipped files, the documentation, the schema, and what is refused.

mod documentation;
mod fuzzed;
mod mutants;
#[path = "../tariff/pieces.rs"]
mod pieces;
mod refused;
mod schema;
mod shipped;

use std::path::{Path, PathBuf};

/// A path inside the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder with their text, in order.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = project(folder);
    let mut found: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    found.sort();
    found
}

/// Faults as they are shown to a person.
fn shown(faults: &[tollhouse_core::tariff::parse::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}
