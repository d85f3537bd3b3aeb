//! The tariff over HTTP: what anybody may see, what the administrator may try, and faults with their line.

use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::demo::estate::TARIFF;

fn asked(body: &Value) -> TestRequest {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    let request = TestRequest::post().uri("/api/v1/tariffs/quote").set_json(body);
    request.insert_header(("Authorization", format!("Basic {encoded}")))
}

#[actix_web::test]
async fn anybody_sees_the_tariff_of_the_lot() {
    let site = a_box();
    let list = site.send(TestRequest::get().uri("/api/v1/tariffs")).await;
    assert_eq!((list.status, &list.json()[0]["id"]), (200, &json!("demo")));
    let one = site.send(TestRequest::get().uri("/api/v1/tariffs/demo")).await;
    assert_eq!(one.json()["versions"][0]["text"], TARIFF);
    assert_eq!(site.send(TestRequest::get().uri("/api/v1/tariffs/other")).await.status, 404);
}

#[actix_web::test]
async fn the_administrator_prices_a_stay_by_the_lots_tariff_and_by_a_draft() {
    let site = a_box();
    let stay = json!({ "enter": "2026-03-02 08:00", "exit": "2026-03-02 10:30" });
    let got = site.send(asked(&json!({ "tariff": "demo", "stay": stay }))).await;
    assert_eq!((got.status, &got.json()["fee"]), (200, &json!("15.00")));
    assert_eq!(got.json()["lines"][0]["quantity"], "3");
    let dearer = TARIFF.split("[[example]]").next().expect("a part").replace("\"5.00\"", "\"6.00\"");
    let got = site.send(asked(&json!({ "text": dearer, "stay": stay }))).await;
    assert_eq!((got.status, &got.json()["fee"]), (200, &json!("18.00")));
    let nobody = TestRequest::post().uri("/api/v1/tariffs/quote").set_json(json!({ "tariff": "demo", "stay": stay }));
    assert_eq!(site.send(nobody).await.status, 401);
}

#[actix_web::test]
async fn what_is_wrong_with_a_draft_or_a_stay_is_told_with_its_place() {
    let site = a_box();
    let stay = json!({ "enter": "2026-03-02 08:00", "exit": "2026-03-02 10:30" });
    let broken = TARIFF.replace("price = \"5.00\"", "price = 5");
    let line = broken.lines().position(|line| line == "price = 5").expect("it is there") + 1;
    let cases = [
        (json!({ "text": broken, "stay": stay }), format!("line {line}, column 1")),
        (
            json!({ "tariff": "demo", "stay": { "enter": "soon", "exit": "2026-03-02 10:30" } }),
            "stay: enter".to_owned(),
        ),
        (json!({ "stay": stay }), "give `tariff`".to_owned()),
    ];
    for (body, says) in cases {
        let got = site.send(asked(&body)).await;
        let detail = got.json()["detail"].to_string();
        assert_eq!(got.status, 422, "{detail}");
        assert!(detail.contains(&says), "{says}: {detail}");
    }
}

#[actix_web::test]
async fn the_picture_of_a_tariff_is_an_svg() {
    let site = a_box();
    let chart = |query: &str| TestRequest::get().uri(&format!("/api/v1/tariffs/demo/chart.svg?{query}"));
    let got = site.send(chart("enter=2026-03-02T08:00&to=48h")).await;
    assert_eq!(got.status, 200);
    assert!(got.body.starts_with("<svg") && got.body.contains("80.00 CNY"), "{}", got.body);
    assert_eq!(site.send(chart("enter=2026-03-02T08:00&to=99d")).await.status, 422);
    // It is noon at the lot.
    let now = site.send(chart("")).await;
    assert_eq!(now.status, 200, "{}", now.body);
    assert!(now.body.contains("2026-03-01 12:00") && now.body.contains("40.00 CNY"), "{}", now.body);
}
