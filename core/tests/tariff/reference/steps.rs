//! Which step a position stands in, and what it costs.

use tollhouse_core::tariff::model::{After, Step, StepPrice, Steps, Units};

use super::exact::Exact;

/// What holds at a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Here {
    Units { per: i64, price: Exact, units: Units, tolerance: i64 },
    Band { cost: Exact, ends: Option<i64> },
    Nothing,
}

pub(crate) struct Found {
    /// Counts on over laps and repeated last steps.
    pub(crate) number: usize,
    pub(crate) here: Here,
}

/// What the first `count` steps come to when each is used up.
fn cost_of_first(steps: &[Step], count: usize) -> Exact {
    let mut sum = Exact::ZERO;
    let mut begins = 0;
    for step in &steps[..count] {
        let ends = step.until.expect("only the last step has no end").seconds();
        match step.price {
            StepPrice::Total(total) => sum = Exact::price(total),
            StepPrice::Units { per, price, .. } => {
                let count = i128::from((ends - begins) / per.seconds());
                sum = sum + Exact::price(price) * Exact::ratio(count, 1);
            }
        }
        begins = ends;
    }
    sum
}

fn here(steps: &[Step], place: usize, shift: i64) -> Here {
    match steps[place].price {
        StepPrice::Units { per, price, units, tolerance } => {
            Here::Units { per: per.seconds(), price: Exact::price(price), units, tolerance: tolerance.seconds() }
        }
        StepPrice::Total(total) => Here::Band {
            cost: Exact::price(total) - cost_of_first(steps, place),
            ends: steps[place].until.map(|until| until.seconds() + shift),
        },
    }
}

pub(crate) fn step_at(rule: &Steps, position: i64) -> Found {
    let steps = &rule.steps;
    let found = |position: i64| steps.iter().position(|step| step.until.is_none_or(|until| position < until.seconds()));
    if let Some(place) = found(position) {
        return Found { number: place, here: here(steps, place, 0) };
    }
    let last = steps.len() - 1;
    let end = steps[last].until.expect("an endless step holds always").seconds();
    match rule.after {
        After::Restart => {
            let lap = position / end;
            let place = found(position % end).expect("inside the lap");
            let number = usize::try_from(lap).expect("few laps") * steps.len() + place;
            Found { number, here: here(steps, place, lap * end) }
        }
        After::Continue => {
            let begins = if last == 0 { 0 } else { steps[last - 1].until.expect("not the last").seconds() };
            let again = (position - end) / (end - begins) + 1;
            let number = steps.len() - 1 + usize::try_from(again).expect("few laps");
            Found { number, here: here(steps, last, again * (end - begins)) }
        }
        After::Endless | After::CycleEnds | After::Hold => Found { number: steps.len(), here: Here::Nothing },
    }
}

/// Whether a step ends exactly here.
pub(crate) fn is_step_end(rule: &Steps, position: i64) -> bool {
    position > 0 && step_at(rule, position - 1).number != step_at(rule, position).number
}
