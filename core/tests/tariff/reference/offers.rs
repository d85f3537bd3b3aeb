//! Windows with a price of their own: flat ones, and those that take the cheapest of several offers.

use tollhouse_core::tariff::model::{Charge, Counting, Offer, Units};

use super::exact::Exact;
use super::settle::{Shared, rounded_sum};
use super::steps::{Here, step_at};
use super::walk::{Coming, Item, Tick, Walk};
use super::wall::Second;

pub(crate) fn flat_and_cheapest(walk: &mut Walk<'_>, ticks: &[Tick], entered: Second, shared: &Shared<'_>) {
    for (window, coming) in walk.windows.clone() {
        let flat = |amount| {
            let Coming { at, rate, cycle, .. } = coming;
            Item { at, counts: (at, Some(rate)), window, rate: Some(rate), cycle, step: usize::MAX, amount }
        };
        match &walk.scheme.rates[coming.rate].charge {
            Charge::Flat { price, tolerance } if coming.walked > tolerance.seconds() => {
                walk.items.push(flat(Exact::price(*price)));
            }
            Charge::Cheapest(offers) => {
                let start = if walk.scheme.counting == Counting::Window { 0 } else { coming.position };
                let mut best: Option<(Exact, usize, Vec<Item>)> = None;
                for (number, offer) in offers.iter().enumerate() {
                    let items = priced(offer, &flat, ticks, start, &coming);
                    let mut sum = rounded_sum(walk, entered, shared, &items);
                    sum = offer.max.map(Exact::price).map_or(sum, |max| sum.min(max));
                    let least = offer.min.map(Exact::price).filter(|_| sum > Exact::ZERO);
                    sum = least.map_or(sum, |min| sum.max(min));
                    if best.as_ref().is_none_or(|(held, ..)| sum < *held) {
                        best = Some((sum, number, items));
                    }
                }
                let (_, number, items) = best.expect("there is an offer");
                walk.items.extend(items);
                walk.windows.get_mut(&window).expect("it came").offer = Some(number);
            }
            _ => {}
        }
    }
    walk.items.sort_by_key(|item| item.at);
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
                let mut put = |amount| {
                    items.push(Item { at, counts: (at, Some(coming.rate)), cycle, step: found.number, ..flat(amount) });
                };
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
