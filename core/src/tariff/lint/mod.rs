//! The linter: looks for the holes in a tariff before drivers do. It warns and refuses nothing.
//!
//! Owns which holes there are, the search for them and the example stay that shows each. It asks the engine like
//! anybody else and must not know how a fee comes about. It asks in a fixed order and at most [`MOST_QUESTIONS`] times,
//! so that it gives the same answer every time and soon: what it does not find may still be there.

mod asker;
mod cheats;
mod falls;
mod rules;
mod scene;

use chrono::{DateTime, Utc};

use crate::money::Money;
use crate::words::Words;

use super::model::TariffFile;
use asker::Asker;

/// How often the engine is asked for one tariff.
pub const MOST_QUESTIONS: u32 = 30_000;

/// A kind of hole. Its word stands in `[lint] accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hole {
    /// A longer stay costs less.
    LongerCostsLess,
    /// At a boundary the fee rises by more than the tariff's own `[lint] jump`.
    Jump,
    /// Who pays early and lets the exit grace run out pays less than who pays at the exit.
    PayEarly,
    /// Who leaves and comes back pays less than who stays.
    LeaveAndReturn,
    /// A cap without which every stay costs the same.
    CapNeverBinds,
    /// Two rules that give another fee the other way round.
    OrderOfRules,
}

impl Hole {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LongerCostsLess,
        Self::Jump,
        Self::PayEarly,
        Self::LeaveAndReturn,
        Self::CapNeverBinds,
        Self::OrderOfRules,
    ];

    /// The word in files and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LongerCostsLess => "longer_costs_less",
            Self::Jump => "jump",
            Self::PayEarly => "pay_early",
            Self::LeaveAndReturn => "leave_and_return",
            Self::CapNeverBinds => "cap_never_binds",
            Self::OrderOfRules => "order_of_rules",
        }
    }
}

/// A stay that shows a hole, with its fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStay {
    /// What this stay is among the others of its warning.
    pub text: Words,
    /// The kind of vehicle.
    pub vehicle: String,
    /// When it comes.
    pub enter: DateTime<Utc>,
    /// When it leaves.
    pub exit: DateTime<Utc>,
    /// What it costs in all.
    pub fee: Money,
}

/// A hole that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which kind.
    pub hole: Hole,
    /// The line of the rule that makes it; 0 when no single one does.
    pub line: u32,
    /// What it is.
    pub text: Words,
    /// Stays that show it.
    pub stays: Vec<ShownStay>,
    /// Why the tariff's author accepts it (`[lint] accept`).
    pub accepted: Option<String>,
}

/// Looks for holes. Of each kind the worst that was found is told; of caps and rules each one.
pub fn lint(file: &TariffFile) -> Vec<Warning> {
    let Some(asker) = Asker::new(file) else { return Vec::new() };
    let scenes = scene::scenes(file);
    let curves = falls::curves(&asker, &scenes);
    let mut found = Vec::new();
    found.extend(falls::longer_costs_less(&asker, &curves));
    found.extend(falls::jump(&asker, &curves));
    found.extend(cheats::pay_early(&asker, &curves));
    found.extend(cheats::leave_and_return(&asker, &curves));
    found.extend(rules::caps_that_never_bind(&asker, &scenes));
    found.extend(rules::order(&asker, &scenes));
    for warning in &mut found {
        warning.accepted = file.lint.accept.get(warning.hole.as_str()).cloned();
    }
    found
}
