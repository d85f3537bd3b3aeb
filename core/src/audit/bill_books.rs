//! The invariants between the bills of cards and the books (payments.md, 13, 14 and 17): what is deferred, pending and held
//! is what the bills say, what the coming days will earn is kept by day, and open bills are listed.

use std::collections::BTreeMap;

use super::charging::each;
use super::invariants::Faults;
use super::{Invariant, JournalEntry};
use crate::books::{Account, balance_key};
use crate::charging::bills::{CardBill, OpenBill, Payable, Standing, day_of_counter, position};
use crate::charging::earned::Earned;
use crate::record::{Balance, Counter, Record, Records, Table};

/// Accounts on which nothing but bills of cards is posted.
const OWN: [Account; 5] =
    [Account::Deferred, Account::PublicDeferred, Account::TaxPending, Account::Deposit, Account::DepositPending];

fn known<T: Record>(records: &dyn Records, key: &str) -> Result<Option<T>, String> {
    let stored = records.stored(T::TABLE, key).map_err(|fault| fault.to_string())?;
    stored.map(|stored| serde_json::from_str(&stored.json).map_err(|fault| format!("{key}: {fault}"))).transpose()
}

fn balance(records: &dyn Records, key: &str) -> Result<i64, String> {
    let stored = records.stored(Table::Balances, key).map_err(|fault| fault.to_string())?;
    let read = stored.map(|stored| serde_json::from_str::<Balance>(&stored.json)).transpose();
    Ok(read.map_err(|fault| format!("{key}: {fault}"))?.map_or(0, |balance| balance.sum.minor()))
}

/// Deferred revenue, pending tax and deposits are what the bills say; deferred revenue is never below zero.
#[derive(Default)]
pub(super) struct DeferredIsWhatBillsSay {
    balances: BTreeMap<String, i64>,
    faults: Faults,
}

impl Invariant for DeferredIsWhatBillsSay {
    fn name(&self) -> &'static str {
        "deferred revenue, pending tax and deposits are what the bills of cards say, and never below zero"
    }

    fn entry(&mut self, entry: &JournalEntry) {
        let touched = entry.change.postings.iter().filter(|posting| OWN.contains(&posting.account));
        let mut keys: Vec<String> = Vec::new();
        for posting in touched {
            let key = balance_key(&posting.account, posting.amount.currency());
            *self.balances.entry(key.clone()).or_default() += posting.amount.minor();
            keys.push(key);
        }
        for key in keys {
            if self.balances.get(&key).is_some_and(|balance| *balance > 0) {
                self.faults.add(format!("entry {} takes {key} below zero", entry.position));
            }
        }
    }

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let Some(earned) = known::<Earned>(records, Earned::KEY)? else { return self.faults.verdict(0) };
        let mut says: BTreeMap<String, i64> = BTreeMap::new();
        let mut checked = 0;
        each::<CardBill>(records, "", |bill| {
            checked += 1;
            for (account, minor) in position(&bill, earned.through) {
                if OWN.contains(&account) {
                    *says.entry(balance_key(&account, bill.currency())).or_default() += minor;
                }
            }
            Ok(())
        })?;
        for account in &OWN {
            let keys = says.keys().filter(|key| key.starts_with(&format!("{account}/"))).cloned();
            let keys: Vec<String> = keys.chain([balance_key(account, crate::money::Currency::Cny)]).collect();
            for key in keys {
                let balance = balance(records, &key)?;
                let said = says.get(&key).copied().unwrap_or(0);
                if balance != said {
                    self.faults.add(format!("the books have {balance} on {key}, and the bills say {said}"));
                }
            }
        }
        self.coming_days(records, earned, &says)?;
        self.faults.verdict(checked)
    }
}

impl DeferredIsWhatBillsSay {
    /// What is kept for the coming days is all that is deferred: no day earns too much, and none is forgotten.
    fn coming_days(
        &mut self,
        records: &dyn Records,
        earned: Earned,
        says: &BTreeMap<String, i64>,
    ) -> Result<(), String> {
        let mut kept: BTreeMap<String, i64> = BTreeMap::new();
        each::<Counter>(records, "earn/", |counter| {
            let Some((day, waits)) = day_of_counter(&counter.counter) else {
                self.faults.add(format!("the counter {} is of no day", counter.counter));
                return Ok(());
            };
            if day < earned.through && counter.value != 0 {
                self.faults.add(format!("{} was not earned on its day", counter.counter));
            }
            *kept.entry(waits.to_string()).or_default() += counter.value;
            Ok(())
        })?;
        for account in [Account::Deferred, Account::PublicDeferred] {
            let prefix = format!("{account}/");
            let deferred: i64 = says.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(_, minor)| -minor).sum();
            let coming = kept.get(&account.to_string()).copied().unwrap_or(0);
            if deferred != coming {
                self.faults.add(format!("{deferred} is on {account}, and the coming days earn {coming}"));
            }
        }
        Ok(())
    }
}

/// Open bills are listed by due date, others are not, and each bill is found by its id.
pub(super) struct OpenBillsListed;

impl Invariant for OpenBillsListed {
    fn name(&self) -> &'static str {
        "each bill of a card is found by its id, and listed by due date just while it is open"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        if known::<Earned>(records, Earned::KEY)?.is_none() {
            return Ok(0);
        }
        let mut faults = Faults::default();
        let (mut checked, mut open) = (0, 0u64);
        each::<CardBill>(records, "", |bill| {
            checked += 1;
            let listed = known::<OpenBill>(records, &OpenBill::key_of(bill.due_on, &bill.heading.card, bill.id))?;
            let is_open = bill.standing == Standing::Issued && bill.due().is_positive();
            open += u64::from(is_open);
            if is_open != listed.is_some() {
                faults.add(format!("bill {} of card {} is listed wrongly as open or not", bill.id, bill.heading.card));
            }
            if known::<Payable>(records, &bill.id.to_string())?.is_none() {
                faults.add(format!("bill {} of card {} is not found by its id", bill.id, bill.heading.card));
            }
            Ok(())
        })?;
        let mut listed = 0u64;
        each::<OpenBill>(records, "", |_| {
            listed += 1;
            Ok(())
        })?;
        if listed != open {
            faults.add(format!("{listed} bills are listed as open, and {open} are"));
        }
        faults.verdict(checked)
    }
}

/// What holders have to their credit, one by one, is what the books have.
pub(super) struct CreditIsHolders;

impl Invariant for CreditIsHolders {
    fn name(&self) -> &'static str {
        "what holders have to their credit adds up to the books, and none has less than nothing"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut faults = Faults::default();
        let (mut sum, mut holders) = (0, 0);
        each::<Counter>(records, "credit/", |counter| {
            holders += 1;
            sum += counter.value;
            if counter.value < 0 {
                faults.add(format!("{} is below zero", counter.counter));
            }
            Ok(())
        })?;
        let key = balance_key(&Account::Credit, crate::money::Currency::Cny);
        let balance = -balance(records, &key)?;
        if known::<Earned>(records, Earned::KEY)?.is_some() && balance != sum {
            faults.add(format!("holders have {sum} in all, and the books {balance}"));
        }
        faults.verdict(holders)
    }
}
