//! Windows with a price of their own: flat ones, and those that take the cheapest of several offers.

use tollhouse_core::tariff::model::{Charge, Counting, Offer, Units};

use super::exact::Exact;
use super::steps::{Here, step_at};
use super::walk::{Coming, Item, Tick, Walk};

pub(crate) fn flat_and_cheapest(walk: &mut Walk<'_>, ticks: &[Tick]) {
    for (window, coming) in walk.windows.clone() {
        let flat = |amount| {
            let Coming { at, rate, cycle, .. } = coming;
            Item { at, window, rate: Some(rate), cycle, step: usize::MAX, amount }
        };
        match &walk.scheme.rates[coming.rate].charge {
            Charge::Flat { price, tolerance } if coming.walked > tolerance.seconds() => {
                walk.items.push(flat(Exact::price(*price)));
            }
            Charge::Cheapest(offers) => {
                let start = if walk.scheme.counting == Counting::Window { 0 } else { coming.position };
                let priced = offers.iter().map(|offer| priced(offer, &flat, ticks, start, &coming));
                let best = priced.min_by_key(|items| items.iter().map(|item| item.amount).sum::<Exact>());
                walk.items.extend(best.expect("there is an offer"));
            }
            _ => {}
        }
    }
}

/// What one of several offers asks for a window that came.
fn priced(offer: &Offer, flat: &dyn Fn(Exact) -> Item, ticks: &[Tick], start: i64, coming: &Coming) -> Vec<Item> {
    let mut items = Vec::new();
    match &offer.charge {
        Charge::Flat { price, tolerance } if coming.walked > tolerance.seconds() => {
            items.push(flat(Exact::price(*price)));
        }
        Charge::Steps(steps) => {
            let mut used = 0;
            while used < coming.walked {
                let found = step_at(steps, start + used);
                let at = coming.at + used;
                let cycle = ticks.iter().find(|tick| tick.at == at).map_or(0, |tick| tick.cycle);
                let mut put = |amount| items.push(Item { at, cycle, step: found.number, ..flat(amount) });
                match found.here {
                    Here::Nothing => break,
                    Here::Band { cost, ends } => {
                        put(cost);
                        used = ends.map_or(coming.walked, |end| end - start);
                    }
                    Here::Units { per, price, units, tolerance } => {
                        let left = coming.walked - used;
                        if left >= per || (units == Units::Started && left > tolerance) {
                            put(price);
                        }
                        used += per;
                    }
                }
            }
        }
        _ => {}
    }
    let sum: Exact = items.iter().map(|item| item.amount).sum();
    if let Some(min) = offer.min.map(Exact::price)
        && sum > Exact::ZERO
        && min > sum
    {
        items.push(flat(min - sum));
    }
    if let Some(max) = offer.max.map(Exact::price)
        && max < sum
    {
        cut(items.iter_mut().collect(), sum - max);
    }
    items
}

/// Takes so much away, from the latest first: as if the clock had stood once the limit was reached.
pub(crate) fn cut(mut items: Vec<&mut Item>, mut amount: Exact) {
    items.sort_by_key(|item| item.at);
    for item in items.into_iter().rev() {
        let taken = item.amount.min(amount).max(Exact::ZERO);
        item.amount = item.amount - taken;
        amount = amount - taken;
    }
}
