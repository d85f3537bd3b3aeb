//! Asserts that a phone on mobile data reaches a box behind NAT through the public front that is shipped: real nginx, sshd
//! and autossh on loopback, a real browser as the phone, and the line between front and box cut and restored.

use std::time::Duration;

use serde_json::json;
use tollhouse_tests::{Front, PATIENCE, Page, Paying, Site, Way, eventually, plate_number, plate_on_a_screen, story};

#[test]
fn a_phone_sees_the_away_page_while_the_tunnel_is_cut_and_pays_when_it_is_back() {
    let site = Site::demo();
    let (entry, exit) = (site.entry(), site.exit());
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, Duration::from_secs(110 * 60));
    exit.camera.publish(&exit.camera.plate(&plate));
    site.bill_at_the_exit(&plate);
    let front = Front::before(&site.http().url(""));

    let mut phone = Page::open(&front.http.url("/pay/lanes/out-1?lang=en"));
    phone.await_text(&plate_on_a_screen(&plate));
    phone.await_text("10.00");

    front.cut();
    let away = eventually("the front to notice", PATIENCE, || {
        let answer = front.http.get("/api/v1/pay/lanes/out-1");
        (answer.status == 503).then_some(answer)
    });
    assert_eq!(away.field("type"), "urn:tollhouse:problem:away");
    let mut late = Page::open(&front.http.url("/pay/lanes/out-1?lang=en"));
    late.await_text("Cash works at the guard-house");
    late.await_text("岗亭可付现金");
    assert_eq!(front.http.get("/pay/lanes/out-1").status, 503);
    // The gate does not need the front: the car still waits, and the box still knows it.
    assert_eq!(site.http().get("/api/v1/pay/lanes/out-1").field("state"), "due");

    front.restore();
    // Nobody touches the phone: the page tries again by itself.
    late.await_text(&plate_on_a_screen(&plate));
    late.press("#pay");
    eventually("the wallet", PATIENCE, || late.path().starts_with("/sandbox/").then_some(()));
    late.press("#pay");
    assert!(exit.barrier.command("open", 0, PATIENCE).is_some(), "paid through the front, the barrier opens");
}

#[test]
fn the_front_lets_through_what_is_public_and_the_tunnels_key_opens_nothing_else() {
    let site = Site::demo();
    let front = Front::before(&site.http().url(""));
    // All that the box describes of itself, and nothing but what is public.
    let described = site.http().get("/api/openapi.json").json();
    let (mut passed, mut kept) = (0, 0);
    for path in described["paths"].as_object().expect("paths").keys() {
        let filled = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>();
        let public = ["/pay/", "/api/v1/pay/", "/assets/", "/sandbox/"].iter().any(|at| path.starts_with(at));
        let answer = front.http.get(&filled.join("/"));
        let by_the_front = answer.status == 404 && answer.body.starts_with("There is nothing here.");
        assert_eq!(!by_the_front, public, "{path}: {answer:?}");
        *(if public { &mut passed } else { &mut kept }) += 1;
    }
    assert!(passed > 8 && kept > 50, "{passed} public paths, {kept} others");
    for callback in ["/pay/notify/wechat", "/pay/notify/alipay"] {
        assert!(described["paths"][callback].is_object(), "callbacks are taken at {callback}");
    }
    // Through the tunnel, and the box's own words: no car waits there.
    let nobody = front.http.get("/api/v1/pay/lanes/out-1");
    assert_eq!((nobody.status, nobody.field("type").as_str()), (404, "urn:tollhouse:problem:no-car-waits"));

    let box_port = site.http().url("").rsplit(':').next().expect("a port").trim_end_matches('/').to_owned();
    let elsewhere = format!("127.0.0.1:0:127.0.0.1:{box_port}");
    for arguments in [&["true"][..], &["-s", "sftp"], &["-N", "-R", &elsewhere], &["-W", "127.0.0.1:22"]] {
        let output = front.ssh(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_callback_comes_through_the_front_and_one_that_finds_the_box_away_is_made_up_for_by_asking() {
    let mut site = Paying::start(31);
    let front = Front::before(&site.site.http().url(""));
    site.providers.tell("callbacks", &json!({"origin": front.http.url("").trim_end_matches('/')}));
    let native = Way { provider: "wechat", way: "native" };
    let bill = site.car_at_the_exit(&plate_number(1));
    let (_, number) = site.order(&bill, native);
    let paid = site.phone_pays("wechat", &number);
    site.car_leaves(0, paid);
    let taken = || site.site.http().metrics().sum("tollhouse_payment_callbacks_total", &[("outcome", "taken")]);
    eventually("the callback to come through", PATIENCE, || (taken() > 0.5).then_some(()));

    front.cut();
    let bill = site.car_at_the_exit(&plate_number(2));
    let (_, number) = site.order(&bill, Way { provider: "alipay", way: "precreate" });
    let paid = site.phone_pays("alipay", &number);
    site.car_leaves(1, paid);
    let unanswered = |sent: &serde_json::Value| sent["provider"] == "alipay" && sent["status"] != 200;
    eventually("a callback that found the box away", PATIENCE, || {
        site.providers.ask("callbacks").as_array().is_some_and(|all| all.iter().any(unanswered)).then_some(())
    });
    site.site.end_and_verify();
}
