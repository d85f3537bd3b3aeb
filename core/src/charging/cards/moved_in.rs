//! Cards that come from another system, in the middle of what was paid there: days that were billed there are not billed
//! again, and what is paid of days to come stands as paid bills against the account `opening`, so that it is earned day by
//! day, and free when a holder gives it up.
//!
//! What comes in bears no tax here: its tax fell due where it was received.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::card::{Billing, Card, Term, TermKind, TermPlace};
use crate::bill::BillKind;
use crate::charging::bills::{
    BilledDays, Bounds, CardBill, CardLine, Estate, Late, Nature, Parked, Piece, Reached, Source, Standing, compare,
    draw, to_minor,
};
use crate::charging::calendar::Span;
use crate::charging::fees::{FeeList, TaxPoint, TaxTerms};
use crate::charging::label::FeeItemId;
use crate::charging::place::Place;
use crate::charging::timeline::Note;
use crate::id::{BillId, IdKey};
use crate::money::{Currency, Money};
use crate::words::Words;

/// Under what something comes in.
#[derive(Debug, Clone, Copy)]
pub struct MoveIn<'m> {
    /// The lot's date: days from it on are the box's.
    pub on: NaiveDate,
    /// Of all amounts.
    pub currency: Currency,
    /// For the ids of bills.
    pub key: &'m IdKey,
    /// Who and why.
    pub note: &'m Note,
}

/// A term that was paid elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermElsewhere {
    /// A letting, or a package for owned spaces.
    pub kind: TermKind,
    /// From when to when.
    pub span: Span,
    /// What all places cost for all of it.
    pub price: Decimal,
    /// What was sold.
    pub source: Source,
    /// For people.
    pub name: Words,
    /// Charges that it bundles.
    pub replaces: Vec<crate::charging::label::Charge>,
    /// For which places.
    pub places: Vec<Place>,
}

/// Nothing is taxed here that was taxed elsewhere.
fn untaxed(like: &TaxTerms) -> TaxTerms {
    TaxTerms { rate: Decimal::ZERO, point: TaxPoint::OnReceipt, ..like.clone() }
}

/// The firm's, without tax.
fn no_tax() -> TaxTerms {
    TaxTerms {
        rate: Decimal::ZERO,
        point: TaxPoint::OnReceipt,
        payee: crate::books::Payee::Firm,
        invoice_category: String::new(),
    }
}

impl MoveIn<'_> {
    /// Takes the periodic fees of owned spaces as billed elsewhere up to a day: the days before today are noted, those
    /// from today on stand as paid bills.
    pub fn fees_until(
        &self,
        card: &mut Card,
        until: NaiveDate,
        estate: &impl Estate,
        fees: &FeeList,
        bounds: Bounds,
    ) -> Result<Vec<CardBill>, Parked> {
        let asked = Card { ahead_until: Some(until), ..card.clone() };
        let missing = compare(&asked, estate, fees, self.on).map_err(Parked::NoSpace)?.missing;
        let before = Span { from: NaiveDate::MIN, until: self.on.min(until) };
        let clipped = |within: Span| -> Vec<Piece<'_>> {
            let pieces = missing.iter().filter_map(|piece| {
                let span = piece.span.and(within)?;
                Some(Piece { span, ..piece.clone() })
            });
            pieces.collect()
        };
        for piece in clipped(before) {
            let (charge, item) = (piece.item.charge.clone(), piece.item.id.clone());
            card.note_billed(&piece.place, Billing::Fee { charge, item, class: piece.class }, piece.span);
        }
        let Some(ahead) = Span::new(self.on, until) else { return Ok(vec![]) };
        let mut bills = draw(card, &clipped(ahead), self.currency, bounds, self.key)?.bills;
        for bill in &mut bills {
            for line in &mut bill.lines {
                line.tax = untaxed(&line.tax);
                line.paid = line.amount;
            }
        }
        Ok(bills)
    }

    /// A term that was sold and paid elsewhere: what is left of it stands as a paid bill.
    pub fn term(&self, card: &mut Card, term: &TermElsewhere) -> CardBill {
        let number = u32::try_from(card.terms.len()).unwrap_or(u32::MAX).saturating_add(1);
        let shares = Decimal::from(term.places.len().max(1));
        let places: Vec<TermPlace> =
            term.places.iter().map(|place| TermPlace { place: place.clone(), price: term.price / shares }).collect();
        let left = Span::new(self.on.max(term.span.from), term.span.until);
        let mut lines: Vec<CardLine> =
            left.into_iter().flat_map(|left| places.iter().map(move |one| self.term_line(term, one, left))).collect();
        if lines.is_empty() {
            lines.push(self.opening_line(&Words::new("期满", "Over"), self.money(0)));
        }
        let id = BillId::derive(self.key, &[card.number.as_str(), "elsewhere", &term.span.from.to_string()]);
        let bill = self.bill(card, id, lines, (self.on, self.on), Some((term.source.clone(), term.span)));
        for one in &places {
            card.note_billed(&one.place, Billing::Term { source: term.source.clone() }, term.span);
        }
        card.terms.push(Term {
            number,
            kind: term.kind,
            source: term.source.clone(),
            span: term.span,
            places,
            replaces: term.replaces.clone(),
            given_up: None,
            bill: id,
            note: self.note.clone(),
        });
        bill
    }

    fn term_line(&self, term: &TermElsewhere, one: &TermPlace, left: Span) -> CardLine {
        let part = one.price * Decimal::from(left.days()) / Decimal::from(term.span.days());
        let amount = to_minor(part, self.currency);
        let last = left.until.pred_opt().unwrap_or(left.from);
        let (from, place, name) = (left.from, &one.place, &term.name);
        CardLine {
            text: Words::new(
                format!("{} {place} {from}至{last}", name.zh),
                format!("{} {place} {from} to {last}", name.en),
            ),
            place: one.place.clone(),
            source: term.source.clone(),
            days: Some(BilledDays { period: term.span, span: left }),
            price: one.price,
            amount,
            nature: Nature::Service,
            tax: no_tax(),
            credited: vec![],
            paid: amount,
            returned: self.money(0),
            written_off: self.money(0),
        }
    }

    /// What is owed from elsewhere. `of` tells it from other debts of the card.
    pub fn arrears(
        &self,
        card: &Card,
        amount: Money,
        (issued_on, due_on): (NaiveDate, NaiveDate),
        text: &Words,
        of: usize,
    ) -> CardBill {
        let parts = [card.number.as_str(), "arrears", &due_on.to_string(), &amount.amount(), &of.to_string()];
        let id = BillId::derive(self.key, &parts);
        self.bill(card, id, vec![self.opening_line(text, amount)], (issued_on, due_on), None)
    }

    /// A deposit that is held from elsewhere. `of` tells it from other deposits of the card.
    pub fn deposit(
        &self,
        card: &Card,
        amount: Money,
        item: Option<&FeeItemId>,
        taken_on: NaiveDate,
        of: usize,
    ) -> CardBill {
        let parts = [card.number.as_str(), "deposit", &taken_on.to_string(), &amount.amount(), &of.to_string()];
        let id = BillId::derive(self.key, &parts);
        let line = self.opening_line(&Words::new("押金", "Deposit"), amount);
        let source = item.map_or_else(|| line.source.clone(), |item| Source::Item(item.clone()));
        let line = CardLine { nature: Nature::Deposit, paid: amount, source, ..line };
        self.bill(card, id, vec![line], (taken_on, taken_on), None)
    }

    fn opening_line(&self, text: &Words, amount: Money) -> CardLine {
        CardLine {
            text: text.clone(),
            place: Place::Card,
            source: Source::Item(FeeItemId::new("opening").expect("a plain name")),
            days: None,
            price: amount.decimal(),
            amount,
            nature: Nature::Opening,
            tax: no_tax(),
            credited: vec![],
            paid: self.money(0),
            returned: self.money(0),
            written_off: self.money(0),
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    fn bill(
        &self,
        card: &Card,
        id: BillId,
        lines: Vec<CardLine>,
        (issued_on, due_on): (NaiveDate, NaiveDate),
        of: Option<(Source, Span)>,
    ) -> CardBill {
        let (source, period) = of.map_or((None, None), |(source, span)| (Some(source), Some(span)));
        CardBill {
            id,
            kind: BillKind::Independent,
            heading: card.heading(),
            source,
            period,
            issued_on,
            due_on,
            lines,
            late: Late::new(None, due_on, self.money(0)),
            standing: Standing::Issued,
            reached: Reached::default(),
        }
    }
}
