//! The desk of card bills: reading and listing them, paying them from what a holder has, and what people correct.
//!
//! Owns how bills are found, and which acts there are. What an act does to a bill and the books is core's. Money from
//! outside (a provider, cash) is not taken here: its desks call `core::charging::bills::pay` in changes of their own.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollhouse_core::books::Account;
use tollhouse_core::charging::bills::{
    BillBooks, CardBill, CreditNote, Moved, Part, PayFault, Payable, Retention, Standing, apply_deposit, bills_of,
    deposit_held, forfeit_deposit, pay_by_credit, payable_bills, return_deposit,
};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::{Act, Card, CardState};
use tollhouse_core::charging::gate::GateBill;
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::BillId;
use tollhouse_core::money::Money;
use tollhouse_core::record::{By, Change, ChangeKind, Kept, Record, Records};
use utoipa::ToSchema;

use super::super::{ChargingFault, ChargingParts, Decided};
use super::run::price_list;
use super::view::BillView;
use crate::store::Snapshot;

/// What can be corrected on a bill. Each needs a reason, and the most that a role may is the caller's to check against
/// [`BillDesk::at_stake`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Correction {
    /// All of it is owed no longer; what was paid comes free, but for `retention` of it.
    Void {
        /// The part of what was paid that is kept, 0 to 1.
        #[serde(default)]
        #[schema(value_type = String, example = "0")]
        retention: Decimal,
    },
    /// Days of one line are owed no longer.
    CreditDays {
        /// Which line, from 0.
        line: usize,
        /// The first day.
        from: NaiveDate,
        /// The first day after.
        until: NaiveDate,
        /// The part of what was paid for them that is kept, 0 to 1.
        #[serde(default)]
        #[schema(value_type = String, example = "0")]
        retention: Decimal,
    },
    /// What is open is given up as lost.
    WriteOff,
    /// What was written off is claimed again.
    Recover,
    /// The late fee is forgiven, as far as it is not paid.
    WaiveLateFee,
}

/// Where money goes that comes free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FreedTo {
    /// To the holder's credit, for later bills.
    #[default]
    Credit,
    /// Back to the payer: it stands as due to be refunded.
    Refund,
}

impl FreedTo {
    fn account(self) -> Account {
        match self {
            Self::Credit => Account::Credit,
            Self::Refund => Account::RefundDue,
        }
    }
}

/// What is done with a deposit that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositTo {
    /// The holder's credit.
    Credit,
    /// Back to the payer.
    Refund,
    /// What is due on the card's bills.
    Bills,
    /// It is kept as income.
    Forfeit,
}

/// A bill after something was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// As it is.
    pub bill: CardBill,
    /// The credit note, where there is one.
    pub note: Option<CreditNote>,
}

/// What came of paying from credit or deposit, or of asking for months ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What was taken, or came free.
    pub amount: Money,
    /// The card's bills that it concerns, as they are.
    pub bills: Vec<CardBill>,
    /// Under this id all of them are paid at once.
    pub payable: Option<BillId>,
}

/// The desk.
#[derive(Clone)]
pub struct BillDesk {
    parts: ChargingParts,
}

fn pay_fault(fault: PayFault) -> ChargingFault {
    match fault {
        PayFault::Read(fault) => fault.into(),
        other => ChargingFault::conflict(other),
    }
}

fn retention(of: Decimal) -> Result<Retention, ChargingFault> {
    if of < Decimal::ZERO || of > Decimal::ONE {
        return Err(ChargingFault::wrong("retention", "扣留比例须在0至1之间", "a retention is a part, 0 to 1"));
    }
    Ok(Retention(of))
}

impl BillDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// What it works with.
    pub fn parts(&self) -> &ChargingParts {
        &self.parts
    }

    /// A bill as programs read it, with where it has arrived.
    pub fn view(&self, kept: &Kept<CardBill>) -> BillView {
        let gate = self.gate(&kept.record);
        BillView::new(&kept.record, kept.revision, gate.as_ref(), self.parts.today(), self.parts.lot.zone)
    }

    /// What the gate has of a bill; nothing where nobody follows.
    fn gate(&self, bill: &CardBill) -> Option<GateBill> {
        let records = self.parts.store.snapshot();
        records.get::<GateBill>(&bill.key()).ok()?.map(|kept| kept.record)
    }

    /// The bill of that id.
    pub fn bill(&self, id: BillId) -> Result<Kept<CardBill>, ChargingFault> {
        Self::found(id, &self.parts.store.snapshot())
    }

    fn found(id: BillId, records: &Snapshot) -> Result<Kept<CardBill>, ChargingFault> {
        let bills = payable_bills(id, records)?.unwrap_or_default();
        bills.into_iter().find(|kept| kept.record.id == id).ok_or_else(|| ChargingFault::unknown("bill", id))
    }

    /// The credit notes of a bill.
    pub fn credit_notes(&self, bill: &CardBill) -> Result<Vec<CreditNote>, ChargingFault> {
        let (prefix, records) = (format!("{}/", bill.heading.card), self.parts.store.snapshot());
        let notes = records.list::<CreditNote>(&prefix, 2_000)?.into_iter().map(|kept| kept.record);
        let of_card = notes.take_while(|note| note.card == bill.heading.card);
        Ok(of_card.filter(|note| note.bill == bill.id).collect())
    }

    /// How much money a correction moves: what a role may is held against it.
    pub fn at_stake(&self, id: BillId, correction: &Correction) -> Result<Money, ChargingFault> {
        let bill = self.bill(id)?.record;
        Ok(match correction {
            Correction::Void { .. } => bill.total(),
            Correction::CreditDays { line, .. } => {
                bill.lines.get(*line).map_or(Money::zero(bill.currency()), |line| line.amount)
            }
            Correction::WriteOff => bill.due(),
            Correction::WaiveLateFee => bill.late_fee(),
            Correction::Recover => Money::zero(bill.currency()),
        })
    }

    /// Corrects a bill: by a credit note or its like, never by an edit.
    pub async fn correct(
        &self,
        id: BillId,
        correction: &Correction,
        freed: FreedTo,
        by: &By,
    ) -> Result<Corrected, ChargingFault> {
        let done = self.parts.carry_out(by, |records| {
            let kept = Self::found(id, records)?;
            let mut change = self.parts.change(ChangeKind::BillsCorrected, by);
            let (today, before) = (self.parts.today(), kept.record.clone());
            let (mut note, mut refused) = (None, None);
            let moved = Moved::from(kept, |bill| match self.corrected(bill, correction, today, by) {
                Ok(made) => note = made,
                Err(fault) => refused = Some(fault),
            });
            if let Some(fault) = refused {
                return Err(fault);
            }
            if moved.after == before {
                return Err(ChargingFault::conflict("the bill stands like that already: nothing to correct"));
            }
            let bill = moved.after.clone();
            if let Some(note) = &note {
                change.put(note);
                if matches!(correction, Correction::Void { .. }) {
                    Self::free_days(&mut change, &before, note, records)?;
                }
            }
            BillBooks::open(records, today)?.write(&mut change, vec![moved], &freed.account());
            Ok(Decided { change, outcome: Corrected { bill, note } })
        });
        done.await
    }

    fn corrected(
        &self,
        bill: &mut CardBill,
        correction: &Correction,
        on: NaiveDate,
        by: &By,
    ) -> Result<Option<CreditNote>, ChargingFault> {
        let live = matches!(bill.standing, Standing::Issued | Standing::WrittenOff);
        if !live {
            return Err(ChargingFault::conflict("the bill was withdrawn: nothing more is done to it"));
        }
        let (key, note) = (&self.parts.key, self.parts.note(by));
        match correction {
            Correction::Void { retention: of } => Ok(bill.credit(Part::Whole, on, retention(*of)?, key, note)),
            Correction::CreditDays { line, from, until, retention: of } => {
                let span = Span::new(*from, *until).ok_or_else(|| {
                    ChargingFault::wrong("until", "结束日须晚于开始日", "the first day after comes after the first day")
                })?;
                let made = bill.credit(Part::Days { line: *line, span }, on, retention(*of)?, key, note);
                made.map(Some).ok_or_else(|| ChargingFault::conflict("the line has no such days that are still owed"))
            }
            Correction::WriteOff if bill.due().is_positive() => {
                bill.write_off(on);
                Ok(None)
            }
            Correction::WriteOff => Err(ChargingFault::conflict("nothing is due on the bill that could be given up")),
            Correction::Recover => {
                bill.recover(on);
                Ok(None)
            }
            Correction::WaiveLateFee => {
                bill.waive_late_fee(on);
                Ok(None)
            }
        }
    }

    /// A bill that is withdrawn frees its days on the card, in the same change.
    fn free_days(
        change: &mut Change,
        bill: &CardBill,
        note: &CreditNote,
        records: &Snapshot,
    ) -> Result<(), ChargingFault> {
        let number = bill.heading.card.as_str();
        let Some(kept) = records.get::<Card>(number)? else { return Ok(()) };
        let card = kept.record.clone().freed(bill, note);
        if card != kept.record {
            change.rely_on(number, Some(&kept));
            card.write(change);
        }
        Ok(())
    }

    /// Uses what the holder has to their credit for the card's open bills.
    pub async fn pay_from_credit(&self, card: &CardNumber, by: &By) -> Result<Settled, ChargingFault> {
        let done = self.parts.carry_out(by, |records| {
            let mut change = self.parts.change(ChangeKind::BillsPaid, by);
            let bills = open_bills(card, records)?;
            let paid = pay_by_credit(&mut change, bills, self.parts.today(), records).map_err(pay_fault)?;
            let paid = paid.ok_or_else(|| ChargingFault::conflict("there is no credit to use, or nothing is due"))?;
            let outcome = Settled { amount: paid.accepted, bills: paid.bills, payable: None };
            Ok(Decided { change, outcome })
        });
        done.await
    }

    /// Gives a deposit that is held back, uses it for what is due, or keeps it. Without an amount, all that is held.
    pub async fn settle_deposit(
        &self,
        card: &CardNumber,
        amount: Option<Money>,
        to: DepositTo,
        by: &By,
    ) -> Result<Settled, ChargingFault> {
        let done = self.parts.carry_out(by, |records| {
            let mut change = self.parts.change(ChangeKind::BillsPaid, by);
            let (bills, today) = (bills_of(card, records)?, self.parts.today());
            let held = Money::new(deposit_held(bills.iter().map(|kept| &kept.record)), self.parts.currency());
            let amount = amount.unwrap_or(held);
            if !amount.is_positive() || amount.minor() > held.minor() || amount.currency() != held.currency() {
                return Err(ChargingFault::conflict(format!(
                    "the card has a deposit of {held}: give an amount up to it"
                )));
            }
            let change_to = |change: &mut Change, account: &Account| {
                return_deposit(change, bills.clone(), amount, today, account, records)
            };
            let settled = match to {
                DepositTo::Credit => change_to(&mut change, &Account::Credit),
                DepositTo::Refund => change_to(&mut change, &Account::RefundDue),
                DepositTo::Forfeit => forfeit_deposit(&mut change, bills.clone(), amount, today, records),
                DepositTo::Bills => {
                    apply_deposit(&mut change, bills.clone(), amount, today, records).map(|paid| paid.accepted)
                }
            };
            let amount = settled.map_err(pay_fault)?;
            if !amount.is_positive() {
                return Err(ChargingFault::conflict("nothing is due that the deposit could be used for"));
            }
            Ok(Decided { change, outcome: Settled { amount, bills: vec![], payable: None } })
        });
        done.await
    }

    /// Draws the card's periodic bills ahead, up to a day, and offers all that is open to be paid at once.
    pub async fn ahead(&self, card: &CardNumber, until: NaiveDate, by: &By) -> Result<Settled, ChargingFault> {
        let done = self.parts.carry_out(by, |records| {
            let kept = records.get::<Card>(card.as_str())?.ok_or_else(|| ChargingFault::unknown("card", card))?;
            if matches!(kept.record.state(), CardState::Closed | CardState::Expired) {
                return Err(ChargingFault::conflict("the card is closed or expired: nothing is billed ahead"));
            }
            let (today, note) = (self.parts.today(), self.parts.note(by));
            let act = Act::PayAhead(Some(until));
            let (ahead, _) = kept.record.apply(&act, &note).map_err(ChargingFault::conflict)?;
            let fees = price_list(records)?;
            let step = super::run::bill_one(&self.parts, &ahead, &fees, &note, records)?;
            let mut change = self.parts.change(ChangeKind::BillsRun, by);
            change.rely_on(card.as_str(), Some(&kept));
            let mut open: Vec<CardBill> = open_bills(card, records)?.into_iter().map(|kept| kept.record).collect();
            let (card_then, moves) = step.map_or((ahead, vec![]), |step| {
                for note in &step.notes {
                    change.put(note);
                }
                (step.card, step.moves)
            });
            card_then.write(&mut change);
            for one in &moves {
                open.retain(|bill| bill.id != one.after.id);
                open.extend(Some(one.after.clone()).filter(|bill| bill.due().is_positive()));
            }
            BillBooks::open(records, today)?.write(&mut change, moves, &Account::Credit);
            let together = Payable::together(&open.iter().collect::<Vec<_>>(), &self.parts.key);
            if !open.is_empty() {
                change.put(&together);
            }
            let due = Money::new(open.iter().map(|bill| bill.due().minor()).sum(), self.parts.currency());
            let payable = (!open.is_empty()).then_some(together.id);
            Ok(Decided { change, outcome: Settled { amount: due, bills: open, payable } })
        });
        done.await
    }

    /// Offers bills to be paid at once, under one public id; without a list, all open bills of the card.
    pub async fn together(&self, card: &CardNumber, which: &[BillId], by: &By) -> Result<Settled, ChargingFault> {
        let done = self.parts.carry_out(by, |records| {
            let open = open_bills(card, records)?.into_iter().map(|kept| kept.record);
            let open: Vec<CardBill> = open.filter(|bill| which.is_empty() || which.contains(&bill.id)).collect();
            if open.is_empty() || (!which.is_empty() && open.len() != which.len()) {
                return Err(ChargingFault::conflict("not all of these are open bills of the card"));
            }
            let mut change = self.parts.change(ChangeKind::BillsRun, by);
            let together = Payable::together(&open.iter().collect::<Vec<_>>(), &self.parts.key);
            if records.get::<Payable>(&together.id.to_string())?.is_none() {
                change.put(&together);
            }
            let due = Money::new(open.iter().map(|bill| bill.due().minor()).sum(), self.parts.currency());
            Ok(Decided { change, outcome: Settled { amount: due, bills: open, payable: Some(together.id) } })
        });
        done.await
    }
}

/// The bills of a card on which something is due.
fn open_bills(card: &CardNumber, records: &Snapshot) -> Result<Vec<Kept<CardBill>>, ChargingFault> {
    let mut bills = bills_of(card, records)?;
    bills.retain(|kept| kept.record.standing == Standing::Issued && kept.record.due().is_positive());
    bills.sort_by_key(|kept| (kept.record.due_on, kept.record.issued_on, kept.record.id));
    Ok(bills)
}
