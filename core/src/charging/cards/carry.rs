//! Carrying out orders on a card: the card as it then is, the bills that this draws and credits, what money comes free,
//! and the orders that undo it. Nothing of it is done when one order is refused.
//!
//! What an order means for periodic bills follows by comparison, as in a run. Money that comes free pays what is open of
//! the card's bills, the oldest first; only the rest leaves the card.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::act::{Act, CardError};
use super::card::{Billing, Card, Term, TermPlace};
use super::orders::{Extras, Order, OrderFault};
use super::sell::{Extra, Offer};
use crate::charging::bills::{
    Bounds, CardBill, CardLine, CreditNote, Estate, Nature, Part, Retention, Source, Standing, Surplus, Terms,
    allocate, repair, run_card,
};
use crate::charging::calendar::{Span, in_bounds};
use crate::charging::fees::FeeList;
use crate::charging::timeline::Note;
use crate::id::{BillId, IdKey};
use crate::money::{Currency, Money};
use crate::words::Words;

/// Under what orders are carried out.
#[derive(Debug, Clone)]
pub struct Around<'a, E: Estate> {
    /// The spaces.
    pub estate: &'a E,
    /// The price list.
    pub fees: &'a FeeList,
    /// The lot's date.
    pub on: NaiveDate,
    /// Of the bills.
    pub currency: Currency,
    /// For the ids of what is drawn.
    pub key: &'a IdKey,
    /// Who and why.
    pub note: &'a Note,
    /// What is kept of what was paid for days that are given up.
    pub retention: Retention,
    /// Days from a charge to its due date.
    pub due_days: u16,
    /// What the card may be billed at once.
    pub bounds: Bounds,
    /// Which act of the card it is: part of the ids of what is charged once.
    pub act: u32,
}

/// What came of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The card as it then is.
    pub card: Card,
    /// Bills that are new or have changed, as they then are.
    pub bills: Vec<CardBill>,
    /// Which of them are new.
    pub drew: Vec<BillId>,
    /// Credit notes.
    pub notes: Vec<CreditNote>,
    /// What came free, beyond what the card's bills took of it.
    pub freed: Money,
    /// What undoes it, in order.
    pub opposite: Vec<Order>,
}

/// Carries out orders on a card and its bills. `extra` is money that the payer has for it: what an undone act had set free.
pub fn carry_out<E: Estate>(
    card: &Card,
    bills: &[CardBill],
    orders: &[Order],
    extra: Money,
    around: &Around<'_, E>,
) -> Result<Carried, OrderFault> {
    let mut work = Work {
        card: card.clone(),
        bills: bills.to_vec(),
        notes: vec![],
        freed: extra.minor(),
        opposite: vec![],
        around,
        runs: Runs::NotNeeded,
    };
    for order in orders {
        work.carry(order)?;
    }
    if work.runs == Runs::Needed {
        work.run(orders)?;
    }
    work.settle();
    Ok(work.outcome(bills))
}

/// Whether what is billed by period has to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    Needed,
    NotNeeded,
}

struct Work<'a, E: Estate> {
    card: Card,
    bills: Vec<CardBill>,
    notes: Vec<CreditNote>,
    freed: i64,
    /// The latest first, until it is handed out.
    opposite: Vec<Order>,
    around: &'a Around<'a, E>,
    runs: Runs,
}

/// Whether a change of the card can change what is billed by period.
fn moves_periods(act: &Act) -> Runs {
    match act {
        Act::HoldPlace { .. }
        | Act::DropPlace { .. }
        | Act::EndPlace { .. }
        | Act::PayAhead(_)
        | Act::Rest(_)
        | Act::Resume(_) => Runs::Needed,
        Act::All(acts) if acts.iter().any(|act| moves_periods(act) == Runs::Needed) => Runs::Needed,
        _ => Runs::NotNeeded,
    }
}

impl<E: Estate> Work<'_, E> {
    fn carry(&mut self, order: &Order) -> Result<(), OrderFault> {
        match order {
            Order::Act(act) => {
                let (card, opposite) = self.card.apply(act, self.around.note)?;
                self.card = card;
                self.opposite.push(Order::Act(opposite));
                if moves_periods(act) == Runs::Needed {
                    self.runs = Runs::Needed;
                }
            }
            Order::Sell(offer) => self.sell(offer)?,
            Order::Unsell { term } => self.unsell(*term)?,
            Order::GiveUp { term, from } => {
                self.card = self.card.give_up(*term, *from)?;
                self.opposite.push(Order::SellAgain { term: *term, from: *from, extras: Extras::Not });
                self.runs = Runs::Needed;
            }
            Order::SellAgain { term, from, extras } => {
                let offer = self.offered_again(*term, *from, *extras)?;
                self.sell(&offer)?;
            }
            Order::Charge(extra) => self.charge(extra),
            Order::Withdraw(bills) => self.withdraw(bills)?,
            Order::Reprice { from } => self.reprice(*from)?,
            Order::ReturnDeposits => self.return_deposits(),
            Order::TakeDeposits(taken) => self.take_deposits(taken)?,
        }
        Ok(())
    }

    fn sell(&mut self, offer: &Offer) -> Result<(), OrderFault> {
        let (card, bill) = self.card.sell(offer, self.around.on, self.around.key, self.around.note)?;
        let term = card.terms.last().map_or(0, |term| term.number);
        self.card = card;
        self.bills.push(bill);
        self.opposite.push(Order::Unsell { term });
        // A package replaces periods.
        self.runs = Runs::Needed;
        Ok(())
    }

    fn term(&self, number: u32) -> Result<&Term, OrderFault> {
        let term = self.card.terms.iter().find(|term| term.number == number);
        Ok(term.ok_or(CardError::NoSuchTerm(number))?)
    }

    fn bill(&self, id: BillId) -> Result<usize, OrderFault> {
        self.bills.iter().position(|bill| bill.id == id).ok_or(OrderFault::NoBill(id))
    }

    fn unsell(&mut self, number: u32) -> Result<(), OrderFault> {
        let term = self.term(number)?.clone();
        let live = term.live().ok_or(CardError::NoSuchTerm(number))?;
        self.card = self.card.give_up(number, term.span.from)?;
        let at = self.bill(term.bill)?;
        self.void(at);
        for one in &term.places {
            let surplus = Surplus { place: one.place.clone(), source: term.source.clone(), span: live };
            self.card.note_credited(&surplus);
        }
        self.opposite.push(Order::SellAgain { term: number, from: live.from, extras: Extras::Again });
        self.runs = Runs::Needed;
        Ok(())
    }

    /// Withdraws a bill whole; what was paid comes free.
    fn void(&mut self, at: usize) {
        let Around { on, key, note, .. } = self.around;
        let credited = self.bills[at].credit(Part::Whole, *on, Retention::NONE, key, (*note).clone());
        if let Some(credited) = credited {
            self.freed += credited.freed.minor();
            self.notes.push(credited);
        }
    }

    /// The offer of a term that is sold again from a day: its price for the days that are left.
    fn offered_again(&self, number: u32, from: NaiveDate, extras: Extras) -> Result<Offer, OrderFault> {
        let term = self.term(number)?;
        let span = Span::new(from.max(term.span.from), term.span.until).ok_or(CardError::NoSuchTerm(number))?;
        let bill = &self.bills[self.bill(term.bill)?];
        let line = &bill.lines[0];
        let part = |price: Decimal| price * Decimal::from(span.days()) / Decimal::from(term.span.days());
        let places = term.places.iter().map(|one| TermPlace { place: one.place.clone(), price: part(one.price) });
        let extras: Vec<Extra> = bill.lines.iter().filter(|_| extras == Extras::Again).filter_map(once).collect();
        Ok(Offer {
            kind: term.kind,
            source: term.source.clone(),
            name: offered_name(&line.text, &one_place(term)),
            span,
            places: places.collect(),
            replaces: term.replaces.clone(),
            extras,
            tax: line.tax.clone(),
            late_fee: bill.late.rule.clone(),
            due_days: self.around.due_days,
            currency: self.around.currency,
        })
    }

    fn charge(&mut self, extra: &Extra) {
        let Around { on, key, act, due_days, .. } = self.around;
        let bill =
            self.card.once_bill(extra, (*on, *due_days), &[&format!("{act}"), &self.bills.len().to_string()], key);
        self.opposite.push(Order::Withdraw(vec![bill.id]));
        self.bills.push(bill);
    }

    fn withdraw(&mut self, bills: &[BillId]) -> Result<(), OrderFault> {
        for id in bills {
            let at = self.bill(*id)?;
            for line in self.bills[at].lines.clone() {
                if line.days.is_none() {
                    self.opposite.extend(once(&line).map(|extra| Order::Charge(Box::new(extra))));
                }
                for span in line.live_days() {
                    let surplus = Surplus { place: line.place.clone(), source: line.source.clone(), span };
                    self.card.note_credited(&surplus);
                }
            }
            self.void(at);
        }
        Ok(())
    }

    fn reprice(&mut self, from: NaiveDate) -> Result<(), OrderFault> {
        if !in_bounds(from) {
            return Err(CardError::Dates(from).into());
        }
        let ever = Span { from, until: NaiveDate::MAX };
        let mut surplus = Vec::new();
        for billed in &self.card.billed {
            let Billing::Fee { item, .. } = &billed.of else { continue };
            let source = Source::Item(item.clone());
            let days = billed.spans.iter().filter_map(|span| span.and(ever));
            surplus.extend(days.map(|span| Surplus { place: billed.place.clone(), source: source.clone(), span }));
        }
        self.repair(&surplus, Retention::NONE);
        self.opposite.push(Order::Reprice { from });
        self.runs = Runs::Needed;
        Ok(())
    }

    fn repair(&mut self, surplus: &[Surplus], retention: Retention) {
        let Around { on, key, currency, note, .. } = self.around;
        let terms = Terms { on: *on, retention, currency: *currency, key, note: (*note).clone() };
        let repaired = repair(&mut self.card, &mut self.bills, surplus, &terms);
        self.freed += repaired.freed.minor();
        self.notes.extend(repaired.notes);
    }

    fn return_deposits(&mut self) {
        let Around { on, key, note, currency, .. } = self.around;
        let mut taken = Vec::new();
        for bill in self.bills.iter_mut().filter(|bill| bill.standing == Standing::Issued) {
            let returned = bill.return_deposit(Money::new(i64::MAX / 2, *currency));
            if returned.is_positive() {
                self.freed += returned.minor();
                taken.push((bill.id, returned));
            }
            for line in 0..bill.lines.len() {
                let is = &bill.lines[line];
                let owed = is.owed();
                if is.nature == Nature::Deposit && owed.is_positive() {
                    let again = once(is).map(|extra| Order::Charge(Box::new(Extra { amount: owed, ..extra })));
                    self.opposite.extend(again);
                    let part = Part::Owed { line };
                    self.notes.extend(bill.credit(part, *on, Retention::NONE, key, (*note).clone()));
                }
            }
        }
        self.opposite.push(Order::TakeDeposits(taken));
    }

    fn take_deposits(&mut self, taken: &[(BillId, Money)]) -> Result<(), OrderFault> {
        for (id, amount) in taken {
            let at = self.bill(*id)?;
            let retaken =
                self.bills[at].take_deposit_again(Money::new(amount.minor().min(self.freed), amount.currency()));
            self.freed -= retaken.minor();
            if retaken != *amount {
                return Err(OrderFault::Spent(amount.amount()));
            }
        }
        self.opposite.push(Order::ReturnDeposits);
        Ok(())
    }

    /// What a run would do with the card today.
    fn run(&mut self, orders: &[Order]) -> Result<(), OrderFault> {
        let Around { estate, fees, on, currency, bounds, key, retention, .. } = self.around;
        let outcome = run_card(&self.card, *estate, fees, *on, *currency, *bounds, key)?;
        self.card = outcome.card;
        let ahead: Vec<BillId> = outcome.bills.iter().map(|bill| bill.id).collect();
        self.bills.extend(outcome.bills);
        self.repair(&outcome.surplus, *retention);
        // Bills that were drawn ahead stay billed when nobody pays ahead any more: undoing withdraws them.
        if !ahead.is_empty() && orders.iter().any(|order| matches!(order, Order::Act(Act::PayAhead(Some(_))))) {
            self.opposite.push(Order::Withdraw(ahead));
        }
        Ok(())
    }

    /// Money that came free pays what is open of the card.
    fn settle(&mut self) {
        if self.freed > 0 {
            let free = Money::new(self.freed, self.around.currency);
            self.freed = allocate(&mut self.bills, free, self.around.on).rest.minor();
        }
    }

    fn outcome(mut self, before: &[CardBill]) -> Carried {
        let known = |bill: &CardBill| before.iter().any(|old| old.id == bill.id);
        let drew = self.bills.iter().filter(|bill| !known(bill)).map(|bill| bill.id).collect();
        self.bills.retain(|bill| !before.contains(bill));
        self.opposite.reverse();
        Carried {
            card: self.card,
            bills: self.bills,
            drew,
            notes: self.notes,
            freed: Money::new(self.freed, self.around.currency),
            opposite: self.opposite,
        }
    }
}

/// What a line charges once; `None` for a line with days and for what was kept of one.
fn once(line: &CardLine) -> Option<Extra> {
    let Source::Item(item) = &line.source else { return None };
    let charged = line.days.is_none() && matches!(line.nature, Nature::Deposit | Nature::AtOnce);
    charged.then(|| Extra {
        item: item.clone(),
        name: line.text.clone(),
        amount: line.amount,
        nature: line.nature,
        tax: line.tax.clone(),
    })
}

/// The first place of a term, as its lines show it.
fn one_place(term: &Term) -> String {
    term.places.first().map(|one| one.place.to_string()).unwrap_or_default()
}

/// The name of what was sold, from the line of a place: what stands before the place.
fn offered_name(text: &Words, place: &str) -> Words {
    let head = |text: &str| text.split_once(&format!(" {place} ")).map_or(text, |(head, _)| head).to_owned();
    Words::new(head(&text.zh), head(&text.en))
}
