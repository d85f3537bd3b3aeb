//! The three texts that Alipay's signatures cover, and what must not verify.

use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::OrderNumber;
use tollhouse_providers::alipay::{
    AboutPayment, AnswerError, Distrust, Expected, Mismatch, Notice, TradeState, notify_string, read_notice,
    request_string, signed_answer, verify_notice,
};
use tollhouse_providers::key::{SigningKey, VerifyingKey};

use crate::vectors::{bytes, parameters, public_key, text, vector};

/// As a browser's form would be encoded, by another hand than ours: everything but letters and digits.
fn form(parameters: &std::collections::BTreeMap<String, String>) -> Vec<u8> {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |encoded, byte| match byte {
            b' ' => encoded + "+",
            byte if byte.is_ascii_alphanumeric() => encoded + &char::from(byte).to_string(),
            byte => encoded + &format!("%{byte:02x}"),
        })
    };
    let pairs: Vec<String> = parameters.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    pairs.join("&").into_bytes()
}

#[test]
fn the_published_notify_verifies_without_sign_and_sign_type_and_no_other_way() {
    let case = vector("published/notify_trade_success.json");
    let key = VerifyingKey::from_pem(text(&case, "alipay_public_key").as_bytes()).expect("a key");
    let published = parameters(&case["params"]);
    assert_eq!(notify_string(&published), text(&case, "canonical"));
    assert_eq!(verify_notice(&published, &key), Ok(()));
    assert!(
        key.verify(request_string(&published).as_bytes(), &published["sign"]).is_err(),
        "with sign_type it is a request"
    );
    for name in published.keys().filter(|name| *name != "sign" && *name != "sign_type") {
        let mut altered = published.clone();
        altered.get_mut(name).expect("there").push('1');
        assert_eq!(verify_notice(&altered, &key), Err(Distrust::WrongSignature), "{name}");
        altered.remove(name);
        assert_eq!(verify_notice(&altered, &key), Err(Distrust::WrongSignature), "{name}");
    }
    let mut more = published.clone();
    more.insert("refund_fee".to_owned(), "0.10".to_owned());
    assert_eq!(verify_notice(&more, &key), Err(Distrust::WrongSignature));
    let notice = read_notice(&form(&published), &key).expect("verified");
    assert_eq!((notice.trade.state, notice.is_about_payment()), (TradeState::Paid, AboutPayment::Yes));
    assert_eq!(notice.trade.total, Money::new(10, Currency::Cny));
    assert_eq!(notice.trade.order.as_str(), "20190815155618536-564-57");
}

#[test]
fn the_published_answer_verifies_over_its_raw_substring() {
    let case = vector("published/sync_response.json");
    let key = VerifyingKey::from_pem(&bytes("published/sync_response_public_key.pem")).expect("a key");
    let answer = signed_answer(text(&case, "raw").as_bytes()).expect("taken apart");
    assert_eq!(answer.content, text(&case, "signed_substring"));
    assert_eq!(answer.sign.as_deref(), Some(text(&case, "sign")));
    assert_eq!((answer.name.as_str(), answer.verify(&key)), ("alipay_open_file_upload_response", Ok(())));
    assert_eq!(answer.verify(&public_key()), Err(Distrust::WrongSignature));
}

#[test]
fn an_answer_that_does_not_survive_being_written_again_verifies() {
    let case = &vector("own/alipay.json")["query"];
    let raw = text(case, "raw");
    let answer = signed_answer(raw.as_bytes()).expect("taken apart");
    assert_eq!(answer.content, text(case, "signed"));
    assert_eq!(answer.verify(&public_key()), Ok(()));
    let again = serde_json::from_str::<serde_json::Value>(answer.content).expect("JSON").to_string();
    assert!(
        public_key().verify(again.as_bytes(), answer.sign.as_deref().expect("signed")).is_err(),
        "this case proves something"
    );
}

#[test]
fn an_answer_of_two_meanings_is_refused() {
    for wrong in [
        r#"{"alipay_trade_query_response":{"code":"10000"},"alipay_trade_query_response":{"code":"40004"},"sign":"a"}"#,
        r#"{"alipay_trade_query_response":{"code":"10000"},"error_response":{"code":"40004"},"sign":"a"}"#,
        r#"{"alipay_trade_query_response":{},"sign":"a","sign":"b"}"#,
        r#"{"alipay_trade_query_response":{},"sign":{}}"#,
        r#"{"sign":"a"}"#,
        r#"["alipay_trade_query_response"]"#,
        r#"{"alipay_trade_query_response":{"a":1}"#,
        "",
    ] {
        assert!(signed_answer(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let unsigned =
        signed_answer(br#"{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}"#).expect("taken apart");
    assert!(
        matches!(unsigned.verify(&public_key()), Err(Distrust::Unsigned(hint)) if hint.contains("isv.invalid-app-id"))
    );
}

#[test]
fn our_own_notify_verifies_after_one_decoding_and_tells_a_refund() {
    let case = &vector("own/alipay.json")["notify"];
    let parameters = parameters(&case["parameters"]);
    assert_eq!(notify_string(&parameters), text(case, "canonical"));
    let notice = read_notice(&form(&parameters), &public_key()).expect("verified");
    assert_eq!(notice.refunded_so_far, Some(Money::new(500, Currency::Cny)));
    assert_eq!(notice.refund_number.as_deref(), Some("LOT101REFUND01"));
    assert_eq!((notice.trade.state, notice.is_about_payment()), (TradeState::Paid, AboutPayment::No));
    assert_eq!(notice.trade.received, Some(Money::new(1400, Currency::Cny)));
    let twice: Vec<u8> = [form(&parameters), b"&total_amount=0.01".to_vec()].concat();
    assert!(matches!(read_notice(&twice, &public_key()), Err(AnswerError::Malformed(_))));
}

#[test]
fn a_notify_is_held_against_seller_order_application_and_amount() {
    let notice = Notice::read(&parameters(&vector("own/alipay.json")["notify"]["parameters"])).expect("read");
    let order = OrderNumber::new("LOT101ARYZ6S41ABCDEFGHJKMNPQ").expect("a number");
    let other = OrderNumber::new("LOT1OTHER").expect("a number");
    let total = Money::new(1500, Currency::Cny);
    let ours = Expected { app_id: "2021000000000001", seller_id: "2088000000000001", order: &order, total };
    assert_eq!(notice.check(&ours), Ok(()));
    for (wrong, found) in [
        (Expected { seller_id: "2088000000000002", ..ours.clone() }, Mismatch::ForeignMerchant),
        (Expected { order: &other, ..ours.clone() }, Mismatch::OtherOrder),
        (Expected { app_id: "2021000000000002", ..ours.clone() }, Mismatch::OtherApplication),
        (Expected { total: Money::new(1400, Currency::Cny), ..ours.clone() }, Mismatch::OtherAmount),
        (Expected { total: Money::new(1500, Currency::Hkd), ..ours.clone() }, Mismatch::OtherAmount),
    ] {
        assert_eq!(notice.check(&wrong), Err(found));
    }
}

#[test]
fn a_notify_without_what_money_needs_is_not_as_agreed() {
    let whole = parameters(&vector("own/alipay.json")["notify"]["parameters"]);
    for name in ["notify_id", "app_id", "seller_id", "trade_no", "out_trade_no", "trade_status", "total_amount"] {
        let mut without = whole.clone();
        without.remove(name);
        assert!(Notice::read(&without).is_err(), "{name}");
    }
    for (name, value) in [
        ("total_amount", "15.001"),
        ("total_amount", "-15.00"),
        ("total_amount", "1e3"),
        ("trade_status", "TRADE_PENDING"),
        ("gmt_payment", "yesterday"),
        ("refund_fee", "x"),
        ("out_trade_no", "a b"),
    ] {
        let mut altered = whole.clone();
        altered.insert(name.to_owned(), value.to_owned());
        assert!(Notice::read(&altered).is_err(), "{name}={value}");
    }
    let mut closed = whole.clone();
    closed.insert("trade_status".to_owned(), "TRADE_CLOSED".to_owned());
    assert_eq!(Notice::read(&closed).map(|notice| notice.trade.state), Ok(TradeState::RefundedInFull));
    closed.remove("gmt_payment");
    assert_eq!(Notice::read(&closed).map(|notice| notice.trade.state), Ok(TradeState::Closed));
}

#[test]
fn a_signature_of_another_kind_or_none_is_told_apart() {
    let mut case = parameters(&vector("own/alipay.json")["notify"]["parameters"]);
    case.insert("sign_type".to_owned(), "RSA".to_owned());
    assert_eq!(verify_notice(&case, &public_key()), Err(Distrust::OtherKind));
    case.remove("sign");
    assert!(matches!(verify_notice(&case, &public_key()), Err(Distrust::Unsigned(_))));
}

#[test]
fn keys_are_read_as_alipays_tool_writes_them_and_sign_as_an_independent_library_does() {
    let case = vector("own/alipay.json");
    for name in ["bare_pkcs8", "bare_pkcs1"] {
        let key = SigningKey::from_pem(text(&case, name).as_bytes()).expect("a key");
        let signature = key.sign(text(&case["request"], "canonical").as_bytes()).expect("signed");
        assert_eq!(signature, text(&case["request"], "signature"), "{name}");
    }
}
