//! Records as they would be after a change that is not written yet: so that many things can be decided one after the other
//! and stand in one change, and so that a preview carries everything out and writes nothing down.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Change, Counter, Op, ReadError, Record, Records, Relied, Stored, Table};

/// Records with the writes of a change laid over them.
#[derive(Debug)]
pub struct Overlay<'r, R: Records> {
    under: &'r R,
    over: RefCell<BTreeMap<(Table, String), Option<Stored>>>,
}

impl<'r, R: Records> Overlay<'r, R> {
    /// Nothing is laid over yet.
    pub fn new(under: &'r R) -> Self {
        Self { under, over: RefCell::default() }
    }

    /// Lays the writes of `further` over, and adds it to `whole`. What `further` relied on that `whole` has written itself
    /// needs no relying on.
    pub fn take(&self, whole: &mut Change, further: Change) -> Result<(), ReadError> {
        let known = |relied: &Relied| self.over.borrow().contains_key(&(relied.table, relied.key.clone()));
        let relied: Vec<Relied> = further.relied.into_iter().filter(|relied| !known(relied)).collect();
        for relied in relied {
            if !whole.relied.contains(&relied) {
                whole.relied.push(relied);
            }
        }
        for op in &further.ops {
            self.lay(op)?;
        }
        whole.ops.extend(further.ops);
        whole.postings.extend(further.postings);
        for text in &further.personal {
            whole.personal(text);
        }
        Ok(())
    }

    fn lay(&self, op: &Op) -> Result<(), ReadError> {
        let (table, key, json) = match op {
            Op::Put { table, key, record } => (Table::by_name(table), key.clone(), Some(record.get().to_owned())),
            Op::Delete { table, key } => (Table::by_name(table), key.clone(), None),
            Op::Count { counter, by, at_most: _ } => {
                let value = self.get::<Counter>(counter)?.map_or(0, |kept| kept.record.value);
                let counted = Counter { counter: counter.clone(), value: value + by };
                let json = serde_json::to_string(&counted).expect("a counter is plain JSON");
                (Some(Counter::TABLE), counter.clone(), Some(json))
            }
        };
        let Some(table) = table else { return Ok(()) };
        let revision = self.under.stored(table, &key)?.map_or(0, |stored| stored.revision); // 0: it is new
        let stored = json.map(|json| Stored { revision, json });
        self.over.borrow_mut().insert((table, key), stored);
        Ok(())
    }
}

impl<R: Records> Records for Overlay<'_, R> {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        if let Some(over) = self.over.borrow().get(&(table, key.to_owned())) {
            return Ok(over.clone());
        }
        self.under.stored(table, key)
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        let over = self.over.borrow();
        let begin = Bound::Included((table, from.to_owned()));
        let laid = over.range((begin, Bound::Unbounded)).take_while(|((of, _), _)| *of == table);
        let laid: BTreeMap<&String, &Option<Stored>> = laid.map(|((_, key), stored)| (key, stored)).collect();
        if laid.is_empty() {
            return self.under.range(table, from, limit);
        }
        let more = limit.saturating_add(laid.values().filter(|stored| stored.is_none()).count());
        let under = self.under.range(table, from, more)?;
        let whole = under.len() < more;
        let last = under.last().map(|(key, _)| key.clone());
        let mut all: BTreeMap<String, Stored> = under.into_iter().collect();
        for (key, stored) in laid {
            // Beyond what was read of the records below nothing can be told yet.
            if !whole && last.as_ref().is_some_and(|last| key > last) {
                break;
            }
            match stored {
                Some(stored) => all.insert(key.clone(), stored.clone()),
                None => all.remove(key),
            };
        }
        Ok(all.into_iter().take(limit).collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::id::StayId;
    use crate::plate::Plate;
    use crate::record::{Cause, ChangeKind, Memory};
    use crate::stay::Inside;

    fn change() -> Change {
        Change::new(ChangeKind::EstateChanged, DateTime::<Utc>::UNIX_EPOCH, Cause::Time)
    }

    fn inside(number: u8) -> Inside {
        Inside {
            plate: Plate::new(&format!("粤C1234{number}")).expect("a plate"),
            stay: StayId::from_bytes([number; 16]),
        }
    }

    #[test]
    fn what_is_laid_over_is_read_as_if_it_were_written_and_one_change_holds_all_of_it() {
        let mut below = Memory::new();
        let mut first = change();
        (1..=3).for_each(|number| first.put(&inside(number)));
        first.count("x", 2, None);
        below.take(&first).expect("taken");
        let over = Overlay::new(&below);
        let mut whole = change();
        let mut further = change();
        further.put(&inside(4));
        further.delete(Table::Inside, inside(2).plate.as_str());
        further.count("x", 3, None);
        over.take(&mut whole, further).expect("laid over");
        let keys = |limit| -> Vec<String> {
            over.list::<Inside>("", limit).expect("read").iter().map(|kept| kept.record.plate.to_string()).collect()
        };
        assert_eq!(keys(10), ["粤C12341", "粤C12343", "粤C12344"]);
        assert_eq!(keys(2), ["粤C12341", "粤C12343"]);
        assert_eq!(over.get::<Counter>("x").expect("read").expect("there").record.value, 5);
        let mut again = change();
        let kept = over.get::<Inside>(inside(4).plate.as_str()).expect("read");
        again.rely_on(inside(4).plate.as_str(), kept.as_ref());
        again.put(&inside(4));
        over.take(&mut whole, again).expect("laid over");
        below.take(&whole).expect("nothing of it relies on what it writes itself");
        assert_eq!(below.list::<Inside>("", 10).expect("read").len(), 3);
    }
}
