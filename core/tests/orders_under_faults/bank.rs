//! A provider as its documents describe it: orders, payments by phones, closes, refunds that are accepted first. One kind does
//! not know an order before somebody has scanned it, and lets it be paid all the same. It must not know the box's records.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tollhouse_core::money::Money;
use tollhouse_core::pay::{Evidence, Heard, Order, Refund};

use crate::chance::Chance;

pub(crate) const MERCHANT: &str = "1900000001";

/// Whether an order is known before somebody has scanned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// From its making on (WeChat Pay).
    KnownAtOnce,
    /// From the scan on (Alipay).
    KnownByScan,
}

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) amount: Money,
    expires_at: DateTime<Utc>,
    manner: Manner,
    scanned: bool,
    closed: bool,
    pub(crate) paid_at: Option<DateTime<Utc>>,
}

/// How a refund stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Accepted,
    Done,
    Closed,
    Abnormal,
}

#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) order: String,
    pub(crate) amount: Money,
    pub(crate) stands: There,
}

/// The provider's books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bank {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) refunds: BTreeMap<String, Back>,
}

pub(crate) fn transaction(number: &str) -> String {
    format!("T{number}")
}

impl Bank {
    /// The order has reached the provider. Again under its number, it is the same.
    pub(crate) fn create(&mut self, order: &Order, manner: Manner) {
        self.accounts.entry(order.number.clone()).or_insert(Account {
            amount: order.amount,
            expires_at: order.expires_at,
            manner,
            scanned: false,
            closed: false,
            paid_at: None,
        });
    }

    /// A phone pays, if it can.
    pub(crate) fn pay(&mut self, number: &str, now: DateTime<Utc>) {
        let Some(account) = self.accounts.get_mut(number) else { return };
        if account.paid_at.is_none() && !account.closed && now < account.expires_at {
            account.scanned = true;
            account.paid_at = Some(now);
        }
    }

    /// A phone looks without paying.
    pub(crate) fn scan(&mut self, number: &str) {
        if let Some(account) = self.accounts.get_mut(number) {
            account.scanned = true;
        }
    }

    pub(crate) fn query(&self, number: &str) -> Heard {
        let Some(account) = self.accounts.get(number) else { return Heard::Unknown };
        if account.manner == Manner::KnownByScan && !account.scanned {
            return Heard::Unknown;
        }
        match account.paid_at {
            Some(at) => Heard::Paid(Evidence::plain(MERCHANT, &transaction(number), account.amount, at)),
            None if account.closed => Heard::Ended,
            None => Heard::NotPaid,
        }
    }

    /// Closes what is known and not paid.
    pub(crate) fn close(&mut self, number: &str) {
        if let Some(account) = self.accounts.get_mut(number)
            && account.paid_at.is_none()
            && (account.manner == Manner::KnownAtOnce || account.scanned)
        {
            account.closed = true;
        }
    }

    /// Accepts a refund; how it ends is chance's. Under a number that is known nothing happens.
    pub(crate) fn refund(&mut self, order: &str, refund: &Refund, chance: &mut Chance) {
        let live: i64 =
            self.backs_of(order).filter(|back| back.stands != There::Closed).map(|b| b.amount.minor()).sum();
        let paid = self.accounts.get(order).filter(|account| account.paid_at.is_some()).map_or(0, |a| a.amount.minor());
        if self.refunds.contains_key(&refund.number()) || live + refund.amount.minor() > paid {
            return;
        }
        let stands = match chance.below(10) {
            0 | 1 => There::Closed,
            2 => There::Abnormal,
            3..=5 => There::Done,
            _ => There::Accepted,
        };
        let back = Back { order: order.to_owned(), amount: refund.amount, stands };
        self.refunds.insert(refund.number(), back);
    }

    fn backs_of<'b>(&'b self, order: &'b str) -> impl Iterator<Item = &'b Back> {
        self.refunds.values().filter(move |back| back.order == order)
    }

    /// What was accepted is done, and a person mends what was stuck.
    pub(crate) fn finish(&mut self) {
        for back in self.refunds.values_mut().filter(|back| matches!(back.stands, There::Accepted | There::Abnormal)) {
            back.stands = There::Done;
        }
    }

    pub(crate) fn captured(&self) -> i64 {
        self.accounts.values().filter(|account| account.paid_at.is_some()).map(|account| account.amount.minor()).sum()
    }

    pub(crate) fn given_back(&self) -> i64 {
        self.refunds.values().filter(|back| back.stands == There::Done).map(|back| back.amount.minor()).sum()
    }

    /// For each order, how many of its refunds may still move or have moved money.
    pub(crate) fn live_refunds(&self) -> BTreeMap<&str, usize> {
        let mut live = BTreeMap::new();
        for back in self.refunds.values().filter(|back| back.stands != There::Closed) {
            *live.entry(back.order.as_str()).or_default() += 1;
        }
        live
    }
}
