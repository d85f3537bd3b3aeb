//! Orders under faults: random stories of phones, providers, cash and crashes, each judged by what must always be true about
//! money (payments.md, 'What must always be true', 1 to 8 and 10), and each mistake that is planted has to be found.

mod bank;
mod chance;
mod world;

use tollhouse_core::audit;
use tollhouse_core::pay::{Payment, Refund};
use tollhouse_core::record::{Balance, Records, Table};

use bank::transaction;
use world::{Planted, TOTAL, World};

const STEPS: usize = 60;

fn balance(world: &World, account: &str) -> i64 {
    let stored = world.records.stored(Table::Balances, &format!("{account}/CNY")).expect("readable");
    stored.map_or(0, |stored| serde_json::from_str::<Balance>(&stored.json).expect("a balance").sum.minor())
}

fn equal(what: &str, found: i64, wanted: i64) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found} instead of {wanted}")) }
}

/// What must be true when nothing is open any more.
fn judge(world: &World) -> Result<(), String> {
    for mut invariant in audit::all() {
        world.entries.iter().for_each(|entry| invariant.entry(entry));
        invariant.end(&world.records).map_err(|fault| format!("{}: {fault}", invariant.name()))?;
    }
    let payments = world.records.list::<Payment>("", 1_000).expect("readable");
    for (number, account) in world.bank.accounts.iter().filter(|(_, account)| account.paid_at.is_some()) {
        let mine = payments.iter().filter(|kept| kept.record.transaction == transaction(number));
        let captured: Vec<i64> = mine.map(|kept| kept.record.amount.minor()).collect();
        if captured != [account.amount.minor()] {
            return Err(format!("the payment of {number} is captured as {captured:?}"));
        }
    }
    if let Some((order, live)) = world.bank.live_refunds().into_iter().find(|(_, live)| *live > 1) {
        return Err(format!("{order} has {live} live refunds"));
    }
    let bill = world.bill();
    let to_bill: i64 = payments.iter().map(|kept| kept.record.to_bill.minor()).sum();
    equal("what the bill has taken", bill.paid.minor(), to_bill + world.cash)?;
    if bill.paid.minor() > TOTAL {
        return Err("the bill has taken more than was due".to_owned());
    }
    equal("clearing", balance(world, "clearing:bank"), world.bank.captured() - world.bank.given_back())?;
    equal("refund due", balance(world, "refund_due"), 0)?;
    equal("suspense", balance(world, "suspense"), 0)?;
    let asked: i64 =
        world.records.list::<Refund>("", 1_000).expect("readable").iter().map(|r| r.record.amount.minor()).sum();
    let excess: i64 = payments.iter().map(|kept| kept.record.excess.minor()).sum();
    equal("what goes back against what was too much", asked, excess)
}

fn tell(seed: u64, planted: Planted) -> Result<(), String> {
    let mut world = World::new(seed, planted);
    for _ in 0..STEPS {
        world.something();
    }
    let rest = world.come_to_rest();
    rest.and_then(|()| judge(&world)).map_err(|fault| format!("seed {seed}: {fault}\n{}", world.story.join("\n")))
}

#[test]
fn whatever_order_the_news_of_money_come_in_the_books_agree_with_the_providers() {
    for seed in 0..1_500 {
        tell(seed, Planted::Nothing).unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for planted in Planted::ALL {
        let found =
            (0..600).find(|seed| std::panic::catch_unwind(|| tell(*seed, planted)).is_ok_and(|told| told.is_err()));
        assert!(found.is_some(), "{planted:?} is not found");
    }
}
