//! Capturing what a provider took: once per transaction, never more to a bill than is due, the excess goes back.

use chrono::{DateTime, NaiveDate, Utc};

use super::case::note_suspense;
use super::order::lot_date;
use super::{Back, OpenRefund, Order, OrderState, Payment, Refund, RefundState};
use crate::bill::Bill;
use crate::books;
use crate::charging::bills;
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
    /// Whether it names our application.
    pub application: Application,
    /// How much of it the provider keeps for coupons of our own.
    pub discount: Option<Money>,
    /// How what of it is too much goes back; all of it, when it has gone back already.
    pub back: Back,
}

impl Evidence {
    /// A plain payment, of our application and without coupons.
    pub fn plain(merchant: &str, transaction: &str, amount: Money, paid_at: DateTime<Utc>) -> Self {
        Self {
            merchant: merchant.to_owned(),
            transaction: transaction.to_owned(),
            amount,
            paid_at,
            application: Application::Ours,
            discount: None,
            back: Back::Refund,
        }
    }
}

/// Whose application a payment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// Ours.
    Ours,
    /// Another one.
    Other,
}

/// Whether a payment is the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// It is.
    Yes,
    /// Another amount, currency, application or account of ours: suspense, and an alarm.
    No,
}

/// Holds a payment against its order.
pub fn fits(order: &Order, evidence: &Evidence) -> Fits {
    let same = evidence.amount == order.amount && evidence.merchant == order.merchant;
    if same && evidence.application == Application::Ours { Fits::Yes } else { Fits::No }
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
    posted: Posted,
}

/// Whether a division stands in the change's postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posted {
    NotYet,
    /// The bills of cards post for themselves.
    ByTheBills,
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
        discount: evidence.discount,
    };
    if division.posted == Posted::NotYet {
        change.postings.extend(books::captured(provider, division.to_bill, division.excess, division.suspense));
    }
    change.postings.extend(books::never_settled(provider, evidence.discount));
    change.put(&payment);
    if payment.suspense.is_positive() {
        note_suspense(&order.record, &payment, &mut change);
    }
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
            closed: 0,
            back: evidence.back,
            explained: None,
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

fn nothing(evidence: &Evidence) -> Division {
    let zero = Money::zero(evidence.amount.currency());
    Division { to_bill: zero, excess: zero, suspense: zero, why_back: "", posted: Posted::NotYet }
}

fn divide(
    change: &mut Change,
    order: &Kept<Order>,
    evidence: &Evidence,
    tariff: &TariffBook,
    records: &impl Records,
) -> Result<Division, LaneFault> {
    let order = &order.record;
    if evidence.back == Back::Reversal {
        return Ok(Division {
            excess: evidence.amount,
            why_back: "the payment by code was reversed",
            ..nothing(evidence)
        });
    }
    if fits(order, evidence) == Fits::No {
        return Ok(Division { suspense: evidence.amount, ..nothing(evidence) });
    }
    // By the times of payment and end, not by when the news came: so the same is settled whatever order they come in.
    let closed_before = order.ended_at.is_some_and(|at| order.state == OrderState::Closed && evidence.paid_at > at);
    if evidence.paid_at > order.expires_at || closed_before {
        return Ok(Division {
            excess: evidence.amount,
            why_back: "paid after the order had ended",
            ..nothing(evidence)
        });
    }
    let bill = match order.pays.bill() {
        Some(bill) => records.get::<Bill>(&bill.to_string())?,
        None => None,
    };
    let Some(kept) = bill else { return divide_over_cards(change, order, evidence, tariff, records) };
    let bill_key = kept.record.id.to_string();
    change.rely_on(&bill_key, Some(&kept));
    let before = Some(kept.record.state);
    let mut bill = kept.record;
    let to_bill = bill.accept(evidence.amount)?;
    if to_bill.is_positive() {
        // The bill may have grown since its order was made: what is paid of it has to be in the books.
        if bill.paid.minus(bill.posted)?.is_positive() {
            change.postings.extend(bill.fix(change.at)?);
        }
        bill.write(change, before);
        if bill.due().is_zero() {
            leave_by(change, &bill, evidence.paid_at, tariff, records)?;
        }
    }
    Ok(Division {
        to_bill,
        excess: evidence.amount.minus(to_bill)?,
        why_back: "the bill was paid already",
        ..nothing(evidence)
    })
}

/// The bills of cards take what they owe; what is too much goes back like any other.
fn divide_over_cards(
    change: &mut Change,
    order: &Order,
    evidence: &Evidence,
    tariff: &TariffBook,
    records: &impl Records,
) -> Result<Division, LaneFault> {
    let unknown = Division { suspense: evidence.amount, ..nothing(evidence) };
    let bills = match order.pays.bill() {
        Some(id) => bills::payable_bills(id, records)?,
        None => None,
    };
    let Some(bills) = bills else { return Ok(unknown) };
    let receipt = bills::Receipt {
        amount: evidence.amount,
        on: lot_date(tariff, evidence.paid_at),
        from: books::Account::Clearing(order.provider.clone()),
        excess: books::Account::RefundDue,
    };
    match bills::pay(change, bills, &receipt, records) {
        Ok(paid) => Ok(Division {
            to_bill: paid.accepted,
            excess: paid.rest,
            why_back: "the bills were paid already",
            posted: Posted::ByTheBills,
            ..nothing(evidence)
        }),
        Err(bills::PayFault::NoBills) => {
            Ok(Division { excess: evidence.amount, why_back: "the bills were withdrawn", ..nothing(evidence) })
        }
        Err(bills::PayFault::Read(fault)) => Err(fault.into()),
        Err(bills::PayFault::Amount | bills::PayFault::Currency) => Ok(unknown),
    }
}

/// The car of a bill that was paid early has to leave by the end of the exit grace.
pub(crate) fn leave_by(
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
