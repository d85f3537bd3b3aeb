//! Holds the engine against the reference, one case at a time.

use std::sync::Arc;

use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::parse::parse;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook};

use crate::generate::Case;
use crate::reference::{self, Book, Owed};

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
    let mut versions = Vec::new();
    for text in &case.tariffs {
        let Ok(file) = parse(text) else { return Outcome::Refused };
        versions.push(file);
    }
    let given = versions.iter().cloned().map(|mut file| {
        plant(&mut file);
        Plan::new(Arc::new(file))
    });
    let book = match given.collect::<Result<Vec<_>, _>>().and_then(TariffBook::new) {
        Ok(book) => book,
        Err(error) => return Outcome::Differ(format!("the engine refuses the tariff: {error}")),
    };
    let owed = match book.owed(&StayFacts::from(&case.stay)) {
        Ok(owed) => owed,
        Err(error) => return Outcome::Differ(format!("the engine refuses the stay: {error}")),
    };
    let lines: i64 = owed.assessment.lines.iter().map(|line| line.amount.minor()).sum();
    let fee = owed.assessment.total.minor();
    if lines != fee {
        return Outcome::Differ(format!("the lines sum to {lines}, not to {}", owed.assessment.total));
    }
    let engine = Owed { fee, due: owed.due.minor(), leave_by: owed.leave_by };
    let found = reference::owed(Book(&versions), &case.stay);
    if engine == found {
        return Outcome::Agree;
    }
    let lines = owed.assessment.lines.iter().map(|line| format!("  {} {} {}", line.from, line.rule, line.amount));
    let lines = lines.collect::<Vec<_>>().join("\n");
    Outcome::Differ(format!("engine {engine:?}, reference {found:?}\nthe engine's lines:\n{lines}"))
}
