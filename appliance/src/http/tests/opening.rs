//! A person opens a lane: who may, and with what reason.

use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;

fn order(lane: &str, credentials: Option<&str>, body: &Value) -> TestRequest {
    let request = TestRequest::post().uri(&format!("/api/v1/lanes/{lane}/openings")).set_json(body);
    let request = request.insert_header(("Idempotency-Key", "night-shift-7"));
    match credentials {
        Some(credentials) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
            request.insert_header(("Authorization", format!("Basic {encoded}")))
        }
        None => request,
    }
}

#[actix_web::test]
async fn the_administrator_opens_a_lane_with_a_reason() {
    let site = a_box();
    let admin = format!("admin:{PASSWORD}");
    let got = site.send(order("out-1", Some(&admin), &json!({ "reason": "barrier test" }))).await;
    assert_eq!((got.status, got.json()), (201, json!({ "lane": "out-1", "request": "night-shift-7" })));
    let asked = site.asked().join(" ");
    assert!(asked.contains("barrier test") && asked.contains("night-shift-7"), "{asked}");
}

#[actix_web::test]
async fn a_key_that_stands_for_another_order_opens_nothing() {
    let site = a_box();
    let admin = format!("admin:{PASSWORD}");
    let got = site.send(order("out-2", Some(&admin), &json!({ "reason": "another reason" }))).await;
    assert_eq!((got.status, got.json()["type"].as_str()), (422, Some("urn:tollhouse:problem:key-reused")));
}

#[actix_web::test]
async fn nobody_else_opens_a_lane_and_nobody_without_a_reason() {
    let site = a_box();
    let (admin, reason) = (format!("admin:{PASSWORD}"), json!({ "reason": "test" }));
    let cases = [
        (order("out-1", None, &reason), 401),
        (order("out-1", Some("admin:wrong password"), &reason), 401),
        (order("out-1", Some("root:correct horse"), &reason), 401),
        (order("out-1", Some(&admin), &json!({ "reason": " " })), 400),
        (order("out-1", Some(&admin), &json!({ "reason": "x".repeat(201) })), 400),
        (order("out-1", Some(&admin), &json!({})), 400),
        (order("nowhere", Some(&admin), &reason), 404),
    ];
    for (place, (request, status)) in cases.into_iter().enumerate() {
        assert_eq!(site.send(request).await.status, status, "case {place}");
    }
    assert!(site.asked().iter().all(|asked| !asked.contains("out-1")), "{:?}", site.asked());
}
