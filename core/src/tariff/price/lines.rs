//! Items become the lines of a fee: few, in the order of time, and summing to it to the last fen.
//! It must not change what anything comes to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::PriceError;
use super::exact::Exact;
use super::run::What;
use super::till::{Item, Kind};
use super::visit::{Priced, smallest};
use super::words::Speaker;
use crate::money::{Currency, Money};
use crate::tariff::FeeLine;
use crate::tariff::model::{CapPer, Direction, Price, RoundAt};
use crate::words::Words;

/// More lines than this are joined by rule and price: nobody reads ten years day by day.
const MOST_LINES: usize = 60;

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
    joined.sort_by_key(|joined| (joined.item.from, order(joined.item.kind), joined.item.to));
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
    let mut all = Vec::with_capacity(priced.items.len());
    let mut ranges = priced.again.iter().peekable();
    let mut total = 0;
    for (place, item) in priced.items.iter().enumerate() {
        while ranges.next_if(|again| again.items.end <= place).is_some() {}
        let again = ranges.peek().filter(|again| again.items.contains(&place));
        let shifts = again.map_or(&[][..], |again| &again.shifts);
        total += 1 + shifts.len();
        all.push((item, shifts));
    }
    let joins = |kind| total > MOST_LINES || once_a_visit(priced, kind);
    let mut joined: Vec<Joined> = Vec::with_capacity(total.min(MOST_LINES));
    let mut places: HashMap<(Kind, Exact, Option<Exact>), usize> = HashMap::new();
    for (item, shifts) in all {
        if !joins(item.kind) {
            for shift in std::iter::once(&0).chain(shifts) {
                let item = Item { from: item.from + shift, to: item.to + shift, ..item.clone() };
                joined.push(Joined { item, same_amount: 1 });
            }
            continue;
        }
        let key = if once_a_visit(priced, item.kind) {
            (item.kind, Exact::ZERO, None)
        } else {
            // Where units times price is not the amount, because lines are rounded, only equal lines are joined.
            let plain = item.price.times(item.count)? == item.amount;
            (item.kind, item.price, (!plain).then_some(item.amount))
        };
        let times = i64::try_from(shifts.len()).map_err(|_| PriceError::TooLarge)? + 1;
        let latest = shifts.last().copied().unwrap_or(0);
        let (count, amount) = (item.count * times, item.amount.times(times)?);
        if let Some(place) = places.get(&key) {
            let into = &mut joined[*place];
            into.item.from = into.item.from.min(item.from);
            into.item.to = into.item.to.max(item.to + latest);
            into.item.count += count;
            into.item.amount = into.item.amount.plus(amount)?;
            into.same_amount += times;
        } else {
            places.insert(key, joined.len());
            let item = Item { to: item.to + latest, count, amount, ..item.clone() };
            joined.push(Joined { item, same_amount: times });
        }
    }
    for held in joined.iter_mut().filter(|joined| once_a_visit(priced, joined.item.kind)) {
        (held.item.count, held.item.price, held.same_amount) = (1, held.item.amount, 1);
    }
    Ok(joined)
}

/// Charges stand before what is made of them.
fn order(kind: Kind) -> u8 {
    match kind {
        Kind::Charge(_) => 0,
        Kind::WindowMin(_) | Kind::WindowMax(_) => 1,
        Kind::Adjust(_) => 2,
        Kind::Cap(_) | Kind::SharedCap(_) => 3,
        Kind::Minimum | Kind::Maximum | Kind::NotBelowZero => 4,
        Kind::CycleRounding | Kind::Rounding => 5,
    }
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
