//! A generated year of books against hledger, a stranger's program: it reads the export and agrees on every balance, on
//! every day that is asked about; and closed days stay as they were closed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tollhouse::books::{Between, LedgerFile, close_days, entries, trial_balance};
use tollhouse::store::{Store, StoreOptions};
use tollhouse_core::books::{Account, AccountDay, Posting};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Cause, Change, ChangeKind};

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;
/// Entries of a day.
const A_DAY: u32 = 6;

/// Chance from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn account(&mut self) -> Account {
        let place = usize::try_from(self.below(Account::PLAIN.len() as u64 + 3)).expect("fits");
        match Account::PLAIN.get(place) {
            Some((account, _)) => account.clone(),
            None if self.below(2) == 0 => Account::Clearing("wechat".into()),
            None => Account::Merchant("书 店".into()),
        }
    }
}

fn change(chance: &mut Chance, at: DateTime<Utc>) -> Change {
    let cause = Cause::Person { name: "anna".into(), reason: "a day's work; as: always | \"here\"".into() };
    let mut posted = Change::new(ChangeKind::BooksPosted, at, cause);
    let mut rest = 0;
    for _ in 0..=chance.below(3) {
        let minor = i64::try_from(chance.below(2_000_000)).expect("fits") - 1_000_000;
        rest += minor;
        posted.postings.push(Posting::debit(chance.account(), Money::new(minor, Currency::Cny)));
    }
    posted.postings.push(Posting::credit(chance.account(), Money::new(rest, Currency::Cny)));
    posted
}

fn day(number: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date") + TimeDelta::days(number)
}

fn begin() -> DateTime<Utc> {
    // Midnight of the lot.
    DateTime::parse_from_rfc3339("2026-01-01T00:00:00+08:00").expect("a time").to_utc()
}

/// A store of so many days; those before `closed` are closed as they go.
fn filled(folder: &Path, days: i64, close_every: i64) -> Store {
    let store = Store::open(folder, StoreOptions::default()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut chance = Chance(7);
    for number in 0..days {
        for step in 0..A_DAY {
            let at = begin() + TimeDelta::days(number) + TimeDelta::minutes(i64::from(step) * 230);
            runtime.block_on(store.commit(change(&mut chance, at))).expect("taken");
        }
        if number % close_every == close_every - 1 {
            let midnight = begin() + TimeDelta::days(number + 1) + TimeDelta::seconds(1);
            runtime.block_on(close_days(&store, ZONE, midnight)).expect("closed");
        }
    }
    store
}

fn balances(accounts: &[AccountDay]) -> BTreeMap<String, String> {
    let live = accounts.iter().filter(|one| !one.closing.is_zero());
    live.map(|one| (one.account.to_string(), one.closing.to_string())).collect()
}

/// What hledger makes of the file, up to a day.
fn hledger(file: &Path, until: NaiveDate) -> BTreeMap<String, String> {
    let end = until.succ_opt().expect("a day").to_string();
    let mut command = Command::new("hledger");
    command.args(["balance", "--flat", "--no-total", "--output-format", "csv", "--end", &end, "--file"]).arg(file);
    let output = command.env("LANG", "C.UTF-8").output().expect("hledger runs: tests/run installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows = text.lines().skip(1).filter_map(|line| line.trim_matches('"').split_once("\",\""));
    rows.map(|(account, balance)| (account.to_owned(), balance.to_owned())).collect()
}

fn export(store: &Store, file: &Path) -> u64 {
    let out = std::fs::File::create(file).expect("a file");
    let mut ledger = LedgerFile::begin(out, "demo", Currency::Cny).expect("written");
    let (mut after, mut count) = (None, 0);
    loop {
        let page = entries(store, ZONE, &Between::default(), after, 500).expect("readable");
        for entry in &page.entries {
            ledger.entry(entry).expect("written");
            count += 1;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    ledger.end().expect("written");
    count
}

#[test]
fn hledger_agrees_on_every_balance_of_a_year() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(&folder.path().join("data"), 365, 1);
    let file = folder.path().join("books.ledger");
    assert_eq!(export(&store, &file), 365 * u64::from(A_DAY));
    for number in [0, 30, 58, 181, 300, 364] {
        let ours = trial_balance(&store, ZONE, day(number)).expect("readable");
        assert_eq!(balances(&ours.accounts), hledger(&file, day(number)), "as of {}", day(number));
        assert!(ours.sums().expect("fits").values().all(|sum| sum.is_zero()));
    }
}

#[test]
fn days_that_are_closed_late_are_the_days_that_are_closed_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (daily, weekly) = (filled(&folder.path().join("daily"), 35, 1), filled(&folder.path().join("weekly"), 35, 7));
    for number in 0..35 {
        let of = |store: &Store| trial_balance(store, ZONE, day(number)).expect("readable").accounts;
        assert_eq!(of(&daily), of(&weekly), "{}", day(number));
    }
}

#[test]
fn what_is_dated_into_a_closed_day_belongs_to_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(&folder.path().join("data"), 3, 1);
    let before = trial_balance(&store, ZONE, day(2)).expect("readable");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    // The clock was put back by two days.
    runtime.block_on(store.commit(change(&mut Chance(9), begin() + TimeDelta::days(1)))).expect("taken");
    assert_eq!(trial_balance(&store, ZONE, day(2)).expect("readable"), before);
    let page =
        entries(&store, ZONE, &Between { from: Some(day(3)), ..Between::default() }, None, 10).expect("readable");
    assert_eq!(page.entries.len(), 1);
    assert_eq!(page.entries[0].day, day(3));
}
