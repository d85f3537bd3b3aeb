//! What coupons and discounts do to a car that is inside, or stands at the exit.

use chrono_tz::Asia::Shanghai;

use super::*;
use crate::charging::label::MerchantId;
use crate::coupons::{
    BatchOrder, CouponCode, CouponRefusal, Limits, Manual, Merchant, MerchantState, MerchantTerms, MoneyKind, Pricing,
    Received, Redeemed, RedeemedBy, Which, Worth, give_by_hand, issue, move_money, redeem,
};

pub(super) fn shop() -> MerchantId {
    MerchantId::new("书店").expect("a name")
}

impl Lot {
    pub(super) fn shop_opens(&mut self, terms: MerchantTerms, limits: Limits) {
        let mut change = Change::new(ChangeKind::MerchantChanged, self.now, Cause::Time);
        let merchant = Merchant {
            id: shop(),
            name: "万象书店".into(),
            contact: None,
            accounts: vec![],
            terms,
            limits,
            state: MerchantState::Open,
            batches: 0,
            since: self.now,
        };
        merchant.write(&mut change);
        self.records.take(&change).expect("taken");
    }

    /// Issues two coupons, and gives their codes.
    fn coupons(&mut self, worth: Worth, pays_percent: u8) -> [CouponCode; 2] {
        let today = self.now.with_timezone(&Shanghai).date_naive();
        let order = BatchOrder {
            merchant: shop(),
            worth,
            most: None,
            pays_percent,
            count: 2,
            valid_from: today,
            valid_until: today + chrono::Days::new(1),
            note: String::new(),
        };
        let (change, batch) = issue(&order, "clerk", self.now, today, &key(), &self.records).expect("issued");
        self.records.take(&change).expect("taken");
        [1, 2].map(|number| CouponCode::derive(&key(), &shop(), batch.number, number))
    }

    fn redeem(&mut self, code: &CouponCode, stay: StayId) -> Result<Money, CouponRefusal> {
        let tariff = tariff();
        let key = key();
        let pricing = Pricing { tariff: &tariff, tax_rate: Decimal::new(9, 2), key: &key, zone: Shanghai };
        let which = Which::Code(code.clone());
        match redeem(&which, stay, &RedeemedBy::Driver, self.now, pricing, &self.records)? {
            Redeemed::Before(_) => panic!("redeemed before"),
            Redeemed::Now(change, taken) => {
                self.records.take(&change).expect("taken");
                Ok(taken.value)
            }
        }
    }

    pub(super) fn by_hand(&mut self, worth: Worth, limit: Option<i64>, stay: StayId) -> Result<Money, CouponRefusal> {
        let tariff = tariff();
        let key = key();
        let pricing = Pricing { tariff: &tariff, tax_rate: Decimal::new(9, 2), key: &key, zone: Shanghai };
        let manual = Manual { worth, by: "attendant".into(), reason: "lamp was out".into(), limit: limit.map(yuan) };
        let (change, taken) = give_by_hand(&manual, stay, self.now, pricing, &self.records)?;
        self.records.take(&change).expect("taken");
        Ok(taken.value)
    }

    /// The car has been inside for so many minutes, and stands at the exit.
    fn at_exit_after(&mut self, minutes: i64) -> Stay {
        self.car_inside(CAR);
        self.wait(TimeDelta::minutes(minutes));
        self.read(Direction::Exit, &format!("x{minutes}"), CAR);
        self.stay_of(CAR).expect("inside")
    }

    fn bill_of(&self, stay: &Stay) -> Bill {
        self.bill(stay.bill.expect("a bill"))
    }
}

fn monthly() -> MerchantTerms {
    MerchantTerms::Monthly { credit: None }
}

#[test]
fn a_coupon_that_pays_all_opens_the_lane_for_the_car_that_waits_and_charges_the_merchant() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Free, 100);
    let stay = lot.at_exit_after(119);
    assert_eq!(lot.redeem(&code, stay.id), Ok(yuan(1_000)));
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
    lot.passed(Direction::Exit, "p1", Way::Through);
    let bill = lot.bill_of(&stay);
    assert_eq!((bill.total, bill.due(), bill.lines.len()), (yuan(0), yuan(0), 2));
    assert_eq!(bill.lines[1].text.zh, "万象书店优惠：全免");
    assert_eq!((lot.balance("receivable"), lot.balance("merchant:书店")), (0, 1_000));
    assert_eq!(lot.balance("revenue") + lot.balance("tax_due"), -1_000);
}

#[test]
fn each_kind_of_coupon_takes_off_what_it_says_and_never_more_than_is_due() {
    // 5.00 per started hour, 15 minutes free that do not count when they are over.
    let cases = [
        (119, Worth::Minutes(60), 500),
        (119, Worth::Minutes(59), 500),
        (119, Worth::Minutes(58), 0),
        (61, Worth::Minutes(60), 500),
        (16, Worth::Minutes(60), 500),
        // No new free time after the 60 minutes: 10 of them are an hour.
        (70, Worth::Minutes(60), 500),
        (119, Worth::Minutes(600), 1_000),
        (119, Worth::Amount(yuan(300)), 300),
        (119, Worth::Amount(yuan(9_900)), 1_000),
        (119, Worth::Percent(50), 500),
        (119, Worth::Percent(33), 330),
        (119, Worth::Free, 1_000),
    ];
    for (minutes, worth, off) in cases {
        let mut lot = Lot::new();
        lot.shop_opens(monthly(), Limits::default());
        let [code, _] = lot.coupons(worth, 100);
        let stay = lot.at_exit_after(minutes);
        let before = lot.bill_of(&stay).total;
        let redeemed = lot.redeem(&code, stay.id);
        if off == 0 {
            assert_eq!(redeemed, Err(CouponRefusal::TakesNothingOff), "{worth:?} after {minutes} min");
            continue;
        }
        assert_eq!(redeemed, Ok(yuan(off)), "{worth:?} after {minutes} min");
        let bill = lot.bill_of(&stay);
        assert_eq!(bill.total, before.minus(yuan(off)).expect("yuan"), "{worth:?} after {minutes} min");
        assert_eq!(lot.balance("merchant:书店"), off);
        assert_eq!(lot.balance("receivable"), bill.due().minor());
    }
}

#[test]
fn reductions_apply_in_the_order_minutes_amount_percent_manual_whatever_order_they_come_in() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [percent, _] = lot.coupons(Worth::Percent(50), 100);
    let [amount, _] = lot.coupons(Worth::Amount(yuan(300)), 100);
    let [minutes, _] = lot.coupons(Worth::Minutes(60), 100);
    let stay = lot.at_exit_after(239);
    assert_eq!(lot.by_hand(Worth::Amount(yuan(100)), None, stay.id), Ok(yuan(100)));
    assert_eq!(lot.redeem(&percent, stay.id), Ok(yuan(1_000)), "half of 20.00");
    assert_eq!(lot.redeem(&amount, stay.id), Ok(yuan(300)));
    assert_eq!(lot.redeem(&minutes, stay.id), Ok(yuan(500)));
    // 20.00 - 5.00 for an hour - 3.00 - half of 12.00 - 1.00 by hand.
    let bill = lot.bill_of(&stay);
    assert_eq!(bill.total, yuan(500));
    let off: Vec<i64> = bill.discounts.iter().map(|one| one.amount.minor()).collect();
    assert_eq!(off, [100, 600, 300, 500], "as they were given");
    assert_eq!(lot.balance("merchant:书店"), 1_400);
    assert_eq!(lot.balance("receivable"), 500);
}

#[test]
fn a_coupon_is_taken_once_and_for_one_stay() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, other] = lot.coupons(Worth::Amount(yuan(100)), 100);
    let stay = lot.at_exit_after(119);
    lot.redeem(&code, stay.id).expect("redeemed");
    let tariff = tariff();
    let key = key();
    let pricing = Pricing { tariff: &tariff, tax_rate: Decimal::ZERO, key: &key, zone: Shanghai };
    let again = redeem(&Which::Code(code.clone()), stay.id, &RedeemedBy::Driver, lot.now, pricing, &lot.records);
    assert!(matches!(again, Ok(Redeemed::Before(_))), "the same answer for the same stay");
    let elsewhere = StayId::derive(&key, &["another"]);
    assert_eq!(lot.redeem(&code, elsewhere), Err(CouponRefusal::Used));
    let unknown: CouponCode = "0000-0000-0000-0000".parse().expect("a code");
    assert_eq!(lot.redeem(&unknown, stay.id), Err(CouponRefusal::Unknown));
    lot.wait(TimeDelta::days(2));
    assert!(matches!(lot.redeem(&other, stay.id), Err(CouponRefusal::Late(_))));
}

#[test]
fn redeemed_inside_it_counts_for_the_fee_as_it_grows() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Minutes(120), 100);
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(30));
    let stay = lot.stay_of(CAR).expect("inside");
    assert_eq!(lot.redeem(&code, stay.id), Ok(yuan(500)), "as of now");
    lot.wait(TimeDelta::minutes(80));
    let out = lot.read(Direction::Exit, "x1", CAR);
    assert_eq!(codes(&out), ["exit_nothing_due"], "110 minutes are covered");
    assert_eq!(opens(&out).len(), 1);
    let bill = lot.bill_of(&lot.stay_of(CAR).expect("inside"));
    assert_eq!((bill.total, bill.state), (yuan(0), crate::bill::BillState::Paid));
    assert_eq!(lot.balance("merchant:书店"), 1_000, "two hours at the exit, not one");
    lot.passed(Direction::Exit, "p1", Way::Back);
    lot.wait(TimeDelta::minutes(30));
    assert_eq!(codes(&lot.read(Direction::Exit, "x2", CAR)), ["exit_payment_due"]);
    let bill = lot.bill(bill.id);
    assert_eq!((bill.due(), lot.balance("merchant:书店")), (yuan(500), 1_000), "a third hour is the driver's own");
}

#[test]
fn a_coupon_after_an_order_was_made_sends_the_excess_back_and_one_after_payment_is_refused() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, other] = lot.coupons(Worth::Amount(yuan(400)), 100);
    let stay = lot.at_exit_after(119);
    let order = lot.order(stay.bill.expect("a bill"));
    assert_eq!(order.amount, yuan(1_000));
    lot.redeem(&code, stay.id).expect("redeemed");
    let payment = lot.pay(&order).expect("captured");
    assert_eq!((payment.to_bill, payment.excess), (yuan(600), yuan(400)));
    assert_eq!((lot.balance("receivable"), lot.balance("refund_due")), (0, -400));
    assert_eq!(lot.redeem(&other, stay.id), Err(CouponRefusal::NothingDue));
    assert_eq!(opens(&lot.tell(Direction::Exit, Input::LookAtBill)).len(), 1);
}

#[test]
fn a_coupon_for_what_grew_after_paying_takes_off_no_more_than_is_still_due() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Free, 100);
    let stay = lot.at_exit_after(59);
    let order = lot.order(stay.bill.expect("a bill"));
    lot.pay(&order).expect("captured");
    lot.passed(Direction::Exit, "p1", Way::Back);
    lot.wait(TimeDelta::minutes(61));
    lot.read(Direction::Exit, "x2", CAR);
    assert_eq!(lot.bill_of(&stay).due(), yuan(500));
    assert_eq!(lot.redeem(&code, stay.id), Ok(yuan(500)));
    let bill = lot.bill_of(&stay);
    assert_eq!((bill.total, bill.paid, bill.due()), (yuan(500), yuan(500), yuan(0)));
    assert_eq!((lot.balance("receivable"), lot.balance("merchant:书店")), (0, 500));
}

#[test]
fn a_prepaid_balance_covers_what_it_covers_and_is_spoken_for_while_cars_are_inside() {
    let mut lot = Lot::new();
    lot.shop_opens(MerchantTerms::Prepaid, Limits::default());
    let codes = lot.coupons(Worth::Amount(yuan(300)), 100);
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(30));
    let stay = lot.stay_of(CAR).expect("inside").id;
    let too_little = |available| Err(CouponRefusal::Balance { available: yuan(available), worth: yuan(300) });
    assert_eq!(lot.redeem(&codes[0], stay), too_little(0));
    let money = (MoneyKind::TopUp, yuan(500), Received::Bank);
    let (change, _) = move_money(money, &shop(), "B1", "clerk", lot.now, &key(), &lot.records).expect("booked");
    lot.records.take(&change).expect("taken");
    assert_eq!((lot.balance("bank"), lot.balance("merchant:书店")), (500, -500));
    assert_eq!(lot.redeem(&codes[0], stay), Ok(yuan(300)));
    assert_eq!(
        lot.redeem(&codes[1], stay),
        too_little(200),
        "3.00 of the 5.00 are spoken for, though not in the books"
    );
    assert_eq!(lot.balance("merchant:书店"), -500);
    lot.wait(TimeDelta::minutes(20));
    lot.read(Direction::Exit, "x1", CAR);
    let bill = lot.stay_of(CAR).and_then(|stay| stay.bill).expect("a bill");
    let order = lot.order(bill);
    lot.pay(&order).expect("captured");
    assert_eq!(lot.balance("merchant:书店"), -200, "charged when the order fixed the bill");
}

#[test]
fn a_merchants_limits_hold() {
    let cases = [
        (Limits { coupons_per_day: Some(1), ..Limits::default() }, "coupons of a day"),
        (Limits { coupons_per_month: Some(1), ..Limits::default() }, "coupons of a month"),
        (Limits { value_per_day: Some(yuan(150)), ..Limits::default() }, "value of a day's coupons"),
        (Limits { value_per_month: Some(yuan(150)), ..Limits::default() }, "value of a month's coupons"),
        (Limits { per_stay: Some(1), ..Limits::default() }, "coupons for one stay"),
    ];
    for (limits, what) in cases {
        let mut lot = Lot::new();
        lot.shop_opens(monthly(), limits);
        let codes = lot.coupons(Worth::Amount(yuan(100)), 100);
        let stay = lot.at_exit_after(119);
        assert_eq!(lot.redeem(&codes[0], stay.id), Ok(yuan(100)), "{what}");
        assert_eq!(lot.redeem(&codes[1], stay.id), Err(CouponRefusal::Limit(what)));
    }
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits { most_per_coupon: Some(yuan(250)), ..Limits::default() });
    let [code, _] = lot.coupons(Worth::Free, 100);
    let stay = lot.at_exit_after(119);
    assert_eq!(lot.redeem(&code, stay.id), Ok(yuan(250)), "no coupon comes to more");
}

#[test]
fn a_person_gives_with_a_reason_and_within_their_limit() {
    let mut lot = Lot::new();
    let stay = lot.at_exit_after(119);
    assert_eq!(lot.by_hand(Worth::Amount(yuan(600)), Some(500), stay.id), Err(CouponRefusal::AboveLimit(yuan(500))));
    assert_eq!(lot.by_hand(Worth::Percent(30), Some(500), stay.id), Ok(yuan(300)));
    assert_eq!(lot.by_hand(Worth::Amount(yuan(250)), Some(500), stay.id), Err(CouponRefusal::AboveLimit(yuan(200))));
    assert_eq!(lot.by_hand(Worth::Amount(yuan(200)), Some(500), stay.id), Ok(yuan(200)));
    let bill = lot.bill_of(&stay);
    assert_eq!((bill.total, bill.lines[1].text.en.as_str()), (yuan(500), "Given by hand: 30 % off"));
    // What the lot bears lowers its tax: 10.00 holds 0.83, the 5.00 that are left 0.41.
    assert_eq!((lot.balance("tax_due"), lot.balance("revenue"), lot.balance("discount")), (-41, -917, 458));
    assert_eq!(lot.balance("receivable"), 500);
}

#[test]
fn a_coupon_of_a_car_whose_exit_is_told_late_charges_its_merchant() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Free, 100);
    lot.car_inside(CAR);
    lot.wait(TimeDelta::minutes(30));
    let stay = lot.stay_of(CAR).expect("inside").id;
    lot.redeem(&code, stay).expect("redeemed");
    lot.wait(TimeDelta::minutes(90));
    lot.read_aged(Direction::Exit, "x1", CAR, TimeDelta::minutes(30));
    assert!(lot.stay_of(CAR).is_none(), "it has left");
    assert_eq!(lot.balance("merchant:书店"), 1_000, "90 minutes");
    assert_eq!(lot.balance("receivable"), 0);
}

impl Lot {
    /// The invariants that do not hold over the records.
    fn broken(&self) -> Vec<String> {
        let mut found = vec![];
        for mut invariant in crate::audit::all() {
            // What needs the journal has seen nothing: the balances of merchants are proved from the records alone.
            if invariant.name().starts_with("each merchant") {
                found.extend(invariant.end(&self.records).err());
            }
        }
        found
    }
}

#[test]
fn a_merchants_balance_that_its_charges_do_not_give_is_found() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Amount(yuan(300)), 50);
    let stay = lot.at_exit_after(119);
    lot.redeem(&code, stay.id).expect("redeemed");
    assert_eq!((lot.balance("merchant:书店"), lot.broken()), (150, vec![]));
    let charged = lot.records.list::<crate::coupons::MerchantCharge>("", 9).expect("readable").remove(0).record;
    assert_eq!((charged.value, charged.charged), (yuan(300), yuan(150)));
    let mut change = Change::new(ChangeKind::CouponRedeemed, lot.now, Cause::Time);
    change.put(&crate::coupons::MerchantCharge { charged: yuan(151), ..charged });
    lot.records.take(&change).expect("taken");
    assert_eq!(lot.broken().len(), 1);
}

#[test]
fn a_statement_adds_up_to_the_books() {
    let mut lot = Lot::new();
    lot.shop_opens(monthly(), Limits::default());
    let [code, _] = lot.coupons(Worth::Amount(yuan(300)), 100);
    let begins = lot.now;
    let top_up = (MoneyKind::TopUp, yuan(1_000), Received::Bank);
    let (change, _) = move_money(top_up, &shop(), "B1", "clerk", lot.now, &key(), &lot.records).expect("booked");
    lot.records.take(&change).expect("taken");
    let stay = lot.at_exit_after(119);
    lot.redeem(&code, stay.id).expect("redeemed");
    let middle = lot.now + TimeDelta::seconds(1);
    lot.wait(TimeDelta::hours(1));
    let back = (MoneyKind::Returned, yuan(200), Received::Bank);
    let (change, _) = move_money(back, &shop(), "B2", "clerk", lot.now, &key(), &lot.records).expect("booked");
    lot.records.take(&change).expect("taken");
    let of = |from, until| {
        let of = crate::coupons::StatementOf { merchant: shop(), from, until };
        let found = crate::coupons::statement(&of, Currency::Cny, &lot.records).expect("adds up");
        let sums = [found.opening, found.charged, found.received, found.closing].map(Money::minor);
        (sums, found.lines.len())
    };
    let end = lot.now + TimeDelta::days(1);
    assert_eq!(of(begins, middle), ([0, 300, 1_000, 700], 2));
    assert_eq!(of(middle, end), ([700, 0, -200, 500], 1));
    assert_eq!(of(begins, end), ([0, 300, 800, 500], 3));
    assert_eq!(lot.balance("merchant:书店"), -500);
}
