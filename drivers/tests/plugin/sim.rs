//! The simulated lane behind the ABI: a car drives up, is read, let through, and the child may die meanwhile.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tollhouse_drivers::event::What;
use tollhouse_drivers::link::{DeviceCommand, DeviceLink, LinkError, LinkState};

use crate::rig::{Rig, device, kill, sim_library};

const DEVICES: [&str; 3] = ["cam-in-2", "gate-in-2", "display-in-2"];

fn start(travel_ms: u32) -> Rig {
    let config = json!({
        "devices": {"camera": DEVICES[0], "barrier": DEVICES[1], "display": DEVICES[2]},
        "travel_ms": travel_ms, "drive_ms": 5,
    });
    Rig::start(&sim_library(), config, &DEVICES)
}

fn car() -> Value {
    json!({"plate": "粤C12345", "colour": "blue"})
}

async fn online(rig: &mut Rig) {
    let hello = ["cam-in-2 Online", "gate-in-2 Online", "display-in-2 Online", "gate-in-2 down", "gate-in-2 clear"];
    assert_eq!(rig.take(5).await, hello);
}

#[tokio::test]
async fn a_car_drives_up_is_read_let_through_and_the_barrier_falls() {
    let mut rig = start(5);
    online(&mut rig).await;
    rig.send("cam-in-2", "x-arrive", car());
    assert_eq!(rig.take(3).await, ["cam-in-2 Confirmed", "gate-in-2 occupied", "cam-in-2 plate 粤C12345"]);
    rig.send("gate-in-2", "open", json!({}));
    let opening = ["gate-in-2 Accepted", "gate-in-2 moving", "gate-in-2 up", "gate-in-2 Confirmed"];
    assert_eq!(rig.take(4).await, opening);
    let passing = ["gate-in-2 passed forward", "gate-in-2 clear", "gate-in-2 moving", "gate-in-2 down"];
    assert_eq!(rig.take(4).await, passing);
    assert_eq!(*rig.notes.links.lock().expect("not poisoned"), [LinkState::Up]);
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_car_backs_out_and_the_display_and_camera_answer() {
    let mut rig = start(5);
    online(&mut rig).await;
    rig.send("cam-in-2", "x-leave", json!({}));
    assert_eq!(rig.next().await, "cam-in-2 Rejected", "there is no car");
    rig.send("cam-in-2", "x-arrive", car());
    rig.take(3).await;
    rig.send_with("cam-in-2", "x-leave", json!({}), "second", TimeDelta::seconds(10));
    assert_eq!(rig.take(3).await, ["cam-in-2 Confirmed", "gate-in-2 passed backward", "gate-in-2 clear"]);
    rig.send("display-in-2", "display", json!({"lines": ["欢迎光临"]}));
    assert_eq!(rig.next().await, "display-in-2 Confirmed");
    rig.send("display-in-2", "open", json!({}));
    assert_eq!(rig.next().await, "display-in-2 Rejected");
    let cmd_id = rig.send("cam-in-2", "snapshot", json!({}));
    assert_eq!(rig.next().await, "cam-in-2 Confirmed");
    let pictures = rig.notes.pictures.lock().expect("not poisoned").clone();
    assert!(
        matches!(&pictures[..], [(camera, id, 1..)] if camera.as_str() == "cam-in-2" && *id == cmd_id),
        "{pictures:?}"
    );
}

#[tokio::test]
async fn a_command_sent_twice_is_done_once_and_an_expired_one_never() {
    let mut rig = start(5);
    online(&mut rig).await;
    let first = rig.send("cam-in-2", "x-arrive", car());
    assert_eq!(rig.take(3).await.last().map(String::as_str), Some("cam-in-2 plate 粤C12345"));
    let second = rig.send("cam-in-2", "x-arrive", car());
    assert_eq!(first, second);
    assert_eq!(rig.next().await, "cam-in-2 Confirmed", "the same answer, and no second car");
    rig.send_with("gate-in-2", "open", json!({}), "late", TimeDelta::zero());
    assert_eq!(rig.next().await, "gate-in-2 Rejected");
    rig.send("display-in-2", "speak", json!({"text": "bye"}));
    assert_eq!(rig.next().await, "display-in-2 Confirmed", "nothing moved in between");
}

#[tokio::test]
async fn a_killed_child_leaves_its_command_unknown_and_comes_back_as_another_run() {
    let mut rig = start(60_000);
    online(&mut rig).await;
    let before = rig.boot_id();
    rig.send("gate-in-2", "open", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-2 Accepted", "gate-in-2 moving"]);
    kill(rig.pid());
    let gone = ["gate-in-2 OutcomeUnknown", "cam-in-2 Offline", "gate-in-2 Offline", "display-in-2 Offline"];
    assert_eq!(rig.take(4).await, gone);
    online(&mut rig).await;
    assert_ne!(rig.boot_id(), before);
    assert_eq!(rig.host.status().restarts, 1);
    let links = rig.notes.links.lock().expect("not poisoned").clone();
    assert_eq!(links, [LinkState::Up, LinkState::Down, LinkState::Restarted, LinkState::Up]);
    rig.send("gate-in-2", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 OutcomeUnknown", "the same command is not carried out after all");
    rig.send("cam-in-2", "x-arrive", car());
    assert_eq!(rig.take(3).await, ["cam-in-2 Confirmed", "gate-in-2 occupied", "cam-in-2 plate 粤C12345"]);
}

#[tokio::test]
async fn an_event_that_nobody_finishes_comes_again_as_the_same_event() {
    let mut rig = start(5);
    online(&mut rig).await;
    rig.send("cam-in-2", "x-arrive", car());
    rig.take(2).await;
    let first = rig.raw().await;
    let What::Plate(read) = &first.what else { panic!("a plate, not {first:?}") };
    assert_eq!(read.head.boot_id, Some(rig.boot_id()));
    let what = first.what.clone();
    drop(first);
    let again = rig.raw().await;
    assert_eq!(again.what, what);
    again.receipt.done();
}

#[tokio::test]
async fn a_command_for_a_device_of_another_lane_is_refused_at_once() {
    let rig = start(5);
    let expires_at = chrono::Utc::now();
    let cmd_id = tollhouse_core::id::CommandId::from_bytes([1; 16]);
    let stray = DeviceCommand { device: device("gate-in-9"), cmd_id, name: "open", args: json!({}), expires_at };
    assert_eq!(rig.host.send(stray), Err(LinkError::UnknownDevice(device("gate-in-9"))));
}

#[tokio::test]
async fn a_configuration_that_does_not_fit_is_told_in_words() {
    let rig = Rig::start(&sim_library(), json!({"devices": {"camera": "cam-in-2"}}), &DEVICES);
    let fault = crate::hostile::fault_of(&rig, "does not fit").await;
    assert!(fault.contains("barrier"), "{fault}");
}
