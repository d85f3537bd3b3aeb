//! What those see who operate and watch the box.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use super::*;
use crate::live::{Happening, LaneView, Tone};
use crate::readiness::{Part, Standing};
use base64::Engine as _;

#[actix_web::test]
async fn the_box_is_ready_once_its_parts_are_up_and_lists_what_is_degraded() {
    let site = a_box();
    site.doors.readiness.device("cam-in-1", Standing::Down);
    let got = site.get("/readyz").await;
    assert_eq!(got.status, 503);
    assert_eq!(
        got.json(),
        json!({"status": "not_ready", "missing": ["store", "lanes", "subscriptions"], "degraded": ["cam-in-1"]})
    );
    for part in [Part::Store, Part::Lanes, Part::Subscriptions] {
        site.doors.readiness.part(part, Standing::Up);
    }
    let got = site.get("/readyz").await;
    assert_eq!((got.status, got.json()), (200, json!({"status": "ready", "missing": [], "degraded": ["cam-in-1"]})));
}

#[actix_web::test]
async fn alive_and_metrics_are_plain_text() {
    let site = a_box();
    assert_eq!(site.get("/healthz").await.status, 200);
    let got = site.get("/metrics").await;
    assert_eq!(got.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(got.body.contains("tollhouse_build_info{version=\"test\"} 1"));
}

fn lane_view() -> LaneView {
    LaneView {
        lane: LaneId::new("out-1").expect("a name"),
        direction: "exit",
        state: "waiting",
        plate: Some("粤CD12345".to_owned()),
        words: Some(Words::new("请扫码", "Please scan")),
        due: Some(yuan(1_500)),
        degraded: vec!["display-out-1".to_owned()],
        since: noon(),
    }
}

fn happening() -> Happening {
    Happening {
        id: 7,
        at: noon(),
        lane: Some(LaneId::new("out-1").expect("a name")),
        plate: Some("粤CD12345".to_owned()),
        code: "fee_due".to_owned(),
        tone: Tone::Wait,
        words: Words::new("请付款", "Please pay"),
        money: Some(yuan(1_500)),
    }
}

#[actix_web::test]
async fn the_lot_is_told_with_lanes_totals_and_what_happened() {
    let site = a_box();
    site.doors.live.lane(lane_view());
    site.doors.live.happened(happening());
    site.doors.live.totals(3, Some(yuan(2_000)));
    let plate = json!({"text": "粤CD12345", "shown": "粤C·D12345", "style": "green"});
    let noon = "2026-03-01T12:00:00.000+08:00";
    assert_eq!(
        site.get("/api/v1/lanes").await.json(),
        json!({
            "lot": "demo",
            "name": "Riverside",
            "totals": {"inside": 3, "capacity": 100, "taken_today": "20.00", "currency": "CNY"},
            "lanes": [{
                "lane": "out-1", "direction": "exit", "state": "waiting", "plate": plate,
                "words": {"zh": "请扫码", "en": "Please scan"}, "due": "15.00", "currency": "CNY",
                "degraded": ["display-out-1"], "since": noon,
            }],
            "recent": [{
                "id": 7, "at": noon, "lane": "out-1", "plate": plate, "code": "fee_due", "tone": "wait",
                "words": {"zh": "请付款", "en": "Please pay"}, "money": "15.00", "currency": "CNY",
            }],
        })
    );
}

#[actix_web::test]
async fn a_watcher_gets_the_whole_picture_and_then_what_changes() {
    use actix_web::body::MessageBody;
    let site = a_box();
    let doors = actix_web::web::Data::new(Arc::clone(&site.doors));
    let watchers = actix_web::web::Data::new(Arc::default());
    let answer = super::super::live::stream(doors, watchers).await.expect("there is a seat");
    assert_eq!(answer.headers().get("content-type").expect("a type"), "text/event-stream");
    let mut body = std::boxed::Box::pin(answer.into_body());
    let mut next = async || {
        let part = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
        String::from_utf8(part.expect("goes on").expect("no error").to_vec()).expect("UTF-8")
    };
    assert!(next().await.starts_with("event: lot\ndata: {\"lot\":\"demo\""));
    site.doors.live.happened(happening());
    let told = next().await;
    assert!(told.starts_with("event: happening\nid: 7\ndata: {") && told.ends_with("}\n\n"), "{told}");
    site.doors.live.lane(lane_view());
    assert!(next().await.starts_with("event: lane\ndata: {\"lane\":\"out-1\""));
    site.doors.live.totals(4, None);
    assert!(next().await.starts_with("event: totals\ndata: {\"inside\":4"));
    // A watcher that was too slow gets the whole picture again.
    for _ in 0..300 {
        site.doors.live.totals(5, None);
    }
    let told = next().await;
    assert!(told.starts_with("event: lot") && told.contains("\"inside\":5"), "{told}");
}

#[actix_web::test]
async fn the_live_page_and_its_calls_are_not_there_while_they_are_off() {
    let site = box_with(Sandbox::Off, LivePage::Off);
    for (path, problem) in [("/", "no-route"), ("/api/v1/lanes", "sign-in"), ("/api/v1/live", "sign-in")] {
        assert_eq!(site.get(path).await.problem(path), problem);
    }
    let open = a_box().get("/?lang=en").await;
    assert_eq!(open.status, 200);
    assert!(open.body.contains("cars inside") && !open.body.contains("style="));
}

#[actix_web::test]
async fn what_a_page_asks_for_is_served_and_kept_by_the_browser() {
    let site = a_box();
    let page = site.get("/").await.body;
    let wanted: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(wanted.len(), 3, "{wanted:?}");
    for path in wanted {
        let got = site.get(path).await;
        assert_eq!((got.status, got.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    }
    assert_eq!(site.get("/assets/x/passwd").await.status, 404);
}

/// The files in which routes are entered.
fn sources() -> String {
    let resources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/api");
    let files = std::fs::read_dir(resources).expect("the resources are there");
    let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a text"));
    texts.chain([include_str!("../routes.rs").to_owned()]).collect()
}

#[actix_web::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let site = a_box();
    let got = site.get("/api/openapi.json").await.json();
    assert!(got["openapi"].as_str().expect("a version").starts_with("3.1."));
    let described: BTreeSet<String> = got["paths"].as_object().expect("paths").keys().cloned().collect();
    let sources = sources();
    let after = |word: &'static str| sources.split(word).skip(1);
    let routed = after("get(\"").chain(after("post(\"")).chain(after("At::new(\""));
    // Headers are asked for by `get` as well.
    let routed = routed.filter(|part| part.starts_with('/'));
    // The names in braces are the description's own.
    let plain =
        |path: &str| path.split('/').map(|p| if p.starts_with('{') { "*" } else { p }).collect::<Vec<_>>().join("/");
    let routed = routed.map(|part| part.split('"').next().expect("a path")).filter(|path| path.starts_with('/'));
    let routed: BTreeSet<String> = routed.map(plain).collect();
    assert_eq!(described.iter().map(|path| plain(path)).collect::<BTreeSet<_>>(), routed);
    for (path, methods) in got["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let filled = path.replace("{order_id}", &order().to_string()).replace("{bill_id}", &bill().to_string());
            let filled = filled
                .replace("{lane}", "out-1")
                .replace("{plate}", "A1")
                .replace("/tariffs/{id}", "/tariffs/demo")
                .replace("/lots/{id}", "/lots/demo")
                .replace("{version}/{name}", "1/pay.js");
            // The first never ends; of the others, nothing of that name is on record.
            let left_out =
                ["/api/v1/live", "/pay/bills/{bill}/invoice", "/pay/bills/{bill}/picture", "/pay/invoices/{id}.pdf"];
            if left_out.contains(&filled.as_str()) {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let status = site.send(TestRequest::with_uri(&filled).method(method.clone())).await.status;
            assert!(!matches!(status, 404 | 405), "{method} {filled}: {status}");
        }
    }
}

#[actix_web::test]
async fn every_call_that_is_described_as_signed_wants_a_caller() {
    let site = a_box();
    let got = site.get("/api/openapi.json").await.json();
    let mut signed = 0;
    for (path, methods) in got["paths"].as_object().expect("paths") {
        for (method, call) in methods.as_object().expect("methods") {
            let ways = call["security"].as_array().cloned().unwrap_or_default();
            // An empty way in stands for everybody.
            if ways.is_empty() || ways.contains(&json!({})) {
                continue;
            }
            signed += 1;
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let filled = path.replace(['{', '}'], "");
            let status = site.send(TestRequest::with_uri(&filled).method(method.clone())).await.status;
            assert_eq!(status, 401, "{method} {path}");
        }
    }
    assert!(signed > 20, "{signed}");
}

#[actix_web::test]
async fn a_server_on_port_zero_says_where_it_is_and_stops_when_told() {
    let site = a_box();
    let Ok(doors) = Arc::try_unwrap(site.doors) else { panic!("nobody else holds the doors") };
    let listen = "127.0.0.1:0".parse().expect("an address");
    let (address, handle, server) = super::super::serve(listen, doors).expect("a free port");
    assert_ne!(address.port(), 0);
    let running = actix_web::rt::spawn(server);
    let asked = actix_web::web::block(move || {
        ureq::get(format!("http://{address}/healthz")).call().map(|got| got.status().as_u16())
    });
    assert_eq!(asked.await.expect("a thread").expect("an answer"), 200);
    handle.stop(true).await;
    running.await.expect("no panic").expect("no error");
}

#[actix_web::test]
async fn the_administrator_sees_how_the_drivers_stand_and_nobody_else_does() {
    let site = a_box();
    let ask = |credentials: &str| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
        TestRequest::get().uri("/api/v1/drivers").insert_header(("Authorization", format!("Basic {encoded}")))
    };
    let got = site.send(ask(&format!("admin:{PASSWORD}"))).await;
    assert_eq!((got.status, got.json()["drivers"][0]["id"].as_str()), (200, Some("acme.barrier")));
    assert_eq!(site.send(ask("admin:wrong password")).await.status, 401);
    assert_eq!(site.send(TestRequest::get().uri("/api/v1/drivers")).await.status, 401);
}
