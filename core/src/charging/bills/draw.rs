//! Drawing what is missing: one bill per fee item and period, a line for each place and price.
//!
//! A bill's id is a keyed hash of card, item, period and the days that it covers, so the same run twice gives the same
//! bills; and what is drawn is noted on the card in the same change, so it gives them once.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use super::bill::{CardBill, Reached, Standing};
use super::compare::{Comparison, Estate, Piece, compare};
use super::late::Late;
use super::line::{BilledDays, CardLine, Nature, Source, part, rounded};
use crate::bill::BillKind;
use crate::charging::calendar::{Span, days_after};
use crate::charging::cards::{Billing, Card};
use crate::charging::fees::{FeeKind, FeeList, PeriodicTerms, Timing};
use crate::charging::label::{FeeItemId, SpaceNumber};
use crate::charging::place::Place;
use crate::id::{BillId, IdKey};
use crate::money::{Currency, Money};
use crate::words::Words;

/// What a run may do to one card before a person has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bills.
    pub most_bills: usize,
    /// The largest bill, in smallest units.
    pub most_minor: i64,
}

impl Default for Bounds {
    /// 120 bills (ten years of months), and a million yuan.
    fn default() -> Self {
        Self { most_bills: 120, most_minor: 100_000_000 }
    }
}

/// Why a card was left for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Parked {
    /// More bills than the bound.
    #[error("{0} bills would be drawn at once: look at the dates of its holdings")]
    TooMany(usize),
    /// A bill larger than the bound.
    #[error("a bill of {0} would be drawn: look at price and size")]
    TooLarge(Decimal),
    /// A space that is not there.
    #[error("it holds space {0}, which does not exist")]
    NoSpace(SpaceNumber),
}

/// What a run draws for one card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawn {
    /// The bills, in order of item and period.
    pub bills: Vec<CardBill>,
}

/// What a run did with one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// The card, with what is drawn noted on it; as it was, if nothing is.
    pub card: Card,
    /// New bills.
    pub bills: Vec<CardBill>,
    /// Days that are billed and should not be: hand them with the card's bills to [`super::repair`].
    pub surplus: Vec<super::compare::Surplus>,
}

/// The whole run for one card. A preview is a run that nobody writes down.
pub fn run_card(
    card: &Card,
    estate: &impl Estate,
    fees: &FeeList,
    as_of: NaiveDate,
    currency: Currency,
    bounds: Bounds,
    key: &IdKey,
) -> Result<RunOutcome, Parked> {
    let Comparison { missing, surplus } = compare(card, estate, fees, as_of).map_err(Parked::NoSpace)?;
    let mut card = card.clone();
    let drawn = draw(&mut card, &missing, currency, bounds, key)?;
    Ok(RunOutcome { card, bills: drawn.bills, surplus })
}

/// Draws the missing pieces and notes them on the card.
pub fn draw(
    card: &mut Card,
    missing: &[Piece<'_>],
    currency: Currency,
    bounds: Bounds,
    key: &IdKey,
) -> Result<Drawn, Parked> {
    let mut groups: BTreeMap<(&FeeItemId, Span), Vec<&Piece<'_>>> = BTreeMap::new();
    for piece in missing {
        groups.entry((&piece.item.id, piece.period)).or_default().push(piece);
    }
    if groups.len() > bounds.most_bills {
        return Err(Parked::TooMany(groups.len()));
    }
    let mut bills = Vec::with_capacity(groups.len());
    for pieces in groups.values() {
        let exact: Decimal = pieces.iter().map(|piece| exact(piece, currency)).sum();
        if exact > Decimal::from(bounds.most_minor) {
            return Err(Parked::TooLarge(exact / Decimal::from(10i64.pow(currency.decimals()))));
        }
        let bill = periodic_bill(card, pieces, currency, key);
        // A period that costs nothing is noted as billed, and nobody is sent a bill of nothing.
        if bill.kept() != 0 {
            bills.push(bill);
        }
    }
    for piece in missing {
        let (charge, item, class) = (piece.item.charge.clone(), piece.item.id.clone(), piece.class.clone());
        card.note_billed(&piece.place, Billing::Fee { charge, item, class }, piece.span);
    }
    Ok(Drawn { bills })
}

fn exact(piece: &Piece<'_>, currency: Currency) -> Decimal {
    part(piece.price, currency, piece.span.days(), piece.period.days())
}

fn periodic_bill(card: &Card, pieces: &[&Piece<'_>], currency: Currency, key: &IdKey) -> CardBill {
    let first = pieces[0];
    let (item, period) = (first.item, first.period);
    let FeeKind::Periodic(terms) = item.kind else { unreachable!("only periodic items make pieces") };
    let known_on = pieces.iter().map(|piece| piece.known_on).max().unwrap_or(period.from);
    let issued_on = issue_date(&terms, period).max(known_on);
    let due_on = days_after(issued_on, u32::from(terms.due_days));
    let source = Source::Item(item.id.clone());
    let mut parts =
        vec![card.number.to_string(), item.id.to_string(), period.from.to_string(), period.until.to_string()];
    for piece in pieces {
        let again = card.credits_of(&piece.place, &item.charge);
        parts.push(format!("{} {} {} {again}", piece.place, piece.span.from, piece.span.until));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    CardBill {
        id: BillId::derive(key, &parts),
        kind: BillKind::Periodic,
        heading: card.heading(),
        source: Some(source),
        period: Some(period),
        issued_on,
        due_on,
        lines: lines(pieces, &terms, currency),
        late: Late::new(item.late_fee.clone(), due_on, Money::zero(currency)),
        standing: Standing::Issued,
        reached: Reached::default(),
    }
}

fn issue_date(terms: &PeriodicTerms, period: Span) -> NaiveDate {
    match terms.timing {
        Timing::InArrears => period.until,
        Timing::InAdvance { lead_days } => {
            period.from.checked_sub_days(Days::new(u64::from(lead_days))).expect("dates stay within chrono's range")
        }
    }
}

/// A line for each piece. Each is rounded half up; the last of a place takes what is then left of the sum.
fn lines(pieces: &[&Piece<'_>], terms: &PeriodicTerms, currency: Currency) -> Vec<CardLine> {
    let mut all = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        let place = &pieces[at].place;
        let many = pieces[at..].iter().take_while(|piece| piece.place == *place).count();
        let of_place = &pieces[at..at + many];
        let mut left = rounded(of_place.iter().map(|piece| exact(piece, currency)).sum());
        for (number, piece) in of_place.iter().enumerate() {
            let amount = if number + 1 == many { left } else { rounded(exact(piece, currency)).min(left) };
            left -= amount;
            all.push(line(piece, terms, Money::new(amount, currency)));
        }
        at += many;
    }
    all
}

fn line(piece: &Piece<'_>, terms: &PeriodicTerms, amount: Money) -> CardLine {
    let zero = Money::zero(amount.currency());
    let name = &piece.item.name;
    let (from, last) = (piece.span.from, piece.span.until.pred_opt().unwrap_or(piece.span.from));
    let shown = match &piece.place {
        Place::Space(number) => number.to_string(),
        other => other.to_string(),
    };
    CardLine {
        text: Words::new(
            format!("{} {shown} {from}至{last}", name.zh),
            format!("{} {shown} {from} to {last}", name.en),
        ),
        place: piece.place.clone(),
        source: Source::Item(piece.item.id.clone()),
        days: Some(BilledDays { period: piece.period, span: piece.span }),
        price: piece.price,
        amount,
        nature: if terms.timing == Timing::InArrears { Nature::AtOnce } else { Nature::Service },
        tax: piece.item.tax.clone(),
        credited: vec![],
        paid: zero,
        returned: zero,
        written_off: zero,
    }
}
