//! An inner court (场中场) with lanes of its own inside the lot: where the car stood when, and what each part costs.

use chrono::NaiveDateTime;

use super::*;
use crate::pass::PassHours;

const NESTED: &str = include_str!("../../../../appliance/tariffs/nested-court.toml");

/// Street, garage and court; each lane by its name.
struct Garage {
    lot: Lot,
    court_in: Lane,
    court_out: Lane,
}

#[derive(Clone, Copy)]
enum At {
    StreetIn,
    CourtIn,
    CourtOut,
    StreetOut,
}

impl Garage {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// With lanes changed. It is 08:00 on a Monday.
    fn with(change: impl Fn(&mut LaneRules)) -> Self {
        let file = crate::tariff::parse::parse(NESTED).expect("a tariff");
        let book = Arc::new(TariffBook::of(Plan::new(Arc::new(file)).expect("a plan")));
        let set = |rules: &mut LaneRules| {
            rules.tariff = Arc::clone(&book);
            change(rules);
        };
        let mut lot = Lot::with(set);
        lot.now = clock("08:00");
        let court = |name, direction| {
            let mut rules = rules(name, direction);
            rules.area = AreaId::new("court").expect("a name");
            rules.within = Some(AreaId::new("main").expect("a name"));
            set(&mut rules);
            Lane::load(rules, &lot.records).expect("readable")
        };
        let (court_in, court_out) = (court("court-in", Direction::Entry), court("court-out", Direction::Exit));
        Self { lot, court_in, court_out }
    }

    fn tell(&mut self, at: At, input: Input) -> Vec<Effect> {
        let lane = match at {
            At::StreetIn => &mut self.lot.entry,
            At::StreetOut => &mut self.lot.exit,
            At::CourtIn => &mut self.court_in,
            At::CourtOut => &mut self.court_out,
        };
        drive(lane, self.lot.now, input, &mut self.lot.records)
    }

    fn read_aged(&mut self, at: At, plate: &str, age: TimeDelta) -> Vec<Effect> {
        let mut event = format!("e{}", self.lot.records.revision());
        event.push_str(if matches!(at, At::CourtIn | At::StreetIn) { "i" } else { "o" });
        let mark = self.lot.mark(&event, age);
        self.tell(at, Input::Read(Read { mark, plate: plate_of(plate), colour: Colour::Blue }))
    }

    fn passes(&mut self, at: At, way: Way) {
        let mark = self.lot.mark(&format!("p{}", self.lot.records.revision()), TimeDelta::zero());
        self.tell(at, Input::Passed(Passed { mark, way }));
    }

    /// A car is read, let through and drives on; what the lane said.
    fn drives(&mut self, time: &str, at: At) -> Vec<&'static str> {
        self.lot.now = clock(time);
        let effects = self.read_aged(at, CAR, TimeDelta::zero());
        if !opens(&effects).is_empty() {
            self.passes(at, Way::Through);
        }
        codes(&effects)
    }

    fn was(&self) -> Vec<(String, String)> {
        let stay = self.lot.stay_of(CAR).expect("inside");
        let visits = stay.areas(self.lot.now);
        visits.iter().map(|visit| (visit.area.clone(), local(visit.enter))).collect()
    }

    fn count(&self, area: &str) -> i64 {
        let counter = format!("inside/{area}/temporary");
        self.lot.records.get::<Counter>(&counter).expect("readable").map_or(0, |kept| kept.record.value)
    }

    fn lines(&self) -> Vec<(String, String)> {
        let bill = self.lot.records.list::<Bill>("", 10).expect("readable").pop().expect("a bill").record;
        bill.lines.iter().map(|line| (line.text.en.clone(), line.amount.amount())).collect()
    }

    fn cases(&self) -> Vec<CaseKind> {
        let cases = self.lot.records.list::<Case>("", 10).expect("readable");
        cases.into_iter().map(|kept| kept.record.kind).collect()
    }

    fn write_pass(&mut self, coverage: Coverage, until: &str) {
        self.write_pass_for(CAR, coverage, until);
    }

    fn write_pass_for(&mut self, plate: &str, coverage: Coverage, until: &str) {
        let (card, from) = ("C1".to_owned(), clock("00:00") - TimeDelta::days(9));
        let grants = Grants::Rented { card, from, until: clock(until), grace_days: 2 };
        let mut change = Change::new(ChangeKind::PassWritten, self.lot.now, Cause::Time);
        change.put(&GatePass { coverage, ..GatePass::new(plate_of(plate), grants) });
        self.lot.records.take(&change).expect("taken");
    }
}

/// On Monday, 2 March 2026, in Shanghai; `+1 09:00` is the day after.
fn clock(time: &str) -> DateTime<Utc> {
    let (days, time) = time.strip_prefix('+').and_then(|rest| rest.split_once(' ')).unwrap_or(("0", time));
    let text = format!("2026-03-02 {time}");
    let wall = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M").expect("a time");
    let days: i64 = days.parse().expect("a number");
    wall.and_utc() - TimeDelta::hours(8) + TimeDelta::days(days)
}

fn local(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(8)).format("%H:%M").to_string()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn court() -> Coverage {
    Coverage { areas: vec![AreaId::new("court").expect("a name")], hours: vec![] }
}

#[test]
fn each_area_is_priced_by_its_own_rules_for_the_time_the_car_stood_there() {
    let mut garage = Garage::new();
    assert_eq!(garage.drives("08:00", At::StreetIn)[0], "entry_temporary");
    assert_eq!(garage.drives("09:00", At::CourtIn)[0], "area_entry");
    assert_eq!((garage.count("main"), garage.count("court")), (0, 1));
    assert_eq!(garage.drives("10:30", At::CourtOut)[0], "area_exit");
    assert_eq!((garage.count("main"), garage.count("court")), (1, 0));
    assert_eq!(garage.was(), pairs(&[("main", "08:00"), ("court", "09:00"), ("main", "10:30")]));
    // 2 h 30 in the garage are 3 x 3.00, 1 h 30 in the court 2 x 10.00: the example that the tariff itself carries.
    assert_eq!(garage.drives("12:00", At::StreetOut), ["exit_payment_due"]);
    let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    assert_eq!(garage.lot.bill(bill).total, yuan(2_900));
    assert!(garage.lines().iter().any(|(text, amount)| text.contains("Inner court") && amount == "20.00"));
    let order = garage.lot.order(bill);
    garage.lot.pay(&order).expect("captured");
    assert_eq!(opens(&garage.tell(At::StreetOut, Input::LookAtBill)).len(), 1);
    garage.passes(At::StreetOut, Way::Through);
    assert_eq!((garage.lot.inside(), garage.cases()), (0, vec![]));
}

#[test]
fn a_car_that_backs_out_of_the_lane_to_the_court_is_where_it_was() {
    let mut garage = Garage::new();
    garage.drives("08:00", At::StreetIn);
    garage.lot.now = clock("09:00");
    assert_eq!(opens(&garage.read_aged(At::CourtIn, CAR, TimeDelta::zero())).len(), 1);
    assert_eq!(garage.count("court"), 1);
    garage.passes(At::CourtIn, Way::Back);
    assert_eq!((garage.count("main"), garage.count("court")), (1, 0));
    assert_eq!(garage.lot.stay_of(CAR).expect("inside").moves, []);
    garage.drives("12:00", At::StreetOut);
    let amounts: Vec<_> = garage.lines().into_iter().map(|(_, amount)| amount).collect();
    assert_eq!(amounts, ["12.00"], "four hours in the garage");
}

#[test]
fn one_car_read_twice_at_the_inner_lane_moves_once_and_its_way_back_moves_it_again() {
    let mut garage = Garage::with(|rules| rules.passed_by = PassedBy::Opening);
    garage.drives("08:00", At::StreetIn);
    garage.lot.now = clock("09:00");
    let open = opens(&garage.read_aged(At::CourtIn, CAR, TimeDelta::zero())).remove(0);
    let confirmed = Answered { cmd_id: open.cmd_id.to_string(), answer: Answer::Confirmed, reason: None };
    garage.tell(At::CourtIn, Input::Answered(confirmed));
    garage.lot.wait(TimeDelta::seconds(3));
    assert!(opens(&garage.read_aged(At::CourtIn, CAR, TimeDelta::zero())).is_empty(), "the same car");
    assert_eq!(garage.lot.stay_of(CAR).expect("inside").moves.len(), 2, "the entry and one move");
    for (time, at) in [("09:05", At::CourtOut), ("09:08", At::CourtIn), ("09:12", At::CourtOut)] {
        garage.drives(time, at);
    }
    let was = pairs(&[("main", "08:00"), ("court", "09:00"), ("main", "09:05"), ("court", "09:08"), ("main", "09:12")]);
    assert_eq!((garage.was(), garage.cases()), (was, vec![]));
}

#[test]
fn the_court_has_room_for_so_many_and_a_card_is_never_refused_for_it() {
    let mut garage = Garage::with(|rules| rules.capacity = 1 + i64::from(rules.within.is_none()));
    for (plate, opened) in [("粤C00001", 1), (CAR, 0)] {
        garage.read_aged(At::StreetIn, plate, TimeDelta::zero());
        garage.passes(At::StreetIn, Way::Through);
        let effects = garage.read_aged(At::CourtIn, plate, TimeDelta::zero());
        assert_eq!(opens(&effects).len(), opened, "{plate}: {:?}", codes(&effects));
        garage.passes(At::CourtIn, Way::Through);
    }
    assert_eq!(garage.was(), pairs(&[("main", "08:00")]), "it was refused");
    // The court is as full as before, and a card has its place.
    let card = "粤C00002";
    garage.write_pass_for(card, Coverage::default(), "+30 00:00");
    garage.read_aged(At::StreetIn, card, TimeDelta::zero());
    garage.passes(At::StreetIn, Way::Through);
    assert_eq!(opens(&garage.read_aged(At::CourtIn, card, TimeDelta::zero())).len(), 1);
}

#[test]
fn a_person_lets_a_refused_car_into_the_court_and_its_stay_knows() {
    let mut garage = Garage::with(|rules| rules.capacity = 2 * i64::from(rules.within.is_none()));
    garage.drives("08:00", At::StreetIn);
    assert_eq!(garage.drives("09:00", At::CourtIn), ["entry_full"]);
    let person = Person { name: "admin".into(), reason: "asked".into(), request: EventId::new("r1").expect("a name") };
    assert_eq!(opens(&garage.tell(At::CourtIn, Input::OpenedBy(person))).len(), 1);
    assert_eq!(garage.was(), pairs(&[("main", "08:00"), ("court", "09:00")]));
    assert_eq!(garage.count("court"), 1);
}

#[test]
fn what_an_inner_camera_tells_hours_late_goes_between_what_is_known() {
    let mut garage = Garage::new();
    garage.drives("08:00", At::StreetIn);
    assert_eq!(garage.drives("10:30", At::CourtOut)[0], "area_exit");
    assert_eq!(garage.cases(), [CaseKind::MoveMissed], "nobody saw it go in");
    garage.lot.now = clock("11:00");
    let late = garage.read_aged(At::CourtIn, CAR, TimeDelta::hours(2));
    assert!(opens(&late).is_empty() && codes(&late) == ["backlog_entry"], "{late:?}");
    assert_eq!(garage.was(), pairs(&[("main", "08:00"), ("court", "09:00"), ("main", "10:30")]));
    assert_eq!((garage.count("main"), garage.count("court")), (1, 0));
    garage.drives("12:00", At::StreetOut);
    let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    assert_eq!(garage.lot.bill(bill).total, yuan(2_900), "as if it had been told in time");
}

#[test]
fn leaving_the_lot_from_the_court_by_the_books_is_a_case_and_is_priced_there() {
    let mut garage = Garage::new();
    garage.drives("08:00", At::StreetIn);
    garage.drives("09:00", At::CourtIn);
    garage.drives("10:00", At::StreetOut);
    assert_eq!(garage.cases(), [CaseKind::MoveMissed]);
    assert!(garage.lines().iter().any(|(text, amount)| text.contains("Inner court") && amount == "10.00"));
}

#[test]
fn a_car_that_left_the_exit_unseen_for_the_court_is_no_more_at_the_exit() {
    let mut garage = Garage::new();
    garage.drives("08:00", At::StreetIn);
    assert_eq!(garage.drives("10:00", At::StreetOut), ["exit_payment_due"]);
    let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    garage.drives("10:05", At::CourtIn);
    assert_eq!(garage.lot.stay_of(CAR).expect("inside").clock_stopped_at, None, "the fee clock runs on");
    let order = garage.lot.order(bill);
    garage.lot.pay(&order).expect("captured");
    assert!(opens(&garage.tell(At::StreetOut, Input::LookAtBill)).is_empty(), "nobody stands there");
}

#[test]
fn a_car_that_nobody_saw_come_in_begins_its_stay_at_the_inner_lane_as_a_case() {
    let mut garage = Garage::new();
    assert_eq!(garage.drives("09:00", At::CourtIn)[0], "area_entry");
    assert_eq!(garage.cases(), [CaseKind::EntryMissed]);
    assert_eq!((garage.was(), garage.count("court")), (pairs(&[("court", "09:00")]), 1));
}

#[test]
fn a_blocked_car_is_kept_out_of_the_court_and_never_kept_in() {
    let mut garage = Garage::new();
    garage.drives("08:00", At::StreetIn);
    garage.drives("08:30", At::CourtIn);
    let mut change = Change::new(ChangeKind::PassWritten, garage.lot.now, Cause::Time);
    let (grants, coverage) = (Grants::Blocked { reason: "stolen".into() }, Coverage::default());
    change.put(&GatePass { coverage, ..GatePass::new(plate_of(CAR), grants) });
    garage.lot.records.take(&change).expect("taken");
    assert_eq!(garage.drives("09:00", At::CourtOut)[0], "area_exit");
    assert_eq!(garage.drives("09:30", At::CourtIn), ["entry_blocked"]);
}

#[test]
fn a_card_for_the_court_pays_for_the_garage_alone_without_free_minutes() {
    let mut garage = Garage::with(|rules| rules.holder_owes = HolderOwes::Pays);
    garage.write_pass(court(), "+30 00:00");
    assert_eq!(garage.drives("08:00", At::StreetIn)[0], "entry_pass");
    garage.drives("08:10", At::CourtIn);
    garage.drives("18:00", At::CourtOut);
    // 08:00 to 08:10 and 18:00 to 18:10, each from its own start.
    assert_eq!(garage.drives("18:10", At::StreetOut), ["exit_payment_due"]);
    let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    assert_eq!(garage.lot.bill(bill).total, yuan(600));
    let order = garage.lot.order(bill);
    garage.lot.pay(&order).expect("captured");
    assert_eq!(opens(&garage.tell(At::StreetOut, Input::LookAtBill)).len(), 1);
}

#[test]
fn a_card_outside_its_hours_owes_the_rest_and_is_let_out_unless_the_lot_says_otherwise() {
    let hours = PassHours { days: vec![], from_minute: 8 * 60, until_minute: 19 * 60 };
    let day = Coverage { areas: vec![], hours: vec![hours] };
    for (owes, code, opened) in
        [(HolderOwes::Arrears, "exit_pass_arrears", 1), (HolderOwes::Pays, "exit_payment_due", 0)]
    {
        let mut garage = Garage::with(|rules| rules.holder_owes = owes);
        garage.write_pass(day.clone(), "+30 00:00");
        garage.drives("07:30", At::StreetIn);
        garage.lot.now = clock("20:10");
        let leaves = garage.read_aged(At::StreetOut, CAR, TimeDelta::zero());
        assert_eq!((codes(&leaves)[0], opens(&leaves).len()), (code, opened));
        // 07:30 to 08:00 and 19:00 to 20:10: 3.00 + 2 x 3.00.
        let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
        assert_eq!(garage.lot.bill(bill).total, yuan(900));
        if owes == HolderOwes::Arrears {
            garage.passes(At::StreetOut, Way::Through);
            assert_eq!(garage.lot.balance("receivable"), 900, "a claim, and in the books");
            assert_eq!((garage.lot.inside(), garage.cases()), (0, vec![CaseKind::LeftUnpaid]));
        }
    }
}

#[test]
fn a_card_inside_its_hours_owes_nothing_and_has_no_bill() {
    let mut garage = Garage::new();
    let hours = PassHours { days: vec![], from_minute: 7 * 60, until_minute: 19 * 60 };
    garage.write_pass(Coverage { areas: vec![], hours: vec![hours] }, "+30 00:00");
    garage.drives("07:30", At::StreetIn);
    assert_eq!(garage.drives("18:59", At::StreetOut)[0], "exit_pass");
    assert_eq!(garage.lot.records.list::<Bill>("", 10).expect("readable"), []);
}

#[test]
fn a_rented_pass_that_ran_out_is_charged_from_its_end_unless_renewed_within_its_grace() {
    for (leaves, renewed, total) in
        [("+1 12:00", None, None), ("+3 09:00", Some("+30 00:00"), None), ("+3 09:00", None, Some(6_300))]
    {
        let mut garage = Garage::with(|rules| rules.holder_owes = HolderOwes::Pays);
        garage.write_pass(Coverage::default(), "+1 08:00");
        garage.drives("08:00", At::StreetIn);
        if let Some(until) = renewed {
            garage.write_pass(Coverage::default(), until);
        }
        let said = garage.drives(leaves, At::StreetOut);
        assert_eq!(said[0], if total.is_some() { "exit_payment_due" } else { "exit_pass" }, "{leaves} {renewed:?}");
        if let Some(total) = total {
            // From +1 08:00, the grace included: two days at 30.00 and an hour.
            let bill = garage.lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
            assert_eq!(garage.lot.bill(bill).total, yuan(total));
        }
    }
}

#[test]
fn early_payment_sees_what_a_card_does_not_cover() {
    let mut garage = Garage::new();
    garage.write_pass(court(), "+30 00:00");
    garage.drives("08:00", At::StreetIn);
    garage.drives("09:30", At::CourtIn);
    garage.lot.now = clock("12:00");
    let lot = &garage.lot;
    let tariff = garage.court_in.rules().tariff.clone();
    let looked = pay::look_early(&plate_of(CAR), lot.now, &tariff, Decimal::ZERO, &key(), &lot.records);
    let pay::Early::Owes { bill, .. } = looked.expect("looks") else { panic!("owes") };
    assert_eq!(bill.total, yuan(600), "08:00 to 09:30");
}
