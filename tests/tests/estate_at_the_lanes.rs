//! The whole way of an estate, once for each policy about overdue bills: a spreadsheet with all locations, tenures and grades
//! is imported, cards are opened, their bills drawn, paid and renewed at the office, and their cars let through at a real
//! lane over a real mosquitto, as their bills say.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{Days, FixedOffset, NaiveDate, Utc};
use serde_json::{Value, json};
use tollhouse::charging::sheets::{Format, Sheet, read, write};
use tollhouse_tests::{Clerk, Entry, Exit, Mosquitto, PATIENCE, Site, TheBox, eventually, plate_number, story};

/// How the spaces of the sample are numbered: open air, underground, structure; owned, rented, temporary; by grade.
const LOCATIONS: [char; 3] = ['A', 'B', 'P'];
const GRADES: std::ops::RangeInclusive<u32> = 1..=4;
/// Its bill is overdue since the other system.
const LATE: &str = "LATE";
const LATE_CAR: usize = 900;
/// Parked for less than two hours: 10.00.
const STAY: Duration = Duration::from_secs(110 * 60);

fn today() -> NaiveDate {
    Utc::now().with_timezone(&FixedOffset::east_opt(8 * 3_600).expect("an offset")).date_naive()
}

/// The sample estate as one workbook, with a card that moves in with an old debt.
fn workbook(path: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../appliance/estates/sample");
    let mut sheets: Vec<Sheet> = vec![];
    for file in std::fs::read_dir(folder).expect("the sample is there") {
        let file = file.expect("a file").path();
        let rows = read(&std::fs::read(&file).expect("read"), Format::Csv).expect("a table").remove(0).rows;
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        sheets.push(Sheet { name, rows });
    }
    let sheet = |name: &str, text: String| {
        let rows = read(text.as_bytes(), Format::Csv).expect("a table").remove(0).rows;
        Sheet { name: name.to_owned(), rows }
    };
    let ahead = today() + Days::new(60);
    let cards = "number,holder,state,opened_on,places,vehicles,billed_until";
    sheets.push(sheet(
        "cards",
        format!("{cards}\n{LATE},H009,active,2026-01-01,BO-101,{},{ahead}\n", plate_number(LATE_CAR)),
    ));
    sheets.push(sheet("bills", format!("card,due_on,amount,text\n{LATE},2026-03-15,80.00,二月管理费\n")));
    std::fs::write(path, write(&sheets, Format::Xlsx).expect("a workbook")).expect("written");
}

/// The site, its office and its lane.
struct Estate {
    site: Site,
    office: Clerk,
    entry: Entry,
    exit: Exit,
    /// Times that somebody paid.
    paid: Cell<u32>,
}

impl Estate {
    fn start(overdue: &str) -> Self {
        let section = format!("\n[charging]\noverdue = \"{overdue}\"\n");
        let site = Site::configured(Mosquitto::start(), 1, |text| text + &section);
        let office = Clerk::new(site.http(), &site.data, "administrator", "mei");
        let (entry, exit) = (site.entry(), site.exit());
        let estate = Self { site, office, entry, exit, paid: Cell::new(0) };
        let file = estate.site.data.with_file_name("estate.xlsx");
        workbook(&file);
        let told = estate.command(&["import", "estate", &file.display().to_string()]);
        assert_eq!(told["faults"], json!([]), "{told}");
        estate.office.post("/api/v1/shifts", "shift", &json!({ "float": "0.00" }));
        estate
    }

    fn command(&self, arguments: &[&str]) -> Value {
        let data = self.site.data.display().to_string();
        let output = TheBox::command(&[arguments, &["--json", "--data", &data]].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&said).expect("JSON")
    }

    /// All that is open of a card is paid at once: with a phone, or in cash at the window.
    fn pays(&self, card: &str, how: &str) {
        let key = format!("pays-{}", self.paid.replace(self.paid.get() + 1));
        let offer = self.office.post(&format!("/api/v1/cards/{card}/payables"), &key, &json!({}));
        let payable = offer["payable_id"].as_str().expect("something is due");
        if how == "phone" {
            let order = self.site.order(&json!({ "bill_id": payable }), &key);
            assert_eq!(order.status, 201, "{}", order.body);
            let order = order.field("order_id");
            assert!(self.site.pay(&order).status < 300);
            self.site.await_order(&order, "paid");
        } else {
            let cash = json!({ "bill": payable, "method": "cash", "tendered": offer["amount"] });
            self.office.post("/api/v1/payments", &key, &cash);
        }
        let shown = self.office.get(&format!("/api/v1/cards/{card}"));
        assert_eq!((shown["due"].as_str(), shown["state"].as_str()), (Some("0.00"), Some("active")), "{shown}");
    }

    /// Waits until the gate has every bill of a card, as each bill says for itself.
    fn gate_has(&self, card: &str) {
        let bills = self.office.get(&format!("/api/v1/bills?card={card}"))["items"].clone();
        for bill in bills.as_array().expect("bills") {
            let path = format!("/api/v1/bills/{}", bill["id"].as_str().expect("an id"));
            let reached = eventually("the gate to have a bill", PATIENCE, || {
                let reached = self.office.get(&path)["reached"].clone();
                reached["gate"].is_string().then_some(reached)
            });
            assert!(reached["payment"].is_string() && reached["card"].is_string(), "{reached}");
        }
    }

    fn drives_in(&self, plate: &str) {
        self.entry.drive_in(&self.entry.camera.plate(plate));
    }

    /// It leaves, and owes nothing.
    fn drives_out(&self, plate: &str) {
        let before = self.exit.openings();
        self.exit.camera.publish(&self.exit.camera.plate(plate));
        let opened = self.exit.barrier.command("open", before, PATIENCE);
        let opened = opened.unwrap_or_else(|| panic!("no opening for {plate}"));
        assert!(self.exit.barrier.has_answered(&opened, PATIENCE));
        self.exit.camera.publish(&self.exit.camera.passed());
    }

    /// What was decided at a lane about each plate, in the order of time.
    fn codes(&self, lane: &str) -> BTreeMap<String, Vec<String>> {
        let told = self.office.get(&format!("/api/v1/passages?lane={lane}&limit=500"));
        let mut passages = told["items"].as_array().expect("passages").clone();
        passages.sort_by_key(|one| one["decided_at"].as_str().unwrap_or_default().to_owned());
        let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for one in passages {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            codes.entry(text("plate")).or_default().push(text("code"));
        }
        codes
    }

    fn decided(&self, lane: &str, plate: &str, code: &str) {
        eventually(&format!("{code} for {plate}"), PATIENCE, || {
            (self.codes(lane).get(plate)?.last()? == code).then_some(())
        });
    }
}

/// Each owned and each rented space: what a card of it is called, its space, its car, and how its holder pays.
fn cards() -> Vec<(String, String, String, &'static str)> {
    let mut cards = vec![];
    for location in LOCATIONS {
        for (tenure, how) in [('O', "phone"), ('R', "cash")] {
            for grade in GRADES {
                let space = format!("{location}{tenure}-{grade}");
                cards.push((format!("K-{space}"), space, plate_number(100 + cards.len()), how));
            }
        }
    }
    cards
}

/// Temporary spaces are nobody's: their cars come, pay by the hour and leave.
fn temporary_cars_pay_by_the_hour(estate: &Estate) {
    for (place, location) in LOCATIONS.into_iter().enumerate() {
        for grade in GRADES {
            let body = json!({ "holder": "H001", "places": [format!("{location}T-{grade}")] });
            let (status, why) = estate.office.try_post("/api/v1/cards", &format!("t{location}{grade}"), &body);
            assert!((400..500).contains(&status), "a temporary space is not sold: {why}");
        }
        let plate = plate_number(200 + place);
        story::enters_from_the_backlog(&estate.entry, &plate, STAY);
        let before = estate.exit.openings();
        estate.exit.camera.publish(&estate.exit.camera.plate(&plate));
        let bill = estate.site.bill_at_the_exit(&plate);
        assert_eq!(bill["amount"], "10.00");
        let order = estate.site.order(&bill, &format!("hour{place}")).field("order_id");
        assert!(estate.site.pay(&order).status < 300);
        let opened = estate.exit.barrier.command("open", before, PATIENCE).expect("it opens when paid");
        assert!(estate.exit.barrier.has_answered(&opened, PATIENCE));
        estate.exit.camera.publish(&estate.exit.camera.passed());
    }
}

/// The car whose bill is overdue, before and after it is paid at the office.
fn an_overdue_bill(estate: &Estate, code: &str) {
    let plate = plate_number(LATE_CAR);
    if code == "entry_overdue" {
        let before = estate.entry.openings();
        estate.entry.camera.publish(&estate.entry.camera.plate(&plate));
        estate.decided("in-1", &plate, code);
        assert_eq!(estate.entry.openings(), before, "it stands before a closed barrier");
        estate.pays(LATE, "cash");
        // Paid at the office: the lane opens for the car that waits there.
        let opened = estate.entry.barrier.command("open", before, PATIENCE).expect("it opens when paid");
        assert!(estate.entry.barrier.has_answered(&opened, PATIENCE));
        estate.entry.camera.publish(&estate.entry.camera.passed());
        estate.decided("in-1", &plate, "entry_pass");
        return estate.drives_out(&plate);
    }
    estate.drives_in(&plate);
    estate.decided("in-1", &plate, code);
    estate.drives_out(&plate);
    estate.pays(LATE, "cash");
    estate.gate_has(LATE);
    estate.drives_in(&plate);
    estate.decided("in-1", &plate, "entry_pass");
}

fn an_estate_lives(overdue: &str, code: &str) {
    let mut estate = Estate::start(overdue);
    for (card, space, plate, how) in cards() {
        let body = json!({ "number": card, "holder": "H001", "places": [space], "vehicles": [{ "plate": plate }] });
        let opened = estate.office.post("/api/v1/cards", &card, &body);
        assert_eq!(opened["state"], "pending", "{opened}");
        estate.pays(&card, how);
    }
    // The run draws what comes next of the owned ones, and each rented one is let for another month.
    let as_of = (today() + Days::new(31)).to_string();
    let run = estate.command(&["bill", "run", "--as-of", &as_of]);
    assert!(run["sums"]["bills"].as_u64() >= Some(12), "{run}");
    for (card, _, _, how) in cards() {
        if how == "cash" {
            let renewed =
                estate.office.post(&format!("/api/v1/cards/{card}/renewals"), &format!("r{card}"), &json!({}));
            assert_eq!(renewed["bills"].as_array().map(Vec::len), Some(1), "one bill for the term: {renewed}");
        }
        estate.pays(&card, how);
        estate.gate_has(&card);
    }
    for (card, _, plate, _) in cards() {
        estate.drives_in(&plate);
        estate.drives_out(&plate);
        estate.decided("in-1", &plate, "entry_pass");
        estate.decided("out-1", &plate, "exit_pass");
        let terms = estate.office.get(&format!("/api/v1/cards/{card}"))["terms"].as_array().map_or(0, Vec::len);
        assert_eq!(terms, if card.contains('R') { 2 } else { 0 }, "{card}");
    }
    an_overdue_bill(&estate, code);
    temporary_cars_pay_by_the_hour(&estate);
    estate.site.end_and_verify();
}

#[test]
fn an_estate_from_a_spreadsheet_pays_renews_and_drives_where_overdue_bills_are_warned_of() {
    an_estate_lives("open_and_warn", "entry_pass_overdue");
}

#[test]
fn an_estate_from_a_spreadsheet_pays_renews_and_drives_where_who_is_overdue_is_charged() {
    an_estate_lives("charge_as_temporary", "entry_overdue_temporary");
}

#[test]
fn an_estate_from_a_spreadsheet_pays_renews_and_drives_where_who_is_overdue_is_refused() {
    an_estate_lives("refuse_entry", "entry_overdue");
}
