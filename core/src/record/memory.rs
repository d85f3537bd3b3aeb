//! All records in memory: the model that the store is tested against, and the store of the simulator.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Change, ReadError, Records, Refusal, Revision, Stored, Table, resolve};

/// Records in memory, under the same rules as the real store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    tables: BTreeMap<(Table, String), Stored>,
    revision: Revision,
}

impl Memory {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many changes it has taken.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Takes a change whole, or refuses it whole.
    pub fn take(&mut self, change: &Change) -> Result<Revision, Refusal> {
        let writes = resolve(change, self)?;
        self.revision += 1;
        for write in writes {
            let place = (write.table, write.key);
            match write.json {
                Some(json) => self.tables.insert(place, Stored { revision: self.revision, json }),
                None => self.tables.remove(&place),
            };
        }
        Ok(self.revision)
    }

    /// Every record, in table and key order.
    pub fn all(&self) -> impl Iterator<Item = (Table, &str, &Stored)> {
        self.tables.iter().map(|((table, key), stored)| (*table, key.as_str(), stored))
    }
}

impl Records for Memory {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        Ok(self.tables.get(&(table, key.to_owned())).cloned())
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        let from = Bound::Included((table, from.to_owned()));
        let rows = self.tables.range((from, Bound::Unbounded)).take_while(|((t, _), _)| *t == table);
        Ok(rows.take(limit).map(|((_, key), stored)| (key.clone(), stored.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cause, ChangeKind};
    use super::*;
    use crate::books::{Account, Posting};
    use crate::money::{Currency, Money};
    use crate::record::resolve::Counter;

    fn change() -> Change {
        Change::new(ChangeKind::Housekeeping, chrono::DateTime::UNIX_EPOCH, Cause::Time)
    }

    fn inside(value: i64) -> Counter {
        Counter { counter: "inside".into(), value }
    }

    #[test]
    fn a_change_that_relied_on_what_has_changed_is_refused_whole() {
        let mut memory = Memory::new();
        let mut first = change();
        first.put(&inside(1));
        memory.take(&first).expect("nothing relied on");
        let read = memory.get::<Counter>("inside").expect("readable");
        memory.take(&first).expect("written again by somebody else");
        let mut second = change();
        second.rely_on("inside", read.as_ref());
        second.put(&inside(9));
        let before = memory.clone();
        assert!(matches!(memory.take(&second), Err(Refusal::Stale { .. })));
        assert_eq!(memory, before);
    }

    #[test]
    fn only_as_many_get_in_as_the_bound_allows() {
        let mut memory = Memory::new();
        let mut enter = change();
        enter.count("inside", 1, Some(2));
        assert!(memory.take(&enter).is_ok());
        assert!(memory.take(&enter).is_ok());
        assert_eq!(memory.take(&enter), Err(Refusal::Full("inside".into())));
        let mut leave = change();
        leave.count("inside", -1, None);
        assert!(memory.take(&leave).is_ok());
        assert!(memory.take(&enter).is_ok());
    }

    #[test]
    fn postings_that_do_not_sum_to_zero_are_refused() {
        let mut memory = Memory::new();
        let mut lopsided = change();
        let yuan = Money::new(100, Currency::Cny);
        lopsided.postings.push(Posting::debit(Account::Suspense, yuan));
        assert!(matches!(memory.take(&lopsided), Err(Refusal::Books(_))));
        lopsided.postings.push(Posting::credit(Account::RefundDue, yuan));
        assert!(memory.take(&lopsided).is_ok());
    }
}
