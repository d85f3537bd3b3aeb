//! What we send: signatures that Python makes too, bodies by the documents' examples, and what we refuse to send.

use chrono::NaiveDate;
use serde_json::{Value, json};
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::key::{KeyError, SigningKey, VerifyingKey};
use tollhouse_providers::wechat::{Call, H5Scene, Intent, Merchant, Method, Nonce, RefundIntent, Requests};
use tollhouse_providers::{OrderNumber, PaymentCode, RefundNumber};

use crate::vectors::{bytes, merchant, now, signing_key, text, vector};

fn intent() -> Intent {
    Intent {
        number: OrderNumber::new("LOT1|*6S41").expect("a number"),
        description: "停车费 京A12345".to_owned(),
        total: Money::new(1500, Currency::Cny),
        expires_at: now(),
        notify_url: "https://park.example/notify/wechat".to_owned(),
    }
}

fn refund() -> RefundIntent {
    RefundIntent {
        order: intent().number,
        number: RefundNumber::new("R@1").expect("a number"),
        refund: Money::new(700, Currency::Cny),
        total: Money::new(1500, Currency::Cny),
        reason: String::new(),
        notify_url: None,
    }
}

fn body(call: &Call) -> Value {
    serde_json::from_str(&call.body).expect("JSON")
}

#[test]
fn our_signatures_are_those_of_an_independent_library_from_either_form_of_the_key() {
    let case = vector("own/wechat.json");
    for name in ["own/merchant.pkcs8.pem", "own/merchant.pkcs1.pem"] {
        let key = SigningKey::from_pem(&bytes(name)).expect("a key");
        for part in ["request", "bridge"] {
            let signature = key.sign(text(&case[part], "message").as_bytes()).expect("signed");
            assert_eq!(signature, text(&case[part], "signature"), "{name} {part}");
            assert!(key.verifying_key().verify(text(&case[part], "message").as_bytes(), &signature).is_ok());
        }
    }
}

#[test]
fn the_authorization_header_holds_the_five_fields_and_covers_target_and_body() {
    let case = &vector("own/wechat.json")["request"];
    let call = Call {
        method: Method::Post,
        target: "/v3/pay/transactions/native".to_owned(),
        body: text(case, "body").to_owned(),
    };
    let nonce = Nonce::new("593BEC0C930BF1AFEB40B4A08C8FB242").expect("a nonce");
    let header = merchant().authorization(&call, now(), &nonce).expect("signed");
    let fields = header.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").expect("the scheme");
    let mut fields: Vec<(&str, &str)> = fields
        .split(',')
        .map(|field| field.split_once('=').expect("name=value"))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            ("mchid", "1230000109"),
            ("nonce_str", "593BEC0C930BF1AFEB40B4A08C8FB242"),
            ("serial_no", "3775B6A45ACD588826D15E583A95F5DD"),
            ("signature", text(case, "signature")),
            ("timestamp", "1767225600"),
        ]
    );
}

#[test]
fn the_page_inside_wechat_gets_its_call_signed() {
    let case = &vector("own/wechat.json")["bridge"];
    let nonce = Nonce::new("593BEC0C930BF1AFEB40B4A08C8FB242").expect("a nonce");
    let call = merchant().bridge_call("wx201410272009395522657a690389285100", now(), &nonce).expect("signed");
    let expected = json!({
        "appId": "wxd678efh567hg6787", "timeStamp": "1767225600", "nonceStr": "593BEC0C930BF1AFEB40B4A08C8FB242",
        "package": "prepay_id=wx201410272009395522657a690389285100", "signType": "RSA", "paySign": text(case, "signature"),
    });
    assert_eq!(serde_json::to_value(&call).expect("JSON"), expected);
    assert!(merchant().bridge_call("wx\nforged", now(), &nonce).is_err());
}

#[test]
fn each_way_to_pay_has_its_body_with_amounts_in_fen_and_beijings_time() {
    let (merchant, intent) = (merchant(), intent());
    let requests = Requests(&merchant);
    let shared = json!({
        "appid": "wxd678efh567hg6787", "mchid": "1230000109", "description": "停车费 京A12345", "out_trade_no": "LOT1|*6S41",
        "time_expire": "2026-01-01T08:00:00+08:00", "notify_url": "https://park.example/notify/wechat",
        "amount": {"total": 1500, "currency": "CNY"},
    });
    let with = |key: &str, value: Value| {
        let mut whole = shared.clone();
        whole[key] = value;
        whole
    };
    let native = requests.native(&intent).expect("a request");
    assert_eq!((native.method, native.target.as_str()), (Method::Post, "/v3/pay/transactions/native"));
    assert_eq!(body(&native), shared);
    let scene = H5Scene { payer_ip: "203.0.113.9".parse().expect("an address") };
    let h5 = requests.h5(&intent, &scene).expect("a request");
    assert_eq!(h5.target, "/v3/pay/transactions/h5");
    assert_eq!(body(&h5), with("scene_info", json!({"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}})));
    let jsapi = requests.jsapi(&intent, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").expect("a request");
    assert_eq!(jsapi.target, "/v3/pay/transactions/jsapi");
    assert_eq!(body(&jsapi), with("payer", json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"})));
    assert_eq!(native, requests.native(&intent).expect("a request"), "the same intent gives the same bytes");
}

#[test]
fn a_payment_code_goes_into_its_body_and_into_no_debug_text() {
    let (merchant, intent) = (merchant(), intent());
    let code = PaymentCode::scan("130061098828009406").expect("a code");
    let call = Requests(&merchant)
        .codepay(&intent.number, &intent.description, intent.total, &code, "lane-2")
        .expect("a request");
    assert_eq!(
        (call.target.as_str(), body(&call)),
        (
            "/v3/pay/transactions/codepay",
            json!({
                "appid": "wxd678efh567hg6787", "mchid": "1230000109", "description": "停车费 京A12345", "out_trade_no": "LOT1|*6S41",
                "amount": {"total": 1500, "currency": "CNY"}, "payer": {"auth_code": "130061098828009406"},
                "scene_info": {"store_info": {"out_id": "lane-2"}},
            })
        )
    );
    assert!(!format!("{call:?} {code:?}").contains("8009406"));
    let other = PaymentCode::scan("287654321098765432").expect("Alipay's");
    assert!(Requests(&merchant).codepay(&intent.number, "x", intent.total, &other, "lane-2").is_err());
}

#[test]
fn numbers_in_a_target_are_encoded_so_that_what_is_signed_is_what_is_sent() {
    let merchant = merchant();
    let (requests, number) = (Requests(&merchant), intent().number);
    let target = |call: Call| (call.method, call.target, call.body);
    let path = "/v3/pay/transactions/out-trade-no/LOT1%7C%2A6S41";
    assert_eq!(target(requests.query(&number)), (Method::Get, format!("{path}?mchid=1230000109"), String::new()));
    let close = r#"{"mchid":"1230000109"}"#.to_owned();
    assert_eq!(target(requests.close(&number)), (Method::Post, format!("{path}/close"), close));
    let reverse = r#"{"appid":"wxd678efh567hg6787","mchid":"1230000109"}"#.to_owned();
    assert_eq!(target(requests.reverse(&number)), (Method::Post, format!("{path}/reverse"), reverse));
    let refund = requests.query_refund(&refund().number);
    assert_eq!(target(refund), (Method::Get, "/v3/refund/domestic/refunds/R%401".to_owned(), String::new()));
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    assert_eq!(requests.trade_bill(day).target, "/v3/bill/tradebill?bill_date=2026-01-01&bill_type=ALL&tar_type=GZIP");
    assert_eq!(requests.certificates().target, "/v3/certificates");
}

#[test]
fn a_refund_says_what_goes_back_and_of_how_much() {
    let merchant = merchant();
    let requests = Requests(&merchant);
    let call = requests.refund(&refund()).expect("a request");
    let amount = json!({"refund": 700, "total": 1500, "currency": "CNY"});
    let plain = json!({"out_trade_no": "LOT1|*6S41", "out_refund_no": "R@1", "amount": amount});
    assert_eq!((call.target.as_str(), body(&call)), ("/v3/refund/domestic/refunds", plain));
    let more = RefundIntent { refund: Money::new(1501, Currency::Cny), ..refund() };
    assert!(requests.refund(&more).is_err());
    assert!(requests.refund(&RefundIntent { reason: "长".repeat(81), ..refund() }).is_err());
    assert!(requests.refund(&RefundIntent { reason: "多付退回".to_owned(), ..refund() }).is_ok());
}

#[test]
fn what_wechat_pay_would_refuse_is_not_sent() {
    let merchant = merchant();
    let requests = Requests(&merchant);
    let with = |change: fn(&mut Intent)| {
        let mut changed = intent();
        change(&mut changed);
        requests.native(&changed)
    };
    for (at, change) in [
        (|i| i.total = Money::zero(Currency::Cny)) as fn(&mut Intent),
        |i| i.total = Money::new(-1, Currency::Cny),
        |i| i.total = Money::new(1500, Currency::Hkd),
        |i| i.total = Money::new(i64::MAX, Currency::Cny),
        |i| i.description = String::new(),
        |i| i.description = "费".repeat(128),
        |i| i.description = "a\nb".to_owned(),
        |i| i.notify_url = "https://park.example/notify?box=1".to_owned(),
        |i| i.notify_url = "park.example".to_owned(),
        |i| i.notify_url = format!("https://park.example/{}", "x".repeat(255)),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(with(change).is_err(), "case {at}");
    }
    assert!(with(|i| i.description = "费".repeat(127)).is_ok());
    assert!(requests.jsapi(&intent(), "").is_err() && requests.jsapi(&intent(), "a b").is_err());
    assert!(
        Merchant::new("wx", "12 3", "AB", signing_key()).is_err()
            && Merchant::new("wx", "1", "A\"B", signing_key()).is_err()
    );
    assert!(Nonce::new("").is_err() && Nonce::new("a\nb").is_err() && Nonce::new(&"a".repeat(33)).is_err());
    assert_eq!(Nonce::from_randomness([0xAB; 16]).as_str(), "ab".repeat(16));
}

#[test]
fn a_statement_is_downloaded_from_the_gateway_alone() {
    let merchant = merchant();
    let download = |address| Requests(&merchant).download("https://api.mch.weixin.qq.com", address);
    let call = download("https://api.mch.weixin.qq.com/v3/billdownload/file?token=6XIv5TUPto7pByrTQKhd&tartype=gzip")
        .expect("a request");
    assert_eq!(call.target, "/v3/billdownload/file?token=6XIv5TUPto7pByrTQKhd&tartype=gzip");
    for wrong in [
        "https://evil.example/v3/billdownload/file?token=1",
        "https://api.mch.weixin.qq.com.evil.example/v3/billdownload",
        "https://api.mch.weixin.qq.com@evil.example/",
        "http://api.mch.weixin.qq.com/v3/billdownload",
        "https://api.mch.weixin.qq.com",
        "https://api.mch.weixin.qq.com/v3/a b",
        "https://api.mch.weixin.qq.com/v3/a\r\nHost: x",
        "",
    ] {
        assert!(download(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_in_words_that_hold_nothing_of_it() {
    let pem = String::from_utf8(bytes("own/merchant.pkcs8.pem")).expect("text");
    let secret = pem.lines().nth(5).expect("a line of the key").to_owned();
    let broken = pem.replacen(&secret, &secret[4..], 1);
    for wrong in [broken.as_str(), "", "hello", "-----BEGIN PRIVATE KEY-----", &pem[..400], &"A".repeat(70_000)] {
        let fault = SigningKey::from_pem(wrong.as_bytes()).expect_err("no key");
        assert!(!fault.to_string().contains(&secret[4..20]), "{fault}");
    }
    let public = bytes("own/platform_public.pem");
    assert!(matches!(SigningKey::from_pem(&public), Err(KeyError::OtherKind { .. })));
    assert!(matches!(VerifyingKey::from_pem(pem.as_bytes()), Err(KeyError::OtherKind { .. })));
    assert_eq!(
        VerifyingKey::from_pem(&public).expect("a key"),
        VerifyingKey::from_pem(&bytes("own/platform_public.pkcs1.pem")).expect("the same key")
    );
    let shown = format!("{:?} {:?} {:?}", signing_key(), merchant(), VerifyingKey::from_pem(&public));
    assert!(shown.contains("SigningKey(not shown)") && shown.len() < 300, "{shown}");
}
