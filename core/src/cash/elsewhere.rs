//! Giving money back that does not come out of a drawer: through the provider that took it, or as what was given back in its
//! console already and waits in suspense until somebody says what for.

use super::refund::{PayOut, owe_less, take_back};
use super::{CashRefusal, CashTerms, check_amount, checked_reason};
use crate::books::{Account, Posting, balance_of};
use crate::id::{OrderId, RefundId};
use crate::money::Money;
use crate::pay::{Back, OpenRefund, Order, OrderState, Payment, Refund, RefundState};
use crate::record::{Cause, Change, ChangeKind, ReadError, Record, Records};

/// Why a refund is on record that nobody here has asked for.
pub const IN_THE_CONSOLE: &str = "refunded in the provider's console";
/// Records read at once.
const PAGE: usize = 1_000;

fn each<T: Record>(records: &impl Records, mut look: impl FnMut(T)) -> Result<(), ReadError> {
    let mut from = String::new();
    loop {
        let page = records.list::<T>(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            from = format!("{}\u{0}", kept.record.key());
            look(kept.record);
        }
        if !full {
            return Ok(());
        }
    }
}

/// Begins a refund of an order's payment, in part or whole. It is on record before the provider is asked.
pub fn refund_order(
    (by, reason): (&str, &str),
    order: OrderId,
    what: &PayOut,
    amount: Money,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, Refund), CashRefusal> {
    let reason = checked_reason(reason)?;
    check_amount(amount, amount.currency(), 1)?;
    let kept = records.get::<Order>(&order.to_string())?.ok_or(CashRefusal::NotPaidFor)?;
    let (payment_key, payment) = payment_of(&kept.record, records)?;
    let (mut parts, mut given) = (0_u32, 0_i64);
    each::<Refund>(records, |refund| {
        if refund.order == order {
            parts += 1;
            given += refund.amount.minor();
        }
    })?;
    let there = Money::new(payment.amount.minor() - given, payment.amount.currency());
    if amount.minus(there)?.is_positive() {
        return Err(CashRefusal::NotThere { there, wanted: amount });
    }
    let cause = Cause::Person { name: by.to_owned(), reason: reason.clone() };
    let mut change = Change::new(ChangeKind::RefundMoved, terms.now, cause);
    change.rely_on(&order.to_string(), Some(&kept));
    match what {
        PayOut::StayBill(bill) => {
            take_back(&mut change, *bill, amount, terms, records)?;
            change.postings.push(Posting::credit(Account::RefundDue, amount));
        }
        PayOut::RefundDue(_) => is_free(amount, records)?,
    }
    let refund = Refund {
        id: RefundId::derive(terms.key, &[&payment_key, "by a person", &parts.to_string()]),
        order,
        amount,
        state: RefundState::Requested,
        reason,
        made_at: terms.now,
        done_at: None,
        attempts: 0,
        closed: 0,
        back: Back::Refund,
        explained: None,
    };
    change.rely_on::<Refund>(&refund.id.to_string(), None);
    change.put(&refund);
    change.put(&OpenRefund { refund: refund.id });
    Ok((change, refund))
}

fn payment_of(order: &Order, records: &impl Records) -> Result<(String, Payment), CashRefusal> {
    let transaction = order.transaction.as_ref().filter(|_| order.state == OrderState::Paid);
    let transaction = transaction.ok_or(CashRefusal::NotPaidFor)?;
    let key = Payment::key_of(&order.provider, &order.merchant, transaction);
    let kept = records.get::<Payment>(&key)?.ok_or(CashRefusal::NotPaidFor)?;
    Ok((key, kept.record))
}

/// What is due to be given back, less what is on its way already.
fn is_free(amount: Money, records: &impl Records) -> Result<(), CashRefusal> {
    let mut on_its_way = 0;
    each::<Refund>(records, |refund| {
        if refund.state != RefundState::Done {
            on_its_way += refund.amount.minor();
        }
    })?;
    let due = balance_of(&Account::RefundDue, amount.currency(), records)?.negated();
    let there = Money::new(due.minor() - on_its_way, due.currency());
    if amount.minus(there)?.is_positive() { Err(CashRefusal::NotThere { there, wanted: amount }) } else { Ok(()) }
}

/// Says what a refund was for that was made in the provider's console: its amount leaves suspense.
pub fn explain_refund(
    (by, reason): (&str, &str),
    refund: RefundId,
    what: &PayOut,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, Refund), CashRefusal> {
    let reason = checked_reason(reason)?;
    let key = refund.to_string();
    let unexplained = |refund: &Refund| refund.reason == IN_THE_CONSOLE && refund.explained.is_none();
    let kept = records.get::<Refund>(&key)?.filter(|kept| unexplained(&kept.record));
    let kept = kept.ok_or(CashRefusal::NotUnexplained)?;
    let amount = kept.record.amount;
    let cause = Cause::Person { name: by.to_owned(), reason: reason.clone() };
    let mut change = Change::new(ChangeKind::RefundMoved, terms.now, cause);
    change.rely_on(&key, Some(&kept));
    match what {
        PayOut::StayBill(bill) => take_back(&mut change, *bill, amount, terms, records)?,
        PayOut::RefundDue(_) => {
            is_free(amount, records)?;
            owe_less(&mut change, amount, records)?;
        }
    }
    change.postings.push(Posting::credit(Account::Suspense, amount));
    let explained = Refund { explained: Some(reason), ..kept.record };
    change.put(&explained);
    Ok((change, explained))
}
