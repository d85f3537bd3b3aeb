//! Asserts that a phone on mobile data reaches a box behind NAT through the public front that is shipped: real nginx, sshd
//! and autossh on loopback, a real browser as the phone, and the line between front and box cut and restored.

use std::time::Duration;

use tollhouse_tests::{Front, PATIENCE, Page, Site, eventually, plate_number, plate_on_a_screen, story};

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
    for path in ["/", "/metrics", "/healthz", "/api/openapi.json", "/api/v1/lanes", "/api/v1/users", "/api/v1/sessions"]
    {
        assert_eq!(front.http.get(path).status, 404, "{path}");
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
