//! The provider: takes orders, takes money, gives it back once per number, and says how an order stands.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use tollhouse_core::id::OrderId;
use tollhouse_core::pay::Order;

#[derive(Debug, Default)]
pub(crate) struct Bank {
    orders: BTreeMap<OrderId, AtBank>,
    refunds: BTreeSet<String>,
    /// Until then the line to it is cut.
    pub(crate) away_until: DateTime<Utc>,
    pub(crate) given_back: BTreeMap<OrderId, i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct AtBank {
    pub(crate) amount: i64,
    expires_at: DateTime<Utc>,
    pub(crate) paid_at: Option<DateTime<Utc>>,
    /// Paid after its time: a provider whose clock runs late.
    pub(crate) lenient: Leniency,
}

/// Whether the provider takes money a little after the order's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leniency {
    Strict,
    Lenient,
}

impl Bank {
    /// Takes an order; the same again changes nothing.
    pub(crate) fn create(&mut self, order: &Order, lenient: Leniency) {
        let (amount, expires_at) = (order.amount.minor(), order.expires_at);
        self.orders.entry(order.id).or_insert(AtBank { amount, expires_at, paid_at: None, lenient });
    }

    /// The wallet pays, if the order can still be paid. Whether it did.
    pub(crate) fn pay(&mut self, order: OrderId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let order = self.orders.get_mut(&order)?;
        let late = now > order.expires_at && order.lenient == Leniency::Strict;
        if late || order.paid_at.is_some() {
            return None;
        }
        order.paid_at = Some(now);
        Some(now)
    }

    pub(crate) fn paid(&self, order: OrderId) -> Option<(i64, DateTime<Utc>)> {
        let order = self.orders.get(&order)?;
        order.paid_at.map(|at| (order.amount, at))
    }

    /// Gives money back, once per number.
    pub(crate) fn refund(&mut self, number: &str, order: OrderId, amount: i64) {
        if self.refunds.insert(number.to_owned()) {
            *self.given_back.entry(order).or_default() += amount;
        }
    }

    /// Every order that was paid, and how much.
    pub(crate) fn all_paid(&self) -> impl Iterator<Item = (OrderId, i64)> {
        self.orders.iter().filter(|(_, order)| order.paid_at.is_some()).map(|(id, order)| (*id, order.amount))
    }
}
