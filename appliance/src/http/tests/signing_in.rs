//! Who is let in, by which way, and what each may do.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;

const USERS: &str = "/api/v1/users";

fn admin() -> (&'static str, String) {
    basic("admin", PASSWORD)
}

fn basic(name: &str, password: &str) -> (&'static str, String) {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    ("Authorization", format!("Basic {encoded}"))
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

fn with(method: Method, path: &str, header: (&'static str, String)) -> TestRequest {
    TestRequest::with_uri(path).method(method).insert_header(header)
}

fn post(path: &str, header: (&'static str, String), body: &Value) -> TestRequest {
    with(Method::POST, path, header).set_json(body)
}

fn clerk() -> Value {
    json!({ "name": "mei", "display_name": "梅", "roles": ["clerk"], "password": "correct horse battery" })
}

/// A box with the clerk mei.
async fn with_mei() -> Box {
    let site = a_box();
    let got = site.send(post(USERS, admin(), &clerk())).await;
    assert_eq!(got.status, 201, "{}", got.body);
    assert_eq!(got.header("location"), "/api/v1/users/mei");
    assert!(!got.body.contains("argon2") && !got.body.contains("correct horse"), "{}", got.body);
    site
}

async fn cookie(site: &Box) -> String {
    let body = json!({ "name": "mei", "password": "correct horse battery" });
    let got = site.send(TestRequest::post().uri("/api/v1/sessions").set_json(body)).await;
    assert_eq!(got.status, 201, "{}", got.body);
    let set = got.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{set}");
    }
    set.split(';').next().expect("a pair").to_owned()
}

#[actix_web::test]
async fn nobody_is_let_in_by_what_is_nobodys() {
    let site = with_mei().await;
    let cases = [
        bearer("th_0000"),
        bearer(""),
        basic("mei", "wrong password"),
        basic("nobody", "correct horse battery"),
        basic("admin", "correct horse battery"),
        ("Authorization", "Basic ???".to_owned()),
        ("Authorization", "Digest x".to_owned()),
        ("Cookie", "tollhouse_session=0000".to_owned()),
        ("Accept", "*/*".to_owned()),
    ];
    for case in cases {
        let shown = case.1.clone();
        let got = site.send(with(Method::GET, USERS, case)).await;
        assert_eq!((got.status, got.problem(USERS).as_str()), (401, "sign-in"), "{shown}");
        assert!(got.header("www-authenticate").starts_with("Bearer"), "{shown}");
    }
}

#[actix_web::test]
async fn a_person_signs_in_and_out_with_a_session() {
    let site = with_mei().await;
    let cookie = cookie(&site).await;
    let who = || with(Method::GET, "/api/v1/sessions/current", ("Cookie", cookie.clone()));
    let got = site.send(who()).await.json();
    assert_eq!((&got["name"], &got["roles"]), (&json!("mei"), &json!(["clerk"])));
    assert!(got["permissions"].as_array().expect("a list").contains(&json!("cards.write")));
    let got = site.send(with(Method::DELETE, "/api/v1/sessions/current", ("Cookie", cookie.clone()))).await;
    assert_eq!(got.status, 204);
    assert!(got.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(site.send(who()).await.status, 401);
}

#[actix_web::test]
async fn another_password_ends_the_session_and_one_may_change_ones_own() {
    let site = with_mei().await;
    let cookie = cookie(&site).await;
    let body = json!({ "password": "another horse battery" });
    let got = site.send(post("/api/v1/users/mei/passwords", ("Cookie", cookie.clone()), &body)).await;
    assert_eq!(got.status, 204, "{}", got.body);
    let who = with(Method::GET, "/api/v1/sessions/current", ("Cookie", cookie));
    assert_eq!(site.send(who).await.status, 401);
    let who = with(Method::GET, "/api/v1/sessions/current", basic("mei", "another horse battery"));
    assert_eq!(site.send(who).await.status, 200);
}

#[actix_web::test]
async fn a_page_of_another_origin_does_nothing_with_the_cookie() {
    let site = with_mei().await;
    let cookie = cookie(&site).await;
    let cases = [
        ("Origin", "https://evil.example", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", "https://park.example.org", 204),
    ];
    for (name, value, status) in cases {
        let body = json!({ "password": "correct horse battery" });
        let request = post("/api/v1/users/mei/passwords", ("Cookie", cookie.clone()), &body);
        let request = request.insert_header((name, value)).insert_header(("Host", "park.example.org"));
        assert_eq!(site.send(request).await.status, status, "{name}: {value}");
    }
}

#[actix_web::test]
async fn a_role_does_what_its_permissions_say_and_nothing_else() {
    let site = with_mei().await;
    let mei = || basic("mei", "correct horse battery");
    let got = site.send(with(Method::GET, USERS, mei())).await;
    assert_eq!((got.status, got.problem(USERS).as_str()), (403, "forbidden"));
    let got = site.send(post(USERS, mei(), &json!({ "name": "wei", "roles": ["manager"] }))).await;
    assert_eq!(got.status, 403);
    let opening = "/api/v1/lanes/out-1/openings";
    let got = site.send(post(opening, mei(), &json!({ "reason": "a friend" }))).await;
    assert_eq!((got.status, got.problem(opening).as_str()), (403, "forbidden"));
    assert!(site.asked().is_empty());
}

#[actix_web::test]
async fn a_disabled_account_and_its_tokens_are_refused_at_once() {
    let site = with_mei().await;
    let got = site.send(post("/api/v1/tokens", admin(), &json!({ "name": "reports", "user": "mei" }))).await;
    let token = got.json()["token"].as_str().expect("a token").to_owned();
    let who = || with(Method::GET, "/api/v1/sessions/current", bearer(&token));
    assert_eq!(site.send(who()).await.json()["name"], "mei");
    let off = with(Method::PATCH, "/api/v1/users/mei", admin()).set_json(json!({ "state": "disabled" }));
    assert_eq!(site.send(off).await.json()["state"], "disabled");
    assert_eq!(site.send(who()).await.status, 401);
}

#[actix_web::test]
async fn a_token_is_said_once_shown_never_and_taken_back() {
    let site = with_mei().await;
    let got = site.send(post("/api/v1/tokens", admin(), &json!({ "name": "reports" }))).await;
    assert_eq!(got.status, 201, "{}", got.body);
    let issued = got.json();
    let token = issued["token"].as_str().expect("a token");
    assert!(token.starts_with("th_") && token.len() == 67, "{token}");
    let listed = site.send(with(Method::GET, "/api/v1/tokens", bearer(token))).await;
    assert_eq!((listed.status, listed.json()["items"][0]["name"].as_str()), (200, Some("reports")));
    assert!(!listed.body.contains(&token[3..]));
    let back = format!("/api/v1/tokens/{}", issued["id"].as_str().expect("an id"));
    assert_eq!(site.send(with(Method::DELETE, &back, bearer(token))).await.status, 204);
    assert_eq!(site.send(with(Method::GET, "/api/v1/tokens", bearer(token))).await.status, 401);
}

#[actix_web::test]
async fn ten_wrong_passwords_close_the_door_to_that_address_and_to_no_other() {
    let site = with_mei().await;
    let wrong = || with(Method::GET, USERS, basic("mei", "wrong password"));
    for _ in 0..10 {
        assert_eq!(site.send(wrong()).await.status, 401);
    }
    let got = site.send(wrong()).await;
    assert_eq!((got.status, got.header("retry-after")), (429, "30"));
    // Whoever passes on what its clients ask is named in the configuration; its word tells one from another.
    let forwarded = with(Method::GET, USERS, admin()).insert_header(("X-Forwarded-For", "198.51.100.7"));
    assert_eq!(site.send_from("192.0.2.200", forwarded).await.status, 200);
    let forwarded = with(Method::GET, USERS, admin()).insert_header(("X-Forwarded-For", "192.0.2.1"));
    assert_eq!(site.send_from("192.0.2.200", forwarded).await.status, 429);
    // Anybody else's word is taken for nothing.
    let pretended = with(Method::GET, USERS, admin()).insert_header(("X-Forwarded-For", "198.51.100.7"));
    assert_eq!(site.send(pretended).await.status, 429);
}
