//! What a driver's phone is told (contracts.md, 'What a driver's phone needs').

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::json;

use super::*;

fn order_of(bill: BillId) -> TestRequest {
    let path = format!("/api/v1/pay/bills/{bill}/orders");
    TestRequest::post().uri(&path).set_json(json!({"provider": "sandbox"}))
}

#[actix_web::test]
async fn the_car_at_a_lane_is_told_in_the_shape_of_the_contract() {
    let site = a_box();
    let got = site.get("/api/v1/pay/lanes/out-1?lang=en").await;
    assert_eq!(got.status, 200);
    assert_eq!(
        got.json(),
        json!({
            "bill_id": bill().to_string(),
            "plate": "粤C12345",
            "entered_at": "2026-03-01T09:50:00.000+08:00",
            "exited_at": "2026-03-01T12:00:00.000+08:00",
            "total": "15.00",
            "paid": "0.00",
            "amount": "15.00",
            "currency": "CNY",
            "lines": [{"text": "3 hours × 5.00 <b>", "amount": "15.00"}],
            "state": "due",
        })
    );
    assert_eq!(got.header("cache-control"), "no-store");
    assert_eq!(got.header("referrer-policy"), "no-referrer");
    assert_eq!(site.asked(), [r#"AskLane { lane_code: "out-1" }"#]);
}

#[actix_web::test]
async fn lines_come_in_the_language_that_was_asked_for() {
    let site = a_box();
    for (path, accept, text) in [
        ("/api/v1/pay/lanes/out-1", "en", "3 hours × 5.00 <b>"),
        ("/api/v1/pay/lanes/out-1", "zh-CN", "3 小时 × 5.00 <b>"),
        ("/api/v1/pay/lanes/out-1?lang=zh", "en", "3 小时 × 5.00 <b>"),
    ] {
        let got = site.send(TestRequest::with_uri(path).insert_header(("Accept-Language", accept))).await;
        assert_eq!(got.json()["lines"][0]["text"], text);
    }
}

#[actix_web::test]
async fn a_car_inside_that_has_paid_is_told_by_when_to_leave() {
    let site = a_box();
    let view = PayView {
        exited_at: None,
        paid: yuan(1_500),
        amount: yuan(0),
        state: PayState::Paid,
        leave_by: Some(noon() + TimeDelta::minutes(15)),
        ..due()
    };
    site.payment.send(Answer(Ok(view))).await.expect("the fake answers");
    // 粤C12345, as browsers write it
    let got = site.get("/api/v1/pay/plates/%E7%B2%A4C12345?token=demo").await.json();
    assert_eq!((&got["state"], &got["exited_at"]), (&json!("paid"), &json!(null)));
    assert_eq!((&got["paid"], &got["amount"]), (&json!("15.00"), &json!("0.00")));
    assert_eq!(got["leave_by"], "2026-03-01T12:15:00.000+08:00");
    assert_eq!(site.asked(), [r#"AskPlate { plate: Plate("粤C12345"), token: "demo" }"#]);
}

#[actix_web::test]
async fn an_unknown_car_has_no_bill_and_nothing_due() {
    let site = a_box();
    let nothing = PayView {
        bill: None,
        entered_at: None,
        exited_at: None,
        total: yuan(0),
        amount: yuan(0),
        lines: vec![],
        state: PayState::NothingDue,
        ..due()
    };
    site.payment.send(Answer(Ok(nothing))).await.expect("the fake answers");
    let got = site.get("/api/v1/pay/plates/%E7%B2%A4C12345?token=demo").await.json();
    assert_eq!(
        (&got["bill_id"], &got["entered_at"], &got["state"]),
        (&json!(null), &json!(null), &json!("nothing_due"))
    );
}

#[actix_web::test]
async fn an_order_says_how_to_pay_and_carries_the_callers_key() {
    let site = a_box();
    let got = site.send(order_of(bill()).insert_header(("Idempotency-Key", "abc-1"))).await;
    assert_eq!(got.status, 201);
    assert_eq!(
        got.json(),
        json!({
            "order_id": order().to_string(),
            "expires_at": "2026-03-01T12:05:00.000+08:00",
            "amount": "15.00",
            "currency": "CNY",
            "action": {"kind": "redirect", "url": format!("/sandbox/orders/{}", order())},
        })
    );
    assert_eq!(got.header("location"), format!("/api/v1/pay/orders/{}", order()));
    let asked = format!(
        r#"MakeOrder {{ bill: {:?}, provider: "sandbox", way: None, browser: Desk, payer_code: None, address: Some(192.0.2.1), back: "/pay/bills/{}", instead_of: None, idempotency_key: Some("abc-1") }}"#,
        bill(),
        bill()
    );
    assert_eq!(site.asked(), [asked]);
}

#[actix_web::test]
async fn a_sandbox_order_is_paid_once_and_refused_the_second_time() {
    let site = a_box();
    let order_path = format!("/api/v1/pay/orders/{}", order());
    let pay_path = format!("/sandbox/orders/{}/pay", order());
    assert_eq!(site.get(&order_path).await.json(), json!({"state": "pending"}));
    let first = site.send(TestRequest::post().uri(&pay_path)).await;
    assert_eq!((first.status, first.json()), (200, json!({"state": "paid"})));
    assert_eq!(site.get(&order_path).await.json(), json!({"state": "paid"}));
    let second = site.send(TestRequest::post().uri(&pay_path)).await;
    assert_eq!((second.status, second.problem(&pay_path).as_str()), (409, "not-payable"));
}

#[actix_web::test]
async fn the_sandbox_is_not_there_while_it_is_off() {
    let site = box_with(Sandbox::Off, LivePage::Open);
    let path = format!("/sandbox/orders/{}", order());
    assert_eq!(site.get(&path).await.status, 404);
    assert_eq!(site.send(TestRequest::post().uri(&format!("{path}/pay"))).await.status, 404);
    assert_eq!(site.asked(), Vec::<String>::new());
    assert!(!site.get("/pay/lanes/out-1").await.body.contains("data-provider=\"sandbox\""));
}

const WECHATS: &str = "Mozilla/5.0 (iPhone) Mobile/15E148 MicroMessenger/8.0.49";
const A_PHONE: &str = "Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Safari/537.36";

#[actix_web::test]
async fn the_page_offers_what_its_browser_can_pay_and_no_button_of_a_provider_that_is_away() {
    let site = box_with(Sandbox::Off, LivePage::Off);
    for (agent, has, has_not) in [
        (WECHATS, "data-provider=\"wechat\" data-way=\"jsapi\"", "Alipay"),
        (A_PHONE, "data-provider=\"wechat\" data-way=\"h5\"", "data-provider=\"alipay\""),
        (A_PHONE, "Alipay cannot be reached at present", "data-way=\"wap\""),
        ("curl/8", "The attendant takes cash", "data-provider="),
    ] {
        let request = TestRequest::with_uri("/pay/lanes/out-1?lang=en").insert_header(("User-Agent", agent));
        let page = site.send(request).await.body;
        assert!(page.contains(has) && !page.contains(has_not), "{agent}: {page}");
    }
}

#[actix_web::test]
async fn providers_are_answered_exactly_as_they_want_and_nothing_too_long_is_read() {
    let site = box_with(Sandbox::Off, LivePage::Off);
    let call = |path: &str, bytes: usize| TestRequest::post().uri(path).set_payload(vec![b'x'; bytes]);
    let wechat = site.send(call("/pay/notify/wechat", 10)).await;
    assert_eq!((wechat.status, wechat.body.as_str()), (204, ""));
    let alipay = site.send(call("/pay/notify/alipay", 64 << 10)).await;
    assert_eq!((alipay.status, alipay.body.as_str()), (200, "success"));
    assert_eq!(site.asked(), ["(\"wechat\", 10)", "(\"alipay\", 65536)"]);
    assert_eq!(site.send(call("/pay/notify/alipay", (64 << 10) + 1)).await.status, 413);
    assert_eq!(site.get("/pay/notify/wechat").await.status, 405);
    assert_eq!(site.asked().len(), 2);
}

#[actix_web::test]
async fn the_sign_in_leads_back_to_a_pay_page_of_this_box_and_nowhere_else() {
    let site = box_with(Sandbox::Off, LivePage::Off);
    let got = site.get("/pay/sign-in?back=/pay/lanes/out-1%3Fbill%3Dx&state=abc").await;
    assert_eq!((got.status, got.header("location")), (302, "https://open.example.org/authorize"));
    assert_eq!(site.asked(), [r#"SignIn { back: "/pay/lanes/out-1?bill=x", state: "abc" }"#]);
    for wrong in [
        "back=https://evil.example/pay/&state=a",
        "back=//evil.example&state=a",
        "back=/pay/x&state=a%20b",
        "back=/pay/%5C&state=a",
        "",
    ] {
        assert_eq!(site.get(&format!("/pay/sign-in?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[actix_web::test]
async fn the_pay_page_shows_the_bill_escaped_and_names_it_for_its_script() {
    let site = a_box();
    let got = site.get("/pay/lanes/out-1?lang=en").await;
    assert_eq!((got.status, got.header("content-type")), (200, "text/html; charset=utf-8"));
    for part in ["¥15.00", "粤C·12345", "2 h 10 min", "3 hours × 5.00 &#60;b&#62;", "data-provider=\"sandbox\""] {
        assert!(got.body.contains(part), "no {part} in {}", got.body);
    }
    assert!(got.body.contains(&format!("data-bill=\"{}\"", bill())));
    assert!(got.header("content-security-policy").contains("script-src 'self'"));
    assert!(!got.body.contains("<script>") && !got.body.contains("style="), "nothing inline passes the policy");
}

#[actix_web::test]
async fn a_page_that_names_its_bill_asks_for_that_bill_and_not_for_the_lane() {
    let site = a_box();
    let got = site.get(&format!("/pay/lanes/out-1?bill={}&order=x", bill())).await;
    assert_eq!(got.status, 200);
    assert_eq!(site.asked(), [format!("AskBill {{ bill: {:?} }}", bill())]);
}

#[actix_web::test]
async fn where_no_car_waits_the_page_says_so_and_offers_to_look_again() {
    let site = a_box();
    site.payment.send(Answer(Err(PayProblem::NoCarWaits))).await.expect("the fake answers");
    let got = site.get("/pay/lanes/out-1?lang=en").await;
    assert_eq!(got.status, 200);
    assert!(got.body.contains("No car is waiting here") && got.body.contains("Look again"), "{}", got.body);
    assert_eq!(site.get("/api/v1/pay/lanes/out-1").await.problem("/api/v1/pay/lanes/out-1"), "no-car-waits");
}

#[actix_web::test]
async fn the_wallet_says_that_no_money_is_taken_and_leads_back_to_a_pay_page_only() {
    let site = a_box();
    let path = format!("/sandbox/orders/{}?lang=en&back=", order());
    let got = site.get(&format!("{path}/pay/lanes/out-1%3Fbill=1")).await;
    assert!(got.body.contains("No money is taken") && got.body.contains("data-back=\"/pay/lanes/out-1?bill=1\""));
    for elsewhere in ["https://evil.example/pay/", "//evil.example/pay/", "/%5C%5Cevil.example", "javascript:alert(1)"]
    {
        assert!(!site.get(&format!("{path}{elsewhere}")).await.body.contains("data-back"), "{elsewhere}");
    }
}

#[actix_web::test]
async fn the_qr_code_of_a_known_lane_is_an_image_and_of_no_other() {
    let site = a_box();
    let got = site.get("/pay/lanes/out-1/qr.svg").await;
    assert_eq!((got.status, got.header("content-type")), (200, "image/svg+xml"));
    assert!(got.body.contains("<svg"));
    assert_eq!(site.get("/pay/lanes/out-2/qr.svg").await.status, 404);
}
