//! docs/books.md says what is posted; here its tables are held against what is.

use std::collections::BTreeSet;

use chrono::DateTime;
use tollhouse_core::books::{Account, HandPosting, Posting, post_by_hand};
use tollhouse_core::cash::{self, Coin, MovedCash, PayOut, Taking, Tendered};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::IdKey;
use tollhouse_core::record::{Cause, Change, ChangeKind};
use tollhouse_core::stay::StayState;

use super::till::{Till, counted, yuan};

const PAGE: &str = include_str!("../../../docs/books.md");

/// The rows of the table after a mark, cell by cell.
fn table(mark: &str) -> Vec<Vec<String>> {
    let from = PAGE.find(mark).expect("the page has the mark");
    let rows = PAGE[from..].lines().skip(3).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn sides(postings: &[Posting]) -> (String, String) {
    let side = |sign: i64| {
        let of_side = postings.iter().filter(|posting| posting.amount.minor().signum() == sign);
        let name = |posting: &Posting| posting.account.to_string().split(':').next().unwrap_or_default().to_owned();
        of_side.map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    (side(1), side(-1))
}

/// What happened last at a till.
fn last(till: &Till) -> Vec<Posting> {
    till.entries.last().expect("something happened").change.postings.clone()
}

fn by_hand(till: &mut Till, what: HandPosting, entry: Option<(ChangeKind, &[Posting])>) -> Vec<Posting> {
    till.now += chrono::TimeDelta::seconds(1);
    let (now, key) = (till.now, IdKey::new([1; 32]));
    let done = post_by_hand(what, yuan(100), entry, ("anna", "as it was"), (now, &key), &till.records);
    let change = done.expect("posted").0;
    let postings = change.postings.clone();
    till.commit(change);
    postings
}

fn events() -> Vec<(&'static str, Vec<Posting>)> {
    let mut till = Till::new();
    let mut events = vec![];
    let card = CardNumber::new("C-1").expect("a name");
    till.open("anna", 10_000).expect("opened");
    events.push(("a shift is opened with a float", last(&till)));
    for (name, which) in [
        ("cash goes from the drawer into the safe", MovedCash::ToSafe),
        ("cash goes from the safe into the drawer", MovedCash::FromSafe),
    ] {
        let moved = cash::move_cash("anna", which, yuan(1_000), "moved", till.now, &till.records).expect("moved");
        till.commit(moved.0);
        events.push((name, last(&till)));
    }
    let bill = till.car(3, StayState::Closed);
    let tendered = |minor, taking| Tendered { bill, amount: yuan(minor), taking };
    till.take("anna", tendered(500, Taking::Part)).expect("taken");
    events.push(("the first payment of a stay's bill fixes it: cash", last(&till)));
    till.take("anna", tendered(450, Taking::Part)).expect("taken");
    events.push(("a further cash payment of the bill", last(&till)));
    till.coin = Coin::new(100).expect("a coin");
    till.take("anna", tendered(500, Taking::All)).expect("taken");
    events.push(("cash, rounded down to coins", last(&till)));
    till.pay_out("anna", &PayOut::StayBill(bill), 500).expect("given back");
    events.push(("cash is given back for a stay's bill", last(&till)));
    let topped = cash::top_up("anna", &card, yuan(2_000), till.now, &till.records).expect("topped up");
    till.commit(topped.0);
    events.push(("stored value is topped up", last(&till)));
    let other = till.car(2, StayState::Closed);
    till.take("anna", Tendered { bill: other, amount: yuan(100), taking: Taking::Part }).expect("taken");
    let spent = till.with(|terms| cash::spend(&card, other, Cause::Driver, terms, &till.records)).expect("spent");
    till.commit(spent.0);
    events.push(("stored value is spent for a bill that is fixed", last(&till)));
    let given = cash::give_back("anna", &card, yuan(100), "asked for", till.now, &till.records).expect("given back");
    till.commit(given.0);
    events.push(("stored value is given back", last(&till)));
    for (who, name, off) in [
        ("anna", "a shift is closed and its count agrees", 0),
        ("bo", "a shift is closed and money is short", -5),
        ("chen", "a shift is closed and there is too much", 5),
    ] {
        if off != 0 {
            till.open(who, 1_000).expect("opened");
        }
        let there = cash::Shift::of(who, &till.records).expect("open").record.expected().expect("fits").minor();
        till.close(who, &counted(there + off), Some("counted"), None).expect("closed");
        events.push((name, last(&till)));
    }
    by_an_accountant(&mut till, &mut events);
    events
}

fn by_an_accountant(till: &mut Till, events: &mut Vec<(&'static str, Vec<Posting>)>) {
    let mut brought = Change::new(ChangeKind::PaymentCaptured, DateTime::UNIX_EPOCH, Cause::Time);
    let clearing = Account::Clearing("wechat".into());
    brought.postings = vec![Posting::debit(clearing, yuan(5_000)), Posting::credit(Account::Suspense, yuan(5_000))];
    brought
        .postings
        .extend([Posting::debit(Account::Safe, yuan(5_000)), Posting::credit(Account::Opening, yuan(5_000))]);
    till.commit(brought);
    let payout = by_hand(till, HandPosting::Payout { provider: "wechat".into() }, None);
    events.push(("a provider pays out", payout.clone()));
    events.push(("cash is carried to the bank", by_hand(till, HandPosting::Banked, None)));
    events.push(("money in suspense is owed back", by_hand(till, HandPosting::OutOfSuspense, None)));
    let of = till.entries.len() as u64;
    let reversal = by_hand(till, HandPosting::Reversal { of }, Some((ChangeKind::BooksPosted, &payout)));
    events.push(("such an entry is reversed", reversal));
}

#[test]
fn every_event_posts_what_the_page_says() {
    let rows = table("<!-- events -->");
    let happened = events();
    assert_eq!(rows.len(), happened.len(), "every row of the page is an event here");
    for (name, postings) in happened {
        let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("the page does not say {name:?}"));
        assert_eq!((row[1].clone(), row[2].clone()), sides(&postings), "{name}");
    }
}

#[test]
fn every_account_stands_on_the_page() {
    let details = [Account::Clearing, Account::Cash, Account::Merchant].map(|of| of("…".to_owned()));
    let all: Vec<Account> = Account::PLAIN.into_iter().map(|(account, _)| account).chain(details).collect();
    let rows = table("<!-- accounts -->");
    assert_eq!(rows.len(), all.len());
    for account in all {
        let words = account.words();
        let kind = format!("{:?}", account.kind()).to_lowercase();
        let row = vec![format!("`{account}`"), words.zh, words.en, kind];
        assert!(rows.contains(&row), "{row:?}");
    }
}
