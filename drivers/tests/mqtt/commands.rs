//! Commands on their way out: through outages, past their expiry, and those that somebody retained.

use chrono::TimeDelta;
use rumqttc::QoS;
use tollhouse_core::id::CommandId;
use tollhouse_drivers::event::{AckState, What};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::{DeviceCommand, DeviceLink, LinkError, Refused};

use crate::mosquitto::{Memory, Mosquitto, free_port};
use crate::stage::{Client, Noticed, Stage, plate, start_time, topic};

#[tokio::test]
async fn a_command_reaches_its_device_as_the_contract_writes_it_and_the_answer_comes_back() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut barrier = Client::listening(broker.port, "bar", &topic("bar/cmd/+")).await;
    stage.open("now", 30);
    let publish = barrier.heard().await;
    assert_eq!((publish.topic, publish.qos, publish.retain), (topic("bar/cmd/open"), QoS::AtLeastOnce, false));
    let body: serde_json::Value = serde_json::from_slice(&publish.payload).expect("JSON");
    let cmd_id = CommandId::from_bytes([7; 16]).to_string();
    assert_eq!(
        body,
        serde_json::json!({"cmd_id": cmd_id, "expires_at": "2026-03-01T02:00:30.000+00:00", "args": {"name": "now"}})
    );
    barrier.publish(&format!("bar/ack/{cmd_id}"), r#"{"state":"accepted"}"#).await;
    let What::Ack(ack) = &stage.event().await.what else { panic!("no answer") };
    assert_eq!((ack.cmd_id.as_str(), ack.state), (cmd_id.as_str(), AckState::Accepted));
}

#[tokio::test]
async fn commands_given_during_an_outage_arrive_after_it_unless_they_have_expired() {
    let mut broker = Mosquitto::start(Memory::Lasting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut barrier = Client::listening(broker.port, "bar", &topic("bar/cmd/+")).await;
    stage.open("before", 30);
    assert_eq!(barrier.command().await, "before");
    broker.kill();
    stage.until(&Noticed::Link(LinkState::Down)).await;
    stage.open("expired", 5);
    stage.open("still good", 30);
    stage.advance(TimeDelta::seconds(10));
    broker.start_again().await;
    // What the broker had not written down it may deliver twice.
    let mut next = barrier.command().await;
    while next == "before" {
        next = barrier.command().await;
    }
    assert_eq!(next, "still good");
}

#[tokio::test]
async fn subscriptions_are_renewed_when_the_broker_has_forgotten_them() {
    let mut broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    broker.kill();
    stage.until(&Noticed::Link(LinkState::Down)).await;
    broker.start_again().await;
    stage.until(&Noticed::Link(LinkState::Up)).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/plate", plate("after")).await;
    assert_eq!(stage.event_id().await.0, "after");
}

#[tokio::test]
async fn a_retained_command_is_cleared_and_counted_and_a_live_one_is_left_alone() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut intruder = Client::listening(broker.port, "intruder", &topic("+/cmd/+")).await;
    intruder.retain("bar/cmd/open", r#"{"cmd_id":"x","args":{}}"#).await;
    intruder.retain("nobody/cmd/open", r#"{"cmd_id":"y","args":{}}"#).await;
    let mut stage = Stage::start(broker.port);
    let mut cleared = Vec::new();
    while cleared.len() < 2 {
        let publish = intruder.heard().await;
        if publish.payload.is_empty() {
            cleared.push(publish.topic);
        }
    }
    cleared.sort();
    assert_eq!(cleared, [topic("bar/cmd/open"), topic("nobody/cmd/open")]);

    stage.open("live", 30);
    let mut late = Client::listening(broker.port, "late", &topic("+/cmd/+")).await;
    late.publish("bar/cmd/close", "{}").await;
    let first = late.heard().await;
    assert!(!first.retain, "nothing is retained any more");
    late.publish("cam/event/plate", plate("e")).await;
    stage.event_id().await;
    stage.link.shutdown().await;
    let mut refused = Vec::new();
    loop {
        match stage.noticed().await {
            Noticed::Refused(device, Refused::Retained) => refused.push(device),
            Noticed::Link(LinkState::Down) => break,
            Noticed::Link(LinkState::Up) => {}
            other => panic!("nothing else is to be noticed: {other:?}"),
        }
    }
    refused.sort();
    assert_eq!(refused, [None, Some("bar".to_owned())]);
}

#[tokio::test]
async fn a_command_that_is_retained_while_the_box_is_connected_is_found_cleared_and_counted() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut intruder = Client::listening(broker.port, "intruder", &topic("+/cmd/+")).await;
    for _ in 0..2 {
        intruder.retain("bar/cmd/open", r#"{"cmd_id":"x","args":{}}"#).await;
        stage.until(&Noticed::Refused(Some("bar".to_owned()), Refused::Retained)).await;
        while !intruder.heard().await.payload.is_empty() {}
    }
    stage.open("live", 30);
    while !intruder.command().await.contains("live") {}
}

#[tokio::test]
async fn a_command_for_a_stranger_or_beyond_the_limit_or_after_the_end_is_not_taken() {
    let stage = Stage::start(free_port());
    let command = |device: &str| DeviceCommand {
        device: device.parse().expect("a name"),
        cmd_id: CommandId::from_bytes([1; 16]),
        name: "open",
        args: serde_json::Value::Null,
        expires_at: start_time() + TimeDelta::seconds(5),
    };
    assert!(matches!(stage.link.send(command("stranger")), Err(LinkError::UnknownDevice(_))));
    let long = DeviceCommand { args: "x".repeat(65 * 1024).into(), ..command("bar") };
    assert!(matches!(stage.link.send(long), Err(LinkError::TooLarge { .. })));
    let taken = (0..10_000).take_while(|_| stage.link.send(command("bar")).is_ok()).count();
    assert_eq!(taken, 8192);
    assert!(matches!(stage.link.send(command("bar")), Err(LinkError::Full(_))));
    stage.link.shutdown().await;
    assert_eq!(stage.link.send(command("bar")), Err(LinkError::Closed));
}
