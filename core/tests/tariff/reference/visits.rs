//! Visits of one car: which of them are one stay, and from where they share days of 24 hours.

use tollhouse_core::tariff::model::{ComingBack, Counts, Since, TariffFile};

use super::FreeTime;
use super::wall::Second;

/// What a visit is, when those before it are known.
#[derive(Debug, Clone)]
pub(super) enum Made {
    /// It costs nothing.
    Nothing,
    /// A stay, from the entry of the visit at `first` on.
    Stay { first: usize, free: FreeTime, away: Vec<(Second, Second)> },
}

/// What the last of some visits is.
pub(super) fn made(file: &TariffFile, visits: &[(Second, Second)]) -> Made {
    let last = visits.len() - 1;
    let alone = |free| Made::Stay { first: last, free, away: Vec::new() };
    let Some(rule) = file.coming_back else { return alone(FreeTime::AsTheTariffSays) };
    let first = first_of_chain(rule, visits);
    if first == last {
        return alone(FreeTime::AsTheTariffSays);
    }
    match rule.counts {
        Counts::WithoutFreeTime => alone(FreeTime::None),
        Counts::Free { at_most } if visits[last].1 - visits[last].0 <= at_most.seconds() => Made::Nothing,
        Counts::Free { .. } => alone(FreeTime::AsTheTariffSays),
        Counts::FromFirstEntry => Made::Stay { first, free: FreeTime::AsTheTariffSays, away: Vec::new() },
        Counts::WithoutTheTimeAway => {
            let away = (first..last).map(|place| (visits[place].1, visits[place + 1].0)).collect();
            Made::Stay { first, free: FreeTime::AsTheTariffSays, away }
        }
    }
}

/// With which visit the chain begins that ends with the last: a visit that comes too late begins a new one.
fn first_of_chain(rule: ComingBack, visits: &[(Second, Second)]) -> usize {
    let last = visits.len() - 1;
    if last == 0 {
        return 0;
    }
    let first = first_of_chain(rule, &visits[..last]);
    let since = match rule.since {
        Since::Exit => visits[last - 1].1,
        Since::FirstEntry => visits[first].0,
    };
    if visits[last].0 - since <= rule.within.seconds() { first } else { last }
}

/// From where the 24 hours count that some stays share: who comes after all 24 hours that they began begins new ones.
pub(super) fn shared_since(stays: &[(Second, Second)], enter: Second) -> Second {
    let (mut since, mut ends) = (enter, Second::MIN);
    for (from, to) in stays.iter().copied().chain([(enter, enter)]) {
        if from >= ends {
            since = from;
            ends = from + 86_400;
        }
        while ends < to {
            ends += 86_400;
        }
    }
    since
}
