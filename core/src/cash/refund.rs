//! Giving cash back: money of a stay's bill that should not have been taken, or what is owed to somebody already.

use rust_decimal::Decimal;

use super::{CashFor, CashReceipt, CashRefusal, CashTerms, Shift, Way, check_amount, checked_reason};
use crate::bill::{Bill, BillState};
use crate::books::{Account, Posting, balance_of};
use crate::id::BillId;
use crate::money::Money;
use crate::pay::{OrderRefusal, taken_counter};
use crate::record::{Cause, Change, ChangeKind, Kept, Records};
use crate::stay::{Stay, StayState};
use crate::tariff::FeeLine;
use crate::words::Words;

/// What cash is given back for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayOut {
    /// Of what a stay's bill took: the bill gets a line that takes it back, and owes no more than before.
    StayBill(BillId),
    /// Of what is due to somebody already (refund due), by what names it: a credit note, a refund.
    RefundDue(String),
}

/// Gives cash back out of the drawer of the attendant's open shift.
pub fn pay_out(
    attendant: &str,
    what: &PayOut,
    amount: Money,
    reason: &str,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, CashReceipt), CashRefusal> {
    let reason = checked_reason(reason)?;
    let kept = Shift::of(attendant, records)?;
    check_amount(amount, kept.record.float.currency(), 1)?;
    let cause = Cause::Person { name: attendant.to_owned(), reason: reason.clone() };
    let mut change = Change::new(ChangeKind::CashPaidOut, terms.now, cause);
    change.rely_on(&kept.record.id.to_string(), Some(&kept));
    let mut shift = kept.record;
    let subject = match what {
        PayOut::StayBill(bill) => {
            take_back(&mut change, *bill, amount, terms, records)?;
            CashFor::StayBill { bill: *bill }
        }
        PayOut::RefundDue(of) => {
            let of = checked_reason(of)?;
            owe_less(&mut change, amount, records)?;
            CashFor::RefundDue { of }
        }
    };
    change.postings.push(Posting::credit(shift.account(), amount));
    let receipt = CashReceipt { reason: Some(reason), ..shift.receipt(terms.now, Way::Out, amount, subject) };
    let receipt = shift.book(&mut change, receipt)?;
    Ok((change, receipt))
}

/// A line below zero on the bill of a stay that is over: revenue and tax go back by it, and so does the payment.
pub(super) fn take_back(
    change: &mut Change,
    bill: BillId,
    amount: Money,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(), CashRefusal> {
    let key = bill.to_string();
    let kept: Kept<Bill> = records.get(&key)?.ok_or(OrderRefusal::UnknownBill)?;
    change.rely_on(&key, Some(&kept));
    let stay = records.get::<Stay>(&kept.record.stay.to_string())?;
    if stay.is_some_and(|stay| stay.record.state == StayState::Open) {
        return Err(CashRefusal::StillInside);
    }
    let before = kept.record.state;
    let mut bill = kept.record;
    if amount.minus(bill.paid)?.is_positive() {
        return Err(CashRefusal::NotThere { there: bill.paid, wanted: amount });
    }
    bill.lines.push(FeeLine {
        text: Words::new("退费", "Given back"),
        rule: "given_back".into(),
        from: bill.assessed_to,
        to: terms.now.max(bill.assessed_to),
        quantity: Decimal::ONE,
        unit_price: amount.negated().decimal(),
        amount: amount.negated(),
    });
    bill.total = bill.total.minus(amount)?;
    bill.paid = bill.paid.minus(amount)?;
    if bill.total.is_zero() {
        bill.state = BillState::Refunded;
    }
    change.postings.extend(bill.fix(terms.now)?);
    // What was paid of it is owed back: the receivable that the line took away comes again by the payment's return.
    change.postings.push(Posting::debit(Account::Receivable, amount));
    bill.write(change, Some(before));
    change.count(&taken_counter(terms.today), -amount.minor(), None);
    Ok(())
}

/// Refund due never goes below zero: nobody is given what is owed to nobody.
pub(super) fn owe_less(change: &mut Change, amount: Money, records: &impl Records) -> Result<(), CashRefusal> {
    let owed = balance_of(&Account::RefundDue, amount.currency(), records)?.negated();
    if amount.minus(owed)?.is_positive() {
        return Err(CashRefusal::NotThere { there: owed, wanted: amount });
    }
    change.postings.push(Posting::debit(Account::RefundDue, amount));
    Ok(())
}
