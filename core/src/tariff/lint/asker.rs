//! Asks the engine what a stay costs, and counts how often.

use std::cell::Cell;
use std::sync::Arc;

use super::super::model::{Price, TariffFile, WrittenStay};
use super::super::{Plan, StayFacts, TariffBook};
use super::{MOST_QUESTIONS, ShownStay};
use crate::money::Money;
use crate::words::Words;

/// One tariff that can be asked, so often and no more.
pub(super) struct Asker<'f> {
    pub(super) file: &'f TariffFile,
    book: TariffBook,
    left: Cell<u32>,
}

impl<'f> Asker<'f> {
    /// `None` for a tariff that the engine cannot take: then there is nothing to look at.
    pub(super) fn new(file: &'f TariffFile) -> Option<Self> {
        let book = Plan::new(Arc::new(file.clone())).and_then(|plan| TariffBook::new(vec![plan])).ok()?;
        Some(Self { file, book, left: Cell::new(MOST_QUESTIONS) })
    }

    /// Another version of the same tariff; what it is asked is counted for itself.
    pub(super) fn beside<'o>(&self, other: &'o TariffFile) -> Option<Asker<'o>> {
        let asker = Asker::new(other)?;
        asker.left.set(self.left.get());
        Some(asker)
    }

    fn may_ask(&self) -> Option<()> {
        self.left.set(self.left.get().checked_sub(1)?);
        Some(())
    }

    /// What the visit costs in smallest units; `None` when it cannot be priced, or when enough was asked.
    pub(super) fn fee(&self, stay: &WrittenStay) -> Option<i64> {
        self.may_ask()?;
        self.book.price(&StayFacts::from(stay)).ok().map(|priced| priced.total.minor())
    }

    /// What is still due at its end, after its payments.
    pub(super) fn due(&self, stay: &WrittenStay) -> Option<i64> {
        self.may_ask()?;
        self.book.owed(&StayFacts::from(stay)).ok().map(|owed| owed.due.minor())
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.file.currency)
    }

    /// A price in smallest units, cut down.
    pub(super) fn minor(&self, price: Price) -> i64 {
        price.micros() / (Price::UNIT / 10_i64.pow(self.file.currency.decimals()))
    }

    /// The stay with its fee, for people.
    pub(super) fn shown(&self, text: Words, stay: &WrittenStay) -> Option<ShownStay> {
        let fee = self.book.price(&StayFacts::from(stay)).ok()?.total;
        let vehicle = stay.vehicle.clone().unwrap_or_default();
        Some(ShownStay { text, vehicle, enter: stay.enter, exit: stay.exit, fee })
    }
}
