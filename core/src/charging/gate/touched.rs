//! Which cards a change touches, so far as the gate is concerned, and whether a car that waits at a lane may be.
//! It reads what a change writes and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::charging::label::{CardNumber, SpaceNumber};
use crate::record::{Change, Op, ReadError, Records, Table};

use super::told::GateSpace;

/// Cards that a space has had in all; more are not found by it.
const MOST_HOLDERS: usize = 1_000;

/// What a number of changes touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Cards to be looked at, each with the keys of its bills that were written.
    pub cards: BTreeMap<CardNumber, BTreeSet<String>>,
    /// Spaces that were written: whoever holds them is to be looked at.
    pub spaces: BTreeSet<SpaceNumber>,
}

/// Whether lanes should look again at a car that waits or was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A pass was written, or a place of a card has come free.
    Lanes,
    /// Nothing of the kind.
    Nobody,
}

impl Touched {
    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty() && self.spaces.is_empty()
    }

    /// Adds what a change touches.
    pub fn note(&mut self, change: &Change) -> Wake {
        let mut wake = Wake::Nobody;
        for op in &change.ops {
            let (table, key) = match op {
                Op::Put { table, key, .. } | Op::Delete { table, key } => (table.as_ref(), key.as_str()),
                Op::Count { .. } => continue,
            };
            match Table::by_name(table) {
                Some(Table::Cards) => self.card(key),
                Some(Table::CardBills) => self.bill(key),
                Some(Table::Spaces) => self.spaces.extend(SpaceNumber::new(key).ok()),
                Some(Table::Passes | Table::Covers) => wake = Wake::Lanes,
                _ => {}
            }
        }
        wake
    }

    /// Whoever holds a space that was written is to be looked at.
    pub fn find_holders(&mut self, records: &impl Records) -> Result<(), ReadError> {
        for space in std::mem::take(&mut self.spaces) {
            for row in records.list_under::<GateSpace>(&GateSpace::prefix(&space), MOST_HOLDERS)? {
                self.cards.entry(row.record.card).or_default();
            }
        }
        Ok(())
    }

    /// Adds a card.
    pub fn card(&mut self, number: &str) {
        if let Ok(number) = CardNumber::new(number) {
            self.cards.entry(number).or_default();
        }
    }

    fn bill(&mut self, key: &str) {
        if let Some(Ok(card)) = key.split_once('/').map(|(card, _)| CardNumber::new(card)) {
            self.cards.entry(card).or_default().insert(key.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Cause, ChangeKind};

    #[test]
    fn a_change_touches_the_cards_that_it_writes_and_whose_bills_it_writes() {
        let mut change = Change::new(ChangeKind::BillsPaid, chrono::DateTime::UNIX_EPOCH, Cause::Time);
        for (table, key) in [
            (Table::CardBills, "C1/0a"),
            (Table::CardBills, "C1/0b"),
            (Table::Cards, "C2"),
            (Table::Spaces, "B1-001"),
            (Table::Stays, "C3"),
        ] {
            change.delete(table, key);
        }
        let mut touched = Touched::default();
        assert_eq!(touched.note(&change), Wake::Nobody);
        let cards: Vec<(&str, usize)> =
            touched.cards.iter().map(|(card, bills)| (card.as_str(), bills.len())).collect();
        assert_eq!((cards, touched.spaces.len()), (vec![("C1", 2), ("C2", 0)], 1));
        let mut freed = Change::new(ChangeKind::PassagePassed, chrono::DateTime::UNIX_EPOCH, Cause::Time);
        freed.delete(Table::Covers, "C1");
        assert_eq!(Touched::default().note(&freed), Wake::Lanes);
    }
}
