//! What is counted and does nothing else, and what is learnt of devices on the way.

use tollhouse_core::id::BootId;
use tollhouse_drivers::event::{Availability, ChannelState, Position, Presence};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::{Refused, What};

use crate::mosquitto::{Memory, Mosquitto};
use crate::stage::{Client, Noticed, Stage, plate};

#[tokio::test]
async fn what_breaks_the_contract_is_counted_and_nothing_else() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    let long_plate = format!(r#"{{"event_id":"e","plate":"{}"}}"#, "A".repeat(500));
    let cam = Some("cam");
    let cases: [(&str, Vec<u8>, Option<&str>, Refused); 11] = [
        ("cam/event/plate", br#"{"hello":"world"}"#.to_vec(), cam, Refused::BadJson),
        ("cam/event/plate", Vec::new(), cam, Refused::BadJson),
        ("cam/event/plate", vec![b' '; 65 * 1024], cam, Refused::TooLarge),
        ("cam/event/plate", b"{\"event_id\":\"\xff\"}".to_vec(), cam, Refused::BadUtf8),
        ("cam/event/plate", long_plate.into_bytes(), cam, Refused::BadPlate),
        ("cam/event/plate", br#"{"event_id":"e","plate":""}"#.to_vec(), cam, Refused::NoPlate),
        ("cam/event/party", plate("e").into_bytes(), None, Refused::UnknownTopic),
        ("stranger/event/plate", plate("e").into_bytes(), None, Refused::UnknownDevice),
        ("bar/ack/a%20b", br#"{"state":"accepted"}"#.to_vec(), Some("bar"), Refused::BadField),
        ("bar/state/arm", b"[]".to_vec(), Some("bar"), Refused::BadJson),
        ("cam/blob/e", vec![0; (2 << 20) + 1], cam, Refused::TooLarge),
    ];
    for (tail, body, device, reason) in cases {
        camera.publish(tail, body).await;
        assert_eq!(stage.noticed().await, Noticed::Refused(device.map(str::to_owned), reason), "{tail}");
    }
    camera.retain("cam/event/plate", &plate("live")).await;
    assert_eq!(stage.event_id().await.0, "live", "to a subscriber that is there it is a live event, and the first");
}

#[tokio::test]
async fn a_retained_event_drives_no_lane_and_is_cleared() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut camera = Client::listening(broker.port, "cam", &crate::stage::topic("cam/event/+")).await;
    camera.retain("cam/event/plate", &plate("yesterday")).await;
    assert!(!camera.heard().await.payload.is_empty());
    let mut stage = Stage::start(broker.port);
    stage.until(&Noticed::Refused(Some("cam".to_owned()), Refused::Retained)).await;
    assert!(camera.heard().await.payload.is_empty(), "the link clears it");
    camera.publish("cam/event/plate", plate("today")).await;
    assert_eq!(stage.event_id().await.0, "today");
    stage.link.shutdown().await;
    assert_eq!(stage.noticed().await, Noticed::Link(LinkState::Up), "its own clearing is not refused");
}

#[tokio::test]
async fn a_picture_of_two_mebibytes_arrives_whole() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/blob/e-1", vec![7; 2 << 20]).await;
    assert_eq!(stage.noticed().await, Noticed::Picture("e-1".to_owned(), 2 << 20));
}

#[tokio::test]
async fn an_offline_of_an_older_boot_is_ignored_and_presence_is_known_without_asking() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut barrier = Client::speaking(broker.port, "bar").await;
    let said = |state: &str, boot: &str| format!(r#"{{"state":"{state}","boot_id":"{boot}"}}"#);
    barrier.retain("bar/availability", &said("online", "two")).await;
    barrier.retain("bar/state/arm", r#"{"position":"down","at":"2026-03-01T00:00:00Z"}"#).await;
    barrier.retain("bar/meta", r#"{"kinds":["barrier"],"vendor":"Acme"}"#).await;
    let mut stage = Stage::start(broker.port);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let event = stage.event().await;
        event.receipt.done();
        seen.push(event.what);
    }
    let online = Availability { presence: Presence::Online, boot_id: BootId::new("two").ok() };
    assert!(seen.contains(&What::Availability(online)), "{seen:?}");
    assert!(seen.contains(&What::Stood(ChannelState::Barrier(Position::Down))), "{seen:?}");
    stage.until(&Noticed::Link(LinkState::Up)).await;
    // What was kept is how things stood; what comes now is news.
    barrier.retain("bar/state/arm", r#"{"position":"up","at":"2026-03-01T00:00:09Z"}"#).await;
    let news = stage.event().await;
    news.receipt.done();
    assert_eq!(news.what, What::State(ChannelState::Barrier(Position::Up)));

    barrier.publish("bar/availability", said("offline", "one")).await;
    barrier.publish("bar/availability", said("offline", "two")).await;
    let offline = Availability { presence: Presence::Offline, boot_id: BootId::new("two").ok() };
    assert_eq!(stage.availability().await, offline, "that of boot one is not delivered");
    let status = stage.link.directory().remove(1);
    assert_eq!((status.presence, status.boot_id), (Some(Presence::Offline), BootId::new("two").ok()));
    assert_eq!(status.meta.and_then(|meta| meta.vendor).as_deref(), Some("Acme"));
    assert_eq!(status.states, [("arm".to_owned(), ChannelState::Barrier(Position::Up))]);
}

#[tokio::test]
async fn gaps_and_a_wrong_clock_are_noticed() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    // The box's clock stands at 02:00:00Z.
    let event = |seq: u32| {
        format!(r#"{{"event_id":"e{seq}","boot_id":"b","seq":{seq},"plate":"A1","sent_at":"2026-03-01T02:00:09Z"}}"#)
    };
    camera.publish("cam/event/plate", event(1)).await;
    assert_eq!(stage.noticed().await, Noticed::Offset(9000));
    camera.publish("cam/event/plate", event(5)).await;
    assert_eq!(stage.noticed().await, Noticed::Gap(3));
}
