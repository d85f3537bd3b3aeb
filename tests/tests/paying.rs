//! A car pays at a real lane through the emulated providers, in each page kind and by its driver's code, with callbacks and
//! without; and what two phones, a close, cash and a dying box make of it. Judged by barrier, wallets and `tollhouse verify`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollhouse_tests::{PATIENCE, Page, Paying, Way, eventually, plate_number};

const NATIVE: Way = Way { provider: "wechat", way: "native" };
const H5: Way = Way { provider: "wechat", way: "h5" };
const WAP: Way = Way { provider: "alipay", way: "wap" };
const PRECREATE: Way = Way { provider: "alipay", way: "precreate" };

/// Paid to open: with callbacks, and by asking alone. A machine under load gets the same again on top.
const WITH_CALLBACKS: Duration = Duration::from_secs(2);
const WITHOUT_CALLBACKS: Duration = Duration::from_secs(4);
const UNDER_LOAD: Duration = Duration::from_secs(2);

/// What the emulator says that a merchant took and gave back, in fen: captured, refunded.
fn totals(site: &Paying, provider: &str) -> (i64, i64) {
    let of_all = site.providers.ask("totals");
    let client = site.providers.client();
    let merchant = client[provider][if provider == "wechat" { "mchid" } else { "seller_id" }].as_str().expect("named");
    let ours = &of_all[provider][merchant];
    let number = |name: &str| ours[name].as_i64().unwrap_or(0);
    (number("captured"), number("refunded"))
}

/// Waits until the provider's money is what it should be.
fn await_totals(site: &Paying, provider: &str, captured: i64, refunded: i64) {
    let mut seen = (0, 0);
    eventually(&format!("{provider} to have taken {captured} and given back {refunded}"), PATIENCE, || {
        seen = totals(site, provider);
        (seen == (captured, refunded)).then_some(())
    });
}

/// One car after the other, each paying in its own way; prints how long each took.
fn pays_in_each_way(site: &Paying, what: &str, within: Duration) {
    let mut openings = site.exit.openings();
    for (number, way) in [NATIVE, H5, WAP, PRECREATE].into_iter().enumerate() {
        let bill = site.car_at_the_exit(&plate_number(number + 1));
        let (order, at_provider) = site.order(&bill, way);
        let paid = site.phone_pays(way.provider, &at_provider);
        let took = site.car_leaves(openings, paid);
        println!("{what}: {} {} opened {} ms after it was paid", way.provider, way.way, took.as_millis());
        assert!(took < within + UNDER_LOAD, "{way:?} took {took:?}");
        site.site.await_order(order["order_id"].as_str().expect("an id"), "paid");
        openings += 1;
    }
    assert_eq!(site.exit.openings(), openings, "one opening for each");
}

#[test]
fn a_car_pays_in_each_page_kind_and_the_barrier_opens_with_callbacks_and_without() {
    let mut site = Paying::start(1);
    pays_in_each_way(&site, "with callbacks", WITH_CALLBACKS);
    site.providers.tell("callbacks", &json!({"enabled": false}));
    pays_in_each_way(&site, "without callbacks", WITHOUT_CALLBACKS);
    await_totals(&site, "wechat", 4_000, 0);
    await_totals(&site, "alipay", 4_000, 0);
    let callbacks = site.site.http().metrics().sum("tollhouse_payment_callbacks_total", &[("outcome", "taken")]);
    assert!(callbacks >= 4.0, "{callbacks} callbacks were taken");
    site.site.end_and_verify();
}

#[test]
fn inside_wechat_the_page_signs_in_and_hands_the_wallet_what_it_asks_for() {
    let mut site = Paying::start(2);
    let bill = site.car_at_the_exit(&plate_number(1));
    let way = Way { provider: "wechat", way: "jsapi" };
    assert_eq!(site.asks(&bill, way, &json!({})).status, 409, "nobody has said who pays");
    let http = site.site.http();
    let signed_in = site.opens(&sign_in_address(&site));
    // The emulator sends the browser back to the pay page, with a code.
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let code = code_of(&site);
    let answer = site.asks(&bill, way, &json!({"code": code}));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let request = answer.json()["action"]["request"].clone();
    let paid = Instant::now();
    site.providers.tell("invoke", &request);
    let took = site.car_leaves(0, paid);
    println!("with callbacks: wechat jsapi opened {} ms after it was paid", took.as_millis());
    assert!(took < WITH_CALLBACKS + UNDER_LOAD, "{took:?}");
    assert_eq!(http.get("/pay/sign-in?back=https://evil.example&state=a").status, 400);
    site.site.end_and_verify();
}

/// Where the box sends WeChat's browser.
fn sign_in_address(site: &Paying) -> String {
    let to = site.site.http().redirect("/pay/sign-in?back=/pay/lanes/out-1&state=abc");
    to.trim_end_matches("#wechat_redirect").to_owned()
}

/// A code for who pays, from the emulator's sign-in.
fn code_of(site: &Paying) -> String {
    let address = sign_in_address(site);
    let path = address.strip_prefix(site.providers.address()).expect("the emulator's");
    let back = tollhouse_tests::Http::new(site.providers.address()).redirect(path);
    let query = back.split_once('?').expect("a query").1;
    query.split('&').find_map(|pair| pair.strip_prefix("code=")).expect("a code").to_owned()
}

#[test]
fn a_payment_code_scanned_at_the_lane_opens_it_and_is_nowhere_to_be_found_afterwards() {
    let mut site = Paying::start(3);
    for (number, (provider, code)) in
        [("wechat", "134579000000000018"), ("alipay", "287654321098765438")].into_iter().enumerate()
    {
        site.car_at_the_exit(&plate_number(number + 1));
        let scanned = Instant::now();
        site.scans(code);
        let took = site.car_leaves(number, scanned);
        println!("with callbacks: {provider} code opened {} ms after it was scanned", took.as_millis());
        assert!(took < WITH_CALLBACKS + UNDER_LOAD, "{took:?}");
        await_totals(&site, provider, 1_000, 0);
    }
    site.site.end_and_verify();
    let log = site.site.the_box.complained().join("\n");
    for code in ["134579000000000018", "287654321098765438"] {
        assert!(!log.contains(code), "a payment code stands in the log");
        assert!(!stands_in(&site.site.data, code.as_bytes()), "a payment code stands in the data folder");
    }
}

fn stands_in(folder: &std::path::Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return stands_in(&path, text);
        }
        std::fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text))
    })
}

#[test]
fn a_payment_code_without_money_or_too_old_pays_nothing_and_the_next_one_does() {
    let mut site = Paying::start(4);
    site.car_at_the_exit(&plate_number(1));
    for (code, provider) in [("134579000000000012", "wechat"), ("287654321098765433", "alipay")] {
        let before = site.metric(provider, "ended");
        site.scans(code);
        eventually("the order of the refused code to end", PATIENCE, || {
            (site.metric(provider, "ended") > before).then_some(())
        });
        assert_eq!(site.exit.openings(), 0);
    }
    let scanned = Instant::now();
    site.scans("134579000000000018");
    site.car_leaves(0, scanned);
    await_totals(&site, "wechat", 1_000, 0);
    await_totals(&site, "alipay", 0, 0);
    site.site.end_and_verify();
}

#[test]
fn two_phones_that_pay_one_bill_open_once_and_one_gets_its_money_back() {
    let mut site = Paying::start(5);
    let bill = site.car_at_the_exit(&plate_number(1));
    let (_, first) = site.order(&bill, NATIVE);
    let (_, second) = site.order(&bill, PRECREATE);
    let paid = site.phone_pays("wechat", &first);
    site.phone_pays("alipay", &second);
    site.car_leaves(0, paid);
    let back = |provider| totals(&site, provider).1;
    eventually("one of them to have it back", PATIENCE, || (back("wechat") + back("alipay") == 1_000).then_some(()));
    assert_eq!((totals(&site, "wechat").0, totals(&site, "alipay").0), (1_000, 1_000));
    assert_eq!(site.exit.openings(), 1);
    eventually("the refund to be booked", PATIENCE, || {
        let booked = site.metric("wechat", "refunded") + site.metric("alipay", "refunded");
        (booked > 0.5).then_some(())
    });
    site.site.end_and_verify();
}

#[test]
fn a_phone_that_pays_during_the_close_has_paid_and_the_switch_is_refused() {
    let mut site = Paying::start(6);
    let bill = site.car_at_the_exit(&plate_number(1));
    let (order, _) = site.order(&bill, NATIVE);
    site.providers.faults(&json!({"pay_during_close": {"times": 1}}));
    let switched = Instant::now();
    let answer = site.asks(&bill, PRECREATE, &json!({"instead_of": order["order_id"]}));
    assert_eq!((answer.status, answer.json()["type"].as_str()), (409, Some("urn:tollhouse:problem:nothing-due")));
    site.car_leaves(0, switched);
    await_totals(&site, "wechat", 1_000, 0);
    await_totals(&site, "alipay", 0, 0);
    site.site.end_and_verify();
}

#[test]
fn a_switch_closes_the_order_before_and_what_its_phone_tries_then_is_refused() {
    let mut site = Paying::start(7);
    let bill = site.car_at_the_exit(&plate_number(1));
    let (order, first) = site.order(&bill, NATIVE);
    let answer = site.asks(&bill, PRECREATE, &json!({"instead_of": order["order_id"]}));
    assert_eq!(answer.status, 201, "{}", answer.body);
    site.site.await_order(order["order_id"].as_str().expect("an id"), "closed");
    assert!(
        site.providers.try_tell("pay", &json!({"provider": "wechat", "order": first})).is_err(),
        "it is closed there"
    );
    let paid = site.phone_pays("alipay", &site.newest("alipay"));
    site.car_leaves(0, paid);
    await_totals(&site, "wechat", 0, 0);
    site.site.end_and_verify();
}

#[test]
fn a_code_that_its_provider_does_not_know_yet_is_paid_after_the_switch_and_its_money_goes_back() {
    let mut site = Paying::start(8);
    let bill = site.car_at_the_exit(&plate_number(1));
    let (order, late) = site.order(&bill, PRECREATE);
    let answer = site.asks(&bill, NATIVE, &json!({"instead_of": order["order_id"]}));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let paid = site.phone_pays("wechat", &site.newest("wechat"));
    site.car_leaves(0, paid);
    // Alipay did not know the code, so nobody could close it, and it can be paid still.
    site.phone_pays("alipay", &late);
    await_totals(&site, "alipay", 1_000, 1_000);
    site.site.end_and_verify();
}

#[test]
fn a_payment_that_succeeds_while_the_box_dies_opens_once_when_it_is_back() {
    let mut site = Paying::start(9);
    let bill = site.car_at_the_exit(&plate_number(1));
    let (order, number) = site.order(&bill, H5);
    site.site.the_box.kill();
    let paid = site.phone_pays("wechat", &number);
    site.site.start_again();
    site.car_leaves(0, paid);
    site.site.await_order(order["order_id"].as_str().expect("an id"), "paid");
    await_totals(&site, "wechat", 1_000, 0);
    assert_eq!(site.exit.openings(), 1);
    site.site.end_and_verify();
}

#[test]
fn a_callback_that_is_three_hours_old_forged_or_about_others_posts_nothing_and_makes_the_box_ask() {
    let mut site = Paying::start(10);
    let stale = ["callback_stale_time", "callback_wrong_key", "callback_tampered"];
    for (number, fault) in stale.into_iter().enumerate() {
        site.providers.faults(&json!({fault: {"times": 1, "provider": "wechat"},
            "callback_probe": {}, "callback_wrong_mchid": {}, "callback_wrong_amount": {}, "callback_malformed": {}}));
        let bill = site.car_at_the_exit(&plate_number(number + 1));
        let (_, at_provider) = site.order(&bill, NATIVE);
        let paid = site.phone_pays("wechat", &at_provider);
        let took = site.car_leaves(number, paid);
        println!("{fault}: opened {} ms after it was paid", took.as_millis());
        assert!(took < WITHOUT_CALLBACKS + UNDER_LOAD);
    }
    site.providers.tell(
        "foreign_payment",
        &json!({"provider": "wechat", "amount": 500,
        "notify_url": site.site.http().url("/pay/notify/wechat")}),
    );
    let seen = |outcome| site.site.http().metrics().sum("tollhouse_payment_callbacks_total", &[("outcome", outcome)]);
    for outcome in ["stale", "forged", "probe", "foreign"] {
        eventually(&format!("a callback that was {outcome}"), PATIENCE, || (seen(outcome) > 0.5).then_some(()));
    }
    let probes: Vec<Value> = site.providers.ask("callbacks").as_array().expect("a list").clone();
    let of_kind =
        |kind: &str| probes.iter().filter(|sent| sent["kind"] == kind).map(|sent| sent["status"].clone()).collect();
    let answered: Vec<Value> = of_kind("probe");
    assert!(!answered.is_empty() && answered.iter().all(|status| *status == 401), "{answered:?}");
    await_totals(&site, "wechat", 3_000, 0);
    assert!(site.metric("wechat", "suspense") < 0.5);
    site.site.end_and_verify();
}

#[test]
fn keys_change_at_both_providers_and_nobody_notices() {
    let mut site = Paying::start(11);
    let changes = [
        ("wechat", "begin"),
        ("alipay", "begin"),
        ("wechat", "end"),
        ("alipay", "end"),
        ("wechat", "begin_public_key"),
    ];
    for (number, (provider, change)) in changes.into_iter().enumerate() {
        site.providers.tell("keys", &json!({"provider": provider, "change": change}));
        let way = if provider == "wechat" { NATIVE } else { PRECREATE };
        let bill = site.car_at_the_exit(&plate_number(number + 1));
        let (_, at_provider) = site.order(&bill, way);
        let paid = site.phone_pays(provider, &at_provider);
        site.car_leaves(number, paid);
    }
    site.site.end_and_verify();
}

#[test]
fn the_phone_sees_both_buttons_and_pays_by_alipays_page() {
    let mut site = Paying::start(12);
    site.car_at_the_exit(&plate_number(1));
    let mut page = Page::open_as(&site.site.http().url("/pay/lanes/out-1"), "Mozilla/5.0 (Linux; Android 14) Mobile");
    page.await_text("Pay with WeChat");
    page.await_text("Pay with Alipay");
    page.picture_to_target("pay-page.png");
    page.press("button[data-provider=alipay]");
    eventually("Alipay's page", PATIENCE, || (page.path() == "/cashier/alipay").then_some(()));
    let paid = Instant::now();
    page.press("#pay");
    site.car_leaves(0, paid);
    page.await_text("Paid.");
    assert!(page.path().starts_with("/pay/bills/"), "{}", page.path());
    site.site.end_and_verify();
}

#[test]
fn a_screen_shows_each_wallets_code_and_sees_that_one_was_paid() {
    let mut site = Paying::start(13);
    let bill = site.car_at_the_exit(&plate_number(1));
    // The lane's own display holds the address of the pay page, which every wallet can open.
    assert!(site.exit.shows("/pay/lanes/out-1"), "the code on the display leads to the pay page");
    let mut page = Page::open(&site.site.http().url("/pay/lanes/out-1?lang=en"));
    for (number, provider) in ["wechat", "alipay"].into_iter().enumerate() {
        page.press(&format!("button[data-provider={provider}]"));
        page.await_text("Scan this with your phone");
        let orders = eventually("the order to be made", PATIENCE, || {
            let all = site.site.http().get_as(&site.token(), &format!("/api/v1/orders?provider={provider}")).json();
            all["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(all)
        });
        let way = ["native", "precreate"][number];
        assert_eq!((&orders["items"][0]["way"], &orders["items"][0]["bill"]), (&json!(way), &bill["bill_id"]));
        eventually(&format!("{provider}'s code on the screen"), PATIENCE, || {
            page.shows_picture("#picture").then_some(())
        });
    }
    page.picture_to_target("screen-page.png");
    let order = site.site.http().get_as(&site.token(), "/api/v1/orders?provider=alipay").json();
    let number = order["items"][0]["number"].as_str().expect("a number").to_owned();
    // Alipay hears of a code when it is scanned.
    site.providers.tell("scan", &json!({"provider": "alipay", "order": number}));
    let paid = site.phone_pays("alipay", &number);
    site.car_leaves(0, paid);
    page.await_text("Paid.");
    site.site.end_and_verify();
}
