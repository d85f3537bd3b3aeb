//! Orders through the emulated providers under the whole fault menu at once, with the box killed again and again. In the end the
//! providers' statements go through reconciliation, every row is in a class, the books are what the providers took, gave back and
//! kept, to the fen, and `tollhouse verify` is content.
//!
//! `tests/run payments --orders 10000 --kills 50` is the long run; `TOLLHOUSE_ORDERS` and `TOLLHOUSE_KILLS` say how many.

mod day_end;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use day_end::{DayEnd, IN_THE_CONSOLE, PROVIDERS, total};
use serde_json::{Value, json};
use tollhouse_tests::{
    Entry, Exit, Http, Journal, PATIENCE, Paying, PaymentProviders, TheBox, eventually, plate_number,
};

const ORDERS: usize = 1_000;
const KILLS: usize = 10;
/// So many cars stand at exits at the same time.
const LANES: usize = 6;
/// So many phones try to pay one car's bill: most of their money has to go back.
const PHONES: usize = 4;
/// Numbers of the cars that show that the one before them is in.
const MARKERS: usize = 50_000;
/// Parked for less than two hours: 10.00.
const STAY: Duration = Duration::from_secs(110 * 60);
/// An order can be paid for a minute; then it takes the box a while to be sure of the last one.
const SETTLES_WITHIN: Duration = Duration::from_secs(150);

/// The whole menu, but statements, at rates that let most orders through.
fn whole_menu() -> Value {
    let often = |chance: f64| json!({"chance": chance});
    json!({
        "callback_duplicate": often(0.2), "callback_reorder": often(0.1), "callback_delay": {"chance": 0.1, "seconds": 5},
        "callback_drop": often(0.1), "callback_stale_time": often(0.05), "callback_wrong_key": often(0.05),
        "callback_tampered": often(0.05), "callback_wrong_appid": often(0.05), "callback_wrong_mchid": often(0.05),
        "callback_wrong_amount": often(0.05), "callback_malformed": often(0.05), "callback_probe": often(0.05),
        "answer_500": often(0.03), "answer_never": often(0.02), "acted_but_timed_out": often(0.03),
        "answer_wrong_key": often(0.03), "answer_tampered": often(0.03), "answer_stale_time": often(0.02),
        "answer_probe": often(0.02), "answer_wrong_appid": often(0.03), "answer_wrong_mchid": often(0.02),
        "answer_wrong_amount": often(0.04), "pay_during_close": often(0.3), "refund_abnormal": often(0.03),
        "refund_closed": often(0.1), "refund_not_done": often(0.02), "refund_slow": {"chance": 0.1, "seconds": 5},
    })
}

fn number_from(variable: &str, otherwise: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// A small generator, so that the same seed tells the same story.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// One exit, its cars, and the phones in them.
struct Lane<'s> {
    number: usize,
    entry: &'s Mutex<Entry>,
    exit: Exit,
    http: Http,
    phone: Http,
    providers: &'s PaymentProviders,
    made: &'s AtomicUsize,
    markers: &'s AtomicUsize,
    chance: Chance,
}

impl Lane<'_> {
    fn bill(&self) -> Option<Value> {
        let answer = self.http.try_get(&format!("/api/v1/pay/lanes/out-{}", self.number)).ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// A car comes, its phones pay, it leaves.
    fn one_car(&mut self, plate: &str) {
        self.enters(plate);
        let before = self.exit.openings();
        self.exit.camera.publish(&self.exit.camera.plate(plate));
        eventually(&format!("a bill for {plate}"), PATIENCE * 3, || self.bill().filter(|bill| bill["plate"] == plate));
        for phone in 0..PHONES {
            self.orders(plate, phone);
        }
        let mut tries = PHONES;
        let mut asked = Instant::now();
        eventually(&format!("out-{} to open for {plate}", self.number), SETTLES_WITHIN, || {
            if self.exit.openings() > before {
                return Some(());
            }
            // None of its orders was paid: a phone tries again.
            if asked.elapsed() > Duration::from_secs(6) {
                self.orders(plate, tries);
                tries += 1;
                asked = Instant::now();
            }
            None
        });
        self.exit.camera.publish(&self.exit.camera.passed());
        eventually("the lane to be free", PATIENCE * 3, || {
            let gone = self.http.try_get(&format!("/api/v1/pay/lanes/out-{}", self.number)).ok()?;
            (gone.status == 404).then_some(())
        });
    }

    /// A car comes in from the backlog. Events of one camera are taken in order, so when the next car's opening comes, it is in.
    fn enters(&self, plate: &str) {
        let entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        entry.camera.publish(&entry.camera.plate_captured(plate, STAY));
        entry.another_car(&plate_number(MARKERS + self.markers.fetch_add(1, Ordering::Relaxed)));
    }

    /// A phone asks for an order in some way, under one key until it has an answer.
    fn orders(&mut self, plate: &str, phone: usize) {
        let ways = [("wechat", "native"), ("wechat", "h5"), ("alipay", "precreate"), ("alipay", "wap")];
        let (provider, way) = ways[self.chance.below(ways.len())];
        let Some(bill) = self.bill().filter(|bill| bill["plate"] == plate && bill["state"] == "due") else { return };
        let path = format!("/api/v1/pay/bills/{}/orders", bill["bill_id"].as_str().expect("an id"));
        let key = format!("{plate}-{phone}").replace(|c: char| !c.is_ascii(), "");
        for _ in 0..3 {
            let answer = self.http.try_post(&path, &key, &json!({"provider": provider, "way": way}));
            let Ok(answer) = answer else { continue };
            if answer.status == 503 {
                continue;
            }
            if answer.status == 201 {
                self.made.fetch_add(1, Ordering::Relaxed);
                let action = answer.json()["action"].clone();
                if let Some(page) = action["url"].as_str().and_then(|url| url.strip_prefix(self.providers.address()))
                    && provider == "alipay"
                {
                    // Alipay hears of it when the phone opens its page; the phone then pays by its habit.
                    let _ = self.phone.try_get(page);
                }
            }
            return;
        }
    }
}

/// What stands on an account in the journal of a stopped box, in fen.
fn balance(data: &std::path::Path, account: &str) -> i64 {
    Journal::postings(data).into_iter().filter(|(name, _)| name == account).map(|(_, minor)| minor).sum()
}

#[test]
fn under_the_whole_menu_and_many_kills_the_books_are_what_the_providers_took_and_gave_back() {
    let (orders, kills) = (number_from("TOLLHOUSE_ORDERS", ORDERS), number_from("TOLLHOUSE_KILLS", KILLS));
    let seed = number_from("TOLLHOUSE_SEED", usize::try_from(Utc::now().timestamp_subsec_micros()).expect("small"));
    println!("seed {seed}: TOLLHOUSE_SEED={seed}; {orders} orders, {kills} kills");
    let began = Instant::now();
    let mut site = Paying::with(seed as u64, LANES + 1, |text| text.replace("order_minutes = 5", "order_minutes = 1"));
    site.providers.tell("habits", &json!({"pay_chance": 0.9, "pay_after_s": 0.3, "refund_after_s": 0.5}));
    site.providers.faults(&whole_menu());
    let made = AtomicUsize::new(0);
    drive(&mut site, &made, orders, kills, seed);
    println!("{} orders were made in {} s", made.load(Ordering::Relaxed), began.elapsed().as_secs());
    site.providers.faults(&json!({}));
    let day_end = DayEnd::of(&site);
    await_rest(&day_end);
    println!("all is settled after {} s", began.elapsed().as_secs());
    day_end.reconcile();
    println!("all is reconciled after {} s", began.elapsed().as_secs());
    let (status, _) = site.site.the_box.terminate();
    assert!(status.success(), "the box ended with {status}");
    TheBox::verify(&site.site.data).unwrap_or_else(|fault| panic!("verify: {fault}"));
    judge(&site);
}

fn drive(site: &mut Paying, made: &AtomicUsize, orders: usize, kills: usize, seed: usize) {
    let (http, broker) = (site.site.http().clone(), site.site.broker);
    let Paying { site: whole, providers, .. } = site;
    let providers: &PaymentProviders = providers;
    let entry = Mutex::new(Entry::connect(broker, 2));
    let (cars, markers) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (2..=LANES + 1)
            .map(|number| {
                let (http, entry, cars, markers) = (http.clone(), &entry, &cars, &markers);
                scope.spawn(move || {
                    let phone = Http::new(providers.address());
                    // The devices of in-1 and out-1 are the site's own.
                    let exit = Exit::connect(broker, number);
                    let chance = Chance((seed + number) as u64);
                    let mut lane = Lane { number, entry, exit, http, phone, providers, made, markers, chance };
                    while made.load(Ordering::Relaxed) < orders {
                        let car = cars.fetch_add(1, Ordering::Relaxed);
                        lane.one_car(&plate_number(car + 1));
                    }
                })
            })
            .collect();
        // Killed whenever another part of the orders is made.
        for kill in 1..=kills {
            let due = orders * kill / (kills + 1);
            while made.load(Ordering::Relaxed) < due && !lanes.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            whole.the_box.kill();
            whole.start_again();
        }
        for lane in lanes {
            lane.join().expect("a lane goes to its end");
        }
    });
}

/// Until nothing is under way any more but refunds that wait for a person.
fn await_rest(day_end: &DayEnd<'_>) {
    let (mut asked, mut since) = (Instant::now(), None);
    eventually("the last order to be settled", SETTLES_WITHIN * 2, || {
        // It asks for whole lists: once in a second is enough.
        if asked.elapsed() < Duration::from_secs(1) {
            return None;
        }
        let at_rest = day_end.all_is_at_rest();
        asked = Instant::now();
        let began = *since.get_or_insert(asked);
        if !at_rest {
            since = None;
        }
        // A refund that was just asked for again would be heard of by now.
        (at_rest && began.elapsed() > Duration::from_secs(5)).then_some(())
    });
}

fn judge(site: &Paying) {
    let data = &site.site.data;
    println!("provider | captured | refunded | fees | clearing");
    for provider in PROVIDERS {
        let number = |name: &str| total(&site.providers, provider, name);
        let (captured, refunded, fees) = (number("captured"), number("refunded"), number("fees"));
        let clearing = balance(data, &format!("clearing:{provider}"));
        println!("{provider} | {captured} | {refunded} | {fees} | {clearing}");
        assert_eq!(clearing, captured - refunded - fees, "the books are not what {provider} took, gave back and kept");
        assert_eq!(clearing, number("net"), "clearing is the provider's own net");
        assert!(captured > 0, "nobody has paid by {provider}");
    }
    let open = Journal::open_refunds(data);
    let due = -balance(data, "refund_due");
    println!("refunds that wait for a person: {} of {} fen", open.len(), due);
    assert_eq!(open.iter().map(|(_, amount)| amount).sum::<i64>(), due, "refund due is what is open");
    assert!(open.iter().all(|(state, _)| state == "abnormal" || state == "accepted"), "{open:?}");
    assert_eq!(balance(data, "suspense"), 2 * IN_THE_CONSOLE, "money that nobody can assign");
}
