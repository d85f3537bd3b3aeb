//! Making an order: the bill is fixed and posted, and the intent is on record before any provider hears of it.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{Answer, OpenOrder, Order, OrderState};
use crate::bill::Bill;
use crate::id::{BillId, IdKey, OrderId};
use crate::money::MoneyError;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Records, Table};
use crate::stay::{Stay, StayState};
use crate::tariff::{PriceError, TariffBook};

/// At most so many orders of one bill may be live (contracts.md).
const MOST_LIVE_ORDERS: usize = 5;

/// The random parts of a new order, drawn by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshOrder {
    /// Its public id.
    pub id: OrderId,
    /// Its number at the provider.
    pub number: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which bill.
    pub bill: BillId,
    /// Through whom.
    pub provider: String,
    /// To which of our accounts there.
    pub merchant: String,
    /// The caller's key, if it gave one.
    pub idempotency_key: Option<String>,
    /// How long the order can be paid.
    pub life: TimeDelta,
}

/// An order that was made.
#[derive(Debug)]
pub enum Made {
    /// Anew: commit this first.
    Now(Order, Box<Change>),
    /// Before, under the same idempotency key.
    Before(Order),
}

/// Why no order was made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// No such bill.
    #[error("there is no such bill")]
    UnknownBill,
    /// Nothing is due on it.
    #[error("nothing is due on this bill")]
    NothingDue,
    /// Five are live already.
    #[error("five orders of this bill are open")]
    TooMany,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A stay that the tariff cannot price.
    #[error(transparent)]
    Price(#[from] PriceError),
}

/// Makes an order for what is due of a bill now.
pub fn make_order(
    wanted: &Wanted,
    fresh: FreshOrder,
    now: DateTime<Utc>,
    tariff: &TariffBook,
    tax_rate: Decimal,
    key: &IdKey,
    records: &impl Records,
) -> Result<Made, OrderRefusal> {
    let bill_key = wanted.bill.to_string();
    let answer_key = wanted.idempotency_key.as_ref().map(|given| format!("pay.orders/{bill_key}/{given}"));
    if let Some(answer_key) = &answer_key
        && let Some(answer) = records.get::<Answer>(answer_key)?
    {
        let order = records.get::<Order>(&answer.record.order.to_string())?;
        return match order.filter(|_| answer.record.request == wanted.provider) {
            Some(order) => Ok(Made::Before(order.record)),
            None => Err(OrderRefusal::KeyReused),
        };
    }
    let kept: Kept<Bill> = records.get(&bill_key)?.ok_or(OrderRefusal::UnknownBill)?;
    let mut change = Change::new(ChangeKind::OrderMade, now, Cause::Driver);
    change.rely_on(&bill_key, Some(&kept));
    let mut bill = as_of_now(&kept.record, &mut change, now, tariff, tax_rate, key, records)?;
    if bill.due().is_zero() {
        return Err(OrderRefusal::NothingDue);
    }
    bill.orders = live_orders(&bill, now, records)?;
    if bill.orders.len() >= MOST_LIVE_ORDERS {
        return Err(OrderRefusal::TooMany);
    }
    change.postings = bill.fix()?;
    let order = Order {
        id: fresh.id,
        number: fresh.number,
        bill: bill.id,
        provider: wanted.provider.clone(),
        merchant: wanted.merchant.clone(),
        amount: bill.due(),
        made_at: now,
        expires_at: now + wanted.life,
        state: OrderState::Pending,
        transaction: None,
    };
    bill.orders.push(order.id);
    bill.write(&mut change, Some(kept.record.state));
    change.put(&order);
    change.put(&OpenOrder { order: order.id });
    if let Some(key) = answer_key {
        change.rely_on::<Answer>(&key, None);
        change.put(&Answer { key, request: wanted.provider.clone(), order: order.id });
    }
    Ok(Made::Now(order, Box::new(change)))
}

/// The bill grown up to now, while its car is inside and the fee clock runs.
fn as_of_now(
    bill: &Bill,
    change: &mut Change,
    now: DateTime<Utc>,
    tariff: &TariffBook,
    tax_rate: Decimal,
    key: &IdKey,
    records: &impl Records,
) -> Result<Bill, OrderRefusal> {
    let stay_key = bill.stay.to_string();
    let stay: Option<Kept<Stay>> = records.get(&stay_key)?;
    let Some(stay) = stay.filter(|stay| stay.record.state == StayState::Open) else { return Ok(bill.clone()) };
    change.rely_on(&stay_key, Some(&stay));
    if stay.record.clock_stopped_at.is_some() {
        return Ok(bill.clone());
    }
    Ok(Bill::assessed(Some(bill), &stay.record, now, tariff, tax_rate, key)?)
}

fn live_orders(bill: &Bill, now: DateTime<Utc>, records: &impl Records) -> Result<Vec<OrderId>, OrderRefusal> {
    let mut live = vec![];
    for id in &bill.orders {
        let order = records.get::<Order>(&id.to_string())?;
        if order.is_some_and(|kept| kept.record.state == OrderState::Pending && now < kept.record.expires_at) {
            live.push(*id);
        }
    }
    Ok(live)
}

/// The order's time is over, and the provider says that it was not paid. What was paid stays paid: then there is nothing
/// to do.
pub fn expire(order: &Kept<Order>, now: DateTime<Utc>) -> Option<Change> {
    if order.record.state != OrderState::Pending {
        return None;
    }
    let key = order.record.id.to_string();
    let mut change = Change::new(ChangeKind::OrderEnded, now, Cause::Time);
    change.rely_on(&key, Some(order));
    change.put(&Order { state: OrderState::Expired, ..order.record.clone() });
    change.delete(Table::OpenOrders, &key);
    Some(change)
}
