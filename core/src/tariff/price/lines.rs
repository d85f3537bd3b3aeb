//! Items become the lines of a fee: few, in the order of time, and summing to it to the last fen.
//! It must not change what anything comes to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::PriceError;
use super::exact::Exact;
use super::run::What;
use super::skip::times;
use super::till::{Item, Kind};
use super::visit::{Priced, smallest};
use super::words::Speaker;
use crate::money::{Currency, Money};
use crate::tariff::FeeLine;
use crate::tariff::model::{CapPer, Direction, Price, RoundAt};
use crate::words::Words;

/// More lines than this are joined by rule and price: nobody reads ten years day by day.
const MOST_LINES: i64 = 60;

pub(super) fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a moment of these centuries")
}

/// The whole smallest units of an amount that has been rounded to them.
pub(super) fn minor(amount: Exact, currency: Currency) -> Result<i64, PriceError> {
    let per_minor = i128::from(Price::UNIT / 10_i64.pow(currency.decimals()));
    let micros = amount.whole_micros().ok_or(PriceError::TooLarge)?;
    i64::try_from(micros / per_minor).map_err(|_| PriceError::TooLarge)
}

/// A number of units, or a price, as a decimal with at least the currency's places.
pub(super) fn decimal(micros: i128, places: u32) -> Decimal {
    let mut shown = Decimal::from_i128_with_scale(micros, 6).normalize();
    if shown.scale() < places {
        shown.rescale(places);
    }
    shown
}

struct Joined {
    item: Item,
    /// By how many times the item was joined from; for the price that is shown.
    same_amount: i64,
}

/// The lines of what one scheme made of a visit.
pub(super) fn lines(priced: &Priced<'_>) -> Result<Vec<FeeLine>, PriceError> {
    let rounded = priced.scheme.rounding.at;
    let mut joined = join(priced)?;
    joined.retain(|joined| is_told(&joined.item));
    joined.sort_by_key(|joined| joined.item.from);
    let speaker = Speaker { file: &priced.plan.file, plan: priced.scheme };
    let mut made = Vec::with_capacity(joined.len() + 1);
    let mut sum = 0_i64;
    for Joined { item, same_amount } in &joined {
        let line = line(priced, &speaker, item, *same_amount)?;
        sum = sum.checked_add(line.amount.minor()).ok_or(PriceError::TooLarge)?;
        made.push(line);
    }
    let currency = priced.plan.file.currency;
    let rest = minor(priced.total, currency)?.checked_sub(sum).ok_or(PriceError::TooLarge)?;
    if rest != 0 {
        // Lines are shown rounded; where the tariff rounds later, this makes up the difference.
        debug_assert!(rounded == RoundAt::Cycle || rounded == RoundAt::Total || !joined.is_empty());
        let (from, to) = (made.first().map(|line| line.from), made.iter().map(|line| line.to).max());
        let amount = Money::new(rest, currency);
        made.push(FeeLine {
            text: Words::new("取整", "Rounding"),
            rule: speaker.rule(Kind::Rounding),
            from: from.unwrap_or_default(),
            to: to.unwrap_or_default(),
            quantity: Decimal::ONE,
            unit_price: amount.decimal(),
            amount,
        });
    }
    Ok(made)
}

/// What costs nothing is told only where the tariff says that it costs nothing; rounding is told once, at the end.
fn is_told(item: &Item) -> bool {
    match item.kind {
        Kind::Charge(What::Free { .. } | What::Held { .. }) => item.to > item.from,
        Kind::Charge(What::Units { .. } | What::Band { .. }) if item.count > 0 => true,
        Kind::Rounding | Kind::CycleRounding => false,
        _ => !item.amount.is_zero(),
    }
}

/// Whether all of a kind in a visit is one line.
fn once_a_visit(priced: &Priced<'_>, kind: Kind) -> bool {
    match kind {
        Kind::Adjust(_) => true,
        Kind::Cap(place) => priced.plan.file.schemes[priced.scheme.place].caps[place].per == CapPer::Visit,
        _ => false,
    }
}

fn join(priced: &Priced<'_>) -> Result<Vec<Joined>, PriceError> {
    let again = &priced.again;
    let total: i64 = (0..priced.items.len()).map(|place| times(place, again)).sum();
    let mut joined: Vec<Joined> = Vec::new();
    let mut places: HashMap<(Kind, Exact, Option<Exact>), usize> = HashMap::new();
    for (place, item) in priced.items.iter().enumerate() {
        let found = again.iter().find(|again| again.items.contains(&place));
        let shifts = found.map_or(&[][..], |found| &found.shifts);
        let every = once_a_visit(priced, item.kind);
        let key = if every {
            (item.kind, Exact::ZERO, None)
        } else {
            // Where units times price is not the amount, because lines are rounded, only equal lines are joined.
            let plain = item.price.times(item.count)? == item.amount;
            (item.kind, item.price, (!plain).then_some(item.amount))
        };
        for shift in std::iter::once(0).chain(shifts.iter().copied()) {
            let moved = Item { from: item.from + shift, to: item.to + shift, ..item.clone() };
            let held = if every || total > MOST_LINES { places.get(&key).copied() } else { None };
            let Some(held) = held else {
                places.insert(key, joined.len());
                joined.push(Joined { item: moved, same_amount: 1 });
                continue;
            };
            let into = &mut joined[held];
            into.item.from = into.item.from.min(moved.from);
            into.item.to = into.item.to.max(moved.to);
            into.item.count += moved.count;
            into.item.amount = into.item.amount.plus(moved.amount)?;
            into.same_amount += 1;
        }
    }
    for held in joined.iter_mut().filter(|joined| once_a_visit(priced, joined.item.kind)) {
        (held.item.count, held.item.price, held.same_amount) = (1, held.item.amount, 1);
    }
    Ok(joined)
}

fn line(priced: &Priced<'_>, speaker: &Speaker<'_>, item: &Item, same_amount: i64) -> Result<FeeLine, PriceError> {
    let currency = priced.plan.file.currency;
    let (places, rounding) = (currency.decimals(), priced.scheme.rounding);
    // The direction is the tariff's own where lines are rounded to the smallest unit.
    let amount = item.amount.rounded(smallest(priced.plan), Direction::HalfUp)?;
    let amount = Money::new(minor(amount, currency)?, currency);
    let price = match (item.kind, rounding.at) {
        (Kind::Charge(_), RoundAt::Unit) => item.price.rounded(rounding.to, rounding.direction)?,
        _ => item.price,
    };
    let exact = price.times(item.count)?;
    let (quantity, unit_price) = match price.whole_micros() {
        Some(micros) if exact == item.amount || same_amount == 1 => {
            (Decimal::from(item.count), decimal(micros, places))
        }
        _ if same_amount > 1 => {
            let each = item.amount.share(1, same_amount)?;
            match each.whole_micros() {
                Some(micros) => (Decimal::from(same_amount), decimal(micros, places)),
                None => (Decimal::ONE, amount.decimal()),
            }
        }
        _ => (Decimal::ONE, amount.decimal()),
    };
    Ok(FeeLine {
        text: speaker.text(item.kind, &item.count.to_string(), &unit_price.to_string()),
        rule: speaker.rule(item.kind),
        from: moment(item.from),
        to: moment(item.to),
        quantity,
        unit_price,
        amount,
    })
}
