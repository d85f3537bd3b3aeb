//! Whatever comes of coupons, in whatever order: each is redeemed once and stands on one stay, batches know what is left of
//! them, and a merchant was charged what its coupons came to; one that pays before never owes.

use std::collections::BTreeMap;

use chrono_tz::Asia::Shanghai;
use proptest::prelude::*;

use super::coupons::shop;
use super::*;
use crate::coupons::{
    BatchOrder, Coupon, CouponBatch, CouponCode, CouponState, Limits, MerchantCharge, MerchantMoney, MerchantTerms,
    MoneyKind, Pricing, Received, Redeemed, RedeemedBy, Which, Worth, issue, move_money, redeem, void,
};

/// What can happen.
#[derive(Debug, Clone)]
enum Event {
    Wait(i64),
    ComesIn,
    DrivesToTheExit,
    Redeems(u32, u32),
    Withdrawn(u32, u32),
    ByHand(i64),
    Pays,
    ToppedUp(i64),
}

/// Coupons of a batch, and how many batches there are.
const COUPONS: u32 = 3;
const WORTHS: [Worth; 4] =
    [Worth::Minutes(60), Worth::Amount(Money::new(300, Currency::Cny)), Worth::Percent(50), Worth::Free];

fn event() -> impl Strategy<Value = Event> {
    use Event::{ByHand, ComesIn, DrivesToTheExit, Pays, Redeems, ToppedUp, Wait, Withdrawn};
    let coupon = || (1u32..=4, 1u32..=COUPONS);
    prop_oneof![
        4 => (1i64..200).prop_map(Wait),
        4 => Just(ComesIn),
        3 => Just(DrivesToTheExit),
        6 => coupon().prop_map(|(batch, number)| Redeems(batch, number)),
        1 => coupon().prop_map(|(batch, number)| Withdrawn(batch, number)),
        1 => (1i64..900).prop_map(ByHand),
        3 => Just(Pays),
        1 => (1i64..2_000).prop_map(ToppedUp),
    ]
}

struct Market {
    lot: Lot,
    events: u32,
}

impl Market {
    fn new(terms: MerchantTerms) -> Self {
        let mut lot = Lot::new();
        lot.shop_opens(terms, Limits::default());
        let today = lot.now.with_timezone(&Shanghai).date_naive();
        for worth in WORTHS {
            let order = BatchOrder {
                merchant: shop(),
                worth,
                most: Some(yuan(700)),
                pays_percent: 80,
                count: COUPONS,
                valid_from: today,
                valid_until: today + chrono::Days::new(60),
                note: String::new(),
            };
            let (change, _) = issue(&order, "clerk", lot.now, today, &key(), &lot.records).expect("issued");
            lot.records.take(&change).expect("taken");
        }
        Self { lot, events: 0 }
    }

    fn code(batch: u32, number: u32) -> CouponCode {
        CouponCode::derive(&key(), &shop(), batch, number)
    }

    /// Once the exit has opened the car is gone.
    fn leaves_if_open(&mut self, effects: &[Effect]) {
        if !opens(effects).is_empty() {
            let event = format!("out-{}", self.events);
            self.lot.passed(Direction::Exit, &event, Way::Through);
        }
    }

    fn happens(&mut self, event: &Event) {
        self.events += 1;
        let stay = self.lot.stay_of(CAR);
        match (event, stay) {
            (Event::Wait(minutes), _) => self.lot.wait(TimeDelta::minutes(*minutes)),
            (Event::ComesIn, None) => {
                // A moment later than it may have left: an event of the same moment would be the same event.
                self.lot.wait(TimeDelta::seconds(1));
                self.lot.car_inside(CAR);
            }
            (Event::DrivesToTheExit, Some(_)) => {
                let read = self.lot.read(Direction::Exit, &format!("x{}", self.events), CAR);
                self.leaves_if_open(&read);
            }
            (Event::Redeems(batch, number), Some(stay)) => {
                let (tariff, key) = (tariff(), key());
                let pricing = Pricing { tariff: &tariff, tax_rate: Decimal::new(9, 2), key: &key, zone: Shanghai };
                let which = Which::Code(Self::code(*batch, *number));
                let lot = &mut self.lot;
                let done = redeem(&which, stay.id, &RedeemedBy::Driver, lot.now, pricing, &lot.records);
                if let Ok(Redeemed::Now(change, _)) = done {
                    lot.records.take(&change).expect("taken");
                }
                let looked = self.lot.tell(Direction::Exit, Input::LookAtBill);
                self.leaves_if_open(&looked);
            }
            (Event::Withdrawn(batch, number), _) => {
                let id = Self::code(*batch, *number).id(&key());
                if let Ok(Some(change)) = void(id, "clerk", "misprinted", self.lot.now, &self.lot.records) {
                    self.lot.records.take(&change).expect("taken");
                }
            }
            (Event::ByHand(fen), Some(stay)) => {
                // Refused where nothing is due any more.
                let _ = self.lot.by_hand(Worth::Amount(yuan(*fen)), None, stay.id);
            }
            (Event::Pays, Some(stay)) => {
                let due = stay.bill.map(|bill| self.lot.bill(bill)).filter(|bill| bill.due().is_positive());
                let waits = due.filter(|_| self.lot.orders < 200);
                if let Some(bill) = waits {
                    let order = self.lot.order(bill.id);
                    self.lot.pay(&order);
                    let looked = self.lot.tell(Direction::Exit, Input::LookAtBill);
                    self.leaves_if_open(&looked);
                }
            }
            (Event::ToppedUp(fen), _) => {
                let money = (MoneyKind::TopUp, yuan(*fen), Received::Bank);
                let reference = format!("B{}", self.events);
                let booked = move_money(money, &shop(), &reference, "clerk", self.lot.now, &key(), &self.lot.records);
                self.lot.records.take(&booked.expect("booked").0).expect("taken");
            }
            _ => {}
        }
    }

    fn check(&self, terms: MerchantTerms) -> Result<(), TestCaseError> {
        let records = &self.lot.records;
        let coupons: Vec<Coupon> =
            records.list::<Coupon>("", 100).expect("readable").into_iter().map(|kept| kept.record).collect();
        for batch in records.list::<CouponBatch>("", 10).expect("readable") {
            let own = coupons.iter().filter(|coupon| coupon.batch == batch.record.number);
            let left = own.filter(|coupon| coupon.state == CouponState::Issued).count();
            prop_assert_eq!(usize::try_from(batch.record.stock), Ok(left));
        }
        let mut on_stays: BTreeMap<String, Vec<StayId>> = BTreeMap::new();
        for stay in records.list::<Stay>("", 1_000).expect("readable") {
            for discount in stay.record.discounts.iter().filter(|one| one.merchant().is_some()) {
                on_stays.entry(discount.id.to_string()).or_default().push(stay.record.id);
            }
        }
        for coupon in &coupons {
            let expected = match &coupon.state {
                CouponState::Redeemed { stay, .. } => vec![*stay],
                _ => vec![],
            };
            let found = on_stays.remove(&coupon.id.to_string()).unwrap_or_default();
            prop_assert_eq!(found, expected, "coupon {} of batch {}", coupon.number, coupon.batch);
        }
        prop_assert!(on_stays.is_empty(), "a stay has a coupon that nobody knows");
        let charged = records.list::<MerchantCharge>("", 1_000).expect("readable");
        let charged: i64 = charged.iter().map(|kept| kept.record.charged.minor()).sum();
        let money = records.list::<MerchantMoney>("", 1_000).expect("readable");
        let paid: i64 = money.iter().map(|kept| kept.record.credit().minor()).sum();
        let owes = self.lot.balance("merchant:书店");
        prop_assert_eq!(owes, charged - paid);
        if terms == MerchantTerms::Prepaid {
            prop_assert!(owes <= 0, "it pays before, and owes {}", owes);
        }
        for bill in records.list::<Bill>("", 1_000).expect("readable") {
            let bill = bill.record;
            prop_assert!(bill.total.minor() >= 0 && bill.due().minor() >= 0, "{:?}", bill);
        }
        prop_assert!(self.lot.balance("receivable") >= 0);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn coupons_and_merchants_add_up_whatever_happens(
        events in prop::collection::vec(event(), 1..60),
        terms in prop::sample::select(vec![MerchantTerms::Prepaid, MerchantTerms::Monthly { credit: None }])
    ) {
        let mut market = Market::new(terms);
        for event in &events {
            market.happens(event);
            market.check(terms)?;
        }
    }
}
