//! What we send: the signature that Python makes too, the content of each method, and what we refuse to send.

use chrono::NaiveDate;
use serde_json::{Value, json};
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::alipay::{App, Call, Intent, RefundIntent, request_string};
use tollhouse_providers::key::SigningKey;
use tollhouse_providers::{OrderNumber, PaymentCode, RefundNumber};

use crate::vectors::{bytes, now, text, vector};

fn app() -> App {
    let key = SigningKey::from_pem(&bytes("own/alipay_app.pkcs8.pem")).expect("a key");
    App::new("2021000000000001", "2088000000000001", key).expect("an application")
}

fn intent() -> Intent {
    Intent {
        number: OrderNumber::new("LOT101ARYZ6S41ABCDEFGHJKMNPQ").expect("a number"),
        subject: "停车费 京A12345".to_owned(),
        total: Money::new(1505, Currency::Cny),
        expires_at: now(),
        notify_url: "https://park.example/notify/alipay".to_owned(),
    }
}

fn content(call: &Call) -> Value {
    serde_json::from_str(&call.biz_content).expect("JSON")
}

#[test]
fn a_request_is_signed_over_the_sorted_parameters_with_sign_type() {
    let case = &vector("own/alipay.json")["request"];
    let signed = app().sign(&Call::query(&intent().number), now()).expect("signed");
    assert_eq!(request_string(signed.parameters()), text(case, "canonical"));
    assert_eq!(signed.parameters()["sign"], text(case, "signature"));
    assert!(signed.query().contains("method=alipay.trade.query") && signed.query().contains("charset=utf-8"));
    assert!(!signed.query().contains("biz_content") && signed.query().contains("&sign="));
    assert_eq!(signed.body(), "biz_content=%7B%22out_trade_no%22%3A%22LOT101ARYZ6S41ABCDEFGHJKMNPQ%22%7D");
}

#[test]
fn each_method_has_its_content_with_amounts_in_yuan_and_beijings_time() {
    let number = intent().number;
    let order = json!({"out_trade_no": number.as_str(), "total_amount": "15.05", "subject": "停车费 京A12345",
                       "time_expire": "2026-01-01 08:00:00"});
    let precreate = Call::precreate(&intent()).expect("a request");
    assert_eq!((precreate.method, content(&precreate)), ("alipay.trade.precreate", order.clone()));
    assert_eq!(precreate.notify_url.as_deref(), Some("https://park.example/notify/alipay"));
    let page = Call::wap_pay(&intent(), "https://park.example/p/1?x=2").expect("a request");
    let mut expected = order;
    expected["product_code"] = json!("QUICK_WAP_WAY");
    expected["quit_url"] = json!("https://park.example/p/1?x=2");
    assert_eq!((page.method, content(&page)), ("alipay.trade.wap.pay", expected));
    let refund = RefundNumber::new("R@1").expect("a number");
    let back = RefundIntent {
        order: number.clone(),
        number: refund.clone(),
        refund: Money::new(5, Currency::Cny),
        reason: "多付退回".to_owned(),
    };
    let back = Call::refund(&back).expect("a request");
    let expected = json!({"out_trade_no": number.as_str(), "out_request_no": "R@1", "refund_amount": "0.05", "refund_reason": "多付退回"});
    assert_eq!((back.method, content(&back)), ("alipay.trade.refund", expected));
    let asked = Call::query_refund(&number, &refund);
    let expected =
        json!({"out_trade_no": number.as_str(), "out_request_no": "R@1", "query_options": ["gmt_refund_pay"]});
    assert_eq!((asked.method, content(&asked)), ("alipay.trade.fastpay.refund.query", expected));
    let bill = Call::bill(NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day"));
    assert_eq!(content(&bill), json!({"bill_type": "trade", "bill_date": "2026-01-01"}));
    for (call, method) in [
        (Call::query(&number), "alipay.trade.query"),
        (Call::close(&number), "alipay.trade.close"),
        (Call::cancel(&number), "alipay.trade.cancel"),
    ] {
        assert_eq!((call.method, content(&call)), (method, json!({"out_trade_no": number.as_str()})));
    }
}

#[test]
fn a_payment_code_goes_into_its_content_and_into_no_debug_text() {
    let intent = intent();
    let code = PaymentCode::scan("287654321098765432").expect("a code");
    let call = Call::pay(&intent.number, &intent.subject, intent.total, &code, "lane-2").expect("a request");
    let expected = json!({"out_trade_no": intent.number.as_str(), "total_amount": "15.05", "subject": "停车费 京A12345",
                          "scene": "bar_code", "auth_code": "287654321098765432", "terminal_id": "lane-2"});
    assert_eq!((call.method, content(&call)), ("alipay.trade.pay", expected));
    let signed = app().sign(&call, now()).expect("signed");
    assert!(!format!("{call:?} {signed:?} {:?}", app()).contains("28765"));
    let other = PaymentCode::scan("134579000000000011").expect("WeChat's");
    assert!(Call::pay(&intent.number, "x", intent.total, &other, "lane-2").is_err());
}

#[test]
fn the_page_is_one_address_with_everything_in_it() {
    let call = Call::wap_pay(&intent(), "https://park.example/p/1").expect("a request");
    let page = app().sign(&call, now()).expect("signed").page("https://openapi.alipay.com/gateway.do");
    assert!(page.starts_with("https://openapi.alipay.com/gateway.do?app_id=2021000000000001&biz_content=%7B"));
    assert!(
        page.contains("&return_url=https%3A%2F%2Fpark.example%2Fp%2F1&sign=") && page.is_ascii() && !page.contains(' ')
    );
}

#[test]
fn what_alipay_would_refuse_is_not_sent() {
    let with = |change: fn(&mut Intent)| {
        let mut changed = intent();
        change(&mut changed);
        Call::precreate(&changed)
    };
    for (at, change) in [
        (|i| i.total = Money::zero(Currency::Cny)) as fn(&mut Intent),
        |i| i.total = Money::new(1, Currency::Hkd),
        |i| i.subject = "a=b".to_owned(),
        |i| i.subject = "a,b".to_owned(),
        |i| i.subject = String::new(),
        |i| i.subject = "费".repeat(257),
        |i| i.notify_url = "park.example".to_owned(),
        |i| i.notify_url = "https://park.example/a b".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(with(change).is_err(), "case {at}");
    }
    assert!(Call::wap_pay(&intent(), "javascript:alert(1)").is_err());
    let key = || SigningKey::from_pem(&bytes("own/alipay_app.pkcs8.pem")).expect("a key");
    assert!(App::new("", "2088000000000001", key()).is_err() && App::new("2021", "2088x", key()).is_err());
}
