//! What a package, or plain rent, costs for given places: an offer that a card can take.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::ask::SoldPlace;
use super::package::{Length, Package};
use crate::charging::bills::{Nature, Source, to_minor};
use crate::charging::calendar::{Cycle, Span, days_after, months_after};
use crate::charging::cards::{Extra, Offer, TermKind, TermPlace};
use crate::charging::estate::{SpaceClass, SquareMetres, Tenure};
use crate::charging::fees::{Chosen, FeeItem, FeeKind, FeeList, Occasion};
use crate::charging::label::Charge;
use crate::money::{Currency, Money};

/// Why there is no offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOffer {
    /// It is not on sale.
    #[error("it is not on sale on {0}")]
    NotOnSale(NaiveDate),
    /// It is not for that class.
    #[error("it is not for spaces of class {0}")]
    NotForClass(SpaceClass),
    /// No place.
    #[error("an offer is for at least one place")]
    NoPlaces,
    /// Places of owned and of rented spaces at once.
    #[error("owned spaces and rented places are sold apart")]
    Mixed,
    /// No fee item is charged for the class, so there is no rent.
    #[error("no rent is set for spaces of class {0}")]
    NoRent(SpaceClass),
}

/// Which term of a letting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first: with deposit and card.
    First,
    /// A renewal.
    Renewal,
}

/// What the item charges for a place in so many months.
fn months_price(item: &FeeItem, on: NaiveDate, months: u8, size: SquareMetres) -> Decimal {
    let price = item.price.on(on).copied().unwrap_or_default();
    match item.kind {
        FeeKind::Periodic(terms) => terms.per.for_months(price, months, size),
        FeeKind::Rent(per) => per.for_months(price, months, size),
        _ => Decimal::ZERO,
    }
}

/// What the item charges for a place on the days of a span, by the days of each calendar month, at the prices of a day.
fn days_price(item: &FeeItem, on: NaiveDate, span: Span, size: SquareMetres) -> Decimal {
    let month = months_price(item, on, 1, size);
    let part = |period: Span| {
        let days = period.and(span).map_or(0, Span::days);
        month * Decimal::from(days) / Decimal::from(period.days())
    };
    Cycle::calendar(1).periods(span).map(part).sum()
}

/// The items charged for a class on a day, of these charges; `None`: of all.
fn charged<'f>(fees: &'f FeeList, class: &SpaceClass, on: NaiveDate, of: Option<&[Charge]>) -> Vec<&'f FeeItem> {
    let today = Span { from: on, until: days_after(on, 1) };
    let chosen = fees.charged(class, today).into_iter().map(|Chosen { item, .. }| item);
    let periodic = chosen.filter(|item| matches!(item.kind, FeeKind::Periodic(_) | FeeKind::Rent(_)));
    periodic.filter(|item| of.is_none_or(|of| of.contains(&item.charge))).collect()
}

/// What one term of the package's charges costs for a place without it, at the prices of a day.
pub fn base_price(package: &Package, place: &SoldPlace, from: NaiveDate, on: NaiveDate, fees: &FeeList) -> Decimal {
    let items = charged(fees, &place.class, on, Some(&package.bundles));
    let one = |item: &&FeeItem| match package.length {
        Length::Months(months) => months_price(item, on, months, place.size),
        Length::Days(days) => {
            days_price(item, on, Span { from, until: days_after(from, u32::from(days.max(1))) }, place.size)
        }
    };
    items.iter().map(one).sum()
}

/// What a place costs on the days of a span without a package, at the prices of a day; without charges that are bundled.
pub fn daily_fees(place: &SoldPlace, span: Span, on: NaiveDate, fees: &FeeList, bundled: &[Charge]) -> Decimal {
    let items = charged(fees, &place.class, on, None);
    let open = items.iter().filter(|item| !bundled.contains(&item.charge));
    open.map(|item| days_price(item, on, span, place.size)).sum()
}

fn kind_of(places: &[SoldPlace]) -> Result<TermKind, NoOffer> {
    let owned = places.iter().filter(|place| place.class.tenure == Tenure::Owned).count();
    match owned {
        _ if places.is_empty() => Err(NoOffer::NoPlaces),
        0 => Ok(TermKind::Letting),
        all if all == places.len() => Ok(TermKind::Package),
        _ => Err(NoOffer::Mixed),
    }
}

/// The offer of a package for places from a day, at the prices of the day of the sale.
pub fn offer(
    package: &Package,
    places: &[SoldPlace],
    from: NaiveDate,
    on: NaiveDate,
    fees: &FeeList,
    currency: Currency,
) -> Result<Offer, NoOffer> {
    let kind = kind_of(places)?;
    if !package.is_on_sale(on) {
        return Err(NoOffer::NotOnSale(on));
    }
    if let Some(place) = places.iter().find(|place| !package.is_for(&place.class)) {
        return Err(NoOffer::NotForClass(place.class.clone()));
    }
    let many = u32::try_from(places.len()).unwrap_or(u32::MAX);
    let priced = places.iter().map(|place| TermPlace {
        place: place.place.clone(),
        price: package.price(base_price(package, place, from, on, fees), many),
    });
    Ok(Offer {
        kind,
        source: Source::Package(package.id.clone()),
        name: package.name.clone(),
        span: package.term_from(from),
        places: priced.collect(),
        replaces: package.bundles.clone(),
        extras: vec![],
        tax: package.tax.clone(),
        late_fee: package.late_fee.clone(),
        due_days: package.due_days,
        currency,
    })
}

/// The offer of plain rent for so many months, all places at the item of the first one's class. A first letting takes the
/// deposit and what a card costs, on the same bill.
pub fn rent_offer(
    places: &[SoldPlace],
    from: NaiveDate,
    months: u8,
    which: Which,
    fees: &FeeList,
    currency: Currency,
    due_days: u16,
) -> Result<Offer, NoOffer> {
    let kind = kind_of(places)?;
    let class = &places[0].class;
    let rents = charged(fees, class, from, None);
    let item = rents.first().filter(|_| kind == TermKind::Letting).ok_or_else(|| NoOffer::NoRent(class.clone()))?;
    let until = months_after(from, i32::from(months.max(1)));
    let priced = places.iter().map(|place| TermPlace {
        place: place.place.clone(),
        price: charged(fees, &place.class, from, None)
            .iter()
            .map(|item| months_price(item, from, months.max(1), place.size))
            .sum(),
    });
    let extras = if which == Which::First { first_extras(places, from, fees, currency) } else { vec![] };
    Ok(Offer {
        kind,
        source: Source::Item(item.id.clone()),
        name: item.name.clone(),
        span: Span { from, until },
        places: priced.collect(),
        replaces: vec![],
        extras,
        tax: item.tax.clone(),
        late_fee: item.late_fee.clone(),
        due_days,
        currency,
    })
}

/// What is charged with a first letting beside its rent: a deposit for each place, and the card's own charge once.
pub fn first_extras(places: &[SoldPlace], on: NaiveDate, fees: &FeeList, currency: Currency) -> Vec<Extra> {
    let today = Span { from: on, until: days_after(on, 1) };
    let mut all = Vec::new();
    for (number, place) in places.iter().enumerate() {
        for Chosen { item, .. } in fees.charged(&place.class, today) {
            let nature = match item.kind {
                FeeKind::Deposit => Nature::Deposit,
                FeeKind::OneOff(Occasion::CardIssue) if number == 0 => Nature::AtOnce,
                _ => continue,
            };
            let amount: Money = to_minor(item.price.on(on).copied().unwrap_or_default(), currency);
            all.push(Extra { item: item.id.clone(), name: item.name.clone(), amount, nature, tax: item.tax.clone() });
        }
    }
    all
}

/// What is charged once on an occasion, by the class of the first place.
pub fn occasion_extras(
    places: &[SoldPlace],
    occasion: Occasion,
    on: NaiveDate,
    fees: &FeeList,
    currency: Currency,
) -> Vec<Extra> {
    let today = Span { from: on, until: days_after(on, 1) };
    let charged = places.iter().take(1).flat_map(|place| fees.charged(&place.class, today));
    let of_it = charged.filter(|chosen| chosen.item.kind == FeeKind::OneOff(occasion));
    let extra = |Chosen { item, .. }: Chosen<'_>| Extra {
        item: item.id.clone(),
        name: item.name.clone(),
        amount: to_minor(item.price.on(on).copied().unwrap_or_default(), currency),
        nature: Nature::AtOnce,
        tax: item.tax.clone(),
    };
    of_it.map(extra).filter(|extra| extra.amount.is_positive()).collect()
}
