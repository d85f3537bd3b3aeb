//! The till, the books, cases and arrears as programs meet them.

use actix_web::test::TestRequest;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::actors::lot::messages::BillMoved;
use crate::actors::payment::messages::ReleaseBill;
use crate::arrears::{ArrearsDesk, ArrearsParts};
use crate::cash::{CashDesk, CashParts};

impl Handler<BillMoved> for FakePayment {
    type Result = ();
    fn handle(&mut self, _: BillMoved, _: &mut Context<Self>) {
        self.note(&"bill moved");
    }
}

impl Handler<ReleaseBill> for FakePayment {
    type Result = Result<(), PayProblem>;
    fn handle(&mut self, message: ReleaseBill, _: &mut Context<Self>) -> Self::Result {
        self.note(&message);
        Ok(())
    }
}

fn tariff() -> Arc<tollhouse_core::tariff::TariffBook> {
    Arc::new(crate::tariffs::built_in("demo.toml", crate::demo::estate::TARIFF).expect("a tariff").book)
}

/// A till over the desks' store.
pub(super) fn till(desks: &Desks, bill_moved: actix::Recipient<BillMoved>) -> CashDesk {
    CashDesk::new(CashParts {
        store: desks.store.clone(),
        clock: desks.clock.clone(),
        key: IdKey::new([7; 32]),
        lot: Arc::clone(&desks.lot),
        tariff: tariff(),
        coin: tollhouse_core::cash::Coin::default(),
        live: Arc::new(Live::new("demo", 100)),
        bill_moved,
    })
}

/// Arrears over the desks' store.
pub(super) fn arrears(desks: &Desks) -> ArrearsDesk {
    ArrearsDesk::new(ArrearsParts {
        store: desks.store.clone(),
        clock: desks.clock.clone(),
        key: IdKey::new([7; 32]),
        lot: Arc::clone(&desks.lot),
        tariff: tariff(),
    })
}

fn admin() -> (&'static str, String) {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    ("Authorization", format!("Basic {encoded}"))
}

async fn post(site: &Box, path: &str, key: &str, body: &Value) -> Got {
    let request = TestRequest::post().uri(path).insert_header(admin()).insert_header(("Idempotency-Key", key));
    site.send(request.set_json(body)).await
}

async fn get(site: &Box, path: &str) -> Got {
    site.send(TestRequest::get().uri(path).insert_header(admin())).await
}

#[actix_web::test]
async fn a_shift_is_opened_moved_counted_and_handed_over() {
    let site = a_box();
    let opened = post(&site, "/api/v1/shifts", "k1", &json!({ "float": "200.00" })).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    let again = post(&site, "/api/v1/shifts", "k1", &json!({ "float": "200.00" })).await;
    assert_eq!(again.json(), opened.json(), "the same key gives the same shift");
    let second = post(&site, "/api/v1/shifts", "k2", &json!({ "float": "1.00" })).await;
    assert_eq!((second.status, second.problem("/api/v1/shifts")), (409, "shift-open".to_owned()));
    let path = format!("/api/v1/shifts/{}", opened.json()["id"].as_str().expect("an id"));
    let move_to = json!({ "to": "safe", "amount": "150.00", "reason": "too much in the drawer" });
    let moved = post(&site, &format!("{path}/moves"), "k3", &move_to).await;
    assert_eq!((moved.status, moved.json()["amount"].as_str()), (201, Some("150.00")), "{}", moved.body);
    let short = json!({ "counted": "49.00" });
    let unnamed = post(&site, &format!("{path}/closings"), "k4", &short).await;
    assert_eq!(unnamed.problem(&format!("{path}/closings")), "difference");
    let named =
        json!({ "counted": "49.00", "reason": "a coin fell down", "next": { "attendant": "mei", "float": "40.00" } });
    let closed = post(&site, &format!("{path}/closings"), "k5", &named).await;
    assert_eq!(closed.status, 201, "{}", closed.body);
    assert_eq!(closed.json()["closing"]["difference"], "-1.00");
    let report = get(&site, &path).await.json();
    assert_eq!(report["receipts"][0]["kind"], "safe");
    let shifts = get(&site, "/api/v1/shifts").await.json();
    assert_eq!(shifts["items"].as_array().map(Vec::len), Some(2));
    let balance = get(&site, "/api/v1/accounts").await.json();
    let of = |name: &str| {
        let items = balance["items"].as_array().expect("items");
        items.iter().find(|one| one["account"] == name).map(|one| one["closing"].clone())
    };
    // 200.00 out, 150.00 in, 49.00 in, 40.00 out.
    assert_eq!(of("safe"), Some(json!("-41.00")));
    assert_eq!(of("over_short"), Some(json!("1.00")));
}

#[actix_web::test]
async fn stored_value_and_postings_by_hand_are_told_and_taken_back() {
    let site = a_box();
    post(&site, "/api/v1/shifts", "s", &json!({ "float": "0.00" })).await;
    let topped = post(&site, "/api/v1/stored-values/C-7/top-ups", "t", &json!({ "amount": "100.00" })).await;
    assert_eq!((topped.status, topped.json()["balance"].as_str()), (201, Some("100.00")), "{}", topped.body);
    let back = json!({ "amount": "100.01", "reason": "closes the card" });
    assert_eq!(post(&site, "/api/v1/stored-values/C-7/returns", "r", &back).await.status, 409);
    let value = get(&site, "/api/v1/stored-values/C-7").await.json();
    assert_eq!(
        (value["balance"].as_str(), value["moves"]["items"][0]["kind"].as_str()),
        (Some("100.00"), Some("topped_up"))
    );
    let shift = get(&site, "/api/v1/shifts").await.json()["items"][0]["id"].as_str().expect("an id").to_owned();
    let to_safe = json!({ "to": "safe", "amount": "60.00", "reason": "full" });
    assert_eq!(post(&site, &format!("/api/v1/shifts/{shift}/moves"), "m", &to_safe).await.status, 201);
    let too_much = json!({ "kind": "banked", "amount": "60.01", "reason": "to the bank" });
    assert_eq!(post(&site, "/api/v1/postings", "b1", &too_much).await.problem("/api/v1/postings"), "not-there");
    let banked = json!({ "kind": "banked", "amount": "60.00", "reason": "to the bank" });
    let voucher = post(&site, "/api/v1/postings", "b2", &banked).await;
    assert_eq!((voucher.status, voucher.json()["kind"].as_str()), (201, Some("banked")), "{}", voucher.body);
    let entries = get(&site, "/api/v1/postings?account=bank").await.json();
    let position = entries["items"][0]["position"].as_u64().expect("a position");
    let reverse = format!("/api/v1/postings/{position}/reversals");
    let why = json!({ "reason": "it was not carried" });
    assert_eq!(post(&site, &reverse, "v1", &why).await.json()["reverses"], position);
    assert_eq!(post(&site, &reverse, "v2", &why).await.problem(&reverse), "reversed");
    let top_up = get(&site, "/api/v1/postings?account=stored").await.json()["items"][0]["position"].clone();
    let by_event = format!("/api/v1/postings/{top_up}/reversals");
    assert_eq!(post(&site, &by_event, "v3", &why).await.problem(&by_event), "not-by-hand");
    let statement = get(&site, "/api/v1/accounts/cash").await.json();
    assert_eq!(statement["accounts"][0]["closing"], "40.00");
}

#[actix_web::test]
async fn what_is_not_there_is_not_known_and_what_is_wrong_is_named() {
    let site = a_box();
    for path in ["/api/v1/shifts/x", "/api/v1/cases/x", "/api/v1/stored-values/C-1"] {
        assert_eq!(get(&site, path).await.status, 404, "{path}");
    }
    for path in ["/api/v1/arrears", "/api/v1/payments", "/api/v1/refunds", "/api/v1/cases", "/api/v1/postings"] {
        assert_eq!(get(&site, path).await.json()["items"], json!([]), "{path}");
    }
    for path in
        ["/api/v1/arrears?state=x", "/api/v1/cases?source=x", "/api/v1/accounts?as_of=x", "/api/v1/postings?cursor=x"]
    {
        assert_eq!(get(&site, path).await.status, 400, "{path}");
    }
    let wrong = post(&site, "/api/v1/payments", "p", &json!({ "bill": "x", "method": "barter" })).await;
    assert_eq!((wrong.status, wrong.json()["errors"].as_array().map(Vec::len)), (400, Some(2)), "{}", wrong.body);
    assert_eq!(site.get("/api/v1/shifts").await.status, 401);
}
