//! Carrying out orders on a card in one change: the card, its bills and credit notes, what they post, the indexes over it,
//! and the act with what undoes it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tollhouse_core::books::Account;
use tollhouse_core::charging::bills::{Bounds, CardBill, Moved, Retention, credit_counter};
use tollhouse_core::charging::cards::{Around, Card, CardAct, Carried, Freed, FreedTo, Order, carry_out, waking};
use tollhouse_core::charging::estate::Space;
use tollhouse_core::charging::fees::FeeList;
use tollhouse_core::charging::label::{HolderId, SpaceNumber};
use tollhouse_core::id::BillId;
use tollhouse_core::money::Money;
use tollhouse_core::record::{By, Change, ChangeKind, Counter, Kept, Records, Relied, Table};

use super::CardsDesk;
use super::show::CardDone;
use crate::charging::booking::book;
use crate::charging::fault::ChargingFault;
use crate::charging::held::index;
use crate::charging::parts::Decided;
use crate::charging::prices::fees;
use crate::charging::reading::all_kept;

/// What is to be done to a card.
pub(super) struct Doing {
    /// In a word, as the act is called.
    pub(super) what: &'static str,
    /// The orders.
    pub(super) orders: Vec<Order>,
    /// Where money goes that comes free.
    pub(super) to: FreedTo,
    /// What is kept of it.
    pub(super) retention: Retention,
    /// The act that it undoes.
    pub(super) undoes: Option<CardAct>,
}

impl Doing {
    /// Orders whose freed money stays with the payer, all of it.
    pub(super) fn of(what: &'static str, orders: Vec<Order>) -> Self {
        Self { what, orders, to: FreedTo::Credit, retention: Retention::NONE, undoes: None }
    }
}

/// Where a holder's money that came free is counted.
fn freed_counter(holder: &HolderId, to: FreedTo) -> String {
    match to {
        FreedTo::Credit => credit_counter(holder),
        FreedTo::RefundDue => format!("refund_due/{holder}"),
    }
}

fn account(to: FreedTo) -> Account {
    match to {
        FreedTo::Credit => Account::Credit,
        FreedTo::RefundDue => Account::RefundDue,
    }
}

/// The bills of a card, as they were read.
pub(in crate::charging) fn bills_of(records: &impl Records, card: &str) -> Result<Vec<Kept<CardBill>>, ChargingFault> {
    Ok(all_kept(records, &format!("{card}/"))?)
}

/// How many acts a card has.
pub(super) fn acts_of(records: &impl Records, card: &str) -> Result<Vec<CardAct>, ChargingFault> {
    Ok(crate::charging::reading::all(records, &format!("{card}/"))?)
}

impl CardsDesk {
    /// A card, as it was read.
    pub(super) fn kept(records: &impl Records, number: &str) -> Result<Kept<Card>, ChargingFault> {
        records.get::<Card>(number)?.ok_or_else(|| ChargingFault::unknown("card", number))
    }

    /// What a plan makes of a card, carried out in one change.
    pub(super) async fn act(
        &self,
        by: &By,
        number: &str,
        plan: impl Fn(&crate::store::Snapshot, &Card) -> Result<Doing, ChargingFault>,
    ) -> Result<CardDone, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = Self::kept(records, number)?;
                let doing = plan(records, &kept.record)?;
                self.carry(by, records, Some(&kept), &kept.record, &doing, None)
            })
            .await
    }

    /// Carries a plan out: the change, not committed yet. `before` is the card as it was read, `None` for a new one.
    /// `list` saves reading the price list again.
    pub(super) fn carry(
        &self,
        by: &By,
        records: &impl Records,
        before: Option<&Kept<Card>>,
        card: &Card,
        doing: &Doing,
        list: Option<&FeeList>,
    ) -> Result<Decided<CardDone>, ChargingFault> {
        let number = card.number.as_str();
        let mut change = self.parts.change(ChangeKind::CardChanged, by);
        let bills = bills_of(records, number)?;
        let owned;
        let list = if let Some(list) = list {
            list
        } else {
            owned = fees(records)?;
            &owned
        };
        let note = self.parts.note(by);
        let estate = |number: &SpaceNumber| -> Option<Space> {
            records.get::<Space>(number.as_str()).ok().flatten().map(|kept| kept.record)
        };
        let acts = acts_of(records, number)?;
        let act = u32::try_from(acts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let extra = self.take_back_freed(&mut change, records, card, doing.undoes.as_ref())?;
        let around = Around {
            estate: &estate,
            fees: list,
            on: self.parts.today(),
            currency: self.parts.currency(),
            key: &self.parts.key,
            note: &note,
            retention: doing.retention,
            due_days: self.parts.policy().due_days,
            bounds: Bounds::default(),
            act,
        };
        let read: Vec<CardBill> = bills.iter().map(|kept| kept.record.clone()).collect();
        let carried = carry_out(card, &read, &doing.orders, extra, &around).map_err(ChargingFault::conflict)?;
        let mut carried = woken(carried, &read, &note)?;
        index(&mut change, records, before.map(|kept| &kept.record), &carried.card)?;
        change.rely_on(number, before);
        change.put(&carried.card);
        let drawn = carried.bills.clone();
        let on = self.parts.today();
        put_bills(&mut change, records, &mut carried, bills, (&account(doing.to), on))?;
        let freed = carried.freed.is_positive().then_some(Freed { amount: carried.freed, to: doing.to });
        let left = carried.freed.minor() - extra.minor();
        // What goes to a holder's credit is counted with the bills.
        if left != 0 && doing.to == FreedTo::RefundDue {
            change.count(&freed_counter(card.payer(), doing.to), left, None);
        }
        let done = CardAct {
            card: card.number.clone(),
            number: act,
            what: doing.what.to_owned(),
            note,
            orders: doing.orders.clone(),
            opposite: carried.opposite,
            drew: carried.drew,
            credited: carried.notes.iter().map(|one| one.id).collect(),
            freed,
            undoes: doing.undoes.as_ref().map(|act| act.number),
            undone_by: None,
        };
        change.put(&done);
        if let Some(undone) = &doing.undoes {
            change.put(&CardAct { undone_by: Some(act), ..undone.clone() });
        }
        let outcome = CardDone::of(&carried.card, &done, &drawn);
        Ok(Decided { change, outcome })
    }

    /// What an act that is undone had set free is taken back from where it went, as far as it is still there.
    fn take_back_freed(
        &self,
        change: &mut Change,
        records: &impl Records,
        card: &Card,
        undone: Option<&CardAct>,
    ) -> Result<Money, ChargingFault> {
        let Some(freed) = undone.and_then(|act| act.freed.as_ref()) else {
            return Ok(Money::zero(self.parts.currency()));
        };
        let counter = freed_counter(card.payer(), freed.to);
        let kept = records.get::<Counter>(&counter)?;
        let there = kept.as_ref().map_or(0, |kept| kept.record.value);
        if there < freed.amount.minor() {
            let why = format!(
                "{} came free then and has been used or paid out since: settle that with the holder first",
                freed.amount
            );
            return Err(ChargingFault::conflict(why));
        }
        change.relied.push(Relied { table: Table::Counters, key: counter, revision: kept.map(|kept| kept.revision) });
        Ok(freed.amount)
    }
}

/// Writes the bills that moved, against the account that money came from or goes to, and the credit notes.
fn put_bills(
    change: &mut Change,
    records: &impl Records,
    carried: &mut Carried,
    read: Vec<Kept<CardBill>>,
    (other, on): (&Account, NaiveDate),
) -> Result<(), ChargingFault> {
    for credit_note in &carried.notes {
        change.put(credit_note);
    }
    let mut before: BTreeMap<BillId, Kept<CardBill>> = read.into_iter().map(|kept| (kept.record.id, kept)).collect();
    let moved = std::mem::take(&mut carried.bills);
    let moved = moved.into_iter().map(|after| Moved { before: before.remove(&after.id), after }).collect();
    book(change, records, moved, other, on)
}

/// A pending card of which nothing is due comes into force.
fn woken(
    mut carried: Carried,
    read: &[CardBill],
    note: &tollhouse_core::charging::timeline::Note,
) -> Result<Carried, ChargingFault> {
    let untouched = read.iter().filter(|old| !carried.bills.iter().any(|new| new.id == old.id));
    let bills: Vec<CardBill> = untouched.chain(&carried.bills).cloned().collect();
    if let Some(act) = waking(&carried.card, &bills) {
        carried.card = carried.card.apply(&act, note).map_err(ChargingFault::conflict)?.0;
    }
    Ok(carried)
}
