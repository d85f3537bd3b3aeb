//! Random operations over simulated years: after each, the card's parts, its bills, the journal and the books agree.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta};
use proptest::prelude::*;
use tollhouse_core::audit::{JournalEntry, Texts};
use tollhouse_core::bill::{BillKind, BillState};
use tollhouse_core::books::{Account, Posting, balance_key};
use tollhouse_core::charging::bills::{
    BillBooks, Bounds, CardBill, Moved, Part, Reached, Retention, Terms, allocate, earn_days, position, recognised,
    repair, run_card,
};
use tollhouse_core::charging::calendar::{Span, days_after};
use tollhouse_core::charging::cards::{Act, Card, CardState, five_parts};
use tollhouse_core::charging::estate::{Space, Tenure, UseList};
use tollhouse_core::charging::fees::{FeeKind, FeeList, LateFeeRule, PricePer, TaxPoint};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::packages::{SoldPlace, Which, rent_offer};
use tollhouse_core::charging::place::Place;
use tollhouse_core::id::BillId;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::{Plate, VehicleKind};
use tollhouse_core::record::{Balance, Cause, Change, ChangeKind, Memory, Record, Records, Table};

use crate::sample::{attributes, card, class, day, held, item, key, monthly, note, number, space};

#[derive(Debug, Clone)]
enum Operation {
    Days(u32),
    Hold(usize, u32),
    End(usize, i32),
    Tenure(usize, Tenure, i32),
    Let(usize, u8),
    GiveUp(i32),
    Pay(i64),
    Ahead(u32),
    Rest(u32),
    WriteOff,
    Vehicle(usize),
    NoVehicle(usize),
    Stand(CardState),
    Refund,
    Undo,
}

fn any_operation() -> impl Strategy<Value = Operation> {
    use Operation::{Ahead, Days, End, GiveUp, Hold, Let, NoVehicle, Pay, Refund, Rest, Stand};
    use Operation::{Tenure as Change, Undo, Vehicle, WriteOff};
    let states = vec![CardState::Active, CardState::Suspended, CardState::Lost, CardState::Expired];
    prop_oneof![
        8 => (1u32..45).prop_map(Days),
        2 => (0usize..3, 0u32..20).prop_map(|(which, later)| Hold(which, later)),
        2 => (0usize..3, -20i32..60).prop_map(|(which, days)| End(which, days)),
        2 => (0usize..3, prop::sample::select(vec![Tenure::Owned, Tenure::Rented]), -40i32..40)
            .prop_map(|(which, tenure, days)| Change(which, tenure, days)),
        3 => (0usize..3, prop::sample::select(vec![1u8, 3, 12])).prop_map(|(which, months)| Let(which, months)),
        1 => (-10i32..40).prop_map(GiveUp),
        5 => (0i64..200_000).prop_map(Pay),
        1 => (0u32..120).prop_map(Ahead),
        1 => (1u32..40).prop_map(Rest),
        1 => Just(WriteOff),
        1 => (0usize..3).prop_map(Vehicle),
        1 => (0usize..3).prop_map(NoVehicle),
        1 => prop::sample::select(states).prop_map(Stand),
        1 => Just(Refund),
        2 => Just(Undo),
    ]
}

struct World {
    today: NaiveDate,
    earned: NaiveDate,
    card: Card,
    spaces: Vec<Space>,
    fees: FeeList,
    bills: Vec<CardBill>,
    undo: Vec<Act>,
    memory: Memory,
    journal: Vec<Change>,
    /// What bills said when they were drawn, less credit notes, less money, in smallest units: reckoned apart.
    owed: i64,
    captured: i64,
    freed: i64,
}

const NAMES: [&str; 3] = ["1", "2", "3"];

fn cash() -> Account {
    Account::Bank
}

fn moved_days(from: NaiveDate, days: i32) -> NaiveDate {
    from + TimeDelta::days(i64::from(days))
}

impl World {
    fn new(point: TaxPoint) -> Self {
        let today = day("2024-01-01");
        let mut care = item("care", FeeKind::Periodic(monthly()), "310.55");
        care.tax.point = point;
        let light = item("light", FeeKind::Periodic(monthly()), "9.99");
        let rent = item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "400");
        let deposit = item("deposit", FeeKind::Deposit, "500");
        let items = [care, light, rent, deposit].map(|mut item| {
            item.late_fee = None::<LateFeeRule>;
            item
        });
        Self {
            today,
            earned: today,
            card: card(vec![held("1", "2024-01-01", None)]),
            spaces: NAMES.iter().map(|name| space(name, attributes(Tenure::Owned))).collect(),
            fees: FeeList::new(items.to_vec()).expect("no fault"),
            bills: vec![],
            undo: vec![],
            memory: Memory::new(),
            journal: vec![],
            owed: 0,
            captured: 0,
            freed: 0,
        }
    }

    /// One change: the card, the bills that it moved and what they post. All or nothing.
    fn commit(&mut self, before: &[CardBill], other: &Account) {
        let mut change = Change::new(ChangeKind::CardChanged, DateTime::UNIX_EPOCH, Cause::Time);
        change.put(&self.card);
        let books = BillBooks::open(&self.memory, self.today).expect("readable");
        assert_eq!(books.through(), self.earned);
        let moved = self.bills.iter().filter(|bill| !before.contains(bill)).map(|bill| Moved {
            before: self.memory.get::<CardBill>(&bill.key()).expect("readable"),
            after: bill.clone(),
        });
        books.write(&mut change, moved.collect(), other);
        self.take(change);
    }

    fn take(&mut self, change: Change) {
        self.memory.take(&change).expect("the postings sum to zero");
        self.journal.push(change);
    }

    fn run(&mut self) {
        let before = self.bills.clone();
        let spaces = &self.spaces;
        let estate = |number: &SpaceNumber| spaces.iter().find(|space| space.number == *number).cloned();
        let outcome = run_card(&self.card, &estate, &self.fees, self.today, Currency::Cny, Bounds::default(), &key());
        let outcome = outcome.expect("not parked");
        self.card = outcome.card;
        self.owed += outcome.bills.iter().map(|bill| bill.total().minor()).sum::<i64>();
        self.bills.extend(outcome.bills);
        self.commit(&before, &cash());
        let before = self.bills.clone();
        let retention = Retention::NONE;
        let terms = Terms { on: self.today, retention, currency: Currency::Cny, key: &key(), note: note() };
        let repaired = repair(&mut self.card, &mut self.bills, &outcome.surplus, &terms);
        self.owed -= repaired.notes.iter().map(|note| note.amount.minor()).sum::<i64>();
        self.owed += repaired.freed.minor();
        self.freed += repaired.freed.minor();
        self.commit(&before, &Account::Credit);
    }

    fn act(&mut self, act: &Act) {
        if let Ok((card, opposite)) = self.card.apply(act, &note()) {
            self.card = card;
            self.undo.push(opposite);
        }
    }

    fn days(&mut self, days: u32) {
        self.today = days_after(self.today, days);
        while let Some(change) = self.next_days() {
            let alone = recognised(&self.bills, self.earned, self.today);
            if days < 400 {
                assert_eq!(change.postings, alone, "what was kept by day is what the bills say");
            }
            self.take(change);
        }
        self.earned = self.today;
    }

    fn next_days(&self) -> Option<Change> {
        earn_days(&self.memory, DateTime::UNIX_EPOCH, self.today, Currency::Cny).expect("readable")
    }

    fn let_out(&mut self, which: usize, months: u8) {
        let sold = SoldPlace {
            place: Place::Space(number(NAMES[which])),
            class: class(Tenure::Rented),
            size: "12.50".parse().expect("a size"),
            capacity: 1,
        };
        if self.spaces[which].attributes.on(self.today).map(|is| is.tenure) != Some(Tenure::Rented) {
            return;
        }
        let from = self.card.sold_until().filter(|until| *until > self.today).unwrap_or(self.today);
        let which = if self.card.terms.is_empty() { Which::First } else { Which::Renewal };
        let offer = rent_offer(&[sold], from, months, which, &self.fees, Currency::Cny, 7).expect("rent is set");
        let before = self.bills.clone();
        if let Ok((card, bill)) = self.card.sell(&offer, self.today, &key(), &note()) {
            self.card = card;
            self.owed += bill.total().minor();
            self.bills.push(bill);
            self.commit(&before, &cash());
        }
    }

    fn pay(&mut self, amount: i64) {
        let before = self.bills.clone();
        let paid = allocate(&mut self.bills, Money::new(amount, Currency::Cny), self.today);
        let accepted = amount - paid.rest.minor();
        self.owed -= accepted;
        self.captured += accepted;
        self.commit(&before, &cash());
    }

    fn write_off(&mut self) {
        let before = self.bills.clone();
        let Some(bill) = self.bills.iter_mut().find(|bill| bill.is_overdue(self.today)) else { return };
        let lost = bill.due().minor();
        bill.write_off(self.today);
        self.commit(&before, &cash());
        // Claimed again at once: the opposite.
        let before = self.bills.clone();
        let bill = self.bills.iter_mut().find(|bill| bill.state() == BillState::WrittenOff);
        let bill = bill.expect("just written off");
        bill.recover(self.today);
        assert_eq!(bill.due().minor(), lost);
        self.commit(&before, &cash());
    }

    /// A periodic bill is withdrawn, and what had been paid of it goes back to the payer. Its days are drawn again.
    fn refund(&mut self) {
        let before = self.bills.clone();
        let paid = |bill: &&mut CardBill| bill.kind == BillKind::Periodic && bill.state() == BillState::Paid;
        let Some(bill) = self.bills.iter_mut().find(paid) else { return };
        let was = bill.clone();
        let Some(credit) = bill.credit(Part::Whole, self.today, Retention::NONE, &key(), note()) else { return };
        self.card = self.card.clone().freed(&was, &credit);
        self.owed -= credit.amount.minor() - credit.freed.minor();
        self.commit(&before, &Account::RefundDue);
        let mut change = Change::new(ChangeKind::CardChanged, DateTime::UNIX_EPOCH, Cause::Time);
        change.postings = vec![Posting::debit(Account::RefundDue, credit.freed), Posting::credit(cash(), credit.freed)];
        self.captured -= credit.freed.minor();
        self.take(change);
    }

    fn operate(&mut self, operation: &Operation) {
        let place = |which: usize| Place::Space(number(NAMES[which]));
        let car = |which: usize| Plate::new(&format!("粤C{which:05}")).expect("a plate");
        match operation {
            Operation::Days(days) => self.days(*days),
            Operation::Hold(which, later) => {
                self.act(&Act::HoldPlace { place: place(*which), from: days_after(self.today, *later), until: None });
            }
            Operation::End(which, days) => {
                let (place, until) = (place(*which), moved_days(self.today, *days));
                let holding = self.card.holdings.iter().rfind(|holding| holding.place == place);
                if let Some(from) = holding.map(|holding| holding.from) {
                    self.act(&Act::EndPlace { place, from, until: Some(until) });
                }
            }
            Operation::Tenure(which, tenure, days) => {
                let from = moved_days(self.today, *days);
                let space = &mut self.spaces[*which];
                space.change(from, attributes(*tenure), &UseList::usual(), note()).expect("allowed");
            }
            Operation::Let(which, months) => self.let_out(*which, *months),
            Operation::GiveUp(days) => {
                let from = moved_days(self.today, *days);
                let term = self.card.terms.last().map_or(0, |term| term.number);
                self.card = self.card.give_up(term, from).unwrap_or_else(|_| self.card.clone());
            }
            Operation::Pay(amount) => self.pay(*amount),
            Operation::Ahead(days) => self.act(&Act::PayAhead(Some(days_after(self.today, *days)))),
            Operation::Rest(days) => {
                self.act(&Act::Rest(Span::new(self.today, days_after(self.today, *days)).expect("days")));
            }
            Operation::WriteOff => self.write_off(),
            Operation::Vehicle(which) => {
                let (kind, from) = (VehicleKind::Small, self.today);
                self.act(&Act::AddVehicle { plate: car(*which), kind, from, until: None });
            }
            Operation::NoVehicle(which) => {
                let held = self.card.vehicles.iter().find(|held| held.plate == car(*which));
                if let Some(from) = held.map(|held| held.from) {
                    self.act(&Act::DropVehicle { plate: car(*which), from });
                }
            }
            Operation::Stand(state) => self.act(&Act::Stand(*state)),
            Operation::Refund => self.refund(),
            Operation::Undo => {
                if let Some(opposite) = self.undo.pop() {
                    self.card = self.card.apply(&opposite, &note()).map_or_else(|_| self.card.clone(), |done| done.0);
                }
            }
        }
        self.run();
    }

    fn balance(&self, account: &Account) -> i64 {
        let stored = self.memory.stored(Table::Balances, &balance_key(account, Currency::Cny)).expect("readable");
        stored.map_or(0, |stored| serde_json::from_str::<Balance>(&stored.json).expect("a balance").sum.minor())
    }

    /// The invariants of `tollhouse verify` that do not hold over the records.
    fn audit(&self) -> Vec<&'static str> {
        let entries: Vec<JournalEntry> = (1..)
            .zip(&self.journal)
            .map(|(position, change)| JournalEntry { position, change: change.clone(), texts: Texts::Whole })
            .collect();
        let broken = tollhouse_core::audit::all().into_iter().filter_map(|mut one| {
            for entry in &entries {
                one.entry(entry);
            }
            one.end(&self.memory).err().map(|_| one.name())
        });
        broken.collect()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        // The journal, taken again from nothing, gives the same records.
        let kept = self.memory.get::<Card>(self.card.number.as_str()).expect("readable").expect("there");
        prop_assert_eq!(&kept.record, &self.card);
        let mut bills: Vec<CardBill> =
            self.memory.list::<CardBill>("", 10_000).expect("readable").into_iter().map(|kept| kept.record).collect();
        for bill in &mut bills {
            bill.reached = Reached::default();
        }
        let mut ours = self.bills.clone();
        bills.sort_by_key(|bill| bill.id);
        ours.sort_by_key(|bill| bill.id);
        prop_assert_eq!(&bills, &ours);
        // The five parts from the records and from what was reckoned apart.
        let estate = |number: &SpaceNumber| self.spaces.iter().find(|space| space.number == *number).cloned();
        let five = five_parts(&kept.record, &bills, &estate, &self.fees, self.today, Currency::Cny);
        prop_assert_eq!(five.due.minor(), self.owed);
        let held = self.card.holdings.iter().filter(|holding| holding.holds_on(self.today)).count();
        prop_assert_eq!(five.places.len(), held);
        prop_assert_eq!(five.capacity as usize, held);
        // The books hold what the bills say, and the money.
        let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
        for bill in &bills {
            for (account, minor) in position(bill, self.earned) {
                *sums.entry(account).or_default() += minor;
            }
        }
        for account in [
            Account::Receivable,
            Account::Revenue,
            Account::Deferred,
            Account::TaxDue,
            Account::TaxPending,
            Account::Deposit,
            Account::DepositPending,
            Account::BadDebt,
        ] {
            prop_assert_eq!(self.balance(&account), sums.get(&account).copied().unwrap_or(0), "{}", account);
        }
        prop_assert_eq!(self.balance(&Account::Receivable), self.owed);
        prop_assert_eq!(self.balance(&cash()), self.captured);
        prop_assert_eq!(self.balance(&Account::Credit), -self.freed);
        prop_assert_eq!(self.balance(&Account::RefundDue), 0);
        prop_assert!(self.balance(&Account::Deferred) <= 0);
        // Invariant 9: each day of a place and item in one live line at most, and the card knows which.
        let mut days: BTreeMap<(String, String), Vec<NaiveDate>> = BTreeMap::new();
        for line in bills.iter().flat_map(|bill| &bill.lines) {
            let of = days.entry((line.place.to_string(), format!("{:?}", line.source))).or_default();
            for live in line.live_days() {
                of.extend((0..live.days()).map(|after| live.from + TimeDelta::days(after)));
            }
        }
        for (of, days) in &mut days {
            days.sort_unstable();
            prop_assert!(days.windows(2).all(|pair| pair[0] != pair[1]), "{:?} twice", of);
        }
        let noted: i64 = kept.record.billed.iter().flat_map(|billed| &billed.spans).map(|span| span.days()).sum();
        prop_assert_eq!(days.values().map(Vec::len).sum::<usize>(), usize::try_from(noted).expect("not negative"));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn years_of_operations_keep_every_invariant(
        operations in prop::collection::vec(any_operation(), 1..60),
        point in prop::sample::select(vec![TaxPoint::OnBill, TaxPoint::OnReceipt, TaxPoint::OnService])
    ) {
        let mut world = World::new(point);
        world.run();
        for operation in &operations {
            world.operate(operation);
            world.check()?;
        }
        prop_assert_eq!(world.audit(), Vec::<&str>::new());
        let mut again = Memory::new();
        for change in &world.journal {
            again.take(change).expect("taken once already");
        }
        prop_assert!(again == world.memory, "the journal gives other records");
        // Long after, everything that was billed and held is earned.
        world.days(3_000);
        let sum: i64 = world.bills.iter().flat_map(|bill| position(bill, world.earned)).filter(|(account, _)| *account == Account::Deferred).map(|(_, minor)| minor).sum();
        prop_assert_eq!(sum, 0);
    }
}

#[test]
fn a_posting_of_another_side_would_be_seen() {
    let mut world = World::new(TaxPoint::OnReceipt);
    world.run();
    let mut change = Change::new(ChangeKind::CardChanged, DateTime::UNIX_EPOCH, Cause::Time);
    let one = Money::new(1, Currency::Cny);
    change.postings = vec![Posting::debit(Account::Receivable, one), Posting::credit(Account::Revenue, one)];
    world.take(change);
    assert!(world.check().is_err());
}

#[test]
fn verify_finds_what_is_planted_in_cards_and_bills() {
    let days = "each day of a place and fee item was billed once, and the card knows it";
    let sums = "no line of a card's bill took more than it owes, and each term has its one bill";
    let planted = |plant: &dyn Fn(&mut World)| {
        let mut world = World::new(TaxPoint::OnReceipt);
        world.run();
        world.operate(&Operation::Tenure(1, Tenure::Rented, 0));
        world.operate(&Operation::Hold(1, 0));
        world.operate(&Operation::Let(1, 1));
        assert_eq!((world.audit(), world.card.terms.len()), (vec![], 1));
        let before = world.bills.clone();
        plant(&mut world);
        world.commit(&before, &Account::Suspense);
        // Books that follow from what was planted are broken too; here it is who finds it in the records.
        let found = world.audit().into_iter().filter(|name| [days, sums].contains(name));
        found.collect::<Vec<_>>()
    };
    let again = |world: &mut World| {
        let mut twin = world.bills[0].clone();
        twin.id = BillId::from_bytes([9; 16]);
        world.bills.push(twin);
    };
    assert_eq!(planted(&again), [days]);
    assert_eq!(planted(&|world| world.card.billed.clear()), [days]);
    let one = Money::new(1, Currency::Cny);
    let too_much = |world: &mut World| {
        let amount = world.bills[0].lines[0].amount;
        world.bills[0].lines[0].paid = amount.plus(one).expect("small");
    };
    assert_eq!(planted(&too_much), [sums]);
    let back = |world: &mut World| {
        let bill = world.bills.iter_mut().find(|bill| bill.lines.len() > 1).expect("the letting's");
        bill.lines[1].returned = one;
    };
    assert_eq!(planted(&back), [sums]);
    assert_eq!(planted(&|world| world.card.terms[0].bill = BillId::from_bytes([9; 16])), [sums]);
}
