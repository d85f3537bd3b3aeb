//! The Vzenith driver against a camera behind mosquitto: both orders of topic, replies with a code, the licence in base64.

use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_core::plate::Colour;
use tollhouse_drivers::event::What;

use crate::emulator::{Emulator, driver};
use crate::mosquitto::{Memory, Mosquitto};
use crate::rig::Rig;

const DEVICES: [&str; 3] = ["cam-in-1", "gate-in-1", "display-in-1"];
const HELLO: [&str; 3] = ["cam-in-1 Online", "gate-in-1 Online", "display-in-1 Online"];

/// The driver's topics are set to the other order than the camera's, which it has to learn.
async fn start(order: &str) -> (Rig, Emulator, Mosquitto) {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let address = format!("127.0.0.1:{}", broker.port);
    let other = if order == "device_first" { "serial_first" } else { "device_first" };
    let config = json!({
        "camera": DEVICES[0], "barrier": DEVICES[1], "display": DEVICES[2], "serial": "s-1",
        "link": {"kind": "mqtt", "broker": address, "topics": other},
        "gate_status": {"up": 2, "down": 1}, "travel_ms": 4000,
    });
    let options = json!({"broker": address, "serial": "s-1", "order": order, "list": ["粤X00000", "粤B00001"]});
    let mut camera = Emulator::start("vzenith_mqtt.py", &options).await;
    camera.tell(&json!({"do": "retained_plate", "license": "粤A00000"}));
    let mut rig = Rig::start(&driver("vzenith"), config, &DEVICES);
    assert_eq!(rig.take(3).await, HELLO);
    heard(&mut rig, &mut camera).await;
    (rig, camera, broker)
}

/// Tells of the gate until the driver has subscribed and hears it.
async fn heard(rig: &mut Rig, camera: &mut Emulator) {
    for _ in 0..200 {
        camera.tell(&json!({"do": "gate_status", "status": 1}));
        if let Ok(said) = tokio::time::timeout(Duration::from_millis(100), rig.next()).await {
            assert_eq!(said, "gate-in-1 down", "and not the plate that the broker had kept");
            return;
        }
    }
    panic!("the driver does not hear its camera");
}

#[tokio::test]
async fn a_plate_comes_an_open_goes_is_replied_to_and_confirmed_in_either_order_of_topic() {
    for order in ["device_first", "serial_first"] {
        let (mut rig, mut camera, _broker) = start(order).await;
        camera.tell(&json!({"do": "plate", "license": "粤AD12345"}));
        let event = rig.raw().await;
        let What::Plate(read) = &event.what else { panic!("a plate, not {event:?}") };
        assert_eq!((read.plate.as_str(), read.colour), ("粤AD12345", Colour::Green));
        assert_eq!(rig.notes.pictures.lock().expect("not poisoned").len(), 1);
        event.receipt.done();
        rig.send("gate-in-1", "open", json!({}));
        assert_eq!(camera.hears("gpio_out").await["gpio_out"], json!({"io": 0, "value": 2, "delay": 500}));
        assert_eq!(rig.take(3).await, ["gate-in-1 Accepted", "gate-in-1 up", "gate-in-1 Confirmed"]);
        rig.send("display-in-1", "speak", json!({"text": "欢迎光临"}));
        assert_eq!(camera.hears("serial").await["serial"][0], "0064ffff300901bbb6d3adb9e2c1d93258");
        assert_eq!(rig.next().await, "display-in-1 Accepted");
        rig.host.shutdown().await;
    }
}

#[tokio::test]
async fn a_code_other_than_200_is_a_refusal_and_no_reply_is_a_doubt() {
    let (mut rig, mut camera, _broker) = start("device_first").await;
    camera.tell(&json!({"do": "codes", "code": 400}));
    // An order and a command come by different ways: the one is in force before the other is sent.
    camera.hears("answers_with").await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Rejected");
    camera.tell(&json!({"do": "no_reply"}));
    camera.hears("answers_with").await;
    rig.send_with("gate-in-1", "open", json!({}), "second", chrono::TimeDelta::seconds(10));
    camera.hears_that("the second open", |said: &Value| said.get("gpio_out").is_some()).await;
    assert_eq!(rig.next().await, "gate-in-1 Failed");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn without_a_broker_the_camera_is_offline_and_commands_are_refused() {
    let (mut rig, _camera, broker) = start("device_first").await;
    drop(broker);
    let gone = ["cam-in-1 Offline", "gate-in-1 Offline", "display-in-1 Offline"];
    assert_eq!(rig.take(3).await, gone);
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Failed");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn the_cameras_list_is_added_to_part_by_part_and_with_the_last_what_is_not_on_it_is_taken_off() {
    let (mut rig, mut camera, _broker) = start("device_first").await;
    let part =
        |number: usize, plates: Vec<Value>| json!({"revision": "a", "part": number, "parts": 2, "plates": plates});
    let first = (0..120).map(|n| json!({"plate": format!("粤B{n:05}"), "until": "2027-03-01T00:00:00Z"})).collect();
    rig.send_with("cam-in-1", "whitelist", part(1, first), "one", chrono::TimeDelta::seconds(20));
    assert_eq!(rig.next().await, "cam-in-1 Confirmed");
    camera.tell(&json!({"do": "list"}));
    let list = camera.hears("list").await["list"].clone();
    assert_eq!((list.as_object().map(serde_json::Map::len), list.get("粤X00000").is_some()), (Some(121), true));
    let rest = vec![json!({"plate": "粤C99999", "from": "2026-03-01T00:00:00Z"})];
    rig.send_with("cam-in-1", "whitelist", part(2, rest), "two", chrono::TimeDelta::seconds(20));
    assert_eq!(rig.next().await, "cam-in-1 Confirmed");
    camera.tell(&json!({"do": "list"}));
    let list = camera.hears("list").await["list"].clone();
    assert_eq!(
        (list.as_object().map(serde_json::Map::len), list.get("粤X00000")),
        (Some(121), None),
        "one off, one on"
    );
    assert_eq!(list["粤B00007"], json!(["2000-01-01 00:00:00", "2027-03-01 08:00:00"]), "by the camera's own clock");
    assert_eq!(list["粤C99999"], json!(["2026-03-01 08:00:00", "2099-12-31 23:59:59"]));
    // A camera that refuses, a part out of order, and a device that keeps no list.
    camera.tell(&json!({"do": "codes", "code": 400}));
    // An order and a command come by different ways: the one is in force before the other is sent.
    camera.hears("answers_with").await;
    let anew = json!({"revision": "b", "part": 1, "parts": 1, "plates": [{"plate": "粤B1"}]});
    rig.send_with("cam-in-1", "whitelist", anew, "three", chrono::TimeDelta::seconds(20));
    assert_eq!(rig.next().await, "cam-in-1 Rejected");
    rig.send_with("cam-in-1", "whitelist", part(2, vec![]), "four", chrono::TimeDelta::seconds(20));
    assert_eq!(rig.next().await, "cam-in-1 Rejected");
    rig.host.shutdown().await;
}
