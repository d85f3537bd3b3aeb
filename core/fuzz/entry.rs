//! What the fuzzer calls, and the tests with it: one function for both, so that there is no second truth.
//!
//! Owns what has to hold of any bytes that are read as a tariff. It must not know where they are from.

use std::sync::Arc;

use tollhouse_core::tariff::parse::{Fault, parse, parse_stay};
use tollhouse_core::tariff::proof::failed_examples;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook};

/// Between a tariff and a stay that is read with it.
pub(crate) const THEN_A_STAY: &str = "\n---\n";

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// They are no text.
    Bytes,
    /// The tariff was refused, with reasons in their places.
    Refused,
    /// A tariff, and what it carries was priced.
    Priced,
}

/// Reads bytes as a tariff, and as a stay what follows [`THEN_A_STAY`]. Both may be refused, with a reason in its place.
/// What is accepted can be priced; nothing panics, and no fee is negative or other than the sum of its lines.
pub(crate) fn tariff(body: &[u8]) -> Became {
    let Ok(text) = std::str::from_utf8(body) else { return Became::Bytes };
    let (text, stay) = text.split_once(THEN_A_STAY).unwrap_or((text, ""));
    let file = match parse(text) {
        Ok(file) => Arc::new(file),
        Err(faults) => {
            placed(text, &faults);
            return Became::Refused;
        }
    };
    assert!(!file.schemes.is_empty(), "a tariff without a price");
    let plan = Plan::new(Arc::clone(&file)).expect("the engine takes what the checks pass");
    let book = TariffBook::of(plan);
    // Whether the examples hold is their author's affair; that each can be answered is ours.
    let _ = failed_examples(&file, &book);
    let mut stays: Vec<StayFacts> = file.examples.iter().map(|example| StayFacts::from(&example.stay)).collect();
    match parse_stay(stay, &file) {
        Ok(stay) => stays.push(StayFacts::from(&stay)),
        Err(faults) => placed(stay, &faults),
    }
    for stay in stays {
        // A fee may be too large to be one, or a lost record may reach back before 1970: that is an answer too.
        let Ok(owed) = book.owed(&stay) else { continue };
        let lines = owed.assessment.lines.iter().map(|line| line.amount.minor()).sum::<i64>();
        assert_eq!(lines, owed.assessment.total.minor(), "the lines are not the fee: {stay:?}");
        assert!(lines >= 0 && owed.due.minor() >= 0, "a negative fee: {stay:?}");
    }
    Became::Priced
}

/// There is a reason, and each has its place in the text.
fn placed(text: &str, faults: &[Fault]) {
    assert!(!faults.is_empty(), "refused without a reason");
    let last = text.lines().count() + 1;
    for fault in faults {
        let line = usize::try_from(fault.line).expect("a line");
        assert!((1..=last).contains(&line) && !fault.message.is_empty(), "refused nowhere: {fault:?}");
    }
}
