//! The desk over a real store: what it makes can be found again, and what is refused leaves nothing behind.

use std::sync::Arc;

use chrono::{Days, TimeDelta};
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{
    BatchOrder, CouponRefusal, FreeEntry, FreeReason, FreeRefusal, MerchantTerms, MoneyKind, Received, Worth,
};
use tollhouse_core::id::{IdKey, LotId};
use tollhouse_core::invoice::Documents;
use tollhouse_core::lot::Lot;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::pass::{GatePass, Grants};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind, Once, Records};
use tollhouse_core::user::RoleLimits;

use super::{CouponDesk, CouponParts, NewMerchant};
use crate::clock::BoxClock;
use crate::store::{Store, StoreOptions, Undone};

struct Office {
    desk: CouponDesk,
    store: Store,
    _folder: tempfile::TempDir,
}

fn office() -> Office {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
    let lot = Lot {
        id: LotId::new("demo").expect("a name"),
        name: "Riverside".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        tax_rate: rust_decimal::Decimal::new(9, 2),
        capacity: 100,
        areas: vec![],
        lanes: vec![],
        limits: RoleLimits::default(),
        charging: tollhouse_core::charging::policy::ChargingPolicy::default(),
        documents: Documents::default(),
    };
    let (clock, key) = (BoxClock::start(1), IdKey::new([7; 32]));
    let parts = CouponParts { store: store.clone(), clock, key, lot: Arc::new(lot) };
    Office { desk: CouponDesk::new(parts), store, _folder: folder }
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn shop() -> MerchantId {
    MerchantId::new("bookshop").expect("a name")
}

fn by() -> By {
    By::person("mei", "a test")
}

#[actix::test]
async fn a_merchant_is_opened_pays_in_and_gets_coupons_whose_codes_can_be_listed_again() {
    let Office { desk, .. } = office();
    let new = NewMerchant { name: Some("万象书店".to_owned()), ..NewMerchant::default() };
    let opened = desk.open(&shop(), &new, &by()).await.expect("opened");
    assert_eq!((opened.merchant.terms, opened.balance), (MerchantTerms::Prepaid, yuan(0)));
    assert!(matches!(desk.open(&shop(), &new, &by()).await, Err(Undone::Refused(CouponRefusal::Unsound(_)))));
    let money = (MoneyKind::TopUp, yuan(50_000), Received::Bank);
    desk.move_money(&shop(), money, "B1", &by()).await.expect("booked");
    assert_eq!(desk.merchant("bookshop").expect("there").available, Some(yuan(50_000)));

    let order = BatchOrder {
        merchant: shop(),
        worth: Worth::Minutes(60),
        most: None,
        pays_percent: 100,
        count: 3,
        valid_from: desk.today(),
        valid_until: desk.today() + Days::new(30),
        note: String::new(),
    };
    let once = Once { key: "coupons/mei/k".to_owned(), request: "r".to_owned() };
    let issued = desk.issue(&order, &by().once(Some(once.clone()))).await.expect("issued");
    let again = desk.issue(&order, &by().once(Some(once))).await.expect("the same");
    assert_eq!(issued, again, "once under its key");
    let listed = desk.coupons(&shop(), 1, 0, 9).expect("listed");
    let codes: Vec<_> = listed.iter().filter_map(|coupon| coupon.code.clone()).collect();
    assert_eq!((codes, listed.len()), (issued.codes, 3));
    let void = desk.void(listed[1].id, "misprinted", &by()).await.expect("withdrawn");
    assert_eq!((void.state.as_str(), desk.batch(&shop(), 1).expect("there").stock), ("void", 2));
    assert_eq!(desk.coupons(&shop(), 1, 1, 9).expect("listed").len(), 2, "after the first");
    let month = desk.today().format("%Y-%m").to_string().parse().expect("a month");
    assert_eq!(desk.statement(&shop(), month).expect("drawn up").closing, yuan(50_000));
}

#[actix::test]
async fn a_car_is_free_until_its_day_and_a_blocked_one_is_not_put_on_the_list() {
    let Office { desk, store, .. } = office();
    let plate = Plate::new("粤C12345").expect("a plate");
    let until = desk.end_of(desk.today() + Days::new(3));
    let entry = FreeEntry {
        plate: plate.clone(),
        reason: FreeReason::Mover,
        note: "moving out of 3-1201".to_owned(),
        until,
        since: until,
        by: String::new(),
    };
    let listed = desk.list_free(&entry, &by()).await.expect("listed");
    assert_eq!((listed.by.as_str(), listed.until), ("mei", until));
    let pass = store.snapshot().get::<GatePass>(plate.as_str()).expect("readable").expect("there").record;
    assert_eq!(pass.grants, Grants::Free { until: Some(until) });
    let late = FreeEntry { until: until + TimeDelta::days(400), ..entry.clone() };
    assert!(matches!(desk.list_free(&late, &by()).await, Err(Undone::Refused(FreeRefusal::End))));
    desk.drop_free(&plate, "moved", &by()).await.expect("dropped");
    assert!(store.snapshot().get::<GatePass>(plate.as_str()).expect("readable").is_none());

    let blocked = Grants::Blocked { reason: "stolen".to_owned() };
    let mut change = by().change(ChangeKind::PassWritten, until);
    change.put(&GatePass::new(plate.clone(), blocked));
    store.commit(change).await.expect("committed");
    assert!(matches!(desk.list_free(&entry, &by()).await, Err(Undone::Refused(FreeRefusal::Blocked))));
}
