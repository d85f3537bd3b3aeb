//! Answers: every state, what each refusal asks for, and what is not as agreed.

use serde_json::{Value, json};
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::Malformed;
use tollhouse_providers::wechat::{
    BillLocation, Prepared, RefundState, Refusal, TransactionState, bill_location, check_success, prepared,
    refund_report, transaction,
};

fn unpaid(state: &str) -> Value {
    json!({"appid": "wx1", "mchid": "1230000109", "out_trade_no": "LOT1000001", "trade_state": state, "trade_state_desc": "x"})
}

fn paid(state: &str) -> Value {
    let mut answer = unpaid(state);
    answer["transaction_id"] = json!("4200000001");
    answer["success_time"] = json!("2026-01-01T08:00:00+08:00");
    answer["amount"] = json!({"total": 100, "payer_total": 100, "currency": "CNY", "payer_currency": "CNY"});
    answer
}

fn state(answer: &Value) -> Result<TransactionState, Malformed> {
    transaction(answer.to_string().as_bytes()).map(|transaction| transaction.state)
}

#[test]
fn every_state_of_a_transaction_is_told() {
    for (word, expected) in [
        ("NOTPAY", TransactionState::NotPaid),
        ("CLOSED", TransactionState::Closed),
        ("REVOKED", TransactionState::Revoked),
        ("USERPAYING", TransactionState::UserPaying),
        ("PAYERROR", TransactionState::PayError),
    ] {
        assert_eq!(state(&unpaid(word)), Ok(expected));
    }
    assert!(matches!(state(&paid("SUCCESS")), Ok(TransactionState::Paid(payment)) if payment.total.minor() == 100));
    assert!(matches!(state(&paid("REFUND")), Ok(TransactionState::Refunded(payment)) if payment.total.minor() == 100));
    assert!(state(&unpaid("ACCEPT")).is_err(), "a state that we do not know is unknown, not unpaid");
}

#[test]
fn a_payment_without_what_money_needs_is_not_as_agreed() {
    for (key, value) in [
        ("transaction_id", Value::Null),
        ("transaction_id", json!("")),
        ("amount", Value::Null),
        ("success_time", Value::Null),
        ("success_time", json!("yesterday")),
        ("mchid", Value::Null),
        ("out_trade_no", json!("x")),
        ("amount", json!({"currency": "CNY"})),
        ("amount", json!({"total": -1})),
        ("amount", json!({"total": 1.5})),
        ("amount", json!({"total": "100"})),
        ("amount", json!({"total": 100, "currency": "RMB"})),
        ("amount", json!({"total": i64::MAX})),
        ("promotion_detail", json!([{"type": "NOCASH", "amount": 101}])),
        ("promotion_detail", json!([{"type": "GIFT", "amount": 1}])),
        ("transaction_id", json!("x".repeat(600))),
    ] {
        let mut answer = paid("SUCCESS");
        answer[key] = value.clone();
        assert!(state(&answer).is_err(), "{key} {value}");
    }
    assert!(transaction(b"").is_err() && transaction(b"[]").is_err() && transaction(&vec![b'['; 100_000]).is_err());
    let mut answer = paid("SUCCESS");
    answer["amount"] = json!({"total": 100});
    assert!(state(&answer).is_ok(), "no currency means CNY");
}

#[test]
fn every_state_of_a_refund_is_told_and_success_of_the_call_is_not_one() {
    let answer = |status: &str| {
        json!({
            "refund_id": "50000000382019052709732678859", "out_refund_no": "LOT1R1", "transaction_id": "4200000001",
            "out_trade_no": "LOT1000001", "channel": "ORIGINAL", "user_received_account": "支付用户零钱", "status": status,
            "success_time": "2026-01-01T09:00:00+08:00", "create_time": "2026-01-01T08:00:00+08:00",
            "amount": {"total": 100, "refund": 60, "payer_total": 90, "payer_refund": 50, "settlement_refund": 60,
                       "settlement_total": 100, "discount_refund": 10, "currency": "CNY"},
        })
    };
    for (word, expected) in [
        ("SUCCESS", RefundState::Done),
        ("PROCESSING", RefundState::Accepted),
        ("CLOSED", RefundState::Closed),
        ("ABNORMAL", RefundState::Abnormal),
    ] {
        let report = refund_report(answer(word).to_string().as_bytes()).expect("a refund");
        assert_eq!((report.state, report.amount.refund), (expected, Money::new(60, Currency::Cny)));
        assert_eq!(report.amount.settlement_refund, Some(Money::new(60, Currency::Cny)));
    }
    assert!(refund_report(answer("OK").to_string().as_bytes()).is_err());
    let mut more = answer("SUCCESS");
    more["amount"]["refund"] = json!(101);
    assert!(refund_report(more.to_string().as_bytes()).is_err());
}

#[test]
fn a_refusal_says_what_to_do_and_what_is_not_listed_is_unknown() {
    for (status, code, expected) in [
        (404, "ORDER_NOT_EXIST", Refusal::NoSuchOrder),
        (400, "ORDER_CLOSED", Refusal::Closed),
        (400, "ORDERPAID", Refusal::AlreadyPaid),
        (403, "OUT_TRADE_NO_USED", Refusal::NumberUsed),
        (400, "USERPAYING", Refusal::UserPaying),
        (404, "RESOURCE_NOT_EXISTS", Refusal::NoSuchRefund),
        (403, "NOT_ENOUGH", Refusal::BalanceTooLow),
        (400, "NO_STATEMENT_EXIST", Refusal::NoStatement),
        (400, "STATEMENT_CREATING", Refusal::StatementNotReady),
        (400, "AUTH_CODE_EXPIRED", Refusal::PaymentCodeSpent),
        (429, "FREQUENCY_LIMITED", Refusal::TooOften),
        (401, "SIGN_ERROR", Refusal::Ours),
        (500, "SYSTEM_ERROR", Refusal::Unknown),
        (502, "SIGN_ERROR", Refusal::Unknown),
        (500, "ORDER_NOT_EXIST", Refusal::Unknown),
        (400, "SOMETHING_NEW", Refusal::Unknown),
    ] {
        let body = json!({"code": code, "message": "话", "detail": {"location": "authorization"}}).to_string();
        let refused = check_success(status, body.as_bytes()).expect_err("refused");
        assert_eq!((refused.refusal, refused.code.as_str(), refused.message.as_str()), (expected, code, "话"));
    }
    let gateway = check_success(502, b"<html>Bad Gateway</html>").expect_err("refused");
    assert_eq!((gateway.refusal, gateway.code.as_str()), (Refusal::Unknown, ""));
    assert!(check_success(200, b"{}").is_ok() && check_success(204, b"").is_ok() && check_success(302, b"").is_err());
}

#[test]
fn a_made_order_is_paid_in_exactly_one_way() {
    let read = |answer: &str| prepared(answer.as_bytes());
    assert_eq!(
        read(r#"{"code_url":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}"#),
        Ok(Prepared::Native("weixin://wxpay/bizpayurl?pr=p4lpSuKzz".to_owned()))
    );
    let h5 = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016121516420242444321ca0631331346&package=1405458241";
    assert_eq!(read(&json!({"h5_url": h5}).to_string()), Ok(Prepared::H5(h5.to_owned())));
    assert_eq!(
        read(r#"{"prepay_id":"wx26112221580621e9b071c00d9e093b0000"}"#),
        Ok(Prepared::Jsapi("wx26112221580621e9b071c00d9e093b0000".to_owned()))
    );
    for wrong in [
        "{}",
        r#"{"code_url":""}"#,
        r#"{"code_url":"javascript:x"}"#,
        r#"{"h5_url":"weixin://x"}"#,
        r#"{"code_url":"weixin://a","prepay_id":"wx1"}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_statement_s_place_comes_with_its_hash() {
    let sha1 = "79bb0f45fc4c42234a918000b2668d689e2bde04";
    let answer = |kind: &str, sha1: &str| {
        json!({"hash_type": kind, "hash_value": sha1, "download_url": "https://x.example/1"}).to_string()
    };
    let expected = BillLocation { sha1: sha1.to_owned(), download_url: "https://x.example/1".to_owned() };
    assert_eq!(bill_location(answer("SHA1", &sha1.to_uppercase()).as_bytes()), Ok(expected));
    for wrong in [answer("MD5", sha1), answer("SHA1", "79bb"), answer("SHA1", &"z".repeat(40)), "{}".to_owned()] {
        assert!(bill_location(wrong.as_bytes()).is_err(), "{wrong}");
    }
}
