//! Capturing what a provider took: once per transaction, never more to a bill than is due, the excess goes back.

use chrono::{DateTime, NaiveDate, Utc};

use super::{OpenRefund, Order, OrderState, Payment, Refund, RefundState};
use crate::bill::Bill;
use crate::books;
use crate::id::{IdKey, RefundId};
use crate::lane::LaneFault;
use crate::money::Money;
use crate::record::{Cause, Change, ChangeKind, Kept, Records, Table};
use crate::stay::Stay;
use crate::tariff::TariffBook;

/// What the provider says of a payment, verified by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Our account there.
    pub merchant: String,
    /// The provider's id of it.
    pub transaction: String,
    /// How much.
    pub amount: Money,
    /// When, by the provider.
    pub paid_at: DateTime<Utc>,
}

/// What capturing found.
#[derive(Debug)]
pub enum Captured {
    /// This transaction has been captured before: nothing to do.
    Before,
    /// Commit this.
    Now(Box<Change>, Payment),
}

/// How a capture divides.
struct Division {
    to_bill: Money,
    excess: Money,
    suspense: Money,
    why_back: &'static str,
}

/// Books a payment for an order, whatever order its news arrive in and however often.
pub fn capture(
    order: &Kept<Order>,
    evidence: &Evidence,
    tariff: &TariffBook,
    now: DateTime<Utc>,
    today: NaiveDate,
    key: &IdKey,
    records: &impl Records,
) -> Result<Captured, LaneFault> {
    let Order { id, provider, .. } = &order.record;
    let payment_key = Payment::key_of(provider, &evidence.merchant, &evidence.transaction);
    if records.get::<Payment>(&payment_key)?.is_some() {
        return Ok(Captured::Before);
    }
    let mut change = Change::new(ChangeKind::PaymentCaptured, now, Cause::Payment(id.to_string()));
    change.rely_on::<Payment>(&payment_key, None);
    change.rely_on(&id.to_string(), Some(order));
    let division = divide(&mut change, order, evidence, tariff, records)?;
    let payment = Payment {
        provider: provider.clone(),
        merchant: evidence.merchant.clone(),
        transaction: evidence.transaction.clone(),
        order: *id,
        amount: evidence.amount,
        paid_at: evidence.paid_at,
        to_bill: division.to_bill,
        excess: division.excess,
        suspense: division.suspense,
    };
    change.postings.extend(books::captured(provider, division.to_bill, division.excess, division.suspense));
    change.put(&payment);
    let mut paid = order.record.clone();
    paid.state = OrderState::Paid;
    paid.transaction.get_or_insert_with(|| evidence.transaction.clone());
    change.put(&paid);
    change.delete(Table::OpenOrders, &id.to_string());
    if division.excess.is_positive() {
        let refund = Refund {
            id: RefundId::derive(key, &[&payment_key]),
            order: *id,
            amount: division.excess,
            state: RefundState::Requested,
            reason: division.why_back.to_owned(),
            made_at: now,
            done_at: None,
            attempts: 0,
        };
        change.put(&OpenRefund { refund: refund.id });
        change.put(&refund);
    }
    if division.to_bill.is_positive() {
        change.count(&taken_counter(today), division.to_bill.minor(), None);
    }
    Ok(Captured::Now(Box::new(change), payment))
}

/// The counter of what was taken on one of the lot's days, in smallest units.
pub fn taken_counter(day: NaiveDate) -> String {
    format!("taken/{day}")
}

fn divide(
    change: &mut Change,
    order: &Kept<Order>,
    evidence: &Evidence,
    tariff: &TariffBook,
    records: &impl Records,
) -> Result<Division, LaneFault> {
    let zero = Money::zero(evidence.amount.currency());
    let order = &order.record;
    let nothing = Division { to_bill: zero, excess: zero, suspense: zero, why_back: "" };
    if evidence.amount != order.amount || evidence.merchant != order.merchant {
        return Ok(Division { suspense: evidence.amount, ..nothing });
    }
    if evidence.paid_at > order.expires_at || order.state == OrderState::Closed {
        return Ok(Division { excess: evidence.amount, why_back: "paid after the order had ended", ..nothing });
    }
    let bill_key = order.bill.to_string();
    let Some(kept) = records.get::<Bill>(&bill_key)? else {
        return Ok(Division { suspense: evidence.amount, ..nothing });
    };
    change.rely_on(&bill_key, Some(&kept));
    let before = Some(kept.record.state);
    let mut bill = kept.record;
    let to_bill = bill.accept(evidence.amount)?;
    if to_bill.is_positive() {
        // The bill may have grown since its order was made: what is paid of it has to be in the books.
        if bill.paid.minus(bill.posted)?.is_positive() {
            change.postings.extend(bill.fix()?);
        }
        bill.write(change, before);
        if bill.due().is_zero() {
            leave_by(change, &bill, evidence.paid_at, tariff, records)?;
        }
    }
    Ok(Division { to_bill, excess: evidence.amount.minus(to_bill)?, why_back: "the bill was paid already", ..nothing })
}

fn leave_by(
    change: &mut Change,
    bill: &Bill,
    paid_at: DateTime<Utc>,
    tariff: &TariffBook,
    records: &impl Records,
) -> Result<(), LaneFault> {
    let stay_key = bill.stay.to_string();
    let Some(kept) = records.get::<Stay>(&stay_key)? else { return Ok(()) };
    change.rely_on(&stay_key, Some(&kept));
    let grace = tariff.exit_grace(kept.record.tariff.as_deref(), kept.record.entered_at);
    change.put(&Stay { leave_by: Some(paid_at + grace), ..kept.record });
    Ok(())
}
