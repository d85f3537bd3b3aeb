//! Holds the engine against the reference, one case at a time.

use std::sync::Arc;

use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::parse::parse;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook};

use crate::generate::Case;
use crate::reference;

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file's checks refuse the tariff, as they may: there is nothing to price.
    Refused,
    /// Both say the same.
    Agree,
    /// They do not, or the engine refuses what the checks let pass.
    Differ(String),
}

/// A fault that is planted in what the engine is given; `Sound` where nothing was there to be spoilt.
pub(crate) type Plant = fn(&mut TariffFile) -> Planted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Spoilt,
    Sound,
}

/// The engine as it is.
pub(crate) fn nothing(_: &mut TariffFile) -> Planted {
    Planted::Sound
}

pub(crate) fn compare(case: &Case, plant: Plant) -> Outcome {
    let Ok(file) = parse(&case.tariff) else { return Outcome::Refused };
    let mut given = file.clone();
    plant(&mut given);
    let book = match Plan::new(Arc::new(given)).and_then(|plan| TariffBook::new(vec![plan])) {
        Ok(book) => book,
        Err(error) => return Outcome::Differ(format!("the engine refuses the tariff: {error}")),
    };
    let owed = match book.owed(&StayFacts::from(&case.stay)) {
        Ok(owed) => owed,
        Err(error) => return Outcome::Differ(format!("the engine refuses the stay: {error}")),
    };
    let lines: i64 = owed.assessment.lines.iter().map(|line| line.amount.minor()).sum();
    if lines != owed.assessment.total.minor() {
        return Outcome::Differ(format!("the lines sum to {lines}, not to {}", owed.assessment.total));
    }
    let (fee, due) = reference::owed(&file, &case.stay);
    let engine = (owed.assessment.total.minor(), owed.due.minor());
    if engine == (fee, due) {
        return Outcome::Agree;
    }
    let lines = owed.assessment.lines.iter().map(|line| format!("  {} {} {}", line.from, line.rule, line.amount));
    let lines = lines.collect::<Vec<_>>().join("\n");
    Outcome::Differ(format!("engine {engine:?}, reference {:?} (fee, due)\nthe engine's lines:\n{lines}", (fee, due)))
}
