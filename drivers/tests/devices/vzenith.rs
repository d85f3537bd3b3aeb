//! The Vzenith driver against a camera that posts: each trap of the facts that we have about it is a test.

use serde_json::{Value, json};
use tollhouse_drivers::event::{Backlog, What};

use crate::emulator::{Emulator, driver, free_port};
use crate::rig::Rig;

const DEVICES: [&str; 3] = ["cam-in-1", "gate-in-1", "display-in-1"];
const HELLO: [&str; 3] = ["cam-in-1 Online", "gate-in-1 Online", "display-in-1 Online"];

async fn start(open: &Value) -> (Rig, Emulator) {
    let listen = format!("127.0.0.1:{}", free_port());
    let config = json!({
        "camera": DEVICES[0], "barrier": DEVICES[1], "display": DEVICES[2], "serial": "eff50e18-e3d3862b",
        "link": {"kind": "http", "listen": listen, "answer_within_ms": 1000, "comet_hold_ms": 300, "from": "127.0.0.1"},
        "open": open, "close": {"io": 1}, "travel_ms": 4000,
        "inputs": [{"source": 0, "means": "up"}, {"source": 1, "means": "down"}, {"source": 2, "means": "passage"},
            {"source": 3, "means": "button"}],
    });
    let mut rig = Rig::start(&driver("vzenith"), config, &DEVICES);
    assert_eq!(rig.take(3).await, HELLO);
    let mut camera = Emulator::start("vzenith_http.py", &json!({"box": listen})).await;
    camera.tell(&json!({"do": "io", "source": 1, "value": 1}));
    assert_eq!(rig.next().await, "gate-in-1 down");
    (rig, camera)
}

fn by_io() -> Value {
    json!({"by": "io", "io": 0, "pulse_ms": 500})
}

fn plate() -> Value {
    json!({"do": "plate", "license": "粤A12345", "plateid": 12345})
}

#[tokio::test]
async fn a_plate_waits_for_its_decision_and_the_answer_opens_by_one_way_alone() {
    for (open, relay) in [(json!({"by": "info"}), "ok"), (by_io(), "io 0 value 2")] {
        let (mut rig, mut camera) = start(&open).await;
        camera.tell(&plate());
        assert_eq!(rig.next().await, "cam-in-1 plate 粤A12345");
        rig.send("gate-in-1", "open", json!({}));
        let answer = camera.hears("answer").await;
        let response = &answer["answer"]["Response_AlarmInfoPlate"];
        assert_eq!((&response["plateid"], &answer["status"]), (&json!(12345), &json!(200)), "{answer}");
        assert_eq!(camera.hears("relay").await["relay"], relay);
        let opening = ["gate-in-1 Accepted", "gate-in-1 moving", "gate-in-1 up", "gate-in-1 Confirmed"];
        assert_eq!(rig.take(4).await, opening);
        assert!(matches!(&rig.notes.pictures.lock().expect("not poisoned")[..], [(_, _, 1004)]));
        rig.host.shutdown().await;
    }
}

#[tokio::test]
async fn a_plate_that_nobody_decides_on_is_answered_with_no_in_time() {
    let (mut rig, mut camera) = start(&by_io()).await;
    camera.tell(&plate());
    assert_eq!(rig.next().await, "cam-in-1 plate 粤A12345");
    let answer = camera.hears("answer").await;
    let response = &answer["answer"]["Response_AlarmInfoPlate"];
    assert_eq!((response["info"].as_str(), response.get("ivs_ioctrl")), (Some("no"), None));
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Failed", "it does not poll, so there is no way to it");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn an_open_between_plates_goes_with_the_next_poll() {
    let (mut rig, mut camera) = start(&by_io()).await;
    camera.tell(&json!({"do": "comet"}));
    camera.hears("idle").await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(camera.hears("relay").await["relay"], "io 0 value 2");
    rig.wait_for("gate-in-1 Confirmed").await;
    rig.send("gate-in-1", "close", json!({}));
    assert_eq!(camera.hears("relay").await["relay"], "io 1 value 2");
    rig.send("gate-in-1", "hold", json!({}));
    assert_eq!(camera.hears("relay").await["relay"], "io 0 value 1");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn text_goes_to_the_board_on_the_serial_port_and_words_to_the_cameras_voice() {
    let (mut rig, mut camera) = start(&by_io()).await;
    rig.send("display-in-1", "speak", json!({"text": "欢迎光临"}));
    rig.send("display-in-1", "display", json!({"lines": ["粤A12345", "请通行"]}));
    rig.send("cam-in-1", "speak", json!({"text": "一路平安"}));
    camera.tell(&plate());
    assert_eq!(rig.next().await, "cam-in-1 plate 粤A12345");
    rig.send("gate-in-1", "open", json!({}));
    let serial = camera.hears("serial").await["serial"].clone();
    assert_eq!(serial[0], "0064ffff300901bbb6d3adb9e2c1d93258", "the golden frame");
    assert!(serial[1].as_str().is_some_and(|frame| frame.starts_with("0064ffff6e")), "{serial}");
    assert_eq!(camera.hears("voice").await["voice"], "一路平安");
    let answers = rig.take(4).await;
    for wanted in ["gate-in-1 Accepted", "display-in-1 Accepted", "cam-in-1 Accepted"] {
        assert!(answers.iter().any(|said| said == wanted), "{wanted} among {answers:?}");
    }
    rig.host.shutdown().await;
}

#[tokio::test]
async fn backlog_is_marked_opens_nothing_and_is_asked_for_to_the_end() {
    let (mut rig, mut camera) = start(&by_io()).await;
    let mut order = plate();
    let three_hours_ago = chrono::Utc::now().timestamp() - 3 * 3600;
    (order["offline"], order["sec"]) = (json!(1), json!(three_hours_ago));
    for _ in 0..2 {
        // The camera sends it again when the answer was lost: the same event in the same words, so no conflict.
        camera.tell(&order);
        let event = rig.raw().await;
        let What::Plate(read) = &event.what else { panic!("a plate, not {event:?}") };
        assert_eq!(read.head.backlog, Backlog::Marked);
        assert_eq!(read.head.event_id.as_str(), format!("vz-eff50e18e3d3862b-12345-{three_hours_ago}120"));
        event.receipt.done();
        let answer = camera.hears("answer").await;
        let response = &answer["answer"]["Response_AlarmInfoPlate"];
        assert_eq!(response["ContinuePushOffline"], json!({"plateid": 12345, "continue": 1}));
        assert_eq!(response["info"], "no");
    }
    rig.host.shutdown().await;
}

#[tokio::test]
async fn the_picture_of_a_plate_is_an_alarm_and_no_car() {
    let (mut rig, mut camera) = start(&by_io()).await;
    let mut order = plate();
    order["fake"] = json!(1);
    camera.tell(&order);
    assert_eq!(rig.next().await, "cam-in-1 Alarm");
    assert_eq!(camera.hears("answer").await["answer"]["Response_AlarmInfoPlate"]["info"], "no");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn heartbeats_inputs_and_nonsense_are_answered_and_another_camera_is_not_heard() {
    let (mut rig, mut camera) = start(&by_io()).await;
    camera.tell(&json!({"do": "heartbeat"}));
    assert_eq!(camera.hears("heartbeat").await["heartbeat"], json!({"status": "ok"}));
    for (body, status) in [("{\"AlarmInfoPlate\":7}", 200), ("not json", 200), ("{\"serialno\":\"another\"}", 400)] {
        camera.tell(&json!({"do": "raw", "body": body}));
        assert_eq!(camera.hears("raw").await["status"], status, "{body}");
    }
    for (source, value, words) in [
        (2, 1, vec!["gate-in-1 occupied"]),
        (2, 0, vec!["gate-in-1 clear", "gate-in-1 passed forward"]),
        (3, 1, vec!["cam-in-1 Button"]),
    ] {
        camera.tell(&json!({"do": "io", "source": source, "value": value}));
        assert_eq!(rig.take(words.len()).await, words);
    }
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_camera_that_hangs_up_before_its_answer_has_not_opened() {
    let (mut rig, mut camera) = start(&by_io()).await;
    let mut order = plate();
    order["do"] = json!("hang_up");
    camera.tell(&order);
    assert_eq!(rig.next().await, "cam-in-1 plate 粤A12345");
    // The next post is answered, so the one before is over; the system tells of a reset only when something is written.
    camera.tell(&json!({"do": "heartbeat"}));
    camera.hears("heartbeat").await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Failed");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_silent_camera_is_offline_until_it_speaks() {
    let listen = format!("127.0.0.1:{}", free_port());
    let config = json!({"camera": "cam-in-1", "link": {"kind": "http", "listen": listen}, "silent_after_ms": 1000});
    let mut rig = Rig::start(&driver("vzenith"), config, &["cam-in-1"]);
    assert_eq!(rig.take(2).await, ["cam-in-1 Online", "cam-in-1 Offline"]);
    let _camera = Emulator::start("vzenith_http.py", &json!({"box": listen})).await;
    assert_eq!(rig.next().await, "cam-in-1 Online");
    rig.host.shutdown().await;
}
