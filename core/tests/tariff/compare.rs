//! Holds the engine against the reference, one case at a time.

use std::sync::Arc;

use tollhouse_core::tariff::model::{TariffFile, WrittenStay};
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

/// What the engine is given: the versions of a tariff, and a stay.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) versions: Vec<TariffFile>,
    pub(crate) stay: WrittenStay,
}

/// A case that the checks let pass, with what the reference makes of it.
pub(crate) struct Known {
    pub(crate) given: Given,
    owed: Owed,
}

pub(crate) fn known(case: &Case) -> Option<Known> {
    let versions: Option<Vec<_>> = case.tariffs.iter().map(|text| parse(text).ok()).collect();
    let given = Given { versions: versions?, stay: case.stay.clone() };
    let owed = reference::owed(Book(&given.versions), &given.stay);
    Some(Known { given, owed })
}

pub(crate) fn compare(case: &Case) -> Outcome {
    known(case).map_or(Outcome::Refused, |known| known.hold_against(&known.given))
}

impl Known {
    /// What the engine makes of it, or of the same with a fault in it.
    pub(crate) fn hold_against(&self, given: &Given) -> Outcome {
        let plans = given.versions.iter().map(|file| Plan::new(Arc::new(file.clone()))).collect::<Result<Vec<_>, _>>();
        let book = match plans.and_then(TariffBook::new) {
            Ok(book) => book,
            Err(error) => return Outcome::Differ(format!("the engine refuses the tariff: {error}")),
        };
        let owed = match book.owed(&StayFacts::from(&given.stay)) {
            Ok(owed) => owed,
            Err(error) => return Outcome::Differ(format!("the engine refuses the stay: {error}")),
        };
        let lines: i64 = owed.assessment.lines.iter().map(|line| line.amount.minor()).sum();
        let fee = owed.assessment.total.minor();
        if lines != fee {
            return Outcome::Differ(format!("the lines sum to {lines}, not to {}", owed.assessment.total));
        }
        let (engine, found) = (Owed { fee, due: owed.due.minor(), leave_by: owed.leave_by }, &self.owed);
        if engine == *found {
            return Outcome::Agree;
        }
        let lines = owed.assessment.lines.iter().map(|line| format!("  {} {} {}", line.from, line.rule, line.amount));
        let lines = lines.collect::<Vec<_>>().join("\n");
        Outcome::Differ(format!("engine {engine:?}, reference {found:?}\nthe engine's lines:\n{lines}"))
    }
}
