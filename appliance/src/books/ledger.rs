//! The books in the format of ledger-cli, which hledger reads too: so that an independent tool can check that we balance.
//!
//! An entry of the journal is one transaction, its position the code; amounts are written out on every line.

use std::io::{self, Write};

use tollhouse_core::books::{Account, AccountDay, AccountKind};
use tollhouse_core::money::{Currency, Money};

use super::PostedEntry;

/// A file in the making.
pub struct LedgerFile<W: Write> {
    out: W,
}

/// The letter by which hledger knows what kind of account it is.
fn letter(kind: AccountKind) -> char {
    match kind {
        AccountKind::Asset => 'A',
        AccountKind::Liability => 'L',
        AccountKind::Equity => 'E',
        AccountKind::Income => 'R',
        AccountKind::Expense => 'X',
    }
}

fn quantity(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency())
}

/// An account as it stands in the file: two blanks would end it.
fn name(account: &Account) -> String {
    let mut name = account.to_string();
    while name.contains("  ") {
        name = name.replace("  ", " ");
    }
    name
}

impl<W: Write> LedgerFile<W> {
    /// Begins a file: what the accounts are, and how money is written.
    pub fn begin(mut out: W, lot: &str, currency: Currency) -> io::Result<Self> {
        writeln!(out, "; {}: books of Tollhouse, one transaction for each journal entry", one_line(lot))?;
        writeln!(out, "commodity {currency}")?;
        let decimals = usize::try_from(currency.decimals()).unwrap_or_default();
        writeln!(out, "  format 1000.{} {currency}", "0".repeat(decimals))?;
        let details = [Account::Clearing, Account::Cash, Account::Merchant].map(|of| of("x".to_owned()));
        for account in Account::PLAIN.into_iter().map(|(account, _)| account).chain(details) {
            let text = account.to_string();
            let name = text.split(':').next().unwrap_or_default();
            let words = account.words();
            writeln!(out, "account {name}  ; type:{}, {} / {}", letter(account.kind()), words.zh, words.en)?;
        }
        writeln!(out)?;
        Ok(Self { out })
    }

    /// What the accounts held before the first entry, where the file does not begin with the first of all.
    pub fn opening(&mut self, day: chrono::NaiveDate, accounts: &[AccountDay]) -> io::Result<()> {
        let held: Vec<&AccountDay> = accounts.iter().filter(|one| !one.closing.is_zero()).collect();
        if held.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{day} (0) balances brought forward")?;
        for one in held {
            writeln!(self.out, "    {}  {}", name(&one.account), quantity(one.closing))?;
        }
        writeln!(self.out)
    }

    /// One more entry.
    pub fn entry(&mut self, entry: &PostedEntry) -> io::Result<()> {
        writeln!(self.out, "{} ({}) {}", entry.day, entry.position, entry.kind_word())?;
        writeln!(self.out, "    ; at {} {}", entry.at.to_rfc3339(), one_line(&entry.cause_line()))?;
        for posting in &entry.postings {
            writeln!(self.out, "    {}  {}", name(&posting.account), quantity(posting.amount))?;
        }
        writeln!(self.out)
    }

    /// Ends the file.
    pub fn end(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A comment must not end its line, and is no tag.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).map(|c| if c == ':' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate};
    use tollhouse_core::books::Posting;
    use tollhouse_core::record::{Cause, ChangeKind};

    #[test]
    fn a_transaction_is_written_as_ledger_reads_it() {
        let yuan = |minor| Money::new(minor, Currency::Cny);
        let entry = PostedEntry {
            position: 12,
            at: DateTime::UNIX_EPOCH,
            day: NaiveDate::from_ymd_opt(2026, 11, 30).expect("a date"),
            kind: ChangeKind::CashTaken,
            lane: None,
            cause: Cause::Person { name: "anna".into(), reason: "late\nat night".into() },
            postings: vec![
                Posting::debit(Account::Cash("s1".into()), yuan(1_500)),
                Posting::credit(Account::Receivable, yuan(1_500)),
            ],
        };
        let mut text = vec![];
        let mut file = LedgerFile::begin(&mut text, "demo", Currency::Cny).expect("written");
        file.entry(&entry).expect("written");
        file.end().expect("written");
        let text = String::from_utf8(text).expect("UTF-8");
        let expected = "2026-11-30 (12) cash.taken\n    ; at 1970-01-01T00-00-00+00-00 anna- late at night\n    cash:s1  \
                        15.00 CNY\n    receivable  -15.00 CNY\n\n";
        assert!(text.replace("T00:00:00+00:00", "T00-00-00+00-00").ends_with(expected), "{text}");
        assert!(text.contains("commodity CNY\n  format 1000.00 CNY\n"));
        assert!(text.contains("account cash  ; type:A, "));
    }
}
