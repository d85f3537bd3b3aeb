//! What was: cars driven through the lanes of a lot with an inner court, into a real store, and then `tollhouse quote
//! --bill` and `tollhouse tariff preview` on its files, and on a running box through its control socket.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tollhouse::clock::BoxClock;
use tollhouse::config::DriversConfig;
use tollhouse::control::{ControlSocket, Reach};
use tollhouse::desks::Desks;
use tollhouse::drivers::{DeskParts, DriverDesk, Shelf};
use tollhouse::store::{Store, StoreOptions};
use tollhouse::tariffs::{self, Tariffs};
use tollhouse_core::bill::Bill;
use tollhouse_core::id::{AreaId, DeviceId, EventId, IdKey, LaneId, LotId};
use tollhouse_core::invoice::Documents;
use tollhouse_core::lane::{
    Direction, ExitWithoutEntry, HolderOwes, Input, Lane, LaneRules, Mark, Passed, PassedBy, Person, Read, Way,
};
use tollhouse_core::money::Currency;
use tollhouse_core::pass::{Coverage, GatePass, Grants};
use tollhouse_core::plate::{Colour, Plate};
use tollhouse_core::record::{Cause, Change, ChangeKind, Records};
use tollhouse_core::stay::Inside;
use tollhouse_core::user::RoleLimits;

fn nested() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs/nested-court.toml").display().to_string()
}

/// The lot: street, garage, court, and everything that they write.
struct Lot {
    folder: TempDir,
    store: Store,
    runtime: tokio::runtime::Runtime,
    tariffs: Tariffs,
    lanes: [Lane; 4],
    events: u32,
}

const STREET_IN: usize = 0;
const COURT_IN: usize = 1;
const COURT_OUT: usize = 2;
const STREET_OUT: usize = 3;

/// At this time on 2 March 2026 in Shanghai.
fn clock(time: &str) -> DateTime<Utc> {
    format!("2026-03-02T{time}:00+08:00").parse::<DateTime<chrono::FixedOffset>>().expect("a time").to_utc()
}

/// What the box's desks know of it; no command of these tests asks them.
fn the_lot() -> tollhouse_core::lot::Lot {
    tollhouse_core::lot::Lot {
        id: LotId::new("demo").expect("a name"),
        name: "Demo".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        tax_rate: Decimal::ZERO,
        capacity: 100,
        areas: vec![],
        lanes: vec![],
        limits: RoleLimits::default(),
        charging: tollhouse_core::charging::policy::ChargingPolicy::default(),
        documents: Documents::default(),
    }
}

impl Lot {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("data"), StoreOptions::default()).expect("opens");
        let tariffs = tariffs::read_files(&[nested()]).expect("a tariff");
        tariffs::keep(&tariffs, &store, clock("07:00")).expect("on record");
        let book = Arc::new(tariffs.book.clone());
        let lane = |name: &str, direction, area: &str, within: Option<&str>| {
            let area_id = |name: &str| AreaId::new(name).expect("a name");
            let rules = LaneRules {
                lane: LaneId::new(name).expect("a name"),
                direction,
                area: area_id(area),
                within: within.map(area_id),
                capacity: 1_000,
                barrier: DeviceId::new(format!("gate-{name}")).expect("a name"),
                display: None,
                passed_by: PassedBy::Event,
                stale_after: TimeDelta::seconds(60),
                command_ttl: TimeDelta::seconds(10),
                passed_after: TimeDelta::seconds(10),
                same_car_within: TimeDelta::seconds(10),
                exit_without_entry: ExitWithoutEntry::Open,
                self_opening: vec![],
                holder_owes: HolderOwes::Arrears,
                tariff: Arc::clone(&book),
                tax_rate: Decimal::new(9, 2),
                key: IdKey::new([1; 32]),
                pay_url: None,
            };
            Lane::load(rules, &store.snapshot()).expect("readable")
        };
        let lanes = [
            lane("in-1", Direction::Entry, "main", None),
            lane("court-in", Direction::Entry, "court", Some("main")),
            lane("court-out", Direction::Exit, "court", Some("main")),
            lane("out-1", Direction::Exit, "main", None),
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { folder, store, runtime, tariffs, lanes, events: 0 }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn tell(&mut self, lane: usize, now: DateTime<Utc>, input: Input) {
        let mut step = self.lanes[lane].step(now, input, &self.store.snapshot()).expect("steps");
        while let Some(change) = step.commit {
            let revision = self.runtime.block_on(self.store.commit(change)).expect("taken");
            step = self.lanes[lane].step(now, Input::Durable(revision), &self.store.snapshot()).expect("steps");
        }
    }

    fn mark(&mut self, now: DateTime<Utc>) -> Mark {
        self.events += 1;
        Mark {
            device: DeviceId::new("cam").expect("a name"),
            event_id: EventId::new(format!("e{}", self.events)).expect("a name"),
            fingerprint: self.events.to_string(),
            captured_at: now,
            age: TimeDelta::zero(),
        }
    }

    /// A car drives through a lane; where it has to pay the attendant lets it out, and its debt stays.
    fn drives(&mut self, plate: &str, time: &str, lane: usize) {
        let now = clock(time);
        let (plate, mark) = (Plate::new(plate).expect("a plate"), self.mark(now));
        self.tell(lane, now, Input::Read(Read { mark, plate, colour: Colour::Blue }));
        if lane == STREET_OUT {
            let request = EventId::new(format!("r{}", self.events)).expect("a name");
            self.tell(lane, now, Input::OpenedBy(Person { name: "admin".into(), reason: "test".into(), request }));
        }
        let mark = self.mark(now);
        self.tell(lane, now, Input::Passed(Passed { mark, way: Way::Through }));
    }

    /// A stay in the garage, and if so in the court between.
    fn stays(&mut self, plate: &str, from: &str, to: &str, court: Option<(&str, &str)>) {
        self.drives(plate, from, STREET_IN);
        if let Some((into, out)) = court {
            self.drives(plate, into, COURT_IN);
            self.drives(plate, out, COURT_OUT);
        }
        self.drives(plate, to, STREET_OUT);
        let inside = self.store.snapshot().get::<Inside>(plate).expect("readable");
        assert!(inside.is_none(), "{plate} is out");
    }

    fn bills(&self) -> Vec<Bill> {
        let bills = self.store.snapshot().list::<Bill>("", 100).expect("readable");
        bills.into_iter().map(|kept| kept.record).collect()
    }

    fn put(&self, write: impl FnOnce(&mut Change)) {
        let mut change = Change::new(ChangeKind::PassWritten, clock("07:00"), Cause::Time);
        write(&mut change);
        self.runtime.block_on(self.store.commit(change)).expect("taken");
    }

    /// What the control socket of a running box answers through a command.
    fn while_it_runs(&self, arguments: &[&str]) -> Value {
        let drivers = DriverDesk::new(DeskParts {
            store: self.store.clone(),
            shelf: Shelf::of(&self.data()),
            keys: DriversConfig::default(),
            slots: vec![],
            executable: PathBuf::from(env!("CARGO_BIN_EXE_tollhouse")),
            now: Arc::new(|| clock("18:00")),
            around: None,
        });
        let desks = Desks::new(&tollhouse::desks::DeskParts {
            store: self.store.clone(),
            clock: BoxClock::start(1),
            key: IdKey::new([1; 32]),
            lot: Arc::new(the_lot()),
            admin: None,
        });
        let reach = Reach { store: self.store.clone(), drivers, desks, runtime: self.runtime.handle().clone() };
        let _socket = ControlSocket::listen(&self.data(), reach).expect("listens");
        answer(arguments)
    }

    /// Closes the store and gives its files to a folder that no box holds: a socket's thread keeps the store.
    fn copied(&self) -> TempDir {
        self.store.close();
        let copy = tempfile::tempdir().expect("a folder");
        let done = Command::new("cp").arg("-r").arg(self.data()).arg(copy.path()).status().expect("it runs");
        assert!(done.success());
        copy
    }

    /// Closes the store, so that a command may open its files.
    fn closed(self) -> TempDir {
        self.store.close();
        self.folder
    }
}

fn tollhouse(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollhouse")).args(arguments).env("LANG", "C").output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn answer(arguments: &[&str]) -> Value {
    let output = tollhouse(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", said(&output)))
}

#[test]
fn a_stored_bill_priced_again_is_the_same_line_by_line_on_a_stopped_and_on_a_running_box() {
    let mut lot = Lot::new();
    lot.stays("粤C00001", "08:00", "12:00", Some(("09:00", "10:30")));
    let bill = lot.bills().remove(0);
    assert_eq!(bill.total.amount(), "29.00", "the example that the tariff carries");
    let (id, data) = (bill.id.to_string(), lot.data().display().to_string());
    let by_socket = lot.while_it_runs(&["quote", "--bill", &id, "--data", &data, "--json"]);
    let copy = lot.copied();
    let data = copy.path().join("data").display().to_string();
    let ask = ["quote", "--bill", &id, "--data", &data];
    let by_files = answer(&[&ask[..], &["--json"]].concat());
    assert_eq!(by_socket, by_files);
    assert_eq!((&by_files["agrees"], &by_files["line_by_line"]), (&json!(true), &json!(true)), "{by_files}");
    assert_eq!(by_files["stored"], by_files["again"]);
    assert_eq!(by_files["again"]["total"], json!("29.00"));
    let text = said(&tollhouse(&[&ask[..], &["--lang", "en"]].concat()));
    assert!(text.contains("the same, line by line") && text.contains("Inner court"), "{text}");
    let text = said(&tollhouse(&[&ask[..], &["--lang", "zh"]].concat()));
    assert!(text.contains("逐行一致") && text.contains("内场"), "{text}");
}

#[test]
fn a_bill_that_was_tampered_with_is_told_from_one_that_was_not() {
    let mut lot = Lot::new();
    lot.stays("粤C00001", "08:00", "10:00", None);
    let mut bill = lot.bills().remove(0);
    let more = bill.lines[0].amount;
    bill.lines[0].amount = more.plus(more).expect("money");
    bill.total = bill.lines[0].amount;
    lot.put(|change| change.put(&bill));
    let (id, data) = (bill.id.to_string(), lot.data().display().to_string());
    let _folder = lot.closed();
    let told = tollhouse(&["quote", "--bill", &id, "--data", &data, "--lang", "en"]);
    assert_eq!(told.status.code(), Some(1), "{}", said(&told));
    let text = said(&told);
    assert!(text.contains("NOT the same") && text.contains("12.00 CNY") && text.contains("6.00 CNY"), "{text}");
    let told = answer(&["quote", "--bill", &id, "--data", &data, "--json"]);
    assert_eq!((&told["agrees"], &told["stored"]["total"]), (&json!(false), &json!("12.00")));
    for (id, data, says) in [("nobody", data.as_str(), "there is no bill nobody"), (&id, "/nowhere", "no data folder")]
    {
        let told = tollhouse(&["quote", "--bill", id, "--data", data]);
        assert!(told.status.code() == Some(1) && said(&told).contains(says), "{says}: {}", said(&told));
    }
}

/// The tariff with other prices, as another version.
fn changed(lot: &Lot, from: &str, to: &str) -> String {
    let text = lot.tariffs.versions[0].text.split("[[example]]").next().expect("a part").to_owned();
    let path = lot.folder.path().join("new.toml");
    let text = text.replace(from, to).replace("\"2026-01\"", "\"2026-02\"");
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn a_change_is_previewed_against_the_stays_of_a_box_running_or_stopped_each_area_by_its_own_rules() {
    let mut lot = Lot::new();
    lot.put(|change| {
        let plate = Plate::new("粤C00009").expect("a plate");
        let from = clock("00:00");
        let grants = Grants::Rented { card: "C9".into(), from, until: from + TimeDelta::days(30), grace_days: 0 };
        let coverage = Coverage { areas: vec![AreaId::new("court").expect("a name")], hours: vec![] };
        change.put(&GatePass { coverage, ..GatePass::new(plate, grants) });
        let grants = Grants::Free { until: None };
        let plate = Plate::new("粤C00008").expect("a plate");
        change.put(&GatePass::new(plate, grants));
    });
    // Two that never saw the court, one that did, a card for the court that pays for the garage, and one that is free.
    lot.stays("粤C00001", "08:00", "10:00", None);
    lot.stays("粤C00002", "08:05", "08:15", None);
    lot.stays("粤C00003", "08:00", "12:00", Some(("09:00", "10:30")));
    lot.stays("粤C00009", "12:10", "15:00", Some(("13:00", "14:00")));
    lot.stays("粤C00008", "12:20", "15:30", None);
    let (old, new) = (nested(), changed(&lot, "\"10.00\"", "\"12.00\""));
    let data = lot.data().display().to_string();
    let by_socket = lot.while_it_runs(&["tariff", "preview", "--old", &old, "--new", &new, "--data", &data, "--json"]);
    let copy = lot.copied();
    let data = copy.path().join("data").display().to_string();
    let ask = ["tariff", "preview", "--old", &old, "--new", &new, "--data", &data];
    let found = answer(&[&ask[..], &["--json"]].concat());
    assert_eq!(by_socket, found);
    // 6.00, free, 29.00 and 3.00 + 3.00; of them the third alone pays more: two hours in the court.
    assert_eq!(found["all"], json!({ "stays": 4, "old": "41.00", "new": "45.00", "difference": "4.00" }));
    assert_eq!((&found["pays"]["more"]["stays"], &found["pays"]["same"]["stays"]), (&json!(1), &json!(3)));
    assert_eq!((&found["rises"][0]["old"], &found["rises"][0]["new"]), (&json!("29.00"), &json!("33.00")));
    assert_eq!(found["falls"], json!([]));
    let last = answer(&[&ask[..], &["--json", "--last", "2"]].concat());
    assert_eq!((&last["all"]["stays"], &last["all"]["old"]), (&json!(2), &json!("35.00")), "the two that left last");
    let text = said(&tollhouse(&[&ask[..], &["--lang", "en"]].concat()));
    for part in ["pay more", "pay the same", "+4.00", "41.00", "45.00", "the largest rises", "4 h"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("粤C"), "nobody's plate is shown: {text}");
    let text = said(&tollhouse(&[&ask[..], &["--lang", "zh"]].concat()));
    assert!(text.contains("付得更多") && text.contains("涨得最多"), "{text}");
}

#[test]
fn a_preview_reads_the_folder_from_a_configuration_and_says_when_there_is_nothing_to_price() {
    let lot = Lot::new();
    let (old, new) = (nested(), changed(&lot, "\"10.00\"", "\"12.00\""));
    let data = lot.data().display().to_string();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/tollhouse.toml");
    let text = fs::read_to_string(example).expect("the example").replace("/var/lib/tollhouse", &data);
    let config = lot.folder.path().join("tollhouse.toml").display().to_string();
    fs::write(&config, text).expect("written");
    let _folder = lot.closed();
    let ask = ["tariff", "preview", "--old", &old, "--new", &new];
    for source in [["--data", data.as_str()], ["--config", config.as_str()]] {
        let told = tollhouse(&[&ask[..], &source].concat());
        assert!(told.status.code() == Some(1) && said(&told).contains("no stays"), "{}", said(&told));
    }
    let told = tollhouse(&[&ask[..], &["--config", "/nowhere/tollhouse.toml"]].concat());
    assert!(told.status.code() == Some(1) && said(&told).contains("cannot be read"), "{}", said(&told));
}
