//! Selling a term: a letting of rented spaces or pool places, or a package. Each term has exactly one bill, which unites
//! rent, deposit and one-off charges into a single amount.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::act::CardError;
use super::card::{Billing, Card, Term, TermKind, TermPlace};
use crate::bill::BillKind;
use crate::charging::bills::{BilledDays, CardBill, CardLine, Late, Nature, Source, Standing, to_minor};
use crate::charging::calendar::{Span, days_after, without};
use crate::charging::fees::{LateFeeRule, TaxTerms};
use crate::charging::label::{Charge, FeeItemId};
use crate::charging::place::Place;
use crate::charging::timeline::Note;
use crate::id::{BillId, IdKey};
use crate::money::{Currency, Money};
use crate::words::Words;

/// A term that is for sale, priced: what `packages` makes of a package or a rent item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which kind.
    pub kind: TermKind,
    /// What is sold.
    pub source: Source,
    /// For people.
    pub name: Words,
    /// From when to when.
    pub span: Span,
    /// For which places, at what price with tax for the whole term.
    pub places: Vec<TermPlace>,
    /// Charges that it bundles.
    pub replaces: Vec<Charge>,
    /// Deposit and one-off charges on the same bill.
    pub extras: Vec<Extra>,
    /// Tax and payee of the term itself.
    pub tax: TaxTerms,
    /// What being late costs.
    pub late_fee: Option<LateFeeRule>,
    /// Days from the sale to the due date.
    pub due_days: u16,
    /// Of all amounts.
    pub currency: Currency,
}

/// A deposit or a one-off charge on the bill of a term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// By which item.
    pub item: FeeItemId,
    /// For people.
    pub name: Words,
    /// How much.
    pub amount: Money,
    /// [`Nature::Deposit`] or [`Nature::AtOnce`].
    pub nature: Nature,
    /// Tax and payee.
    pub tax: TaxTerms,
}

impl Card {
    /// Sells a term: the card with it, and its one bill.
    pub fn sell(&self, offer: &Offer, on: NaiveDate, key: &IdKey, note: &Note) -> Result<(Card, CardBill), CardError> {
        for one in &offer.places {
            self.place_is_for_sale(&one.place, offer)?;
        }
        let number = u32::try_from(self.terms.len()).unwrap_or(u32::MAX).saturating_add(1);
        let bill = self.term_bill(offer, number, on, key);
        let mut card = self.clone();
        for one in &offer.places {
            card.note_billed(&one.place, Billing::Term { source: offer.source.clone() }, offer.span);
        }
        card.terms.push(Term {
            number,
            kind: offer.kind,
            source: offer.source.clone(),
            span: offer.span,
            places: offer.places.clone(),
            replaces: offer.replaces.clone(),
            given_up: None,
            bill: bill.id,
            note: note.clone(),
        });
        Ok((card, bill))
    }

    /// Held throughout the term, and not sold on any of its days.
    fn place_is_for_sale(&self, place: &Place, offer: &Offer) -> Result<(), CardError> {
        let held: Vec<Span> =
            self.holdings.iter().filter(|held| held.place == *place).filter_map(super::card::Holding::span).collect();
        if !without(offer.span, &held).is_empty() {
            return Err(CardError::NotHeld(place.clone()));
        }
        let rival = |term: &&Term| {
            let same = term.kind == TermKind::Letting || term.replaces.iter().any(|one| offer.replaces.contains(one));
            same && term.places.iter().any(|one| one.place == *place)
        };
        let sold = self.terms.iter().filter(rival).filter_map(Term::live).any(|live| live.and(offer.span).is_some());
        if sold { Err(CardError::AlreadySold(place.clone())) } else { Ok(()) }
    }

    /// Gives up a term from a day on. What was billed for the days after becomes too much, and is credited by comparison.
    /// Its opposite is to sell those days again.
    pub fn give_up(&self, number: u32, from: NaiveDate) -> Result<Card, CardError> {
        let mut card = self.clone();
        let term = card.terms.iter_mut().find(|term| term.number == number);
        let live = term.as_ref().and_then(|term| term.live()).filter(|live| from < live.until);
        match (term, live) {
            (Some(term), Some(live)) => term.given_up = Some(from.max(live.from)),
            _ => return Err(CardError::NoSuchTerm(number)),
        }
        Ok(card)
    }

    /// A bill of its own for something that is charged once. `of` tells it from others of the card.
    pub(super) fn once_bill(
        &self,
        extra: &Extra,
        (on, due_days): (NaiveDate, u16),
        of: &[&str],
        key: &IdKey,
    ) -> CardBill {
        let due_on = days_after(on, u32::from(due_days));
        let mut parts = vec![self.number.as_str(), "once"];
        parts.extend(of);
        CardBill {
            id: BillId::derive(key, &parts),
            kind: BillKind::Independent,
            heading: self.heading(),
            source: Some(Source::Item(extra.item.clone())),
            period: None,
            issued_on: on,
            due_on,
            lines: vec![extra_line(extra)],
            late: Late::new(None, due_on, Money::zero(extra.amount.currency())),
            standing: Standing::Issued,
            reached: crate::charging::bills::Reached::default(),
        }
    }

    fn term_bill(&self, offer: &Offer, number: u32, on: NaiveDate, key: &IdKey) -> CardBill {
        let currency = offer.currency;
        let due_on = days_after(on, u32::from(offer.due_days));
        let zero = Money::zero(currency);
        let mut lines: Vec<CardLine> = offer.places.iter().map(|one| term_line(offer, one, currency)).collect();
        lines.extend(offer.extras.iter().map(extra_line));
        CardBill {
            id: BillId::derive(key, &[self.number.as_str(), "term", &number.to_string()]),
            kind: if offer.kind == TermKind::Letting { BillKind::Independent } else { BillKind::Periodic },
            heading: self.heading(),
            source: Some(offer.source.clone()),
            period: Some(offer.span),
            issued_on: on,
            due_on,
            lines,
            late: Late::new(offer.late_fee.clone(), due_on, zero),
            standing: Standing::Issued,
            reached: crate::charging::bills::Reached::default(),
        }
    }
}

fn term_line(offer: &Offer, one: &TermPlace, currency: Currency) -> CardLine {
    let zero = Money::zero(currency);
    let last = offer.span.until.pred_opt().unwrap_or(offer.span.from);
    let from = offer.span.from;
    let shown = &one.place;
    CardLine {
        text: Words::new(
            format!("{} {shown} {from}至{last}", offer.name.zh),
            format!("{} {shown} {from} to {last}", offer.name.en),
        ),
        place: one.place.clone(),
        source: offer.source.clone(),
        days: Some(BilledDays { period: offer.span, span: offer.span }),
        price: one.price,
        amount: to_minor(one.price, currency),
        nature: Nature::Service,
        tax: offer.tax.clone(),
        credited: vec![],
        paid: zero,
        returned: zero,
        written_off: zero,
    }
}

fn extra_line(extra: &Extra) -> CardLine {
    let zero = Money::zero(extra.amount.currency());
    let price: Decimal = extra.amount.decimal();
    CardLine {
        text: extra.name.clone(),
        place: Place::Card,
        source: Source::Item(extra.item.clone()),
        days: None,
        price,
        amount: extra.amount,
        nature: extra.nature,
        tax: extra.tax.clone(),
        credited: vec![],
        paid: zero,
        returned: zero,
        written_off: zero,
    }
}
