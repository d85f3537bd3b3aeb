//! Owns the office of the tests: the desks over a store in a folder, and the little estate that most tests begin with.

use std::future::Future;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollhouse::charging::ChargingDesks;
use tollhouse::charging::cards::{NewCard, NewVehicle};
use tollhouse::charging::estate::{NewPool, NewSpaces};
use tollhouse::charging::holders::HolderBody;
use tollhouse::charging::prices::FeeItemBody;
use tollhouse::clock::BoxClock;
use tollhouse::desks::{DeskParts, Desks};
use tollhouse::store::{Store, StoreOptions};
use tollhouse_core::charging::policy::ChargingPolicy;
use tollhouse_core::id::{IdKey, LotId};
use tollhouse_core::lot::Lot;
use tollhouse_core::money::Currency;
use tollhouse_core::record::{By, Records};
use tollhouse_core::user::RoleLimits;

/// The desks, and what they stand on.
pub(crate) struct Office {
    pub(crate) desks: Desks,
    runtime: Runtime,
    _folder: TempDir,
}

pub(crate) fn by(why: &str) -> By {
    By::person("anna", why)
}

impl Office {
    /// With nothing in it.
    pub(crate) fn new() -> Self {
        Self::with(ChargingPolicy::default())
    }

    /// With this policy.
    pub(crate) fn with(charging: ChargingPolicy) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("data"), StoreOptions::default()).expect("opens");
        let lot = Lot {
            id: LotId::new("demo").expect("an id"),
            name: "demo".into(),
            zone: chrono_tz::Asia::Shanghai,
            currency: Currency::Cny,
            tax_rate: Decimal::new(9, 2),
            capacity: 100,
            areas: vec![],
            lanes: vec![],
            limits: RoleLimits::default(),
            charging,
            documents: tollhouse_core::invoice::Documents::default(),
        };
        let parts =
            DeskParts { store, clock: BoxClock::start(1), key: IdKey::new([7; 32]), lot: Arc::new(lot), admin: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { desks: Desks::new(&parts), runtime, _folder: folder }
    }

    /// With a few spaces, prices and a holder.
    pub(crate) fn small() -> Self {
        let office = Self::new();
        let from = Some(day("2020-01-01"));
        let spaces = [
            ("O-1..O-3", "owned", "ordinary"),
            ("OT-1", "owned", "tandem"),
            ("R-1..R-3", "rented", "ordinary"),
            ("T-1", "temporary", "ordinary"),
        ];
        for (number, tenure, grade) in spaces {
            let usage = if tenure == "temporary" { "visitor" } else { "residential" };
            let body = NewSpaces {
                number: number.into(),
                area: "B1".into(),
                room: None,
                location: "underground".into(),
                tenure: tenure.into(),
                usage: usage.into(),
                grade: grade.into(),
                capacity: None,
                size: "12.50".into(),
                from,
            };
            office.run(office.charging().estate.add_spaces(&by("new"), &body)).expect("made");
        }
        let pool = NewPool {
            id: "monthly".into(),
            area: "B1".into(),
            location: "underground".into(),
            usage: "residential".into(),
            places: 1,
            from,
        };
        office.run(office.charging().estate.add_pool(&by("new"), &pool)).expect("made");
        office.fee(&item("management", "periodic", "owned", "100"));
        office.fee(&item("rent", "rent", "rented", "300"));
        office.fee(&item("deposit", "deposit", "rented", "500"));
        for id in ["H1", "H2"] {
            let body = HolderBody {
                id: Some(id.into()),
                name: format!("张{id}"),
                room: Some("3-1-101".into()),
                ..HolderBody::default()
            };
            office.run(office.charging().holders.add_holder(&by("new"), &body)).expect("entered");
        }
        office
    }

    pub(crate) fn charging(&self) -> &ChargingDesks {
        &self.desks.charging
    }

    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn fee(&self, body: &FeeItemBody) {
        self.run(self.charging().prices.add_fee_item(&by("new"), body)).expect("taken");
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.charging().cards.parts().today()
    }

    pub(crate) fn in_days(&self, days: u64) -> NaiveDate {
        self.today() + Days::new(days)
    }

    /// Opens a card of H1.
    pub(crate) fn open(&self, number: &str, place: &str, car: &str) -> tollhouse::charging::cards::CardDone {
        let body = new_card(number, place, car);
        self.run(self.charging().cards.open(&by("new"), &body)).expect("opened")
    }

    /// The balance of an account in fen, debits positive.
    pub(crate) fn balance(&self, account: &str) -> i64 {
        let records = self.desks.store.snapshot();
        let key = format!("{account}/CNY");
        let stored = records.stored(tollhouse_core::record::Table::Balances, &key).expect("read");
        let Some(stored) = stored else { return 0 };
        let balance: tollhouse_core::record::Balance = serde_json::from_str(&stored.json).expect("a balance");
        balance.sum.minor()
    }

    /// Everything that `tollhouse verify` proves.
    pub(crate) fn is_in_order(&self) {
        let verdict = self.desks.store.verify(tollhouse_core::audit::all()).expect("verified");
        let wrong: Vec<String> = verdict
            .checks
            .iter()
            .filter(|check| !check.ok)
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect();
        assert!(verdict.ok, "{wrong:#?}");
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.desks.store.close();
    }
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn item(id: &str, kind: &str, tenure: &str, price: &str) -> FeeItemBody {
    FeeItemBody {
        id: id.into(),
        name_zh: id.into(),
        name_en: id.into(),
        tenure: Some(tenure.into()),
        kind: kind.into(),
        price: Some(price.into()),
        from: Some(day("2020-01-01")),
        lead_days: (kind == "periodic").then_some(0),
        ..FeeItemBody::default()
    }
}

pub(crate) fn new_card(number: &str, place: &str, car: &str) -> NewCard {
    NewCard {
        number: Some(number.into()),
        holder: "H1".into(),
        places: vec![place.into()],
        vehicles: vec![NewVehicle { plate: car.into(), kind: None }],
        ..NewCard::default()
    }
}

impl Office {
    /// Money comes to a card's bills, as it does at the window.
    pub(crate) fn pay(&self, card: &str, fen: i64) {
        use tollhouse_core::books::Account;
        use tollhouse_core::charging::bills::{Receipt, bills_of, pay};
        use tollhouse_core::charging::label::CardNumber;
        use tollhouse_core::record::ChangeKind;
        let records = self.desks.store.snapshot();
        let bills = bills_of(&CardNumber::new(card).expect("a number"), &records).expect("read");
        let amount = tollhouse_core::money::Money::new(fen, Currency::Cny);
        let from = Account::Opening;
        let receipt = Receipt { amount, on: self.today(), from, excess: Account::Credit };
        let mut change = by("paid").change(ChangeKind::BillsPaid, self.charging().cards.parts().now());
        pay(&mut change, bills, &receipt, &records).expect("paid");
        self.run(self.desks.store.commit(change)).expect("taken");
    }
}
