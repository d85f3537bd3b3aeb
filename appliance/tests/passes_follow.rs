//! Asserts that the gate's passes follow cards, bills, spaces and days exactly, whatever was lost with the process, over a
//! real store.

mod cards;

use std::path::Path;

use cards::{Grade, day, note, owned_card, plate, rented_card, space};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tollhouse::actors::passes::{PassDesk, Round};
use tollhouse::clock::BoxClock;
use tollhouse::store::{Store, StoreOptions};
use tollhouse_core::charging::cards::{Act, Card, CardState, Cover};
use tollhouse_core::charging::gate::{GateAreas, GateCard, PassCursor, PassPolicy};
use tollhouse_core::id::StayId;
use tollhouse_core::pass::{GatePass, Grants, MorePolicy, OverduePolicy, Passes};
use tollhouse_core::record::{Cause, Change, ChangeKind, Record, Records};

fn policy() -> PassPolicy {
    PassPolicy {
        zone: chrono_tz::Asia::Shanghai,
        grace_days: 3,
        overdue: OverduePolicy::RefuseEntry,
        more: MorePolicy::ChargeAsTemporary,
        areas: GateAreas::default(),
    }
}

/// A store with its follower, and the box's clock.
struct Followed {
    store: Store,
    clock: BoxClock,
    desk: PassDesk,
}

impl Followed {
    fn open(data: &Path) -> Self {
        Self::open_under(data, policy())
    }

    fn open_under(data: &Path, policy: PassPolicy) -> Self {
        let store = Store::open(data, StoreOptions::default()).expect("opens");
        let clock = BoxClock::start(1);
        let desk = PassDesk::new(store.clone(), clock.clone(), policy);
        Self { store, clock, desk }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn write(&self, writes: impl FnOnce(&mut Change)) {
        let mut change = Change::new(ChangeKind::CardChanged, self.now(), Cause::Time);
        writes(&mut change);
        self.store.commit(change).await.expect("taken");
    }

    /// Follows to the end. How many rounds wrote something, and whether lanes were told.
    async fn follow(&mut self) -> (usize, bool) {
        let (mut rounds, mut woken) = (0, false);
        while self.desk.round(|| woken = true).await.expect("follows") == Round::More {
            rounds += 1;
            assert!(rounds < 1_000, "it comes to rest");
        }
        (rounds, woken)
    }

    fn get<T: Record>(&self, key: &str) -> Option<T> {
        self.store.snapshot().get::<T>(key).expect("readable").map(|kept| kept.record)
    }

    fn pass(&self, number: u32, card: &str) -> Option<GatePass> {
        let passes = Passes::of(&plate(number), &self.store.snapshot()).expect("readable");
        passes.of_card(card).cloned()
    }

    fn paid_until(&self, number: u32, card: &str) -> Option<DateTime<Utc>> {
        match self.pass(number, card)?.grants {
            Grants::Owned { paid_until, .. } => Some(paid_until),
            _ => None,
        }
    }

    fn close(self) {
        self.store.close();
    }
}

#[actix::test]
async fn a_pass_follows_its_card_and_its_bills() {
    let folder = TempDir::new().expect("a folder");
    let mut box_ = Followed::open(folder.path());
    box_.follow().await;
    let today = box_.now().with_timezone(&policy().zone).date_naive();
    let (card, mut bill) = owned_card("C1", &["B1-001"], &[1, 2], today);
    box_.write(|change| {
        change.put(&space("B1-001", Grade::Tandem, "owned"));
        change.put(&card);
        change.put(&bill);
    })
    .await;
    assert_eq!(box_.follow().await, (1, true), "one batch, and the lanes look again");
    assert_eq!(box_.pass(1, "C1").and_then(|pass| pass.places).map(|places| places.count), Some(2));
    let late_from = box_.paid_until(2, "C1").expect("a pass");
    assert_eq!(late_from.with_timezone(&policy().zone).date_naive(), bill.due_on + TimeDelta::days(1));

    bill.accept(bill.due(), today);
    box_.write(|change| change.put(&bill)).await;
    box_.follow().await;
    assert!(box_.paid_until(2, "C1").is_some_and(|until| until > late_from + TimeDelta::days(9_999)));

    let (suspended, _) = card.apply(&Act::Stand(CardState::Suspended), &note()).expect("may");
    box_.write(|change| change.put(&suspended)).await;
    box_.follow().await;
    assert_eq!((box_.pass(1, "C1"), box_.pass(2, "C1")), (None, None));

    let drop = Act::DropVehicle { plate: plate(1), from: card.vehicles[0].from };
    let (one_car, _) = card.apply(&drop, &note()).expect("may");
    box_.write(|change| change.put(&one_car)).await;
    box_.follow().await;
    assert_eq!((box_.pass(1, "C1").is_some(), box_.pass(2, "C1").is_some()), (false, true));
    assert_eq!(box_.follow().await, (0, false), "nothing is written that has not changed");
}

#[actix::test]
async fn a_plate_on_a_list_and_on_two_cards_keeps_each_of_its_passes() {
    let folder = TempDir::new().expect("a folder");
    let mut box_ = Followed::open(folder.path());
    box_.follow().await;
    let today = box_.now().with_timezone(&policy().zone).date_naive();
    let free = GatePass::new(plate(1), Grants::Free { until: None });
    let (owned, _) = owned_card("C1", &["B1-001"], &[1], today);
    let (rented, mut bill) = rented_card("C2", "monthly", &[1], today);
    bill.accept(bill.due(), today);
    box_.write(|change| {
        change.put(&free);
        change.put(&space("B1-001", Grade::Ordinary, "owned"));
        change.put(&owned);
        change.put(&rented);
        change.put(&bill);
    })
    .await;
    box_.follow().await;
    assert!(box_.pass(1, "C1").is_some() && box_.pass(1, "C2").is_some());
    let (closed, _) = owned.apply(&owned.closing(today), &note()).expect("may");
    box_.write(|change| change.put(&closed)).await;
    box_.follow().await;
    assert!(box_.pass(1, "C1").is_none() && box_.pass(1, "C2").is_some());
    assert_eq!(box_.get::<GatePass>(plate(1).as_str()), Some(free), "the list is people's");
}

#[actix::test]
async fn what_was_lost_with_the_process_is_made_good_and_nothing_is_done_twice() {
    let folder = TempDir::new().expect("a folder");
    let box_ = Followed::open(folder.path());
    let today = box_.now().with_timezone(&policy().zone).date_naive();
    // Nobody has ever followed this store, and it has cards.
    for number in 0..250 {
        let (card, _) = owned_card(&format!("C{number}"), &["B1-001"], &[number], today);
        box_.write(|change| change.put(&card)).await;
    }
    box_.write(|change| change.put(&space("B1-001", Grade::Multi, "owned"))).await;
    box_.close();
    let mut box_ = Followed::open(folder.path());
    // It dies after the first batch.
    assert_eq!(box_.desk.round(|| ()).await.expect("follows"), Round::More);
    box_.close();
    let mut box_ = Followed::open(folder.path());
    box_.follow().await;
    for number in 0..250 {
        assert!(box_.pass(number, &format!("C{number}")).is_some(), "C{number}");
    }
    let cursor: PassCursor = box_.get(PassCursor::KEY).expect("a cursor");
    assert_eq!(cursor.walking, None);
    box_.close();
    let mut box_ = Followed::open(folder.path());
    assert_eq!(box_.follow().await.0, 0);
    // Another policy is another pass, for every card.
    box_.close();
    let mut box_ = Followed::open_under(folder.path(), PassPolicy { grace_days: 9, ..policy() });
    box_.follow().await;
    let nine = |pass: GatePass| matches!(pass.grants, Grants::Owned { grace_days: 9, .. });
    assert!((0..250).all(|number| box_.pass(number, &format!("C{number}")).is_some_and(nine)));
}

#[actix::test]
async fn a_space_that_becomes_smaller_takes_the_place_of_a_car_that_is_inside() {
    let folder = TempDir::new().expect("a folder");
    let mut box_ = Followed::open(folder.path());
    box_.follow().await;
    let today = box_.now().with_timezone(&policy().zone).date_naive();
    let (card, _) = owned_card("C1", &["B1-001"], &[1, 2], today);
    let mut cover = Cover::new(card.number.clone(), 2);
    for number in 1..=2 {
        let id = StayId::from_bytes([u8::try_from(number).expect("small"); 16]);
        cover.enter(&plate(number), id, box_.now(), MorePolicy::ChargeAsTemporary);
    }
    box_.write(|change| {
        change.put(&space("B1-001", Grade::Tandem, "owned"));
        change.put(&card);
        change.put(&cover);
    })
    .await;
    box_.follow().await;
    assert_eq!(box_.get::<Cover>("C1").map(|cover| cover.covered()), Some(2));
    box_.write(|change| change.put(&space("B1-001", Grade::Ordinary, "owned"))).await;
    box_.follow().await;
    let cover = box_.get::<Cover>("C1").expect("inside");
    assert_eq!((cover.places, cover.covered()), (1, 1));
}

#[actix::test]
async fn what_a_day_changes_is_found_by_its_day() {
    let folder = TempDir::new().expect("a folder");
    let mut box_ = Followed::open(folder.path());
    box_.follow().await;
    let today = box_.now().with_timezone(&policy().zone).date_naive();
    let (card, _) = owned_card("C1", &["B1-001"], &[1], today);
    let tomorrow = today + TimeDelta::days(1);
    let ends = Act::EndVehicle { plate: plate(1), from: card.vehicles[0].from, until: Some(tomorrow) };
    let (card, _): (Card, Act) = card.apply(&ends, &note()).expect("may");
    box_.write(|change| {
        change.put(&space("B1-001", Grade::Ordinary, "owned"));
        change.put(&card);
    })
    .await;
    box_.follow().await;
    assert!(box_.pass(1, "C1").is_some());
    assert_eq!(box_.get::<GateCard>("C1").and_then(|known| known.next), Some(tomorrow));
    // The day before, as the box sees it, was told of long ago: its day has come.
    let mut known: GateCard = box_.get("C1").expect("told");
    let yesterday = day(today, -1);
    known.next = Some(yesterday);
    box_.write(|change| {
        change.put(&known);
        change.put(&tollhouse_core::charging::gate::GateDay { on: yesterday, card: card.number.clone() });
    })
    .await;
    assert_eq!(box_.follow().await.0, 1);
    assert_eq!(box_.get::<GateCard>("C1").and_then(|known| known.next), Some(tomorrow));
    assert_eq!(box_.follow().await.0, 0, "and rests until then");
}
