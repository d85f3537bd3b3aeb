//! Every error is an RFC 9457 problem document that names where it was made.

use std::time::Duration;

use actix_web::test::TestRequest;

use super::*;

/// Everything that a caller can get wrong, with the path where it is told.
fn mistakes() -> Vec<(String, TestRequest, u16, &'static str)> {
    let orders = format!("/api/v1/pay/bills/{}/orders", bill());
    let long = "x".repeat(65);
    let get = |path: &str, status, word| {
        let instance = path.split('?').next().expect("a path").to_owned();
        (instance, TestRequest::with_uri(path), status, word)
    };
    let post = |kind: &str, body: &str, key: &str, status, word| {
        let mut request = TestRequest::post().uri(&orders).set_payload(body.to_owned());
        if !kind.is_empty() {
            request = request.insert_header(("Content-Type", kind));
        }
        if !key.is_empty() {
            request = request.insert_header(("Idempotency-Key", key));
        }
        (orders.clone(), request, status, word)
    };
    let (kind, good) = ("application/json", r#"{"provider": "sandbox"}"#);
    let large = format!("{{\"provider\": \"{}\"}}", "x".repeat(64 << 10));
    vec![
        get("/nothing/here", 404, "no-route"),
        ("/healthz".to_owned(), TestRequest::delete().uri("/healthz"), 405, "method"),
        get(&orders, 405, "method"),
        get("/api/v1/pay/bills/1", 404, "unknown"),
        get("/api/v1/pay/orders/zzz", 404, "unknown"),
        get("/api/v1/pay/lanes/out%201", 404, "unknown"),
        get(&format!("/api/v1/pay/lanes/{long}"), 404, "unknown"),
        get("/api/v1/pay/plates/%3Cscript%3E?token=demo", 400, "bad-plate"),
        get(&format!("/api/v1/pay/plates/{long}?token=demo"), 400, "bad-plate"),
        get("/api/v1/pay/plates/A1", 403, "wrong-token"),
        get("/api/v1/pay/plates/A1?token=%20", 403, "wrong-token"),
        post(kind, "{", "", 400, "bad-json"),
        post(kind, "{}", "", 400, "bad-json"),
        post(kind, r#"{"provider": 1}"#, "", 400, "bad-json"),
        post(kind, r#"{"provider": "a b"}"#, "", 422, "unknown-provider"),
        post(kind, &large, "", 413, "large-body"),
        post("", good, "", 415, "media-type"),
        post(kind, good, "a b", 400, "bad-key"),
        post(kind, good, &"k".repeat(256), 400, "bad-key"),
    ]
}

#[actix_web::test]
async fn each_mistake_has_its_status_and_its_word_and_reaches_nobody() {
    let site = a_box();
    for (instance, request, status, word) in mistakes() {
        let got = site.send(request).await;
        assert_eq!((got.status, got.problem(&instance).as_str()), (status, word), "{instance}");
    }
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[actix_web::test]
async fn what_payment_refuses_is_told_as_its_problem() {
    let site = a_box();
    let path = "/api/v1/pay/lanes/out-1";
    for (problem, status, word) in [
        (PayProblem::NoCarWaits, 404, "no-car-waits"),
        (PayProblem::NoAccount, 404, "no-account"),
        (PayProblem::Unknown, 404, "unknown"),
        (PayProblem::WrongToken, 403, "wrong-token"),
        (PayProblem::NothingDue, 409, "nothing-due"),
        (PayProblem::NotPayable("closed"), 409, "not-payable"),
        (PayProblem::TooManyOrders, 409, "too-many-orders"),
        (PayProblem::KeyReused, 422, "key-reused"),
        (PayProblem::UnknownProvider("cheque".to_owned()), 422, "unknown-provider"),
        (PayProblem::Busy, 503, "busy"),
    ] {
        site.payment.send(Answer(Err(problem))).await.expect("the fake answers");
        let got = site.get(path).await;
        assert_eq!((got.status, got.problem(path).as_str()), (status, word));
    }
}

#[actix_web::test]
async fn an_address_beyond_all_measure_is_refused_unread() {
    let got = a_box().get(&format!("/pay/lanes/out-1?lang={}", "x".repeat(3_000))).await;
    assert_eq!((got.status, got.problem("").as_str()), (414, "long-address"));
}

#[actix_web::test]
async fn a_method_that_is_not_allowed_is_told_which_are() {
    let got = a_box().send(TestRequest::post().uri("/readyz")).await;
    assert_eq!((got.status, got.header("allow")), (405, "GET, HEAD"));
}

#[actix_web::test]
async fn a_client_that_asks_by_plate_too_often_is_told_when_to_come_back() {
    let site = a_box();
    let path = "/api/v1/pay/plates/A1?token=demo";
    for _ in 0..30 {
        assert_eq!(site.get(path).await.status, 200);
    }
    let got = site.get(path).await;
    assert_eq!((got.status, got.problem("/api/v1/pay/plates/A1").as_str()), (429, "too-often"));
    assert_eq!(got.header("retry-after"), "2");
    let page = site.get("/pay/plates/A1?token=demo").await;
    assert_eq!((page.status, page.header("retry-after")), (429, "2"));
    assert_eq!(site.asked().len(), 30);
    *site.clock.lock().expect("no panic") = Duration::from_secs(2);
    assert_eq!(site.get(path).await.status, 200);
}

#[actix_web::test]
async fn a_person_with_a_browser_sees_a_page_and_a_program_a_document() {
    let site = a_box();
    let browser = || TestRequest::default().insert_header(("Accept", "text/html,*/*;q=0.8"));
    let page = site.send(browser().uri("/nothing?lang=en")).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(page.body.contains("Nothing here"));
    let document = site.send(browser().uri("/api/v1/nothing")).await;
    assert_eq!(document.problem("/api/v1/nothing"), "no-route");
}
