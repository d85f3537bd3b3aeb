//! The Hikvision driver against a camera over ISAPI: each trap of the facts that we have about it is a test.

use serde_json::{Value, json};
use tollhouse_core::plate::Colour;
use tollhouse_drivers::event::{Approach, What};

use crate::emulator::{Emulator, driver, free_port};
use crate::rig::Rig;

const DEVICES: [&str; 2] = ["cam-in-1", "gate-in-1"];
const ISAPI: &str = "http://www.isapi.org/ver20/XMLSchema";
const VENDOR: &str = "http://www.hikvision.com/ver20/XMLSchema";

fn alert(namespace: &str, plate: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><EventNotificationAlert version=\"2.0\" xmlns=\"{namespace}\">\
         <ipAddress>192.168.1.64</ipAddress><macAddress>44:19:b6:00:00:01</macAddress><channelID>1</channelID>\
         <dateTime>2026-03-01T10:00:00+08:00</dateTime><eventType>ANPR</eventType><eventState>active</eventState><ANPR>\
         <country>8</country><licensePlate>{plate}</licensePlate><direction>forward</direction>\
         <confidenceLevel>97</confidenceLevel></ANPR><picNum>2</picNum></EventNotificationAlert>"
    )
}

fn config(camera: &Emulator, events: &Value) -> Value {
    json!({
        "camera": DEVICES[0], "barrier": DEVICES[1], "address": camera.address, "user": "admin", "password": "right",
        "events": events, "answer_ms": 1000, "status_every_ms": 200, "travel_ms": 1500, "silent_after_ms": 20000,
    })
}

async fn pulling(options: &Value) -> (Rig, Emulator) {
    let mut camera = Emulator::start("hikvision_camera.py", options).await;
    let mut rig = Rig::start(&driver("hikvision"), config(&camera, &json!({"kind": "pull"})), &DEVICES);
    assert_eq!(rig.take(2).await, ["cam-in-1 Online", "gate-in-1 Online"]);
    camera.hears("stream").await;
    if options["signal"] != false {
        assert_eq!(rig.next().await, "gate-in-1 down");
    }
    (rig, camera)
}

/// The next plate: its text, colour and direction.
async fn plate(rig: &mut Rig) -> (String, Colour, Approach) {
    let event = rig.raw().await;
    let What::Plate(read) = &event.what else { panic!("a plate, not {event:?}") };
    let seen = (read.plate.to_string(), read.colour, read.direction);
    event.receipt.done();
    seen
}

#[tokio::test]
async fn plates_come_from_a_stream_whatever_its_boundary_and_however_it_is_cut() {
    let boundaries = [
        json!({}),
        json!({"chunked": true}),
        json!({"boundary": "--dashed", "dashes": "--"}),
        json!({"boundary": "--dashed", "dashes": ""}),
    ];
    for options in boundaries {
        let (mut rig, mut camera) = pulling(&options).await;
        camera.tell(&json!({"do": "plate", "xml": alert(ISAPI, "苏A8HK52"), "pictures": 2}));
        assert_eq!(plate(&mut rig).await, ("苏A8HK52".to_owned(), Colour::Unknown, Approach::Approach), "{options}");
        camera.tell(&json!({"do": "plate", "xml": alert(VENDOR, "苏A8HK53")}));
        assert_eq!(plate(&mut rig).await.0, "苏A8HK53", "what came after the pictures is found, {options}");
        let sizes: Vec<usize> =
            rig.notes.pictures.lock().expect("not poisoned").iter().map(|(.., size)| *size).collect();
        assert!(matches!(sizes[..], [small, large] if small > 500 && large > 1000), "{sizes:?}, {options}");
        rig.host.shutdown().await;
    }
}

#[tokio::test]
async fn namespaces_case_and_a_colour_before_the_plate_make_no_difference() {
    let (mut rig, mut camera) = pulling(&json!({})).await;
    let upper = alert(VENDOR, "x")
        .replace("licensePlate>x", "LicensePlate>黄苏B12345")
        .replace("/licensePlate", "/LicensePlate");
    let prefixed = alert(ISAPI, "x")
        .replace("<licensePlate>x</licensePlate>", "<hik:licensePlate xmlns:hik=\"h\">绿苏AD12345</hik:licensePlate>")
        .replace("forward", "reverse");
    for (xml, wanted) in [
        (alert(ISAPI, "蓝苏A8HK52"), ("苏A8HK52", Colour::Blue, Approach::Approach)),
        (upper, ("苏B12345", Colour::Yellow, Approach::Approach)),
        (prefixed, ("苏AD12345", Colour::Green, Approach::Depart)),
    ] {
        camera.tell(&json!({"do": "xml", "xml": xml}));
        assert_eq!(plate(&mut rig).await, (wanted.0.to_owned(), wanted.1, wanted.2), "{xml}");
    }
    rig.host.shutdown().await;
}

#[tokio::test]
async fn heartbeats_and_nonsense_are_no_events_and_a_stream_that_ends_is_opened_anew() {
    let (mut rig, mut camera) = pulling(&json!({})).await;
    let heartbeat =
        alert(ISAPI, "x").replace("ANPR</eventType>", "videoloss</eventType>").replace(">active<", ">inactive<");
    for xml in [heartbeat.as_str(), "<a><b>", "no XML at all"] {
        camera.tell(&json!({"do": "xml", "xml": xml}));
    }
    camera.tell(&json!({"do": "cut"}));
    assert_eq!(camera.hears("stream").await["stream"], 2);
    camera.tell(&json!({"do": "xml", "xml": alert(ISAPI, "苏A8HK52")}));
    assert_eq!(plate(&mut rig).await.0, "苏A8HK52", "the first event of all");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn an_open_is_confirmed_by_the_barriers_status_and_not_by_the_word_ok() {
    let (mut rig, mut camera) = pulling(&json!({})).await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(camera.hears("barrier").await["barrier"], "open");
    assert_eq!(rig.next().await, "gate-in-1 Accepted");
    rig.wait_for("gate-in-1 up").await;
    assert_eq!(rig.next().await, "gate-in-1 Confirmed");
    rig.send("gate-in-1", "close", json!({}));
    rig.wait_for("gate-in-1 Confirmed").await;
    camera.tell(&json!({"do": "lock"}));
    rig.send_with("gate-in-1", "open", json!({}), "locked", chrono::TimeDelta::seconds(10));
    // The locked unit says OK, and its relay does nothing.
    rig.wait_for("gate-in-1 Accepted").await;
    rig.wait_for("gate-in-1 Failed").await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_barrier_without_a_signal_is_accepted_and_never_confirmed() {
    let (mut rig, mut camera) = pulling(&json!({"signal": false})).await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(camera.hears("barrier").await["barrier"], "open");
    rig.wait_for("gate-in-1 Accepted").await;
    rig.send("cam-in-1", "speak", json!({"text": "欢迎 <光临>"}));
    let voice = camera.hears("voice").await;
    assert!(voice["voice"].as_str().is_some_and(|xml| xml.contains(">欢迎 &lt;光临&gt;<")), "{voice}");
    rig.wait_for("cam-in-1 Accepted").await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn hold_is_open_then_lock_and_release_is_unlock_then_close() {
    let (mut rig, mut camera) = pulling(&json!({})).await;
    rig.send("gate-in-1", "hold", json!({}));
    for mode in ["open", "lock"] {
        assert_eq!(camera.hears("barrier").await["barrier"], mode);
    }
    rig.wait_for("gate-in-1 Confirmed").await;
    rig.send("gate-in-1", "release", json!({}));
    for mode in ["unlock", "close"] {
        assert_eq!(camera.hears("barrier").await["barrier"], mode);
    }
    rig.wait_for("gate-in-1 Confirmed").await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_then_no_more() {
    let mut camera = Emulator::start("hikvision_camera.py", &json!({"password": "another"})).await;
    let mut rig = Rig::start(&driver("hikvision"), config(&camera, &json!({"kind": "pull"})), &DEVICES);
    rig.wait_for("gate-in-1 Offline").await;
    rig.wait_for("cam-in-1 Alarm").await;
    for _ in 0..3 {
        rig.send_with("gate-in-1", "open", json!({}), "again", chrono::TimeDelta::seconds(10));
    }
    rig.wait_for("gate-in-1 Failed").await;
    rig.host.shutdown().await;
    let mut wrong = 0;
    while let Some(said) = camera.said_so_far() {
        assert_ne!(said["credentials"], "right");
        wrong += usize::from(said["credentials"] == "wrong");
    }
    assert_eq!(wrong, 1, "the account is locked after a few");
}

#[tokio::test]
async fn a_nonce_that_is_too_old_is_renewed_and_locks_nobody_out() {
    let (mut rig, mut camera) = pulling(&json!({})).await;
    camera.tell(&json!({"do": "new_nonce"}));
    rig.send("gate-in-1", "open", json!({}));
    rig.wait_for("gate-in-1 Confirmed").await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_camera_that_posts_is_answered_when_the_box_has_the_plate() {
    let mut camera = Emulator::start("hikvision_camera.py", &json!({"boundary": "--edge"})).await;
    let listen = format!("127.0.0.1:{}", free_port());
    let events = json!({"kind": "push", "listen": listen});
    let mut rig = Rig::start(&driver("hikvision"), config(&camera, &events), &DEVICES);
    assert_eq!(rig.take(3).await, ["cam-in-1 Online", "gate-in-1 Online", "gate-in-1 down"]);
    for (kind, text) in [("form", "苏A8HK52"), ("bare", "苏A8HK53")] {
        let xml = alert(VENDOR, text);
        camera.tell(&json!({"do": "push", "to": listen, "xml": xml, "pictures": 1, "kind": kind}));
        assert_eq!(camera.hears("pushed").await["pushed"], 200);
        assert_eq!(plate(&mut rig).await.0, text);
    }
    assert_eq!(rig.notes.pictures.lock().expect("not poisoned").len(), 1);
    rig.host.shutdown().await;
}

#[tokio::test]
async fn the_cameras_list_is_written_in_parts_and_with_the_last_what_is_not_on_it_is_taken_off() {
    let (mut rig, mut camera) = pulling(&json!({"list": {"粤X00000": "whiteList", "粤Y00000": "blackList"}})).await;
    let part =
        |number: usize, plates: Vec<Value>| json!({"revision": "a", "part": number, "parts": 2, "plates": plates});
    let first = (0..90).map(|n| json!({"plate": format!("粤B{n:05}"), "until": "2027-02-28T20:00:00Z"})).collect();
    rig.send_with("cam-in-1", "whitelist", part(1, first), "one", chrono::TimeDelta::seconds(20));
    rig.wait_for("cam-in-1 Confirmed").await;
    // No barrier waits for a list.
    rig.send("gate-in-1", "open", json!({}));
    rig.send_with(
        "cam-in-1",
        "whitelist",
        part(2, vec![json!({"plate": "粤C99999"})]),
        "two",
        chrono::TimeDelta::seconds(20),
    );
    rig.wait_for("cam-in-1 Confirmed").await;
    camera.tell(&json!({"do": "list"}));
    let list = camera.hears("list").await["list"].clone();
    assert_eq!(list.as_object().map(serde_json::Map::len), Some(92), "{list}");
    assert_eq!((list.get("粤X00000"), list.get("粤Y00000").is_some()), (None, true), "who is kept out stays so");
    assert_eq!(list["粤B00007"], json!(["whiteList", "2027-03-01"]), "by the camera's own days");
    rig.send_with("cam-in-1", "whitelist", part(2, vec![]), "three", chrono::TimeDelta::seconds(20));
    rig.wait_for("cam-in-1 Rejected").await;
    rig.host.shutdown().await;
}
