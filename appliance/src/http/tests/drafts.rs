//! A draft of a tariff as the console asks about it: checked, held against the last stays, drawn; bounds and faults.

use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::demo::estate::TARIFF;

fn asked(path: &str, body: &Value) -> TestRequest {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    let request = TestRequest::post().uri(&format!("/api/v1/tariffs/{path}")).set_json(body);
    request.insert_header(("Authorization", format!("Basic {encoded}")))
}

/// The demo's tariff at 6.00 instead of 5.00 an hour, with no examples to go by.
fn dearer() -> String {
    TARIFF.split("[[example]]").next().expect("a part").replace("\"5.00\"", "\"6.00\"")
}

/// On which line a part stands, from 1.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line == part).expect("it is there") + 1
}

#[actix_web::test]
async fn a_draft_is_checked_with_its_faults_examples_and_warnings() {
    let site = a_box();
    let sound = site.send(asked("check", &json!({ "text": TARIFF }))).await.json();
    assert_eq!((&sound["ok"], &sound["id"], &sound["faults"]), (&json!(true), &json!("demo"), &json!([])));
    assert!(sound["examples"].as_u64().is_some_and(|count| count > 0), "{sound}");

    let broken = TARIFF.replace("price = \"5.00\"", "price = 5");
    let told = site.send(asked("check", &json!({ "text": broken }))).await;
    assert_eq!(told.status, 200, "the question was a good one");
    let fault = &told.json()["faults"][0];
    assert_eq!((&told.json()["ok"], &fault["line"]), (&json!(false), &json!(line_of(&broken, "price = 5"))));
    assert_eq!((&fault["column"], &fault["file"]), (&json!(1), &json!("draft")));

    let untrue = TARIFF.replacen("fee = \"5.00\"", "fee = \"6.00\"", 1);
    let told = site.send(asked("check", &json!({ "text": untrue }))).await.json();
    assert_eq!(told["ok"], json!(false));
    assert!(told["broken"][0]["text"]["en"].as_str().is_some_and(|text| text.contains("says a fee of 6.00")), "{told}");

    // Free minutes anew for who comes back at once: the linter shows the stays.
    let open = "id = \"a\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\nfree = \"30min\"\n\
                [[rate]]\nper = \"1h\"\nprice = \"5.00\"\n";
    let told = site.send(asked("check", &json!({ "text": open }))).await.json();
    let holes: Vec<&Value> = told["warnings"].as_array().expect("warnings").iter().map(|one| &one["hole"]).collect();
    assert!(told["ok"] == json!(true) && holes.contains(&&json!("leave_and_return")), "{told}");
    assert!(told["warnings"][0]["stays"][0]["fee"].is_string(), "{told}");
}

#[actix_web::test]
async fn a_draft_is_held_against_the_last_stays() {
    let site = a_box();
    let got = site.send(asked("preview", &json!({ "text": dearer() }))).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let found = got.json();
    // 70 and 80 minutes are two hours begun, 10 minutes are free.
    assert_eq!(found["all"], json!({ "stays": 3, "old": "20.00", "new": "24.00", "difference": "4.00" }));
    assert_eq!((&found["pays"]["more"]["stays"], &found["pays"]["same"]["stays"]), (&json!(2), &json!(1)));
    assert_eq!(found["rises"][0]["new"], json!("12.00"));
    let one = site.send(asked("preview", &json!({ "text": dearer(), "last": 1 }))).await.json();
    assert_eq!(one["all"]["stays"], json!(1));
}

#[actix_web::test]
async fn a_draft_is_drawn() {
    let site = a_box();
    let body = json!({ "text": dearer(), "enter": "2026-03-02 08:00", "to": "2h" });
    let got = site.send(asked("chart.svg", &body)).await;
    assert_eq!(got.status, 200, "{}", got.body);
    assert!(got.body.starts_with("<svg") && got.body.contains("12.00 CNY"), "{}", got.body);
    let now = site.send(asked("chart.svg", &json!({ "text": dearer() }))).await;
    assert!(now.body.contains("2026-03-01 12:00"), "it is noon at the lot: {}", now.body);
}

#[actix_web::test]
async fn what_is_wrong_with_the_question_is_told_and_nobody_else_may_ask() {
    let site = a_box();
    let broken = TARIFF.replace("price = \"5.00\"", "price = 5");
    let place = format!("line {}, column 1", line_of(&broken, "price = 5"));
    let pounds = dearer().replace("\"CNY\"", "\"GBP\"");
    let cases = [
        ("preview", json!({ "text": broken }), 422, place.as_str()),
        ("preview", json!({ "text": dearer(), "last": 0 }), 422, "1 to 100000"),
        ("preview", json!({ "text": dearer(), "last": 100_001 }), 422, "1 to 100000"),
        ("preview", json!({ "text": pounds }), 422, "nobody can say who pays more"),
        ("preview", json!({ "text": dearer(), "lats": 5 }), 400, "lats"),
        ("chart.svg", json!({ "text": broken }), 422, place.as_str()),
        ("chart.svg", json!({ "text": dearer(), "to": "99d" }), 422, "at most 31d"),
        ("chart.svg", json!({ "text": dearer(), "enter": "soon" }), 422, "enter"),
        ("chart.svg", json!({ "text": dearer(), "vehicle": "tank" }), 422, "vehicle"),
        ("check", json!({ "text": 5 }), 400, "string"),
        ("check", json!({ "text": "x".repeat(70_000) }), 413, "at most"),
    ];
    for (path, body, status, says) in cases {
        let got = site.send(asked(path, &body)).await;
        assert_eq!(got.status, status, "{path}: {}", got.body);
        let detail = got.json()["detail"].to_string();
        assert!(detail.contains(says), "{path} {says}: {detail}");
    }
    for path in ["check", "preview", "chart.svg"] {
        let nobody = TestRequest::post().uri(&format!("/api/v1/tariffs/{path}")).set_json(json!({ "text": TARIFF }));
        assert_eq!(site.send(nobody).await.status, 401, "{path}");
    }
}

#[actix_web::test]
async fn slow_work_is_done_one_at_a_time_so_that_lanes_never_wait() {
    let site = a_box();
    let held = Arc::clone(&site.doors.slow).try_acquire_owned().expect("it is free");
    for (path, body) in [("check", json!({ "text": TARIFF })), ("preview", json!({ "text": dearer() }))] {
        assert_eq!(site.send(asked(path, &body)).await.status, 503, "{path}");
    }
    drop(held);
    assert_eq!(site.send(asked("preview", &json!({ "text": dearer() }))).await.status, 200);
}
