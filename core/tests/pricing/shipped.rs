//! Every tariff file that is shipped gives every example that it carries.

use std::path::Path;
use std::sync::Arc;

use tollhouse_core::money::Money;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook, parse};

/// All of them, by file name.
pub(crate) fn shipped() -> Vec<(String, TariffBook)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../appliance/tariffs");
    let files = std::fs::read_dir(folder).expect("the folder of shipped tariffs");
    let mut books: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a text");
            let file = parse::parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
            (name, TariffBook::of(Plan::new(Arc::new(file)).expect("a plan")))
        })
        .collect();
    books.sort_by(|a, b| a.0.cmp(&b.0));
    books
}

#[test]
fn every_shipped_tariff_gives_its_own_examples() {
    let books = shipped();
    assert!(books.len() >= 9, "the published tariffs and the demo's are shipped");
    let mut wrong = Vec::new();
    for (name, book) in &books {
        let file = book.versions()[0].file();
        assert!(!file.examples.is_empty(), "{name} carries examples");
        for example in &file.examples {
            let facts = StayFacts::from(&example.stay);
            let owed = match book.owed(&facts) {
                Ok(owed) => owed,
                Err(fault) => {
                    wrong.push(format!("{name} line {}: {fault}", example.line));
                    continue;
                }
            };
            let fee = owed.assessment.total;
            let due = example.due.unwrap_or(owed.due);
            let leave_by = example.leave_by.or(owed.leave_by);
            if fee != example.fee || due != owed.due || leave_by != owed.leave_by {
                let lines: Vec<_> = owed.assessment.lines.iter().map(|l| (&l.text.en, l.amount)).collect();
                let expected = (example.fee, example.due, example.leave_by);
                let found = (fee, owed.due, owed.leave_by);
                wrong.push(format!("{name} line {}: {found:?} for {expected:?}: {lines:?}", example.line));
            }
            let sum = owed.assessment.lines.iter().map(|line| line.amount.minor()).sum();
            assert_eq!(fee, Money::new(sum, fee.currency()), "{name} line {}", example.line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
