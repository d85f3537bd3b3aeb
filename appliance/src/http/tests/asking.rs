//! What all calls that make something have in common: once under a key, lists by cursor, faults told field by field.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;

const USERS: &str = "/api/v1/users";

fn as_admin(method: Method, path: &str) -> TestRequest {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    TestRequest::with_uri(path).method(method).insert_header(("Authorization", format!("Basic {encoded}")))
}

fn under(key: &'static str, path: &str, body: &Value) -> TestRequest {
    as_admin(Method::POST, path).insert_header(("Idempotency-Key", key)).set_json(body)
}

fn account(name: &str) -> Value {
    json!({ "name": name, "roles": ["auditor"] })
}

#[actix_web::test]
async fn the_same_request_under_the_same_key_is_done_once_and_answered_the_same() {
    let site = a_box();
    let first = site.send(under("k1", USERS, &account("mei"))).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = site.send(under("k1", USERS, &account("mei"))).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = site.send(under("k1", USERS, &account("wei"))).await;
    assert_eq!((other.status, other.problem(USERS).as_str()), (422, "key-reused"));
    let without = site.send(as_admin(Method::POST, USERS).set_json(account("mei"))).await;
    assert_eq!((without.status, without.problem(USERS).as_str()), (409, "taken"));
}

#[actix_web::test]
async fn a_key_belongs_to_its_route() {
    let site = a_box();
    assert_eq!(site.send(under("k1", USERS, &account("mei"))).await.status, 201);
    assert_eq!(site.send(under("k1", "/api/v1/tokens", &json!({ "name": "reports" }))).await.status, 201);
}

#[actix_web::test]
async fn a_token_asked_for_again_is_the_same_token_and_stands_nowhere_in_the_journal() {
    let site = a_box();
    let issue = || under("k2", "/api/v1/tokens", &json!({ "name": "reports" }));
    let first = site.send(issue()).await;
    assert_eq!(site.send(issue()).await.body, first.body);
    let token = first.json()["token"].as_str().expect("a token").to_owned();
    let entries = site.doors.desks.store.follow(0, 100).expect("the journal");
    let text: String = entries.iter().map(|entry| serde_json::to_string(&entry.change).expect("json")).collect();
    assert!(text.contains("token.changed") && !text.contains(&token[3..]));
}

#[actix_web::test]
async fn a_key_that_is_still_in_flight_is_refused() {
    let site = a_box();
    let doors = Arc::clone(&site.doors);
    // Two at once: the door lets one of them take the key, and the other one hears so, or comes after it.
    let (one, other) = futures_util::future::join(
        site.send(under("k3", USERS, &account("mei"))),
        site.send(under("k3", USERS, &account("mei"))),
    )
    .await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(statuses == [201, 201] || statuses == [201, 409], "{statuses:?}");
    assert_eq!(doors.desks.users.users().expect("read").len(), 1);
}

#[actix_web::test]
async fn a_list_pages_by_cursor_and_what_is_added_meanwhile_moves_nothing() {
    let site = a_box();
    for name in ["b1", "b2", "b3", "b4", "b5"] {
        assert_eq!(site.send(as_admin(Method::POST, USERS).set_json(account(name))).await.status, 201);
    }
    let mut seen = vec![];
    let mut path = format!("{USERS}?limit=2");
    loop {
        let page = site.send(as_admin(Method::GET, &path)).await.json();
        seen.extend(page["items"].as_array().expect("items").iter().map(|user| user["name"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{USERS}?limit=2&cursor={next}");
        let _ = site.send(as_admin(Method::POST, USERS).set_json(account("a0"))).await;
    }
    assert_eq!(seen, ["b1", "b2", "b3", "b4", "b5"]);
}

#[actix_web::test]
async fn faults_are_told_field_by_field() {
    let site = a_box();
    let cases = [
        (json!({ "name": "a b", "roles": ["auditor", "root"] }), vec!["/name", "/roles/1"]),
        (json!({ "name": "mei" }), vec![""]),
        (json!({ "name": "mei", "roles": [7] }), vec!["/roles/0"]),
        (json!({ "name": "mei", "roles": ["auditor"], "admin": true }), vec!["/admin"]),
        (json!({ "name": "mei", "roles": ["auditor"], "password": "short" }), vec!["/password"]),
        (json!([]), vec![""]),
    ];
    for (body, pointers) in cases {
        let got = site.send(as_admin(Method::POST, USERS).set_json(&body)).await;
        assert_eq!((got.status, got.problem(USERS).as_str()), (400, "invalid"), "{body}");
        let problem = got.json();
        let told: Vec<&str> =
            problem["errors"].as_array().expect("a list").iter().filter_map(|one| one["pointer"].as_str()).collect();
        assert_eq!(told, pointers, "{body}");
    }
    for query in ["limit=0", "limit=501", "limit=x", "cursor=%25", "cursor=_w"] {
        let got = site.send(as_admin(Method::GET, &format!("{USERS}?{query}"))).await;
        assert_eq!((got.status, got.problem(USERS).as_str()), (400, "invalid"), "{query}");
    }
}

#[actix_web::test]
async fn what_is_no_json_too_large_or_no_key_is_refused() {
    let site = a_box();
    let post = || as_admin(Method::POST, USERS);
    let json = ("Content-Type", "application/json");
    let cases = [
        (post().insert_header(json).set_payload("{"), 400),
        (post().insert_header(("Content-Type", "text/plain")).set_payload("{}"), 415),
        (post().insert_header(json).set_payload(" ".repeat((1 << 20) + 1)), 413),
        (post().insert_header(("Idempotency-Key", "a b")).set_json(account("mei")), 400),
        (post().insert_header(("Idempotency-Key", "x".repeat(256))).set_json(account("mei")), 400),
        (as_admin(Method::PUT, USERS), 405),
    ];
    for (place, (request, status)) in cases.into_iter().enumerate() {
        assert_eq!(site.send(request).await.status, status, "case {place}");
    }
    assert!(site.doors.desks.users.users().expect("read").is_empty());
}
