//! Holds a tariff to what its file promises: the examples that it carries, and its claims.
//!
//! Owns the comparison. It must not know how a fee comes about, and shows nothing to anybody.

use super::lint::{self, Hole, Warning};
use super::model::{Claim, Example, TariffFile};
use super::{StayFacts, TariffBook};
use crate::words::Words;

/// A promise that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line of the file where it is promised; 0 when no single one is to blame.
    pub line: u32,
    /// What was promised and what is.
    pub text: Words,
}

/// The examples that the tariff fails. `book` has its versions.
pub fn failed_examples(file: &TariffFile, book: &TariffBook) -> Vec<Broken> {
    file.examples.iter().filter_map(|example| failed(example, file, book)).collect()
}

fn failed(example: &Example, file: &TariffFile, book: &TariffBook) -> Option<Broken> {
    let broken = |zh: String, en: String| Some(Broken { line: example.line, text: Words::new(zh, en) });
    let facts = StayFacts::from(&example.stay);
    let owed = match book.owed(&facts) {
        Ok(owed) => owed,
        Err(error) => {
            return broken(format!("此例无法计价：{error}"), format!("this example cannot be priced: {error}"));
        }
    };
    let total = owed.assessment.total;
    if total != example.fee {
        let (said, is) = (example.fee, total);
        return broken(
            format!("此例写明费用{said}，但按规则为{is}"),
            format!("this example says a fee of {said}, but the rules make it {is}"),
        );
    }
    if let Some(said) = example.due.filter(|due| *due != owed.due) {
        let is = owed.due;
        return broken(
            format!("此例写明应付{said}，但按规则为{is}"),
            format!("this example says {said} is due, but by the rules it is {is}"),
        );
    }
    if let Some(said) = example.leave_by.filter(|leave_by| Some(*leave_by) != owed.leave_by) {
        let local = |at: chrono::DateTime<chrono::Utc>| {
            at.with_timezone(&file.time_zone).format("%Y-%m-%d %H:%M:%S").to_string()
        };
        let said = local(said);
        let is = owed.leave_by.map_or_else(|| "-".to_owned(), local);
        return broken(
            format!("此例写明最晚离场时间{said}，但按规则为{is}"),
            format!("this example says leave by {said}, but by the rules it is {is}"),
        );
    }
    None
}

/// The claims that the linter has found to be untrue.
pub fn broken_claims(file: &TariffFile, warnings: &[Warning]) -> Vec<Broken> {
    let falls = warnings.iter().any(|warning| warning.hole == Hole::LongerCostsLess);
    let claimed = file.claims.contains(&Claim::NeverDecreasing);
    if !(claimed && falls) {
        return Vec::new();
    }
    let text = Words::new(
        "声明 never_decreasing 不成立：停得更久反而更便宜（见下）",
        "the claim never_decreasing is untrue: a longer stay costs less, as shown below",
    );
    vec![Broken { line: 0, text }]
}

/// The linter's warnings, with the claims that they break.
pub fn linted(file: &TariffFile) -> (Vec<Warning>, Vec<Broken>) {
    let warnings = lint::lint(file);
    let broken = broken_claims(file, &warnings);
    (warnings, broken)
}
