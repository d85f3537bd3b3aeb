//! Asserts how cards decide at a real lane over MQTT: owned, rented and temporary, more cars than places, and that what is
//! paid or renewed at the office opens the lane for the car that waits there. The whole box runs in this process, over the
//! embedded broker, with the demo's hardware at its lanes; the office's writes are journal entries as any desk makes them.

mod cards;

use std::path::Path;
use std::time::{Duration, Instant};

use cards::{Grade, add_term, day, owned_card, plate, rented_card, space};
use chrono::{NaiveDate, TimeDelta};
use tollhouse::clock::BoxClock;
use tollhouse::config::Config;
use tollhouse::demo::broker::EmbeddedBroker;
use tollhouse::demo::estate;
use tollhouse::demo::hardware::{Hardware, Opened};
use tollhouse::wiring::{self, Running};
use tollhouse_core::bill::Bill;
use tollhouse_core::charging::cards::Cover;
use tollhouse_core::charging::gate::GateCard;
use tollhouse_core::lane::{Passage, PassageState};
use tollhouse_core::pass::{GatePass, Grants, MorePolicy, OverduePolicy};
use tollhouse_core::record::{Cause, Change, ChangeKind, Record, Records, Table};
use tollhouse_core::stay::{Inside, Stay};

/// The hardware moves so many times as fast as the demo's.
const HARDWARE_SPEED: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(20);
/// The gate has what the office did within this time.
const A_SECOND: Duration = Duration::from_secs(1);

struct Site {
    running: Running,
    hardware: Hardware,
}

impl Site {
    /// Lanes `in-1` and `out-1` of the sample estate, without its driver.
    async fn start(data: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let broker = EmbeddedBroker::start(([127, 0, 0, 1], 0).into()).expect("a broker").addr;
        let mut config = estate::config(([127, 0, 0, 1], 0).into(), broker, data, Path::new("none"), 1).expect("names");
        config.plugins.clear();
        config.lanes.retain(|lane| lane.id.as_str().ends_with('1'));
        change(&mut config);
        let running = wiring::start(&config, BoxClock::start(1), None).expect("the box starts");
        let hardware = Hardware::start(broker, BoxClock::start(1), HARDWARE_SPEED);
        running.ready().await;
        Self { running, hardware }
    }

    fn today() -> NaiveDate {
        BoxClock::start(1).now().with_timezone(&chrono_tz::Asia::Shanghai).date_naive()
    }

    fn get<T: Record>(&self, key: &str) -> Option<T> {
        self.running.store.snapshot().get::<T>(key).expect("readable").map(|kept| kept.record)
    }

    /// The office writes something. The journal's position of it.
    async fn write(&self, writes: impl FnOnce(&mut Change)) -> u64 {
        let mut change = Change::new(ChangeKind::CardChanged, BoxClock::start(1).now(), Cause::Time);
        writes(&mut change);
        self.running.store.commit(change).await.expect("taken")
    }

    /// The same, and waits until the gate has it. How long that took.
    async fn write_for_the_gate(&self, card: &str, writes: impl FnOnce(&mut Change)) -> Duration {
        let position = self.write(writes).await;
        let began = Instant::now();
        self.until("the gate to have it", || {
            let told = self.running.store.snapshot().get::<GateCard>(card).expect("readable");
            told.filter(|kept| kept.revision > position).map(|_| ())
        })
        .await;
        began.elapsed()
    }

    async fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let mut durable = self.running.store.durable();
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            // What is waited for is an entry of the journal.
            let _ = tokio::time::timeout(Duration::from_millis(100), durable.changed()).await;
        }
    }

    /// The newest passage of a car, once there is one after `after`.
    async fn passage(&self, number: u32, after: usize) -> Passage {
        let plate = plate(number);
        self.until(&format!("a decision about {plate}"), || {
            let all = self.running.store.snapshot().list::<Passage>("", 1_000).expect("readable");
            let mut own: Vec<Passage> =
                all.into_iter().map(|kept| kept.record).filter(|one| one.plate.as_ref() == Some(&plate)).collect();
            own.sort_by_key(|one| one.decided_at);
            if own.len() > after { own.pop() } else { None }
        })
        .await
    }

    fn passages(&self, number: u32) -> usize {
        let all = self.running.store.snapshot().list::<Passage>("", 1_000).expect("readable");
        all.iter().filter(|kept| kept.record.plate == Some(plate(number))).count()
    }

    /// A car drives up: what is decided about it.
    async fn drives_up(&self, lane: &str, number: u32) -> Passage {
        let before = self.passages(number);
        self.hardware.read(lane, plate(number).as_str(), "blue");
        self.passage(number, before).await
    }

    /// A car drives through: with which decision.
    async fn drives(&self, lane: &str, number: u32) -> String {
        let opened = self.hardware.openings(lane);
        let passage = self.drives_up(lane, number).await;
        assert_eq!(self.hardware.opens(lane, opened, PATIENCE).await, Opened::Yes, "{:?}", passage.code);
        self.until("the car to pass", || {
            self.get::<Passage>(&passage.id.to_string()).filter(|one| one.state == PassageState::Passed)
        })
        .await;
        passage.code.as_str().to_owned()
    }

    /// What a camera tells hours later.
    async fn drove(&self, lane: &str, number: u32, minutes_ago: i64) {
        let before = self.passages(number);
        self.hardware.read_late(lane, plate(number).as_str(), "blue", TimeDelta::minutes(minutes_ago));
        self.passage(number, before).await;
    }

    fn stay(&self, number: u32) -> Stay {
        let inside: Inside = self.get(plate(number).as_str()).expect("inside");
        self.get(&inside.stay.to_string()).expect("a stay")
    }
}

fn in_a_box(test: impl AsyncFnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    actix::System::new().block_on(test(folder.path()));
}

#[test]
fn each_tenure_decides_as_its_bills_and_dates_say() {
    in_a_box(async |data| {
        let site = Site::start(data, |_| {}).await;
        let today = Site::today();
        // Owned: open bill, not late; overdue beyond its grace. Rented: settled, in its grace, run out, never paid.
        let (paid, bill) = owned_card("O1", &["B1-001"], &[1], today);
        let (late, mut overdue) = owned_card("O2", &["B1-002"], &[2], today);
        overdue.due_on = day(today, -8);
        site.write(|change| {
            for number in ["B1-001", "B1-002"] {
                change.put(&space(number, Grade::Ordinary, "owned"));
            }
            for card in [&paid, &late] {
                change.put(card);
            }
            for bill in [&bill, &overdue] {
                change.put(bill);
            }
        })
        .await;
        for (name, car, ended, settled) in
            [("R1", 3, 0, true), ("R2", 4, 25, true), ("R3", 5, 40, true), ("R4", 6, 0, false)]
        {
            let (card, mut bill) = rented_card(name, "monthly", &[car], day(today, -ended));
            if settled {
                bill.accept(bill.due(), today);
            }
            let took = site
                .write_for_the_gate(name, |change| {
                    change.put(&card);
                    change.put(&bill);
                })
                .await;
            assert!(took < A_SECOND, "{took:?}");
        }
        let expected = [
            (1, "entry_pass"),
            (2, "entry_pass_overdue"),
            (3, "entry_pass"),
            (4, "entry_pass_grace"),
            (5, "entry_pass_ended"),
            (6, "entry_temporary"),
            (7, "entry_temporary"),
        ];
        for (car, code) in expected {
            assert_eq!(site.drives("in-1", car).await, code, "car {car}");
        }
        for car in [1, 2, 3, 4] {
            assert_eq!(site.drives("out-1", car).await, "exit_pass", "car {car}");
        }
        site.running.stop().await;
    });
}

#[test]
fn the_third_car_of_a_tandem_space_is_covered_from_when_one_leaves_and_its_bill_says_so() {
    in_a_box(async |data| {
        let site = Site::start(data, |_| {}).await;
        let (card, bill) = owned_card("T1", &["B1-001"], &[1, 2, 3], Site::today());
        site.write_for_the_gate("T1", |change| {
            change.put(&space("B1-001", Grade::Tandem, "owned"));
            change.put(&card);
            change.put(&bill);
        })
        .await;
        site.drove("in-1", 1, 300).await;
        site.drove("in-1", 2, 240).await;
        site.drove("in-1", 3, 180).await;
        assert_eq!(site.get::<Cover>("T1").map(|cover| (cover.covered(), cover.cars.len())), Some((2, 3)));
        site.drove("out-1", 1, 90).await;
        let third = site.stay(3);
        assert_eq!(site.drives("out-1", 3).await, "exit_pass_arrears");
        let stay: Stay = site.get(&third.id.to_string()).expect("a stay");
        assert_eq!(stay.unplaced.len(), 1, "{:?}", stay.unplaced);
        let waited = stay.unplaced[0].until.expect("it had a place") - stay.entered_at;
        assert!((waited - TimeDelta::minutes(90)).abs() < TimeDelta::seconds(5), "{waited}");
        let bill: Bill = site.get(&stay.bill.expect("a bill").to_string()).expect("a bill");
        assert_eq!(bill.total.amount(), "10.00", "two started hours, not three");
        assert!(bill.lines.iter().any(|line| line.text.zh.contains("月卡车位已占满")), "{:?}", bill.lines);
        // Two places again: who comes now has one.
        assert_eq!(site.drives("in-1", 1).await, "entry_pass");
        assert_eq!(site.drives("in-1", 3).await, "entry_places_taken_temporary");
        site.running.stop().await;
    });
}

#[test]
fn an_overdue_bill_is_treated_as_the_lot_says_and_paying_it_at_the_office_opens_the_lane() {
    let cases = [
        (OverduePolicy::OpenAndWarn, "entry_pass_overdue"),
        (OverduePolicy::ChargeAsTemporary, "entry_overdue_temporary"),
        (OverduePolicy::RefuseEntry, "entry_overdue"),
    ];
    for (overdue, code) in cases {
        in_a_box(async |data| {
            let site = Site::start(data, |config| config.charging.overdue = overdue).await;
            let today = Site::today();
            let (card, mut bill) = owned_card("O1", &["B1-001"], &[1], today);
            bill.due_on = day(today, -30);
            site.write_for_the_gate("O1", |change| {
                change.put(&space("B1-001", Grade::Ordinary, "owned"));
                change.put(&card);
                change.put(&bill);
            })
            .await;
            if overdue != OverduePolicy::RefuseEntry {
                assert_eq!(site.drives("in-1", 1).await, code);
                return site.running.stop().await;
            }
            let opened = site.hardware.openings("in-1");
            let passage = site.drives_up("in-1", 1).await;
            assert_eq!((passage.code.as_str(), passage.state), (code, PassageState::Refused));
            bill.accept(bill.due(), today);
            let began = Instant::now();
            site.write(|change| change.put(&bill)).await;
            assert_eq!(site.hardware.opens("in-1", opened, PATIENCE).await, Opened::Yes);
            assert!(began.elapsed() < A_SECOND, "{:?}", began.elapsed());
            let after: Passage = site.get(&passage.id.to_string()).expect("there");
            assert_eq!(after.code.as_str(), "entry_pass", "the same passage");
            site.running.stop().await;
        });
    }
}

#[test]
fn one_car_more_than_places_is_treated_as_the_lot_says_and_drives_in_when_one_leaves() {
    let cases = [
        (MorePolicy::ChargeAsTemporary, "entry_places_taken_temporary"),
        (MorePolicy::AdmitFree, "entry_places_taken_free"),
        (MorePolicy::Refuse, "entry_places_taken"),
    ];
    for (more, code) in cases {
        in_a_box(async |data| {
            let site = Site::start(data, |config| config.charging.more_cars = more).await;
            let (card, bill) = owned_card("T1", &["B1-001"], &[1, 2, 3], Site::today());
            site.write_for_the_gate("T1", |change| {
                change.put(&space("B1-001", Grade::Tandem, "owned"));
                change.put(&card);
                change.put(&bill);
            })
            .await;
            for car in [1, 2] {
                assert_eq!(site.drives("in-1", car).await, "entry_pass");
            }
            if more != MorePolicy::Refuse {
                assert_eq!(site.drives("in-1", 3).await, code);
                return site.running.stop().await;
            }
            let opened = site.hardware.openings("in-1");
            let passage = site.drives_up("in-1", 3).await;
            assert_eq!((passage.code.as_str(), passage.state), (code, PassageState::Refused));
            assert_eq!(site.drives("out-1", 1).await, "exit_pass");
            assert_eq!(site.hardware.opens("in-1", opened, PATIENCE).await, Opened::Yes);
            site.running.stop().await;
        });
    }
}

#[test]
fn what_the_office_does_opens_the_lane_for_the_car_that_waits() {
    in_a_box(async |data| {
        let site = Site::start(data, |_| {}).await;
        let blocked = GatePass::new(plate(1), Grants::Blocked { reason: "debts".to_owned() });
        site.write(|change| change.put(&blocked)).await;
        let opened = site.hardware.openings("in-1");
        let passage = site.drives_up("in-1", 1).await;
        assert_eq!((passage.code.as_str(), passage.state), ("entry_blocked", PassageState::Refused));
        let began = Instant::now();
        site.write(|change| change.delete(Table::Passes, plate(1).as_str())).await;
        assert_eq!(site.hardware.opens("in-1", opened, PATIENCE).await, Opened::Yes);
        assert!(began.elapsed() < A_SECOND, "{:?}", began.elapsed());
        let after: Passage = site.get(&passage.id.to_string()).expect("there");
        assert_eq!(after.code.as_str(), "entry_temporary", "the same passage");
        site.running.stop().await;
    });
}

#[test]
fn a_letting_renewed_while_its_car_waits_at_the_exit_lets_it_out() {
    in_a_box(async |data| {
        let site = Site::start(data, |_| {}).await;
        let today = Site::today();
        let (mut card, mut bill) = rented_card("R1", "monthly", &[1], day(today, -40));
        bill.accept(bill.due(), today);
        site.write_for_the_gate("R1", |change| {
            change.put(&card);
            change.put(&bill);
        })
        .await;
        site.drove("in-1", 1, 120).await;
        let opened = site.hardware.openings("out-1");
        let passage = site.drives_up("out-1", 1).await;
        assert_eq!((passage.code.as_str(), passage.state), ("exit_payment_due", PassageState::Waiting));
        let (place, from) = (card.holdings[0].place.clone(), card.terms[0].span.until);
        let mut renewal = add_term(&mut card, &place, from, 60);
        renewal.accept(renewal.due(), today);
        site.write(|change| {
            change.put(&card);
            change.put(&renewal);
        })
        .await;
        assert_eq!(site.hardware.opens("out-1", opened, PATIENCE).await, Opened::Yes);
        let after: Passage = site.get(&passage.id.to_string()).expect("there");
        assert_eq!((after.code.as_str(), after.due), ("exit_pass", None));
        site.running.stop().await;
    });
}
