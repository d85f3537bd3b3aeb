//! The sandbox: a provider that takes no money. Its bank keeps its own book, a file beside the store, as a real
//! provider's would be elsewhere: what a wallet paid while the box was down is found there by asking.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::books::Payee;
use tollhouse_core::money::Money;
use tollhouse_core::pay::{Evidence, Heard, Order, Refund, Way};

use super::messages::PayAction;
use super::provider::{Answer, Provider, ProviderError, RefundAt};
use super::reach::Reach;
use crate::clock::BoxClock;

/// The provider's name in orders and on the wire.
pub const SANDBOX: &str = "sandbox";
/// The file of its bank, in the data folder.
pub const BANK_FILE: &str = "sandbox-bank.jsonl";
const MERCHANT: &str = "sandbox-merchant";

/// One line of the bank's book.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Opened {
        number: String,
        amount: Money,
        expires_at: DateTime<Utc>,
    },
    Paid {
        number: String,
        at: DateTime<Utc>,
    },
    Refunded {
        number: String,
        refund: String,
        amount: Money,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    Closed {
        number: String,
    },
}

#[derive(Debug, Clone)]
struct Account {
    amount: Money,
    expires_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    refunds: Vec<String>,
    open: Open,
}

/// Whether an order can be paid, as far as the merchant is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Yes,
    Closed,
}

/// Why the wallet could not pay.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The bank does not know the order.
    #[error("the sandbox does not know this order")]
    Unknown,
    /// It is paid.
    #[error("this order is paid already")]
    Paid,
    /// Its time is over.
    #[error("this order has expired")]
    Expired,
    /// The bank's book cannot be written.
    #[error("the sandbox's book cannot be written: {0}")]
    Book(#[from] io::Error),
}

/// The sandbox's bank.
pub struct SandboxBank {
    book: Mutex<Book>,
}

struct Book {
    file: File,
    accounts: HashMap<String, Account>,
}

impl SandboxBank {
    /// Opens the bank's book in the data folder, or begins one. A last line that was torn by a crash is dropped.
    pub fn open(data: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(data.join(BANK_FILE))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut accounts = HashMap::new();
        for line in text[..whole].lines() {
            let line: Line =
                serde_json::from_str(line).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?;
            enter(&mut accounts, line);
        }
        Ok(Self { book: Mutex::new(Book { file, accounts }) })
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(&self, order: &Order) -> io::Result<()> {
        let mut book = self.book();
        if book.accounts.contains_key(&order.number) {
            return Ok(());
        }
        let Order { number, amount, expires_at, .. } = order.clone();
        book.write(Line::Opened { number, amount, expires_at })
    }

    /// The driver's wallet pays the order of that number.
    pub fn pay(&self, number: &str, now: DateTime<Utc>) -> Result<(), WalletError> {
        let mut book = self.book();
        let account = book.accounts.get(number).ok_or(WalletError::Unknown)?;
        if account.paid_at.is_some() {
            return Err(WalletError::Paid);
        }
        if now > account.expires_at || account.open == Open::Closed {
            return Err(WalletError::Expired);
        }
        Ok(book.write(Line::Paid { number: number.to_owned(), at: now })?)
    }

    fn standing(&self, number: &str, now: DateTime<Utc>) -> Heard {
        let book = self.book();
        let Some(account) = book.accounts.get(number) else { return Heard::Unknown };
        match (account.paid_at, account.open) {
            (Some(paid_at), _) => {
                Heard::Paid(Evidence::plain(MERCHANT, &format!("SB{number}"), account.amount, paid_at))
            }
            (None, Open::Closed) => Heard::Ended,
            (None, Open::Yes) if now > account.expires_at => Heard::Ended,
            (None, Open::Yes) => Heard::NotPaid,
        }
    }

    fn close(&self, number: &str) -> io::Result<()> {
        let mut book = self.book();
        let open = |account: &Account| account.paid_at.is_none() && account.open == Open::Yes;
        if book.accounts.get(number).is_some_and(open) {
            book.write(Line::Closed { number: number.to_owned() })?;
        }
        Ok(())
    }

    fn refund(&self, number: &str, refund: &Refund) -> Result<RefundAt, ProviderError> {
        let mut book = self.book();
        let account = book.accounts.get(number).filter(|account| account.paid_at.is_some());
        let account = account.ok_or_else(|| ProviderError::Unsound("a refund of what was never paid".into()))?;
        let id = refund.number();
        if !account.refunds.contains(&id) {
            let at = Some(refund.made_at);
            let line = Line::Refunded { number: number.to_owned(), refund: id, amount: refund.amount, at };
            book.write(line).map_err(|fault| ProviderError::Away(fault.to_string()))?;
        }
        Ok(RefundAt::Done)
    }
}

impl Book {
    fn write(&mut self, line: Line) -> io::Result<()> {
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        enter(&mut self.accounts, line);
        Ok(())
    }
}

fn enter(accounts: &mut HashMap<String, Account>, line: Line) {
    match line {
        Line::Opened { number, amount, expires_at } => {
            accounts.insert(number, Account { amount, expires_at, paid_at: None, refunds: vec![], open: Open::Yes });
        }
        Line::Paid { number, at } => {
            if let Some(account) = accounts.get_mut(&number) {
                account.paid_at.get_or_insert(at);
            }
        }
        Line::Refunded { number, refund, .. } => {
            if let Some(account) = accounts.get_mut(&number) {
                account.refunds.push(refund);
            }
        }
        Line::Closed { number } => {
            if let Some(account) = accounts.get_mut(&number) {
                account.open = Open::Closed;
            }
        }
    }
}

/// The sandbox as a provider.
pub struct SandboxProvider {
    bank: Arc<SandboxBank>,
    clock: BoxClock,
    payee: Payee,
    reach: Reach,
}

impl SandboxProvider {
    /// In front of this bank.
    pub fn new(bank: Arc<SandboxBank>, clock: BoxClock, payee: Payee) -> Self {
        Self { bank, clock, payee, reach: Reach::default() }
    }
}

impl Provider for SandboxProvider {
    fn name(&self) -> &'static str {
        SANDBOX
    }

    fn merchant(&self) -> &str {
        MERCHANT
    }

    fn payee(&self) -> Payee {
        self.payee
    }

    fn ways(&self) -> &[Way] {
        &[Way::Page]
    }

    fn reach(&self) -> &Reach {
        &self.reach
    }

    fn create<'a>(&'a self, order: &'a Order) -> Answer<'a, PayAction> {
        Box::pin(async move {
            self.bank.create(order).map_err(|fault| ProviderError::Away(fault.to_string()))?;
            Ok(PayAction::Redirect(format!("/sandbox/orders/{}", order.id)))
        })
    }

    fn query<'a>(&'a self, order: &'a Order) -> Answer<'a, Heard> {
        Box::pin(async move { Ok(self.bank.standing(&order.number, self.clock.now())) })
    }

    fn close<'a>(&'a self, order: &'a Order) -> Answer<'a, ()> {
        Box::pin(async move { self.bank.close(&order.number).map_err(|fault| ProviderError::Away(fault.to_string())) })
    }

    fn refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(async move { self.bank.refund(&order.number, refund) })
    }

    fn query_refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(async move { self.bank.refund(&order.number, refund) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use tollhouse_core::id::{BillId, OrderId};
    use tollhouse_core::money::Currency;
    use tollhouse_core::pay::{OrderState, Payable, Terms};

    fn order(number: &str, now: DateTime<Utc>) -> Order {
        Order {
            id: OrderId::from_bytes([1; 16]),
            number: number.into(),
            pays: Payable::Bill(BillId::from_bytes([2; 16])),
            provider: SANDBOX.into(),
            merchant: MERCHANT.into(),
            way: Way::Page,
            terms: Terms::default(),
            amount: Money::new(500, Currency::Cny),
            made_at: now,
            expires_at: now + TimeDelta::minutes(5),
            state: OrderState::Pending,
            ending: None,
            ended_at: None,
            transaction: None,
        }
    }

    #[test]
    fn the_bank_remembers_what_a_wallet_paid_and_drops_a_torn_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = DateTime::UNIX_EPOCH;
        let bank = SandboxBank::open(folder.path()).expect("opens");
        bank.create(&order("N1", now)).expect("written");
        bank.pay("N1", now).expect("paid");
        drop(bank);
        let mut file = OpenOptions::new().append(true).open(folder.path().join(BANK_FILE)).expect("opens");
        file.write_all(b"{\"paid\":{\"num").expect("written");
        let bank = SandboxBank::open(folder.path()).expect("opens again");
        assert!(matches!(bank.standing("N1", now), Heard::Paid(_)));
        assert!(matches!(bank.pay("N1", now), Err(WalletError::Paid)));
    }

    #[test]
    fn a_closed_order_takes_no_money_and_stays_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = DateTime::UNIX_EPOCH;
        let bank = SandboxBank::open(folder.path()).expect("opens");
        bank.create(&order("N1", now)).expect("written");
        bank.close("N1").expect("written");
        assert!(matches!(bank.pay("N1", now), Err(WalletError::Expired)));
        drop(bank);
        let bank = SandboxBank::open(folder.path()).expect("opens again");
        assert_eq!(bank.standing("N1", now), Heard::Ended);
        assert_eq!(bank.standing("N2", now), Heard::Unknown);
    }

    #[test]
    fn an_order_is_paid_once_in_time_and_only_if_it_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = DateTime::UNIX_EPOCH;
        let bank = SandboxBank::open(folder.path()).expect("opens");
        bank.create(&order("N1", now)).expect("written");
        assert!(matches!(bank.pay("N2", now), Err(WalletError::Unknown)));
        assert!(matches!(bank.pay("N1", now + TimeDelta::minutes(6)), Err(WalletError::Expired)));
        assert!(bank.pay("N1", now).is_ok());
        assert!(matches!(bank.pay("N1", now), Err(WalletError::Paid)));
    }
}
