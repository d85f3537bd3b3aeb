//! Callbacks of our own making: a 32-byte key, a change of keys, probes, headers that are not as agreed.

use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::OrderNumber;
use tollhouse_providers::wechat::{
    ApiV3Key, CallbackError, CouponKind, Distrust, Event, Expected, Mismatch, RefundState, SealError, TransactionState,
    Trust, platform_certificates, read_callback,
};

use crate::vectors::{api_key, certificate, headers, now, pairs, text, trust, vector};

fn taken(name: &str) -> Result<Event, CallbackError> {
    let case = &vector("own/wechat.json")[name];
    let read = read_callback(pairs(&headers(case)), text(case, "body").as_bytes(), now(), &trust(), &api_key());
    read.map(|callback| callback.event)
}

fn with_header(change: impl Fn(&mut Vec<(String, String)>)) -> Result<(), CallbackError> {
    let case = &vector("own/wechat.json")["paid_by_new"];
    let mut headers = headers(case);
    change(&mut headers);
    read_callback(pairs(&headers), text(case, "body").as_bytes(), now(), &trust(), &api_key()).map(|_| ())
}

fn set(headers: &mut [(String, String)], name: &str, value: &str) {
    value.clone_into(&mut headers.iter_mut().find(|(known, _)| known == name).expect("a header").1);
}

const fn fen(fen: i64) -> Money {
    Money::new(fen, Currency::Cny)
}

#[test]
fn a_payment_is_read_whichever_of_the_trusted_keys_signed_it() {
    for name in ["paid_by_old", "paid_by_new", "paid_by_public_key"] {
        let Ok(Event::Transaction(transaction)) = taken(name) else { panic!("{name}: {:?}", taken(name)) };
        let order = OrderNumber::new("LOT101ARYZ6S41ABCDEFGHJKMNPQ").expect("a number");
        let TransactionState::Paid(payment) = &transaction.state else { panic!("{name} is paid") };
        assert_eq!(payment.transaction_id, "1217752501201407033233368018");
        assert_eq!((payment.total, payment.payer_total), (fen(1500), Some(fen(1200))));
        assert_eq!(payment.paid_at.timestamp(), now().timestamp() - 2);
        assert_eq!(
            payment.coupons.iter().map(|c| c.kind).collect::<Vec<_>>(),
            [CouponKind::NotSettled, CouponKind::Settled]
        );
        assert_eq!(payment.settled(), fen(1300), "our own coupon of 2.00 is never settled to us, the prepaid one is");
        let ours = Expected { appid: "wxd678efh567hg6787", mchid: "1230000109", order: &order, total: fen(1500) };
        assert_eq!(transaction.check(&ours), Ok(()));
        for (other, found) in [
            (Expected { mchid: "1900000109", ..ours.clone() }, Mismatch::ForeignMerchant),
            (Expected { appid: "wx0", ..ours.clone() }, Mismatch::OtherApplication),
            (Expected { total: fen(1200), ..ours.clone() }, Mismatch::OtherAmount),
            (Expected { total: Money::new(1500, Currency::Hkd), ..ours.clone() }, Mismatch::OtherCurrency),
            (
                Expected { order: &OrderNumber::new("LOT1OTHER").expect("a number"), ..ours.clone() },
                Mismatch::OtherOrder,
            ),
        ] {
            assert_eq!(transaction.check(&other), Err(found));
        }
    }
}

#[test]
fn a_refund_that_is_stuck_is_told_with_its_merchant() {
    let Ok(Event::Refund(notice)) = taken("refund_by_public_key") else { panic!("a refund") };
    assert_eq!((notice.mchid.as_str(), notice.report.state), ("1230000109", RefundState::Abnormal));
    assert_eq!((notice.report.amount.refund, notice.report.amount.payer_refund), (fen(700), Some(fen(500))));
    assert_eq!((notice.report.number.as_str(), notice.report.done_at), ("LOT101ARYZ6S41REFUND", None));
}

#[test]
fn what_another_key_signed_is_refused_under_any_serial() {
    assert_eq!(taken("wrong_signer"), Err(CallbackError::Distrust(Distrust::WrongSignature)));
    for serial in ["0A5F64AAB1", "PUB_KEY_ID_0112345678902025010100001111"] {
        let fault = with_header(|headers| set(headers, "Wechatpay-Serial", serial)).expect_err("refused");
        assert_eq!(fault, CallbackError::Distrust(Distrust::WrongSignature), "{serial}");
    }
}

#[test]
fn an_unknown_serial_a_probe_and_a_strange_header_are_each_told_apart_and_answered_401() {
    type Change = fn(&mut Vec<(String, String)>);
    let cases: [(Change, Distrust); 9] = [
        (|h| set(h, "Wechatpay-Serial", "PUB_KEY_ID_0000"), Distrust::UnknownSerial("PUB_KEY_ID_0000".to_owned())),
        (|h| set(h, "Wechatpay-Serial", "77"), Distrust::UnknownSerial("77".to_owned())),
        (|h| set(h, "Wechatpay-Signature", "WECHATPAY/SIGNTEST/eS5hbmQgc28gb24="), Distrust::Probe),
        (|h| set(h, "Wechatpay-Timestamp", "-5"), Distrust::Header("Wechatpay-Timestamp", "is no number of seconds")),
        (
            |h| set(h, "Wechatpay-Timestamp", "99999999999999999999"),
            Distrust::Header("Wechatpay-Timestamp", "is no number of seconds"),
        ),
        (|h| set(h, "Wechatpay-Nonce", ""), Distrust::Header("Wechatpay-Nonce", "is empty, too long or not printable")),
        (
            |h| set(h, "Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3"),
            Distrust::Header("Wechatpay-Signature-Type", "names a signature that we do not know"),
        ),
        (
            |h| h.retain(|(name, _)| name != "Wechatpay-Signature"),
            Distrust::Header("Wechatpay-Signature", "is missing"),
        ),
        (
            |h| h.push(("WECHATPAY-SERIAL".to_owned(), "0A5F64AAB1".to_owned())),
            Distrust::Header("Wechatpay-Serial", "stands twice"),
        ),
    ];
    for (change, distrust) in cases {
        let fault = with_header(change).expect_err("refused");
        assert_eq!(fault.status(), 401);
        assert_eq!(fault, CallbackError::Distrust(distrust));
    }
}

#[test]
fn headers_are_found_by_any_case_and_the_signature_type_may_be_absent() {
    assert_eq!(with_header(|h| h.retain(|(name, _)| name != "Wechatpay-Signature-Type")), Ok(()));
    assert_eq!(with_header(|h| h.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase())), Ok(()));
    assert_eq!(with_header(|h| set(h, "Wechatpay-Serial", "5157f09efdc096de15ebe81a47057a7232f1b8e1")), Ok(()));
}

#[test]
fn a_serial_is_a_number_and_its_leading_zero_does_not_matter() {
    assert_eq!(certificate("old").serial(), "A5F64AAB1");
    let mut trust = trust();
    trust.remove("0A5F64AAB1");
    assert_eq!(trust.serials().count(), 2, "taken away under the other way of writing");
}

#[test]
fn after_the_change_the_old_certificate_is_believed_no_longer() {
    let mut trust = trust();
    trust.remove(certificate("old").serial());
    let case = &vector("own/wechat.json")["paid_by_old"];
    let read = read_callback(pairs(&headers(case)), text(case, "body").as_bytes(), now(), &trust, &api_key());
    assert_eq!(read, Err(CallbackError::Distrust(Distrust::UnknownSerial("0A5F64AAB1".to_owned()))));
}

#[test]
fn another_apiv3_key_opens_nothing() {
    let case = &vector("own/wechat.json")["paid_by_new"];
    let key = ApiV3Key::new(&[b'x'; 32]).expect("32 bytes");
    let read = read_callback(pairs(&headers(case)), text(case, "body").as_bytes(), now(), &trust(), &key);
    assert_eq!(read, Err(CallbackError::Seal(SealError::Broken)));
    assert_eq!(format!("{key:?}"), "ApiV3Key(not shown)");
    let with_line_end = ApiV3Key::new(b"0123456789abcdefghijklmnopqrstuv\r\n").expect("a line end is cut");
    assert!(
        read_callback(pairs(&headers(case)), text(case, "body").as_bytes(), now(), &trust(), &with_line_end).is_ok()
    );
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_is_read() {
    let case = &vector("own/wechat.json")["paid_by_new"];
    let read = read_callback(pairs(&headers(case)), &vec![b' '; 70_000], now(), &trust(), &api_key());
    assert_eq!(read.expect_err("refused").status(), 413);
}

#[test]
fn the_sealed_list_of_certificates_opens_and_a_certificate_under_a_foreign_serial_is_refused() {
    let case = vector("own/wechat.json");
    let list = text(&case, "certificate_list");
    let found = platform_certificates(list.as_bytes(), &api_key()).expect("certificates");
    assert_eq!(found, [certificate("old"), certificate("new")]);
    assert!(platform_certificates(list.replace("0A5F64AAB1", "0A5F64AAB2").as_bytes(), &api_key()).is_err());
    let other = ApiV3Key::new(&[b'x'; 32]).expect("32 bytes");
    assert!(platform_certificates(list.as_bytes(), &other).is_err());
}

#[test]
fn trust_is_bounded_and_takes_no_strange_ids() {
    let mut trust = Trust::new();
    let key = || certificate("new").key().clone();
    for id in ["", "PUB_KEY_ID_", "PUB_KEY_ID_1 2", "0A5F64AAB1", &format!("PUB_KEY_ID_{}", "1".repeat(64))] {
        assert!(trust.add_public_key(id, key()).is_err(), "{id}");
    }
    for number in 0..16 {
        trust.add_public_key(&format!("PUB_KEY_ID_{number}"), key()).expect("room");
    }
    assert!(trust.add_public_key("PUB_KEY_ID_16", key()).is_err());
    assert!(trust.add_public_key("PUB_KEY_ID_15", key()).is_ok(), "one that is there may be exchanged");
}
