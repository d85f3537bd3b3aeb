//! Making an order: the bill is fixed and posted, and the intent is on record before any provider hears of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{NumberedOrder, OpenOrder, Order, OrderState, Payable, Terms, Way};
use crate::bill::Bill;
use crate::charging::bills;
use crate::id::{IdKey, OrderId};
use crate::money::{Money, MoneyError};
use crate::record::{Cause, Change, ChangeKind, Kept, Once, OnceRefusal, ReadError, Record, Records};
use crate::stay::{Stay, StayState};
use crate::tariff::{PriceError, TariffBook};

/// At most so many orders of one bill may be live (contracts.md).
const MOST_LIVE_ORDERS: usize = 5;
/// So many open orders are looked through for those of one card's bills.
const MOST_OPEN: usize = 2_000;

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
    /// What is to be paid.
    pub pays: Payable,
    /// Through whom.
    pub provider: String,
    /// To which of our accounts there.
    pub merchant: String,
    /// In what way.
    pub way: Way,
    /// What else the provider is told.
    pub terms: Terms,
    /// The caller's key, if it gave one, and what it asked for under it.
    pub idempotency: Option<(String, String)>,
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

impl From<OnceRefusal> for OrderRefusal {
    fn from(refusal: OnceRefusal) -> Self {
        match refusal {
            OnceRefusal::KeyReused => Self::KeyReused,
            OnceRefusal::Read(fault) => Self::Read(fault),
        }
    }
}

/// What makes a caller's key its own: the payable beside it.
fn once(pays: &Payable, idempotency: Option<&(String, String)>) -> Option<Once> {
    let (key, request) = idempotency?;
    let what = pays.bill().map_or_else(|| "other".to_owned(), |bill| bill.to_string());
    Some(Once { key: format!("pay.orders/{what}/{key}"), request: request.clone() })
}

/// The order that was made under this key before, if one was.
pub fn made_before(
    pays: &Payable,
    idempotency: Option<&(String, String)>,
    records: &impl Records,
) -> Result<Option<Order>, OrderRefusal> {
    let Some(once) = once(pays, idempotency) else { return Ok(None) };
    let Some(order) = once.before::<OrderId>(records)? else { return Ok(None) };
    let order = records.get::<Order>(&order.to_string())?;
    order.map(|order| Some(order.record)).ok_or(OrderRefusal::KeyReused)
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
    let bill_key = wanted.pays.bill().ok_or(OrderRefusal::UnknownBill)?.to_string();
    if let Some(order) = made_before(&wanted.pays, wanted.idempotency.as_ref(), records)? {
        return Ok(Made::Before(order));
    }
    let mut change = Change::new(ChangeKind::OrderMade, now, Cause::Driver);
    let kept: Option<Kept<Bill>> = records.get(&bill_key)?;
    let order = if let Some(kept) = kept {
        change.rely_on(&bill_key, Some(&kept));
        let mut bill = as_of_now(&kept.record, &mut change, now, tariff, tax_rate, key, records)?;
        if bill.due().is_zero() {
            return Err(OrderRefusal::NothingDue);
        }
        bill.orders = live_orders(&bill.orders, now, records)?;
        if bill.orders.len() >= MOST_LIVE_ORDERS {
            return Err(OrderRefusal::TooMany);
        }
        change.postings = bill.fix(now)?;
        bill.orders.push(fresh.id);
        bill.write(&mut change, Some(kept.record.state));
        order_for(wanted, fresh, bill.due(), now)
    } else {
        let due = due_on_cards(wanted, &mut change, now, tariff, records)?;
        order_for(wanted, fresh, due, now)
    };
    for text in [&order.terms.payer, &order.terms.payer_address].into_iter().filter(|text| !text.is_empty()) {
        change.personal(text);
    }
    change.put(&order);
    let numbered = NumberedOrder { provider: order.provider.clone(), number: order.number.clone(), order: order.id };
    change.rely_on::<NumberedOrder>(&numbered.key(), None);
    change.put(&numbered);
    change.put(&OpenOrder { order: order.id });
    if let Some(once) = once(&wanted.pays, wanted.idempotency.as_ref()) {
        once.keep(&mut change, &order.id);
    }
    Ok(Made::Now(order, Box::new(change)))
}

fn order_for(wanted: &Wanted, fresh: FreshOrder, amount: Money, now: DateTime<Utc>) -> Order {
    Order {
        id: fresh.id,
        number: fresh.number,
        pays: wanted.pays.clone(),
        provider: wanted.provider.clone(),
        merchant: wanted.merchant.clone(),
        way: wanted.way,
        terms: wanted.terms.clone(),
        amount,
        made_at: now,
        expires_at: now + wanted.life,
        state: OrderState::Pending,
        ending: None,
        ended_at: None,
        transaction: None,
    }
}

/// What is due today on the bills of cards that an id stands for. They have been posted when they were drawn.
fn due_on_cards(
    wanted: &Wanted,
    change: &mut Change,
    now: DateTime<Utc>,
    tariff: &TariffBook,
    records: &impl Records,
) -> Result<Money, OrderRefusal> {
    let id = wanted.pays.bill().ok_or(OrderRefusal::UnknownBill)?;
    let bills = bills::payable_bills(id, records)?.ok_or(OrderRefusal::UnknownBill)?;
    let due = bills::due_on(&bills, lot_date(tariff, now)).filter(|due| due.is_positive());
    let due = due.ok_or(OrderRefusal::NothingDue)?;
    let open: Vec<OrderId> = records.list::<OpenOrder>("", MOST_OPEN)?.iter().map(|kept| kept.record.order).collect();
    let mut same = 0;
    for id in live_orders(&open, now, records)? {
        let order = records.get::<Order>(&id.to_string())?;
        same += usize::from(order.is_some_and(|order| order.record.pays == wanted.pays));
    }
    if same >= MOST_LIVE_ORDERS {
        return Err(OrderRefusal::TooMany);
    }
    for bill in &bills {
        change.rely_on(&bill.record.key(), Some(bill));
    }
    Ok(due)
}

/// The lot's date at a moment.
pub(super) fn lot_date(tariff: &TariffBook, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&tariff.version(None, at).file().time_zone).date_naive()
}

/// The bill grown up to now, while its car is inside and the fee clock runs.
pub(crate) fn as_of_now(
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

fn live_orders(orders: &[OrderId], now: DateTime<Utc>, records: &impl Records) -> Result<Vec<OrderId>, OrderRefusal> {
    let mut live = vec![];
    for id in orders {
        let order = records.get::<Order>(&id.to_string())?;
        let can_be_paid = |kept: Kept<Order>| {
            kept.record.state == OrderState::Pending && kept.record.ending.is_none() && now < kept.record.expires_at
        };
        if order.is_some_and(can_be_paid) {
            live.push(*id);
        }
    }
    Ok(live)
}
